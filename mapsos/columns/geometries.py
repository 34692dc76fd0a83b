"""Columns of geometries: WKB, decoded once per batch into coordinates, bounds or shapely geometries."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mapsos.columns.texts import column_bytes, column_offsets
from mapsos.columns.vertex_runs import VertexRuns, find_vertex_runs
from mapsos.terms.crs import Crs, CrsError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_POINT_CODES = {
    21: (1,),
    29: (1001, 2001, 0x80000001, 0x40000001),
    37: (3001, 0xC0000001),
}
"""Bytes of a WKB point, and the type codes (ISO and extended) that a point of that length has."""

_UNDECIDED = object()


class GeometryColumn:
    """Geometries of a batch: WKB (any dimension and byte order) in x y order, None for a row without geometry.

    A geometry with a coordinate that is not finite counts as missing.

    Everything is decoded at first use and cached. A column of points in one form, or of lines or simple polygons, is
    decoded by numpy alone, anything else by shapely. Curves and surfaces that GEOS does not know are read as their
    linear approximation.
    """

    def __init__(self, wkb: pa.Array) -> None:
        self._wkb: pa.Array | None = wkb
        self._rows: int = len(wkb)
        self._points: Any = _UNDECIDED
        self._vertex_runs: Any = _UNDECIDED
        self._shapes: np.ndarray | None = None

    @classmethod
    def from_points(cls, coordinates: np.ndarray) -> GeometryColumn:
        """Return a column of points from an array (rows, 2) of x y; a row with a NaN has no geometry."""
        return cls._made(len(coordinates), points=coordinates)

    @classmethod
    def from_shapes(cls, shapes: np.ndarray) -> GeometryColumn:
        """Return a column from an array (rows,) of shapely geometries or None."""
        return cls._made(len(shapes), shapes=shapes)

    @classmethod
    def _made(cls, rows: int, points: Any = _UNDECIDED, shapes: np.ndarray | None = None) -> GeometryColumn:
        column = cls.__new__(cls)
        column._wkb = None
        column._rows = rows
        column._points = points
        column._vertex_runs = _UNDECIDED
        column._shapes = shapes
        return column

    def __len__(self) -> int:
        return self._rows

    @property
    def wkb(self) -> pa.Array:
        """Arrow binary or large_binary array (rows,) of WKB, null without a geometry."""
        if self._wkb is None:
            self._wkb = self._encode()
        return self._wkb

    def _encode(self) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        if self._points is _UNDECIDED or self._points is None:
            import shapely

            return pa.array(shapely.to_wkb(self.shapes()), pa.large_binary())
        records = np.empty(self._rows, [("order", "u1"), ("code", "<u4"), ("x", "<f8"), ("y", "<f8")])
        records["order"] = 1
        records["code"] = 1
        records["x"] = self._points[:, 0]
        records["y"] = self._points[:, 1]
        empty = np.isnan(self._points).any(axis=1)
        fixed = pa.Array.from_buffers(pa.binary(21), self._rows, [None, pa.py_buffer(records)])
        wkb = fixed.cast(pa.large_binary())
        return wkb if not empty.any() else _blank(wkb, empty)

    def point_coordinates(self) -> np.ndarray | None:
        """Return an array (rows, 2) of float64 x y if every row is a Point (NaN without a geometry), else None."""
        if self._points is _UNDECIDED:
            self._points = self._decode_points()
            if self._points is not None and self._wkb is not None:
                endless = ~is_finite(self._points)
                if endless.sum() > self._wkb.null_count:
                    self._points[endless] = float("nan")
                    self._wkb = _blank(self._wkb, endless)
        found: np.ndarray | None = self._points
        return found

    def _decode_points(self) -> np.ndarray | None:
        import numpy as np

        if self._shapes is None and (points := _fixed_points(self.wkb)) is not None:
            return points
        if self.vertex_runs() is not None:
            return None
        import shapely

        shapes = self.shapes()
        kinds = shapely.get_type_id(shapes)
        if not np.isin(kinds, (-1, 0)).all():
            return None
        points = np.full((self._rows, 2), np.nan)
        coordinates, rows = shapely.get_coordinates(shapes, return_index=True)
        points[rows] = coordinates
        return points

    def vertex_runs(self) -> VertexRuns | None:
        """Return the vertices of the rows, if all are lines or all polygons of one ring in one form, else None."""
        if self._vertex_runs is _UNDECIDED:
            self._vertex_runs = None if self._wkb is None else find_vertex_runs(self._wkb)
        found: VertexRuns | None = self._vertex_runs
        return found

    def shapes(self) -> np.ndarray:
        """Return an array (rows,) of shapely geometries, None without a geometry."""
        if self._shapes is None:
            import numpy as np
            import shapely

            if self._points is not _UNDECIDED and self._points is not None and self._wkb is None:
                shapes = np.full(self._rows, None, dtype=object)
                there = ~np.isnan(self._points).any(axis=1)
                shapes[there] = shapely.points(self._points[there])
                self._shapes = shapes
            else:
                self._shapes = _decode(self.wkb)
                coordinates, rows = shapely.get_coordinates(self._shapes, return_index=True)
                if not np.isfinite(coordinates).all():
                    endless = np.isin(np.arange(self._rows), rows[~np.isfinite(coordinates).all(axis=1)])
                    self._shapes[endless] = None
                    self._wkb = _blank(self.wkb, endless)
        return self._shapes

    def bounds(self) -> np.ndarray:
        """Return an array (rows, 4) of float64 minx miny maxx maxy, NaN without a geometry."""
        import numpy as np

        points = self.point_coordinates()
        if points is not None:
            return np.concatenate((points, points), axis=1)
        if (runs := self.vertex_runs()) is not None:
            return runs.bounds
        import shapely

        bounds: np.ndarray = shapely.bounds(self.shapes())
        return bounds

    def present(self) -> np.ndarray:
        """Return an array (rows,) of bool: whether the row has a geometry that is not empty."""
        import numpy as np

        there: np.ndarray = ~np.isnan(self.bounds()[:, 0])
        return there

    def slice(self, start: int, rows: int) -> GeometryColumn:
        """Return at most ``rows`` rows from row ``start`` (0-based) on, without copying the WKB."""
        return GeometryColumn(self.wkb.slice(start, rows))

    def take(self, mask: np.ndarray) -> GeometryColumn:
        """Return the rows where ``mask``, an array (rows,) of bool, is true; decoded parts stay decoded."""
        import pyarrow as pa

        decided = self._points is not _UNDECIDED and self._points is not None
        column = GeometryColumn._made(
            int(mask.sum()),
            points=self._points[mask] if decided else self._points,
            shapes=None if self._shapes is None else self._shapes[mask],
        )
        if self._wkb is not None:
            column._wkb = self._wkb.filter(pa.array(mask))
        if not decided:
            column._points = _UNDECIDED
        return column


def is_finite(positions: np.ndarray) -> np.ndarray:
    """Return an array (rows,) of bool: whether all of a row's coordinates, an array (rows, n), are finite."""
    import numpy as np

    finite = np.isfinite(positions)
    # Column by column: numpy's reduction of short rows takes ten times as long.
    whole: np.ndarray = finite[:, 0].copy()
    for axis in range(1, finite.shape[1]):
        whole &= finite[:, axis]
    return whole


def single_points(geometry: GeometryColumn) -> np.ndarray:
    """Return an array (rows, 2) of float64 x y of the geometries with one vertex only, NaN for all others."""
    import numpy as np

    points = geometry.point_coordinates()
    if points is not None:
        return points
    import shapely

    shapes = geometry.shapes()
    single = shapely.get_num_coordinates(shapes) == 1
    points = np.full((len(shapes), 2), np.nan)
    points[single] = shapely.get_coordinates(shapes[single])
    return points


def _blank(wkb: pa.Array, empty: np.ndarray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(empty), pa.scalar(None, wkb.type), wkb)


def _fixed_points(wkb: pa.Array) -> np.ndarray | None:
    """Return points by their fixed offset in records of one length and form; None for any other column."""
    import numpy as np

    nulls = wkb.null_count
    if nulls:
        there = wkb.is_valid().to_numpy(zero_copy_only=False)
        points = np.full((len(wkb), 2), np.nan)
        if nulls == len(wkb):
            return points
        found = _fixed_points(wkb.drop_null())
        if found is None:
            return None
        points[there] = found
        return points
    rows = len(wkb)
    if rows == 0:
        return np.empty((0, 2))
    offsets = column_offsets(wkb)
    size = int(offsets[1] - offsets[0])
    if size not in _POINT_CODES or not (np.diff(offsets) == size).all():
        return None
    data = column_bytes(wkb)
    order = "<" if data[0] == 1 else ">"
    layout = np.dtype(
        {
            "names": ["order", "code", "x", "y"],
            "formats": ["u1", order + "u4", order + "f8", order + "f8"],
            "offsets": [0, 1, 5, 13],
            "itemsize": size,
        }
    )
    records = data.view(layout)
    if not (records["order"] == data[0]).all() or not np.isin(records["code"], _POINT_CODES[size]).all():
        return None
    points = np.empty((rows, 2))
    points[:, 0] = records["x"]
    points[:, 1] = records["y"]
    return points


def _decode(wkb: pa.Array) -> np.ndarray:
    """Return shapely geometries, None for those with a coordinate that is not finite."""
    import numpy as np
    import shapely

    texts = np.array(wkb.to_pylist(), dtype=object)
    with np.errstate(invalid="ignore", over="ignore"):
        try:
            shapes: np.ndarray = shapely.from_wkb(texts)
        except (shapely.errors.GEOSException, NotImplementedError, ValueError, TypeError):
            shapes = np.array([_decode_one(text) for text in texts], dtype=object)
    coordinates, rows = shapely.get_coordinates(shapes, return_index=True)
    odd = rows[~np.isfinite(coordinates).all(axis=1)]
    if len(odd):
        shapes[odd] = None
    return shapes


def _decode_one(wkb: bytes | None) -> Any:
    import shapely

    if wkb is None:
        return None
    try:
        return shapely.from_wkb(wkb)
    except (shapely.errors.GEOSException, NotImplementedError, ValueError, TypeError):
        return _decode_curve(wkb)


def _decode_curve(wkb: bytes) -> Any:
    """Return OGR's linear approximation of a geometry that GEOS does not read; None if it is not WKB."""
    import shapely
    from osgeo import gdal, ogr

    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        curve = ogr.CreateGeometryFromWkb(wkb)
        linear = None if curve is None else curve.GetLinearGeometry()
        return None if linear is None else shapely.from_wkb(bytes(linear.ExportToIsoWkb()))
    except (RuntimeError, shapely.errors.GEOSException):
        return None
    finally:
        gdal.PopErrorHandler()


@lru_cache(maxsize=64)
def _transformer(from_definition: str, to_definition: str) -> Any:
    import pyproj

    return pyproj.Transformer.from_crs(from_definition, to_definition, always_xy=True)


def find_transformer(from_crs: Crs, to_crs: Crs) -> Any:
    """Return a pyproj Transformer in x y order between two CRSs, None if they are the same.

    Imports pyproj unless they are the same. Raises CrsError if PROJ does not know one of them.
    """
    if from_crs.definition == to_crs.definition or (from_crs.label and from_crs.label == to_crs.label):
        return None
    import pyproj.exceptions

    try:
        return _transformer(from_crs.definition, to_crs.definition)
    except pyproj.exceptions.ProjError as error:
        raise CrsError(f"no transformation from {from_crs.definition} to {to_crs.definition}") from error


def reproject(column: GeometryColumn, from_crs: Crs, to_crs: Crs) -> GeometryColumn:
    """Return the column in another CRS, x y order, each coordinate transformed once (D-01).

    A geometry with a vertex that has no coordinates in ``to_crs`` becomes None. Returns ``column`` itself if the CRSs
    are the same. Raises CrsError for a CRS that PROJ does not know.
    """
    transformer = find_transformer(from_crs, to_crs)
    if transformer is None:
        return column
    return transform(column, transformer)


def transform(column: GeometryColumn, transformer: Any) -> GeometryColumn:
    """Return the column transformed by a Transformer of `find_transformer`."""
    import numpy as np

    points = column.point_coordinates()
    if points is not None:
        x, y = transformer.transform(points[:, 0], points[:, 1])
        moved = np.column_stack((x, y))
        moved[~is_finite(moved)] = np.nan
        return GeometryColumn.from_points(moved)
    import shapely

    shapes = column.shapes().copy()
    coordinates, rows = shapely.get_coordinates(shapes, return_index=True)
    x, y = transformer.transform(coordinates[:, 0], coordinates[:, 1])
    moved = np.column_stack((x, y))
    lost = np.unique(rows[~np.isfinite(moved).all(axis=1)])
    moved[~np.isfinite(moved)] = 0.0
    shapes = shapely.set_coordinates(shapely.force_2d(shapes), moved)
    shapes[lost] = None
    return GeometryColumn.from_shapes(shapes)
