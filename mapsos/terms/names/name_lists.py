"""Split comma-separated lists of names whose members may contain commas themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

FindKnown: TypeAlias = Callable[[tuple[str, ...]], Collection[str]]
"""Returns those of the given names that exist."""

_LONGEST_RUN = 8
"""The most parts that are joined to one name, unless it is the whole list."""
_MOST_PARTS = 1000
"""In lists of more parts nothing is joined."""


def know_nothing(names: tuple[str, ...]) -> Collection[str]:
    """Return no name: every comma separates."""
    return ()


def split_names(values: Iterable[str], find_known: FindKnown = know_nothing) -> tuple[str, ...]:
    """Return the distinct names in the values, in order, each without white space around it.

    A value is first tried as one name, then as a list of names. Where a part of the list is unknown, it is tried
    together with its neighbours: ``SEA,Donau, km 2135`` are two names if ``Donau, km 2135`` is one. Values without a
    comma are not looked up, empty parts do not count, and unknown names are returned as they are.
    """
    found: list[str] = []
    for value in values:
        found += _split(value, find_known)
    return tuple(dict.fromkeys(found))


def _split(value: str, find_known: FindKnown) -> list[str]:
    whole = value.strip()
    if "," not in whole:
        return [whole] if whole else []
    parts = value.split(",")
    names = [name for part in parts if (name := part.strip())]
    known = frozenset(find_known((whole, *names)))
    if whole in known:
        return [whole]
    if known.issuperset(names) or len(parts) > _MOST_PARTS:
        return names
    return _join_parts(parts, find_known)


def _join_parts(parts: list[str], find_known: FindKnown) -> list[str]:
    """Return the names in the parts, the longest known runs of neighbours joined."""
    runs = {
        (start, end): ",".join(parts[start:end]).strip()
        for start in range(len(parts))
        for end in range(start + 2, min(start + _LONGEST_RUN, len(parts)) + 1)
    }
    known = frozenset(find_known(tuple(dict.fromkeys(runs.values()))))
    names = []
    start = 0
    while start < len(parts):
        ends = range(min(start + _LONGEST_RUN, len(parts)), start + 1, -1)
        end = next((end for end in ends if runs[start, end] in known), start + 1)
        if name := ",".join(parts[start:end]).strip():
            names.append(name)
        start = end
    return names
