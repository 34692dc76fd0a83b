"""Find how a mapfile names the CRS of a data set."""

from __future__ import annotations

from mapsos.command.drafting.data_sets import DataSet, Rectangle
from mapsos.terms.values import dataclass

_CONFIDENCE = 70
"""The least percentage of agreement with an EPSG code: WKT of a shapefile names a datum otherwise than EPSG does."""


@dataclass(frozen=True)
class Projection:
    """A CRS: the words of PROJECTION, its EPSG code (empty without one), and whether its coordinates are degrees.

    ``stated`` is False where the data do not state it.
    """

    words: tuple[str, ...]
    code: str
    is_geographic: bool
    stated: bool = True

    @property
    def whole(self) -> tuple[float, float, float, float]:
        """Return an extent that contains everything."""
        return (-180.0, -90.0, 180.0, 90.0) if self.is_geographic else (-1e8, -1e8, 1e8, 1e8)

    def to_degrees(self, bounds: Rectangle) -> Rectangle:
        """Return a rectangle as one of longitudes and latitudes that contains it."""
        import pyproj

        transformer = pyproj.Transformer.from_crs(" ".join(self.words), "EPSG:4326", always_xy=True)
        minx, miny, maxx, maxy = transformer.transform_bounds(*bounds)
        return (minx, miny, maxx, maxy) if minx <= maxx else (-180.0, miny, 180.0, maxy)


WGS84 = Projection(("epsg:4326",), "EPSG:4326", True)
UNKNOWN = Projection((), "", False, stated=False)
"""Of a map whose layers all have coordinates of an unknown CRS."""


def find_projection(data: DataSet) -> Projection | None:
    """Return the CRS of a data set; WGS 84 where it states none and its coordinates look like degrees, else None."""
    import pyproj
    from pyproj.exceptions import CRSError

    if data.shape is None:
        # A table without geometries has no positions to be reprojected, but a layer without a CRS is suspicious.
        return WGS84
    try:
        crs = pyproj.CRS.from_user_input(data.crs) if data.crs else None
    except CRSError:
        crs = None
    if crs is None or crs.is_engineering:
        bounds = data.bounds
        degrees = bounds is None or (bounds[0] >= -180 and bounds[2] <= 180 and bounds[1] >= -90 and bounds[3] <= 90)
        return Projection(("epsg:4326",), "EPSG:4326", True, stated=False) if degrees else None
    code = crs.to_epsg(min_confidence=_CONFIDENCE)
    if code is not None:
        return Projection((f"epsg:{code}",), f"EPSG:{code}", crs.is_geographic)
    words = tuple(word.removeprefix("+") for word in crs.to_proj4().split())
    return Projection(words, "", crs.is_geographic)
