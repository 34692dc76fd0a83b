"""The place of a feature of interest by its observations: one position, or the area that they cover."""

from __future__ import annotations

from mapsos.sources.facts import Bounds, GroupFacts
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class FeaturePlace:
    """The geometry of a feature in x y order (None without one), and whether its observations have several places.

    With several places it is the rectangle around them all, or a line if that has no width or no height.
    """

    wkb: bytes | None
    moved: bool = False


MOVED = "The area of the observations, which are not all at one place"
"""The description of a feature whose observations have several places."""


def find_place(facts: GroupFacts) -> FeaturePlace:
    """Return the place of a feature by facts about its observations."""
    import shapely

    if facts.wkb is None or facts.bounds is None:
        return FeaturePlace(facts.wkb)
    bounds: Bounds = facts.bounds
    if tuple(shapely.bounds(shapely.from_wkb(facts.wkb)).tolist()) == bounds:
        return FeaturePlace(facts.wkb)
    wide = bounds[0] < bounds[2] and bounds[1] < bounds[3]
    around = shapely.box(*bounds) if wide else shapely.LineString([bounds[:2], bounds[2:]])
    return FeaturePlace(shapely.to_wkb(around, byte_order=1), moved=True)
