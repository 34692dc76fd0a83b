"""What of a predicate is handed to the driver, so that its indexes work: only ever wider than the predicate."""

from __future__ import annotations

from mapsos.crs import Crs
from mapsos.predicates import And, BBox, Or, Predicate, Spatial
from mapsos.sources.readers import Narrowing, Reader
from mapsos.sources.spatial import rectangle_in_layer

Rectangle = tuple[float, float, float, float]


def narrow(predicate: Predicate, reader: Reader, crs: Crs | None) -> Narrowing:
    """The widest condition and rectangle that still hold every row of the predicate, as far as they can be named."""
    return Narrowing("", _rectangle(predicate, crs))


def _rectangle(predicate: Predicate, crs: Crs | None) -> Rectangle | None:
    if isinstance(predicate, BBox | Spatial):
        return rectangle_in_layer(predicate, crs)
    if isinstance(predicate, And):
        found = [rectangle for operand in predicate.operands if (rectangle := _rectangle(operand, crs))]
        if not found:
            return None
        minx, miny = max(r[0] for r in found), max(r[1] for r in found)
        maxx, maxy = min(r[2] for r in found), min(r[3] for r in found)
        return (minx, miny, maxx, maxy) if minx <= maxx and miny <= maxy else found[0]
    if isinstance(predicate, Or):
        every = [_rectangle(operand, crs) for operand in predicate.operands]
        if not every or None in every:
            return None
        known = [rectangle for rectangle in every if rectangle is not None]
        return (
            min(r[0] for r in known),
            min(r[1] for r in known),
            max(r[2] for r in known),
            max(r[3] for r in known),
        )
    return None
