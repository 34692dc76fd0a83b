"""Facts about the rows of a layer that its data source reports without delivering the rows."""

from __future__ import annotations

from typing import Protocol

from mapsos.sources.query import StepEnds
from mapsos.sources.reader import Narrowing
from mapsos.terms.predicates import Predicate
from mapsos.terms.times import Interval
from mapsos.terms.values import dataclass

Bounds = tuple[float, float, float, float]
"""Minx miny maxx maxy."""


@dataclass(frozen=True)
class GroupFacts:
    """Facts about the rows that share a value.

    Attributes
    ----------
    rows
        Number of rows.
    times
        From the first begin to the last end (exclusive) of their times, None without any.
    bounds
        Minx miny maxx maxy of their geometries, None without any.
    wkb
        The first geometry in the order of the rows.
    texts
        For each requested column the first string that is not empty, else an empty string.
    """

    rows: int
    times: Interval | None = None
    bounds: Bounds | None = None
    wkb: bytes | None = None
    texts: tuple[str, ...] = ()


class TableFacts(Protocol):
    """Facts about all rows of a layer that a predicate selects.

    Each answer is the one that a pass over the rows would find, or None where that is not certain, which is the
    default. Columns are spelled as the source does. Methods raise `mapsos.sources.errors.SourceError`, and
    DeadlineError where the data source takes too long.
    """

    def distinct(self, column: str, predicate: Predicate) -> tuple[str, ...] | None:
        """Return the distinct strings of a column, '' for NULL."""
        return None

    def time_bounds(self, column: str, predicate: Predicate) -> Interval | None:
        """Return the interval from the first begin to the last end (exclusive) of a column of times."""
        return None

    def find_ends(self, ends: StepEnds, predicate: Predicate) -> tuple[Narrowing, int] | None:
        """Return how to read rows among which are all that ``ends`` describes, and how many they are.

        Valid only if the predicate selects each of those rows.
        """
        return None

    def tells_steps(self, time: str, group: str | None) -> bool:
        """Return whether an index may find the first and last rows of steps of time."""
        return False

    def one_place(self, group: str | None, predicate: Predicate) -> tuple[Narrowing, dict[str, int]] | None:
        """Return how to read the first row of each group and the number of rows by group, if all are at one point."""
        return None

    def availability(self, group: str | None, column: str, predicate: Predicate) -> dict[str, GroupFacts] | None:
        """Return number of rows and bounds of time by string of the group column, '' for NULL and without a column."""
        return None

    def count(self, predicate: Predicate) -> int | None:
        """Return the number of rows."""
        return None

    def extreme_times(
        self, column: str, group: str | None, predicate: Predicate, newest: bool
    ) -> dict[str, Interval] | None:
        """Return the newest or oldest time by string of the group column, '' for NULL and without a column."""
        return None

    def extent(self) -> Bounds | None:
        """Return the bounds of all geometries in the CRS of the layer, whatever its FILTER."""
        return None
