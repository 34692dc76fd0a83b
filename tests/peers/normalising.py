"""Comparing answers whose known differences have been evened out."""

from __future__ import annotations

from .comparison import Side, differences, read_side
from .differences import DIFFERENCES


def normalised_differences(ours: Side, theirs: Side, names: tuple[str, ...]) -> list[str]:
    """Where the answers part after the named differences are evened out."""
    ours, theirs = read_side(ours.answer), read_side(theirs.answer)
    for name in names:
        normalise = DIFFERENCES[name].normalise
        assert normalise is not None, f"{name} has no normaliser: say what is expected instead"
        normalise(ours, theirs)
    return differences(ours, theirs)
