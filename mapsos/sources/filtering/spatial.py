"""Compare geometries of rows with a rectangle or another geometry."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from mapsos.columns.geometries import GeometryColumn, find_transformer, transform
from mapsos.terms.crs import Crs, CrsError
from mapsos.terms.deadlines import Deadline
from mapsos.terms.predicates import BBox, Spatial

METRES_PER_DEGREE = 10_001_965.729 / 90.0
"""Mean length of a degree of latitude on the ellipsoid of WGS 84."""


_GREATEST = 1e100
"""Maximum magnitude of the coordinates of a rectangle."""
_FIRST_ROWS = 16
"""Rows in the first piece of a batch; the next ones are as large as their time allows."""
_SHORT, _LONG = 0.01, 0.1
"""A piece should take between so many seconds."""


def in_rectangle(
    predicate: BBox, geometry: GeometryColumn | None, rows: int, crs: Crs | None, deadline: Deadline
) -> pa.Array:
    """Return whether each geometry intersects the rectangle, edges included; a row without geometry does not.

    Points are compared by their coordinates, all others by true intersection, in the CRS of the rectangle: it would
    not be one in the CRS of the layer. Raises DeadlineError between two pieces of the rows.
    """
    candidates, near = _find_candidates(predicate, geometry, rows, crs)
    if near is None:
        return pa.array(np.zeros(rows, dtype=bool))
    bounds = near.bounds()
    minx, miny, maxx, maxy = predicate.minx, predicate.miny, predicate.maxx, predicate.maxy
    inside = (bounds[:, 0] <= maxx) & (bounds[:, 2] >= minx) & (bounds[:, 1] <= maxy) & (bounds[:, 3] >= miny)
    if near.point_coordinates() is None:
        within = (bounds[:, 0] >= minx) & (bounds[:, 2] <= maxx) & (bounds[:, 1] >= miny) & (bounds[:, 3] <= maxy)
        doubtful = np.flatnonzero(inside & ~within)
        if len(doubtful):
            import shapely

            # A rectangle without area is a line or a point, which a polygon of no area would not be. Beyond the bound
            # lies nothing, and the squares of coordinates overflow.
            corners = np.clip([(minx, miny), (maxx, maxy)], -_GREATEST, _GREATEST)
            rectangle = shapely.envelope(shapely.multipoints(corners))
            shapely.prepare(rectangle)
            inside[doubtful] = _decide_in_pieces(
                lambda shapes: shapely.intersects(rectangle, shapes), near.shapes()[doubtful], deadline
            )
    return pa.array(_spread(inside, candidates))


def in_relation(
    predicate: Spatial, geometry: GeometryColumn | None, rows: int, crs: Crs | None, deadline: Deadline
) -> pa.Array:
    """Return whether each geometry has the relation to the given one; a row without geometry has not.

    Rows are compared in the CRS of the given geometry, whose edges are straight there, and in whose units distances
    are. A row that has no coordinates in it is away from every geometry. Raises DeadlineError between two pieces of the
    rows: how long a relation takes is for the two geometries to say.
    """
    import shapely

    found = np.zeros(rows, dtype=bool)
    if geometry is None or rows == 0:
        return pa.array(found)
    given = GeometryColumn(pa.array([predicate.wkb], pa.large_binary())).shapes()[0]
    away = predicate.relation in ("disjoint", "beyond")
    if given is not None and not shapely.is_empty(given):
        candidates, near = _find_candidates(predicate, geometry, rows, crs)
        if near is not None:
            shapely.prepare(given)
            decided = _decide_in_pieces(
                lambda shapes: _relate(predicate, given, shapes, crs), near.shapes(), deadline
            )
            found = _spread(decided, candidates)
    return pa.array(~found & geometry.present() if away else found)


def _decide_in_pieces(
    decide: Callable[[np.ndarray], np.ndarray], shapes: np.ndarray, deadline: Deadline
) -> np.ndarray:
    """Return what ``decide`` returns about all shapes, given some at a time."""
    found = np.zeros(len(shapes), dtype=bool)
    start, rows = 0, _FIRST_ROWS
    while start < len(shapes):
        deadline.check()
        begun = time.monotonic()
        found[start : start + rows] = decide(shapes[start : start + rows])
        start += rows
        took = time.monotonic() - begun
        rows = rows * 4 if took < _SHORT else max(1, rows // 2) if took > _LONG else rows
    return found


def _relate(predicate: Spatial, given: Any, shapes: np.ndarray, crs: Crs | None) -> np.ndarray:
    """Return which shapes have the relation, of ``disjoint`` and ``beyond`` its opposite."""
    import shapely

    relation = {"disjoint": "intersects", "beyond": "dwithin"}.get(predicate.relation, predicate.relation)
    if relation == "dwithin":
        near: np.ndarray = shapely.dwithin(given, shapes, distance_in_units(predicate, crs))
        return near
    # The prepared geometry comes first, so the relation is that of its side.
    related: np.ndarray = getattr(shapely, _REVERSED.get(relation, relation))(given, shapes)
    return related


def _find_candidates(
    predicate: BBox | Spatial, geometry: GeometryColumn | None, rows: int, crs: Crs | None
) -> tuple[np.ndarray | None, GeometryColumn | None]:
    """Return which rows may satisfy the predicate, None for all, and their geometries in its CRS, None for no row's."""
    if geometry is None or rows == 0:
        return None, None
    transformer = transformer_between(crs, predicate.crs, to_layer=False)
    if transformer is None:
        return None, geometry
    # Most rows can be left out before they are transformed.
    rectangle = rectangle_in_layer(predicate, crs)
    if rectangle is None:
        return None, transform(geometry, transformer)
    minx, miny, maxx, maxy = rectangle
    bounds = geometry.bounds()
    near = (bounds[:, 0] <= maxx) & (bounds[:, 2] >= minx) & (bounds[:, 1] <= maxy) & (bounds[:, 3] >= miny)
    return near, transform(geometry.take(near), transformer) if near.any() else None


def _spread(decided: np.ndarray, candidates: np.ndarray | None) -> np.ndarray:
    """Return decisions about the candidates as ones about all rows: False for all others."""
    if candidates is None:
        return decided
    found = np.zeros(len(candidates), dtype=bool)
    found[candidates] = decided
    return found


_REVERSED = {"within": "contains", "contains": "within"}
"""Relations that are another one from the other side; the rest are symmetric."""


def distance_in_units(predicate: Spatial, crs: Crs | None) -> float:
    """Return the distance in units of the CRS that it is measured in: the predicate's, else the layer's."""
    if predicate.units is None:
        return predicate.distance
    definition = predicate.crs or (crs.definition if crs else None)
    return predicate.distance / (metres_per_unit(definition) if definition else 1.0)


@lru_cache(maxsize=64)
def metres_per_unit(definition: str) -> float:
    """Return the length of a unit of the CRS in metres, a degree as one of latitude. CrsError for an unknown CRS."""
    import pyproj
    import pyproj.exceptions

    try:
        crs = pyproj.CRS.from_user_input(definition)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"unknown CRS {definition}") from error
    if crs.is_geographic:
        return METRES_PER_DEGREE
    return float(crs.axis_info[0].unit_conversion_factor) if crs.axis_info else 1.0


def rectangle_in_layer(predicate: BBox | Spatial, crs: Crs | None) -> tuple[float, float, float, float] | None:
    """Return a rectangle in the layer's CRS outside of which no row satisfies the predicate, None without one.

    It is a little larger than necessary, so that rounding loses no row.
    """
    bounds = _bounds_of(predicate, crs)
    if bounds is None:
        return None
    if crs is None or predicate.crs is None:
        return _widen(bounds)
    return _transform_rectangle(bounds, crs.definition, crs.label, predicate.crs)


@lru_cache(maxsize=64)
def _transform_rectangle(
    bounds: tuple[float, float, float, float], definition: str, label: str | None, named: str
) -> tuple[float, float, float, float] | None:
    """Return a rectangle in a layer's CRS that contains all of a rectangle in the CRS ``named``; None without one.

    Far from its area of use a projection is undefined or ambiguous: such a rectangle has no counterpart. So a grid of
    its points must be the same after the way there and back.
    """
    transformer = transformer_between(Crs(definition, label), named, to_layer=True)
    if transformer is None:
        return _widen(bounds)
    x, y = (axes.ravel() for axes in np.meshgrid(*(np.linspace(bounds[axis], bounds[axis + 2], 25) for axis in (0, 1))))
    moved = np.array(transformer.transform(x, y))
    if not np.isfinite(moved).all():
        return None
    back = np.array(transformer.transform(*moved, direction="INVERSE"))
    size = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    tolerance = 1e-4 * size + 1e-6 * max(1.0, *map(abs, bounds))
    if not (np.abs(back - np.array([x, y])) <= tolerance).all():
        return None
    # A pole within the rectangle is not on the grid; PROJ knows of it, and of the antimeridian, where minx > maxx.
    around = transformer.transform_bounds(*bounds, densify_pts=51, errcheck=False)
    if not np.isfinite(around).all() or around[0] > around[2] or around[1] > around[3]:
        return None
    (minx, miny), (maxx, maxy) = moved.min(axis=1).tolist(), moved.max(axis=1).tolist()
    whole = min(minx, around[0]), min(miny, around[1]), max(maxx, around[2]), max(maxy, around[3])
    minx, miny, maxx, maxy = map(float, whole)
    x_margin, y_margin = (0.02 * (most - least) + 1e-6 for least, most in ((minx, maxx), (miny, maxy)))
    return minx - x_margin, miny - y_margin, maxx + x_margin, maxy + y_margin


def _widen(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float] | None:
    """Return bounds widened by more than any rounding; None for bounds that contain nothing or are not finite."""
    minx, miny, maxx, maxy = bounds
    if not all(map(math.isfinite, bounds)) or minx > maxx or miny > maxy:
        return None
    x_margin, y_margin = (
        1e-9 * max(abs(least), abs(most), most - least) for least, most in ((minx, maxx), (miny, maxy))
    )
    return minx - x_margin, miny - y_margin, maxx + x_margin, maxy + y_margin


def transformer_between(source_crs: Crs | None, label: str | None, *, to_layer: bool) -> Any:
    """Return the transformer between the layer's CRS and that of a label; None if one is unknown or both are equal."""
    if source_crs is None or label is None:
        return None
    named = Crs(label, label)
    return find_transformer(named, source_crs) if to_layer else find_transformer(source_crs, named)


def _bounds_of(predicate: BBox | Spatial, crs: Crs | None) -> tuple[float, float, float, float] | None:
    if isinstance(predicate, BBox):
        return predicate.minx, predicate.miny, predicate.maxx, predicate.maxy
    if predicate.relation in ("disjoint", "beyond"):
        return None

    bounds: np.ndarray = GeometryColumn(pa.array([predicate.wkb], pa.large_binary())).bounds()[0]
    reach = distance_in_units(predicate, crs) if predicate.relation == "dwithin" else 0.0
    if bounds[0] != bounds[0] or reach < 0:
        return None
    return (
        float(bounds[0]) - reach,
        float(bounds[1]) - reach,
        float(bounds[2]) + reach,
        float(bounds[3]) + reach,
    )
