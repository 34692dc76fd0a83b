"""Near misses: names that are probably misspellings of known names."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_UNKNOWN = 100
"""Maximum number of unknown names in one request: each is compared with all known names."""

_SEPARATORS = re.compile(r"[\s_.-]+")
_LONGEST = 64
"""Names of more letters are not compared."""


class NearMissError(ValueError):
    """A name that is unknown, and too near to a known one to be ignored."""

    def __init__(self, name: str, meant: str) -> None:
        super().__init__(f"unknown name {name}. Did you mean {meant}?")
        self.name = name
        self.meant = meant


class TooManyNamesError(ValueError):
    """More than `MAX_UNKNOWN` unknown names."""


def ignore_names(names: Iterable[str], known: Iterable[str], elsewhere: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the distinct names that are not known, which are therefore ignored.

    Parameters
    ----------
    names
        The names in a request.
    known
        The case-insensitive names that it may have.
    elsewhere
        Names that mean something in other requests. They are ignored too, however near they are to a known one.

    Raises
    ------
    NearMissError
        A name is a near miss of a known one.
    TooManyNamesError
        There are more than `MAX_UNKNOWN` unknown names.
    """
    spellings = {name.lower(): name for name in known}
    unknown = tuple(dict.fromkeys(name for name in names if name.lower() not in spellings))
    if not unknown:
        return ()
    if len(unknown) > MAX_UNKNOWN:
        raise TooManyNamesError(f"More than {MAX_UNKNOWN} unknown parameters in a request are not accepted.")
    others = {name.lower() for name in elsewhere}
    for name in unknown:
        meant = None if name.lower() in others else find_near_name(name, spellings.values())
        if meant is not None:
            raise NearMissError(name, meant)
    return unknown


def find_near_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a name probably misspells, as it is written in ``known``; None without one.

    Letter case, the separators ``_``, ``-`` and ``.``, ``ies`` for ``y``, and ``amp;`` before the name (an address
    copied from XML) do not count. What remains may differ by as many letters as are often wrong in a name of that
    length but rarely make another word of it: two in names of nine letters and more, one in names of five to eight. An
    exchange of two neighbours is one difference. Shorter names, which differ from many words by one letter, may only
    have a plural ``s`` or a doubled letter too many or too few, or, from four letters, two neighbours exchanged. Names
    of one or two letters are never near misses.
    """
    wanted = _simplify(name)
    if not 2 < len(wanted) <= _LONGEST:
        return None
    nearest: tuple[int, str] | None = None
    for candidate in known:
        distance = _compare(wanted, _simplify(candidate))
        if distance is not None and (nearest is None or distance < nearest[0]):
            nearest = distance, candidate
    return None if nearest is None else nearest[1]


def _simplify(name: str) -> str:
    bare = _SEPARATORS.sub("", name[: 2 * _LONGEST].casefold().removeprefix("amp;"))
    return f"{bare[:-3]}y" if bare.endswith("ies") else bare


def _compare(wanted: str, candidate: str) -> int | None:
    """Return the number of differences if it is small enough for the length of the candidate, else None."""
    if wanted == candidate:
        return 0
    if len(candidate) < 5:
        near = len(candidate) > 2 and _differs_by_repetition(wanted, candidate)
        return 1 if near or (len(candidate) > 3 and _is_exchanged(wanted, candidate)) else None
    most = 1 if len(candidate) < 9 else 2
    if abs(len(wanted) - len(candidate)) > most:
        return None
    distance = _count_differences(wanted, candidate)
    return distance if distance <= most else None


def _is_exchanged(one: str, other: str) -> bool:
    return len(one) == len(other) and sorted(one) == sorted(other) and _count_differences(one, other) == 1


def _differs_by_repetition(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(longer) != len(shorter) + 1:
        return False
    if longer == f"{shorter}s":
        return True
    return any(longer[i] == longer[i - 1] and longer[:i] + longer[i + 1 :] == shorter for i in range(1, len(longer)))


def _count_differences(one: str, other: str) -> int:
    """Return the least number of insertions, deletions, substitutions, and exchanges of neighbours."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, opposite in enumerate(other, 1):
            least = min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != opposite))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == opposite:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, above = above, row
    return above[-1]
