"""Where a feature of interest is, given its observations: at the place of them all, or where they have been."""

from __future__ import annotations

from dataclasses import dataclass

from mapsos.sources.facts import Bounds, GroupFacts


@dataclass(frozen=True)
class FeaturePlace:
    """The geometry of a feature (x y order, None where there is none), and whether its observations moved about.

    Where they moved, it is the rectangle around them all, or the line if that has no width or no height.
    """

    wkb: bytes | None
    moved: bool = False


MOVED = "The area of the observations, which are not all at one place"
"""What is said of a feature whose observations moved about."""


def find_place(facts: GroupFacts) -> FeaturePlace:
    """The place of a feature whose observations have the facts."""
    import shapely

    if facts.wkb is None or facts.bounds is None:
        return FeaturePlace(facts.wkb)
    bounds: Bounds = facts.bounds
    if tuple(shapely.bounds(shapely.from_wkb(facts.wkb)).tolist()) == bounds:
        return FeaturePlace(facts.wkb)
    wide = bounds[0] < bounds[2] and bounds[1] < bounds[3]
    around = shapely.box(*bounds) if wide else shapely.LineString([bounds[:2], bounds[2:]])
    return FeaturePlace(shapely.to_wkb(around, byte_order=1), moved=True)
