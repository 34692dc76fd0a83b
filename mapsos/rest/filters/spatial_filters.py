"""Read spatialFilter: geometries in Esri JSON, or the short forms ``x,y`` and ``xmin,ymin,xmax,ymax``."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from typing import Any

from mapsos.ows.geometry_bounds import check_edges, check_positions
from mapsos.ows.gml_geometries import GREATEST_COORDINATE
from mapsos.rest.errors import RestError
from mapsos.rest.filters.relaxed_json import NUMBER, parse_relaxed_json
from mapsos.rest.filters.ring_areas import fill_rings, list_edges
from mapsos.terms.crs import is_northing_first
from mapsos.terms.predicates import BBox, Predicate, Spatial

_FORMS = (
    "x,y",
    "xmin,ymin,xmax,ymax",
    "{x,y}",
    "{xmin,ymin,xmax,ymax}",
    "{points}",
    "{paths}",
    "{rings}",
)
_MERCATOR = frozenset({102100, 102113, 900913, 3785})
"""Older numbers of EPSG:3857."""
_DIMENSIONS = frozenset({"spatialReference", "hasZ", "hasM", "z", "m", "zmin", "zmax", "mmin", "mmax"})
"""Allowed members of any geometry. Heights and measures are ignored: the filter is two-dimensional."""


def parse_spatial_filter(text: str) -> Predicate:
    """Return the predicate for places that intersect the geometry, edges included.

    Coordinates are in x y order. Its ``crs`` is that of ``spatialReference``, None without one. Raises RestError.
    """
    try:
        return _read(text.strip())
    except ValueError as error:
        raise RestError(f"spatialFilter cannot be read: {error}", f"allowed are {' '.join(_FORMS)}") from None


def _read(text: str) -> Predicate:
    if not text.startswith("{"):
        numbers = [_read_number(part.strip()) for part in text.split(",")]
        if len(numbers) == 4:
            return _make_envelope(numbers, None)
        if len(numbers) == 2:
            return _make_spatial(("Point", [numbers]), None)
        raise ValueError(f"{len(numbers)} numbers")
    found = parse_relaxed_json(text)
    crs = _read_spatial_reference(found.get("spatialReference"))
    names = frozenset(found) - _DIMENSIONS
    if names == {"xmin", "ymin", "xmax", "ymax"}:
        return _make_envelope([_read_number(found[name]) for name in ("xmin", "ymin", "xmax", "ymax")], crs)
    if names == {"x", "y"}:
        return _make_spatial(("Point", [[_read_number(found["x"]), _read_number(found["y"])]]), crs)
    for name, read in _READERS.items():
        if names == {name}:
            return _make_spatial((name, read(found[name])), crs)
    raise ValueError(f"a geometry of {', '.join(sorted(names)) or 'nothing'}")


def _read_number(value: Any) -> float:
    """Return a JSON number, or the number in a string. Other strings that Python accepts as numbers are rejected."""
    number = math.nan
    if (isinstance(value, str) and re.fullmatch(NUMBER, value.strip())) or type(value) in (int, float):
        with contextlib.suppress(OverflowError):
            number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"not a number: {str(value)[:50]!r}")
    if abs(number) > GREATEST_COORDINATE:
        raise ValueError(f"expected coordinates up to {GREATEST_COORDINATE:g}, got {str(value)[:50]!r}")
    return number


def _read_positions(value: Any) -> list[list[float]]:
    return [[_read_number(position[0]), _read_number(position[1])] for position in _read_list(value, 2)]


def _read_parts(value: Any) -> list[list[list[float]]]:
    return [_read_positions(part) for part in _read_list(value, 1)]


def _read_list(value: Any, least: int) -> list[list[Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(part, list) for part in value):
        raise ValueError("expected an array of arrays")
    if any(len(part) < least for part in value):
        raise ValueError("an array that is too short")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {"points": _read_positions, "paths": _read_parts, "rings": _read_parts}


def _read_spatial_reference(value: Any) -> str | None:
    """Return the label of a spatialReference: of its latest number, else of its number. WKT is not supported."""
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= {"wkid", "latestWkid", "vcsWkid", "latestVcsWkid"}:
        raise ValueError("a spatialReference that is not {wkid} or {wkid,latestWkid}")
    wkid = value.get("latestWkid", value.get("wkid"))
    if not isinstance(wkid, int) or isinstance(wkid, bool):
        raise ValueError("a spatialReference whose wkid is not an integer")
    if wkid in _MERCATOR:
        return "EPSG:3857"
    for label in (f"EPSG:{wkid}", f"ESRI:{wkid}"):
        try:
            is_northing_first(label)
        except ValueError:
            continue
        return label
    raise ValueError(f"an unknown spatialReference: wkid {wkid}")


def _make_envelope(corners: list[float], crs: str | None) -> BBox:
    minx, miny, maxx, maxy = corners
    if minx > maxx or miny > maxy:
        raise ValueError("an envelope whose corners are swapped")
    return BBox(minx, miny, maxx, maxy, crs)


def _make_spatial(geometry: tuple[str, Any], crs: str | None) -> Spatial:
    import shapely

    kind, parts = geometry
    try:
        made = _make_shape(kind, parts)
    except shapely.errors.GEOSException as error:
        raise ValueError("a geometry that GEOS cannot process") from error
    return Spatial("intersects", shapely.to_wkb(made, byte_order=1), crs)


def _make_shape(kind: str, parts: Any) -> Any:
    import shapely

    if kind == "Point":
        return shapely.Point(parts[0])
    if kind == "points":
        check_positions(len(parts))
        return shapely.MultiPoint(parts)
    check_positions(sum(map(len, parts)))
    if kind == "rings":
        if any(len(part) < 3 for part in parts):
            raise ValueError("a ring of fewer than three positions")
        return fill_rings(parts)
    if any(len(part) < 2 for part in parts):
        raise ValueError("a path of one position")
    check_edges(list_edges(parts))
    return shapely.MultiLineString(parts)
