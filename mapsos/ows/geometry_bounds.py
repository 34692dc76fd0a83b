"""Bounds on the geometries of a request, so that what they are compared with, not they, decides what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mapsos.ows.xml_input import RefusedMarkup
from mapsos.terms.deadlines import current_deadline

if TYPE_CHECKING:
    import numpy as np

MAX_POSITIONS = 10_000
"""Maximum number of positions in all geometries of a filter."""
MAX_CROSSINGS = 10_000
"""Maximum number of places where the edges of a geometry cross, touch or overlap, other than at their ends."""
MAX_NEAR = 100_000
"""Maximum number of pairs of edges whose extents overlap: so many are compared."""

_FEW = 100
"""So many edges cannot cross more than `MAX_CROSSINGS` times."""
_BLOCK = 64
_BYTES = 16
"""Bytes of a position in WKB of two dimensions."""


def check_geometries(wkbs: Iterable[bytes]) -> None:
    """Check the geometries of one filter (WKB of two dimensions). Raises RefusedMarkup, and DeadlineError."""
    positions = 0
    for wkb in wkbs:
        positions += len(wkb) // _BYTES
        check_positions(positions)
        if len(wkb) > _FEW * _BYTES:
            import shapely

            check_edges(_list_edges(shapely.from_wkb(wkb)))


def check_positions(count: int) -> None:
    """Check a number of positions. Raises RefusedMarkup."""
    if count > MAX_POSITIONS:
        raise RefusedMarkup(f"geometries of more than {MAX_POSITIONS} positions are not accepted")


def check_edges(edges: np.ndarray) -> None:
    """Check how often edges cross each other, which decides what GEOS needs to relate them to anything.

    Those near each other in x order are compared, until there are too many: the time is bounded, and hardly more than
    linear for edges that are short.

    Parameters
    ----------
    edges
        Array (edges, 4) of float64: x y of both ends.

    Raises
    ------
    RefusedMarkup
        There are more than `MAX_CROSSINGS`, or more than `MAX_NEAR` pairs that would have to be compared.
    DeadlineError
        The time limit of the request was exceeded.
    """
    import numpy as np

    if len(edges) <= _FEW:
        return
    deadline = current_deadline()
    west, east = np.minimum(edges[:, 0], edges[:, 2]), np.maximum(edges[:, 0], edges[:, 2])
    order = np.argsort(west, kind="stable")
    edges, west, east = edges[order], west[order], east[order]
    south, north = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
    numbers = np.arange(len(edges))
    near = crossings = 0
    for start in range(0, len(edges), _BLOCK):
        deadline.check()
        some = slice(start, start + _BLOCK)
        rest = slice(start, int(np.searchsorted(west, east[some].max(), "right")))
        meet = (west[rest] <= east[some, None]) & (numbers[rest] > numbers[some, None])
        meet &= (south[rest] <= north[some, None]) & (north[rest] >= south[some, None])
        first, second = np.nonzero(meet)
        near += len(first)
        if near <= MAX_NEAR:
            crossings += _count_crossings(edges[some][first], edges[rest][second])
        if near > MAX_NEAR or crossings > MAX_CROSSINGS:
            raise RefusedMarkup(
                f"geometries whose edges cross or overlap more than {MAX_CROSSINGS} times are not accepted"
            )


def _count_crossings(one: np.ndarray, other: np.ndarray) -> int:
    """Return how many pairs, row by row, have a point in common that is not merely an end of both.

    The extents of each pair overlap. Where rounding leaves a doubt it counts.
    """
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        sides = [_side(one, other[:, :2]), _side(one, other[:, 2:]), _side(other, one[:, :2]), _side(other, one[:, 2:])]
    apart = (sides[0] * sides[1] > 0) | (sides[2] * sides[3] > 0)
    straight = (sides[0] == 0) & (sides[1] == 0)
    ends = [(one[:, a : a + 2] == other[:, b : b + 2]).all(axis=1) for a in (0, 2) for b in (0, 2)]
    same = (ends[0] & ends[3]) | (ends[1] & ends[2])
    joined = ends[0] | ends[1] | ends[2] | ends[3]
    overlap = [
        np.minimum(one[:, [axis, axis + 2]].max(axis=1), other[:, [axis, axis + 2]].max(axis=1))
        > np.maximum(one[:, [axis, axis + 2]].min(axis=1), other[:, [axis, axis + 2]].min(axis=1))
        for axis in (0, 1)
    ]
    along = straight & (overlap[0] | overlap[1])
    return int(np.count_nonzero(~apart & ~same & (~joined | along)))


def _side(edges: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return on which side of its edge each position is: -1, 0 or 1."""
    import numpy as np

    along, across = edges[:, 2:] - edges[:, :2], positions - edges[:, :2]
    side: np.ndarray = np.nan_to_num(np.sign(along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]))
    return side


def _list_edges(shape: Any) -> np.ndarray:
    """Return the edges of the lines and rings of a geometry, an array (edges, 4) of float64."""
    import numpy as np
    import shapely

    parts = np.array([shape], dtype=object)
    while (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    kinds = shapely.get_type_id(parts)
    lines = np.concatenate([parts[(kinds == 1) | (kinds == 2)], shapely.get_rings(parts[kinds == 3])])
    positions, numbers = shapely.get_coordinates(lines, return_index=True)
    joined = numbers[1:] == numbers[:-1]
    edges: np.ndarray = np.hstack([positions[:-1][joined], positions[1:][joined]])
    return edges
