"""Times as text and as intervals: the one place that parses and writes them."""

from __future__ import annotations

from dataclasses import dataclass

FOREVER = 2**62
"""Microseconds that stand for an open end; its negative for an open begin."""


@dataclass(frozen=True, order=True)
class Interval:
    """A stretch of time, half open: ``begin`` inclusive, ``end`` exclusive, in microseconds since 1970-01-01T00Z.

    An instant is as long as its precision: ``2001`` a year, ``2001-10-30`` a day, ``2001-10-30T14:24:55Z`` a second;
    with a fraction one microsecond. `FOREVER` and its negative are open ends.
    """

    begin: int
    end: int
