"""Write conditions for the times of a column: few ranges, each wider than it must be, however many spans they are of.

Spans that overlap are one, and the nearest ones are joined until few are left: a driver searches each row once, and the
size of a statement has a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import TypeVar

from mapsos.sources.filtering.sql import Dialect, join_any
from mapsos.terms.columns import ColumnKind
from mapsos.terms.times import DAY, EPOCH, SECOND

MOST_SPANS = 20
"""Maximum number of spans of a condition: more are joined."""

_MOST_YEARS = 3
_MOST_TENS = 6

_EPOCHS_LIKE_YEARS = ((190_000_000, 209_999_999), (1_900_000_000, 2_099_999_999))
"""Seconds since 1970 whose digits begin as a year does."""
_FIRST_DAY = date(1001, 1, 1).toordinal()
_LAST_DAY = date(9990, 1, 1).toordinal()

_AROUND = 2
"""Days before and after the time of a string by which its written form may differ, because of its zone."""

_ALWAYS = -(2**63), 2**63
"""Instants that stand for no bound."""

T = TypeVar("T", int, float)

Span = tuple[int | None, int | None]
"""From an instant to an instant, both inclusive; None for no bound."""

_BEFORE = {">=": "0", ">": "1"}

_StringRange = tuple[tuple[str, str] | None, str | None]
"""The first bound with its operator, and the second one, exclusive; None for no bound."""


def widen(begin: int | None, end: int | None) -> Span:
    """Widen a span by a second on each side: the precision of a value that is written to the second."""
    return None if begin is None else begin - SECOND, None if end is None else end + SECOND


def write_time_ranges(
    column: str, kind: ColumnKind, dialect: Dialect, spans: Sequence[Span], most: int = MOST_SPANS
) -> str:
    """Return a condition that is true at least for the values in the spans, as at most ``most`` spans; empty without.

    ``column`` is an identifier. Raises ValueError where the spans have no bound that can be pushed down.
    """
    # OGR SQL fails on a NULL in a comparison of dates.
    if dialect is Dialect.OGR or kind not in (ColumnKind.TEXT, ColumnKind.DATETIME, ColumnKind.DATE) or not spans:
        return ""
    if dialect is Dialect.POSTGRESQL and kind is not ColumnKind.TEXT:
        return join_any([_typed_range(column, kind, *span) for span in join_spans(spans, 0, most)])
    joined = join_spans(spans, 2 * (_AROUND + 1) * DAY, most)
    ranges = [part for span in joined for part in _list_ranges(*_days_around(*span))]
    # With the open ones at its end, SQLite's estimates prefer a scan to an index.
    parts = sorted(_join_ranges(ranges), key=lambda part: None not in part)
    written = [_write_range(column, part) for part in parts]
    # One without bounds is of all strings.
    return join_any(written) if all(written) else ""


def join_spans(spans: Sequence[Span], gap: int, most: int) -> list[Span]:
    """Return the spans in order, those joined that overlap or have less than ``gap`` between them.

    Where more than ``most`` are left, the nearest ones are joined.
    """
    joined: list[tuple[int, int]] = []
    for first, last in sorted((_ALWAYS[0] if a is None else a, _ALWAYS[1] if b is None else b) for a, b in spans):
        if joined and first <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    joined = join_nearest(joined, most)
    return [(None if a == _ALWAYS[0] else a, None if b == _ALWAYS[1] else b) for a, b in joined]


def join_nearest(ranges: list[tuple[T, T]], most: int) -> list[tuple[T, T]]:
    """Return at most ``most`` ranges of numbers that contain those given, which are in order and do not overlap."""
    if len(ranges) <= most:
        return ranges
    gaps: list[tuple[T, int]] = [
        (before[1] - after[0], index) for index, (before, after) in enumerate(pairwise(ranges), 1)
    ]
    starts = [0, *sorted(index for _, index in sorted(gaps)[: most - 1]), len(ranges)]
    return [(ranges[start][0], ranges[after - 1][1]) for start, after in pairwise(starts)]


def _days_around(begin: int | None, end: int | None) -> tuple[date | None, date | None]:
    """Return the first and last day in the written form of values in a span, plus two days for zones."""
    return (
        None if begin is None else _day(begin // DAY - _AROUND),
        None if end is None else _day(end // DAY + _AROUND),
    )


def _day(days: int) -> date | None:
    """Return the day, None if it is too far out to be a bound."""
    ordinal = days + EPOCH
    return date.fromordinal(ordinal) if _FIRST_DAY <= ordinal <= _LAST_DAY else None


def _typed_range(column: str, kind: ColumnKind, begin: int | None, end: int | None) -> str:
    """Return a range for a column of dates or date-times.

    The constants take the type of the column, so that its index and its partitions can be used; a column without zone
    reads them as UTC.
    """
    bounds = []
    for operator, instant in ((">=", begin), ("<=", end)):
        if instant is None or (day := _day(instant // DAY)) is None:
            continue
        clock = "" if kind is ColumnKind.DATE else f" {_write_clock(instant % DAY)}"
        bounds.append(f"{column} {operator} '{day.isoformat()}{clock}'")
    if not bounds:
        raise ValueError("no bound to push down")
    return " AND ".join(bounds)


def _write_clock(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, SECOND)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:06d}+00"


def _list_ranges(first: date | None, last: date | None) -> list[_StringRange]:
    """Return ranges in the order of bytes that contain every string of a time on the days, in any form.

    The forms are those of `mapsos.columns.iso_times`. All begin with their year but those of `_other_ranges`. Within a
    year the days written YYYY-MM-DD are in order and so are those of the form YYYY-DDD; the year alone sorts before
    them, and every other form (by week, with slashes, without marks) after them, for which the whole year is taken. No
    bound looks like a number, which SQLite would compare as one.
    """
    years = None if first is None else first.year - 1, None if last is None else last.year + 1
    ranges = _other_ranges(first, last)
    if first is None or last is None or last.year - first.year > _MOST_YEARS:
        if years == (None, None):
            raise ValueError("no bound to push down")
        low = None if years[0] is None else (f"{years[0] - 1:04d}~", ">")
        return [*ranges, (low, None if years[1] is None else f"{years[1]:04d}~")]
    ranges.append(((first.isoformat(), ">="), f"{last.isoformat()}~"))
    for year in range(first.year - 1, last.year + 2):
        ranges.append(((f"{year - 1:04d}~", ">"), f"{year:04d}-0"))
        ranges.append(((f"{year:04d}-:", ">"), f"{year:04d}~"))
    for year in range(first.year, last.year + 1):
        start = (max(first, date(year, 1, 1)) - date(year, 1, 1)).days + 1
        end = (min(last, date(year, 12, 31)) - date(year, 1, 1)).days + 1
        ranges += [
            ((f"{year:04d}-{low:03d}", ">="), f"{year:04d}-{high:03d}~") for low, high in _split_days(start, end)
        ]
    return ranges


def _other_ranges(first: date | None, last: date | None) -> list[_StringRange]:
    """Return ranges of the strings that do not begin with a year from 1900 to 2099, and of the years before and after.

    They contain numbers, strings with spaces before them, days with dots (``1.3.2024``, ``20.03.2024``), and seconds or
    milliseconds since 1970; of those that begin with 19 or 20 only the ones on the days.
    """
    ranges: list[_StringRange] = [(None, "18~"), (("20~", ">"), None)]
    ranges += [((f"{start}-~", ">"), f"{start}/") for start in ("19", "2", "20")]
    for least, most in _EPOCHS_LIKE_YEARS:
        low = least if first is None else max(least, (first.toordinal() - EPOCH) * 86_400)
        high = most if last is None else min(most, (last.toordinal() - EPOCH + 1) * 86_400)
        if low <= high:
            ranges.append(((f"{low - 1}~", ">"), f"{high}~"))
    return ranges


def _join_ranges(ranges: list[_StringRange]) -> list[_StringRange]:
    """Return the same ranges in order, those that overlap joined: all bounds are ASCII."""
    joined: list[_StringRange] = []
    # Of two bounds that are equal, >= comes before >.
    for low, high in sorted(ranges, key=_begin_of):
        if joined:
            before = joined[-1][1]
            if before is None:
                break
            if low is None or low[0] <= before:
                joined[-1] = (joined[-1][0], None if high is None else max(before, high))
                continue
        joined.append((low, high))
    return joined


def _begin_of(part: _StringRange) -> tuple[str, str]:
    return ("", "") if part[0] is None else (part[0][0], _BEFORE[part[0][1]])


def _write_range(column: str, part: _StringRange) -> str:
    low, high = part
    bounds = [] if low is None else [f"{column} {low[1]} '{low[0]}'"]
    if high is not None:
        bounds.append(f"{column} < '{high}'")
    return " AND ".join(bounds)


def _split_days(start: int, end: int) -> list[tuple[int, int]]:
    """Split days of a year into tens, which distinguishes ``2001-013`` from ``2001-01-30``; many days stay together."""
    tens = range(start // 10, end // 10 + 1)
    if len(tens) > _MOST_TENS:
        return [(start, end)]
    return [(max(start, ten * 10), min(end, ten * 10 + 9)) for ten in tens]
