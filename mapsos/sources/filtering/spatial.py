"""Compare geometries of rows with a rectangle or another geometry."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from mapsos.columns.geometries import GeometryColumn, find_transformer, transform
from mapsos.terms.crs import Crs, CrsError
from mapsos.terms.predicates import BBox, Spatial

METRES_PER_DEGREE = 10_001_965.729 / 90.0
"""Mean length of a degree of latitude on the ellipsoid of WGS 84."""


def transformer_between(source_crs: Crs | None, label: str | None, *, to_layer: bool) -> Any:
    """Return the transformer between the layer's CRS and that of a label; None if one is unknown or both are equal."""
    if source_crs is None or label is None:
        return None
    named = Crs(label, label)
    return find_transformer(named, source_crs) if to_layer else find_transformer(source_crs, named)


def in_rectangle(predicate: BBox, geometry: GeometryColumn | None, rows: int, crs: Crs | None) -> pa.Array:
    """Return whether each geometry intersects the rectangle, edges included; a row without geometry does not.

    Points are compared by their coordinates, all others by true intersection. Where the rectangle is in another CRS
    than the layer, the geometries are transformed: the rectangle would not be one in the CRS of the layer.
    """
    if geometry is None or rows == 0:
        return pa.array(np.zeros(rows, dtype=bool))
    transformer = transformer_between(crs, predicate.crs, to_layer=False)
    if transformer is not None:
        geometry = transform(geometry, transformer)
    bounds = geometry.bounds()
    minx, miny, maxx, maxy = predicate.minx, predicate.miny, predicate.maxx, predicate.maxy
    found = (bounds[:, 0] <= maxx) & (bounds[:, 2] >= minx) & (bounds[:, 1] <= maxy) & (bounds[:, 3] >= miny)
    if geometry.point_coordinates() is None:
        within = (bounds[:, 0] >= minx) & (bounds[:, 2] <= maxx) & (bounds[:, 1] >= miny) & (bounds[:, 3] <= maxy)
        doubtful = np.flatnonzero(found & ~within)
        if len(doubtful):
            import shapely

            # A rectangle without area is a line or a point, which a polygon of no area would not be.
            rectangle = shapely.envelope(shapely.multipoints([(minx, miny), (maxx, maxy)]))
            shapely.prepare(rectangle)
            found[doubtful] = shapely.intersects(rectangle, geometry.shapes()[doubtful])
    return pa.array(found)


def in_relation(predicate: Spatial, geometry: GeometryColumn | None, rows: int, crs: Crs | None) -> pa.Array:
    """Return whether each geometry has the relation to the given one; a row without geometry has not.

    The given geometry is transformed to the CRS of the layer; for distances, which are in units of its CRS, the rows
    are transformed instead.
    """
    import shapely

    if geometry is None or rows == 0:
        return pa.array(np.zeros(rows, dtype=bool))
    by_distance = predicate.relation in ("dwithin", "beyond")
    transformer = transformer_between(crs, predicate.crs, to_layer=not by_distance)
    given = GeometryColumn(pa.array([predicate.wkb], pa.large_binary()))
    if transformer is not None and by_distance:
        geometry = transform(geometry, transformer)
    elif transformer is not None:
        given = transform(given, transformer)
    other = given.shapes()[0]
    there = geometry.present()
    found = np.zeros(rows, dtype=bool)
    if other is None or shapely.is_empty(other):
        return pa.array(there if predicate.relation in ("disjoint", "beyond") else found)
    shapely.prepare(other)
    shapes = geometry.shapes()
    if by_distance:
        reach = distance_in_units(predicate, crs)
        near = shapely.dwithin(other, shapes, reach)
        found = near if predicate.relation == "dwithin" else ~near
    elif predicate.relation in _REVERSED:
        # The prepared geometry comes first, so the relation is that of its side.
        found = getattr(shapely, _REVERSED[predicate.relation])(other, shapes)
    else:
        found = getattr(shapely, predicate.relation)(other, shapes)
    return pa.array(np.asarray(found, dtype=bool) & there)


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
    import math

    bounds = _bounds_of(predicate, crs)
    if bounds is None:
        return None
    transformer = transformer_between(crs, predicate.crs, to_layer=True)
    if transformer is not None:
        bounds = transformer.transform_bounds(*bounds, densify_pts=51, errcheck=False)
    minx, miny, maxx, maxy = (float(bound) for bound in bounds)
    if not all(map(math.isfinite, (minx, miny, maxx, maxy))) or minx > maxx or miny > maxy:
        return None
    share = 1e-9 if transformer is None else 0.02
    x_margin = share * max(abs(minx), abs(maxx), maxx - minx) if transformer is None else share * (maxx - minx) + 1e-6
    y_margin = share * max(abs(miny), abs(maxy), maxy - miny) if transformer is None else share * (maxy - miny) + 1e-6
    return minx - x_margin, miny - y_margin, maxx + x_margin, maxy + y_margin


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
