"""Count rows by time, in spans that grow with the data, so that memory stays the same."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mapsos.sources.filtering.row_times import times_of
from mapsos.sources.rows import Rows
from mapsos.terms.times import SECOND, Interval

_MOST_SPANS = 4096


class TimeDensity:
    """Rows counted by when their times begin.

    ``total`` is the number of rows, those without a time included. Spans are at least a second long and begin at full
    seconds.
    """

    def __init__(self) -> None:
        self.total = 0
        self._width = SECOND
        self._first = 0
        self._counts = np.zeros(0, dtype=np.int64)

    def add(self, passing: Iterable[Rows], column: str | None) -> None:
        """Count rows; those of a layer without a column of times count in ``total`` alone."""
        for rows in passing:
            self.total += rows.count
            if column is not None:
                begin, _, valid = times_of(rows, column)
                self._count(begin[valid])

    def find_window(self, most: int) -> Interval | None:
        """Return the longest span from the first time on with at most ``most`` rows; None if the first span has more.

        Its ends are full seconds. Where the first span is longer than a second, its rows can be counted again in
        shorter spans (`find_first`).
        """
        if not len(self._counts):
            return None

        spans = int(np.searchsorted(np.cumsum(self._counts), most, side="right"))
        if spans == 0:
            return None
        return Interval(self._first * self._width, (self._first + spans) * self._width)

    def find_first(self) -> Interval | None:
        """Return the first span with rows, None without one or if it cannot be divided any further."""
        if not len(self._counts) or self._width == SECOND:
            return None
        return Interval(self._first * self._width, (self._first + 1) * self._width)

    def _count(self, begins: np.ndarray) -> None:
        if not len(begins):
            return
        first, last = int(begins.min()), int(begins.max())
        if len(self._counts):
            first = min(first, self._first * self._width)
            last = max(last, (self._first + len(self._counts)) * self._width - 1)
        while last // self._width - first // self._width >= _MOST_SPANS:
            self._widen()
        self._stretch(first // self._width, last // self._width)
        self._counts += np.bincount(begins // self._width - self._first, minlength=len(self._counts))

    def _widen(self) -> None:
        """Double the length of spans."""
        if len(self._counts):
            before = self._first % 2
            padded = np.pad(self._counts, (before, (before + len(self._counts)) % 2))
            self._counts = padded.reshape(-1, 2).sum(axis=1)
            self._first //= 2
        self._width *= 2

    def _stretch(self, first: int, last: int) -> None:
        """Extend the counts to all spans from the first to the last."""
        if not len(self._counts):
            self._first = first
            self._counts = np.zeros(last - first + 1, dtype=np.int64)
            return
        after = last - (self._first + len(self._counts) - 1)
        self._counts = np.pad(self._counts, (self._first - first, max(0, after)))
        self._first = first
