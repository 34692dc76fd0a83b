"""Make an area of rings in any order and direction: holes and islands need no mark in Esri JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mapsos.ows.geometry_bounds import check_edges
from mapsos.terms.deadlines import current_deadline

if TYPE_CHECKING:
    import numpy as np

Positions = list[list[float]]


_CELLS = 200_000
"""So many pairs of points and edges are compared between two looks at the clock."""


def fill_rings(rings: list[Positions]) -> Any:
    """Return the area inside an odd number of rings, as a shapely geometry.

    All rings are cut at once where they cross, so that the time is nearly linear in positions and crossings, whose
    number is bounded (`mapsos.ows.geometry_bounds`).

    Parameters
    ----------
    rings
        Three positions or more each, x y; closed or not.

    Raises
    ------
    ValueError
        The rings have no area, or cross each other too often.
    DeadlineError
        The time limit of the request was exceeded.
    shapely.errors.GEOSException
        GEOS cannot cut them, for example because of huge coordinates.
    """
    import shapely

    closed = [[*ring, ring[0]] for ring in rings]
    edges = list_edges(closed)
    check_edges(edges)
    usual = shapely.Polygon(closed[0], closed[1:])
    if shapely.is_valid(usual):
        return _require_area(usual)
    check = current_deadline().check
    cut = shapely.unary_union([shapely.LinearRing(ring) for ring in closed])
    check()
    faces = shapely.get_parts(shapely.polygonize([cut]))
    check()
    odd = _count_edges(edges, shapely.get_coordinates(shapely.point_on_surface(faces))) % 2 == 1
    return _require_area(shapely.coverage_union_all(faces[odd]))


def _count_edges(edges: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how many edges lie east of each point, an array (points,): odd inside, whatever crosses what."""
    import numpy as np

    x, y, to_x, to_y = edges.T
    counts = np.zeros(len(points), np.int64)
    block = max(1, _CELLS // len(edges))
    with np.errstate(all="ignore"):
        slope = (to_x - x) / (to_y - y)
        for start in range(0, len(points), block):
            current_deadline().check()
            at_x, at_y = points[start : start + block].T[:, :, None]
            east = ((y > at_y) != (to_y > at_y)) & (at_x < x + (at_y - y) * slope)
            counts[start : start + block] = np.count_nonzero(east, axis=1)
    return counts


def list_edges(parts: list[Positions]) -> np.ndarray:
    """Return the edges of lines, an array (edges, 4) of float64."""
    import numpy as np

    lines = [np.array(part) for part in parts]
    return np.concatenate([np.hstack([line[:-1], line[1:]]) for line in lines])


def _require_area(area: Any) -> Any:
    if not area.area:
        raise ValueError("rings without an area")
    return area
