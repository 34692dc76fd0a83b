"""Push conditions of a predicate down to the driver, so that its indexes work: only ever wider than the predicate.

Conditions consist of identifiers and typed constants only (`mapsos.sources.filtering.sql`). A condition that might
leave out a row of the predicate is not pushed down: nothing below a Not, no string that cannot be a constant, no order
of strings.
"""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from functools import partial

from mapsos.sources.filtering.comparisons import is_number, typing_of
from mapsos.sources.filtering.spatial import rectangle_in_layer
from mapsos.sources.filtering.sql import Dialect, is_plain_text, quote_identifier, quote_text, write_number
from mapsos.sources.reader import Narrowing, Reader
from mapsos.sources.source_columns import PostgresqlColumn, SourceColumn
from mapsos.terms.columns import ColumnKind
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import And, BBox, Between, Compare, OneOf, Or, Predicate, Spatial, Time, list_conditions
from mapsos.terms.times import DAY, EPOCH, SECOND, parse_time

Rectangle = tuple[float, float, float, float]

_MOST_VALUES = 500
"""Maximum number of values of one `OneOf` that are pushed down: drivers limit the size of a statement."""

_MOST_SPANS = 20
_MOST_YEARS = 3
_MOST_TENS = 6

_EPOCHS_LIKE_YEARS = ((190_000_000, 209_999_999), (1_900_000_000, 2_099_999_999))
"""Seconds since 1970 whose digits begin as a year does."""
_FIRST_DAY = date(1001, 1, 1).toordinal()
_LAST_DAY = date(9990, 1, 1).toordinal()


def narrow(predicate: Predicate, reader: Reader, crs: Crs | None) -> Narrowing:
    """Return the condition and rectangle that contain every row of the predicate, as narrow as is safe."""
    return Narrowing(_condition(predicate, reader), _rectangle(predicate, crs))


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
        known = [rectangle for rectangle in every if rectangle is not None]
        if not every or len(known) < len(every):
            return None
        return (
            min(r[0] for r in known),
            min(r[1] for r in known),
            max(r[2] for r in known),
            max(r[3] for r in known),
        )
    return None


def _condition(predicate: Predicate, reader: Reader, chosen: frozenset[str] = frozenset()) -> str:
    """Return SQL that is true at least wherever the predicate is; empty without a condition.

    ``chosen`` are columns to which the predicate around this one gives one of some values.
    """
    if isinstance(predicate, And):
        operands = tuple(list_conditions(predicate))
        chosen |= {operand.name for operand in operands if isinstance(operand, OneOf)}
        times = {operand.name for operand in operands if isinstance(operand, Time)}
        some = [
            f"likelihood({condition}, 0.99)" if _leads_to_times(operand, times, reader) else f"({condition})"
            for operand in operands
            if (condition := _condition(operand, reader, chosen))
        ]
        return " AND ".join(some)
    if isinstance(predicate, Or):
        every = [_condition(operand, reader, chosen) for operand in predicate.operands]
        return " OR ".join(f"({condition})" for condition in every) if all(every) else ""
    if not isinstance(predicate, Compare | Between | OneOf | Time):
        return ""
    dialect = reader.condition_dialect(predicate.name)
    if dialect is None:
        return ""
    kind = reader.columns[predicate.name].column.kind
    timed = isinstance(predicate, Time) or (not isinstance(predicate, OneOf) and typing_of(predicate, kind) == "time")
    if timed and dialect is Dialect.SQLITE and not _finds_times(predicate.name, chosen, reader):
        return ""
    try:
        column = quote_identifier(predicate.name, dialect)
        in_order = _order(reader.columns[predicate.name], column)
        if isinstance(predicate, Time):
            return _time_condition(predicate, in_order, kind, dialect)
        if isinstance(predicate, OneOf):
            return _one_of(column, kind, predicate.values, dialect) if predicate.match_case else ""
        return _comparison(predicate, column, in_order, kind, dialect)
    except ValueError:
        return ""


def _finds_times(column: str, chosen: frozenset[str], reader: Reader) -> bool:
    """Return whether SQLite seeks the times of a column in an index, perhaps behind a column with a chosen value.

    Without one it would compare each string with many bounds: that costs more than to read them all.
    """
    return any(key[0] == column or (key[1:] == (column,) and key[0] in chosen) for key in reader.index_keys())


def _leads_to_times(predicate: Predicate, times: set[str], reader: Reader) -> bool:
    """Return whether SQLite has an index of a column followed by one of the times.

    SQLite may take the column alone for selective enough to scan all index entries of a value. A hint that it is not
    makes SQLite seek each range of times.
    """
    if not (isinstance(predicate, OneOf) and times and reader.condition_dialect(predicate.name) is Dialect.SQLITE):
        return False
    return any(key[0] == predicate.name and key[1:] and key[1] in times for key in reader.index_keys())


def _order(column: SourceColumn, quoted: str) -> str:
    """Return the column for ranges of strings, which are in the order of bytes."""
    by_rules = isinstance(column, PostgresqlColumn) and column.column.kind is ColumnKind.TEXT and not column.bytewise
    return f'{quoted} COLLATE "C"' if by_rules else quoted


def _one_of(column: str, kind: ColumnKind, values: tuple[str, ...], dialect: Dialect) -> str:
    if not 0 < len(values) <= _MOST_VALUES:
        return ""
    if kind is ColumnKind.TEXT and all(value and is_plain_text(value, dialect) for value in values):
        constants = [quote_text(value, dialect) for value in values]
    elif kind is ColumnKind.INTEGER and all(_is_integer(value) for value in values):
        constants = [write_number(int(value)) for value in values]
    else:
        return ""
    return f"{column} = {constants[0]}" if len(constants) == 1 else f"{column} IN ({', '.join(constants)})"


def _is_integer(text: str) -> bool:
    return re.fullmatch("-?[0-9]{1,10}", text) is not None and abs(int(text)) < 2**31 and str(int(text)) == text


def _comparison(predicate: Compare | Between, column: str, in_order: str, kind: ColumnKind, dialect: Dialect) -> str:
    typing = typing_of(predicate, kind)
    if typing == "text":
        plain = isinstance(predicate, Compare) and predicate.operator == "=" and predicate.match_case
        if not plain or kind is not ColumnKind.TEXT:
            return ""
        assert isinstance(predicate, Compare)
        return _one_of(column, kind, (predicate.literal,), dialect)
    if typing == "number":
        if kind not in (ColumnKind.INTEGER, ColumnKind.REAL):
            return ""
        return _number_bounds(predicate, column, exact=kind is ColumnKind.INTEGER)
    if isinstance(predicate, Between):
        first, last = parse_time(predicate.low).begin, parse_time(predicate.high).end
        return _time_range(in_order, kind, dialect, [_widen(first, last)])
    interval = parse_time(predicate.literal)
    spans = {
        "=": _widen(interval.begin, interval.end),
        "<": _widen(None, interval.begin),
        "<=": _widen(None, interval.end),
        ">": _widen(interval.begin, None),
        ">=": _widen(interval.begin, None),
    }
    return _time_range(in_order, kind, dialect, [spans[predicate.operator]]) if predicate.operator in spans else ""


def _number_bounds(predicate: Compare | Between, column: str, exact: bool) -> str:
    """Return bounds a little wider than the literals, so that no rounding of the driver loses a row.

    ``exact`` states whether the column has integers: one of another type may have decimals beyond double precision.
    """
    least, most = partial(_bound, towards=-math.inf, exact=exact), partial(_bound, towards=math.inf, exact=exact)
    if isinstance(predicate, Between):
        low, high = least(predicate.low), most(predicate.high)
    elif predicate.operator == "=":
        low, high = least(predicate.literal), most(predicate.literal)
    elif predicate.operator in ("<", "<="):
        low, high = None, most(predicate.literal)
    elif predicate.operator in (">", ">="):
        low, high = least(predicate.literal), None
    else:
        return ""
    bounds = []
    if low is not None:
        bounds.append(f"{column} >= {low}")
    if high is not None:
        bounds.append(f"{column} <= {high}")
    return " AND ".join(bounds)


def _bound(literal: str, towards: float, exact: bool) -> str:
    """Return an integer of ordinary size for integers as it is, any other number moved outwards by some units."""
    if not is_number(literal):
        raise ValueError("not a number")
    number = Decimal(literal)
    # Not abs(), which overflows beyond the exponents of a context.
    if exact and number.copy_abs() < 2**31 and number == number.to_integral_value():
        return write_number(int(number))
    bound = float(number)
    for _ in range(4):
        bound = math.nextafter(bound, towards)
    return write_number(bound)


Span = tuple[int | None, int | None]
"""From an instant to an instant, both inclusive; None for no bound."""


def _time_condition(predicate: Time, column: str, kind: ColumnKind, dialect: Dialect) -> str:
    if not 0 < len(predicate.intervals) <= _MOST_SPANS:
        return ""
    if predicate.relation == "before":
        spans = [_widen(None, interval.begin) for interval in predicate.intervals]
    elif predicate.relation == "after":
        spans = [_widen(interval.end, None) for interval in predicate.intervals]
    else:
        spans = [_widen(interval.begin, interval.end) for interval in predicate.intervals]
    return _time_range(column, kind, dialect, spans)


def _time_range(column: str, kind: ColumnKind, dialect: Dialect, spans: list[Span]) -> str:
    # OGR SQL fails on a NULL in a comparison of dates.
    if dialect is Dialect.OGR or kind not in (ColumnKind.TEXT, ColumnKind.DATETIME, ColumnKind.DATE):
        return ""
    if dialect is Dialect.POSTGRESQL and kind is not ColumnKind.TEXT:
        return " OR ".join(f"({_typed_range(column, kind, *span)})" for span in spans)
    return " OR ".join(f"({_text_range(column, *_days_around(*span))})" for span in spans)


def _widen(begin: int | None, end: int | None) -> Span:
    """Widen a span by a second on each side: the precision of a value that is written to the second."""
    return None if begin is None else begin - SECOND, None if end is None else end + SECOND


def _days_around(begin: int | None, end: int | None) -> tuple[date | None, date | None]:
    """Return the first and last day in the written form of values in a span, plus two days for zones."""
    return (
        None if begin is None else _day(begin // DAY - 2),
        None if end is None else _day(end // DAY + 2),
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


def _text_range(column: str, first: date | None, last: date | None) -> str:
    """Return ranges in the order of bytes that contain every string of a time on the days, in any form.

    The forms are those of `mapsos.columns.iso_times`. All begin with their year but those of `_other_ranges`. Within a
    year the days written YYYY-MM-DD are in order and so are those of the form YYYY-DDD; the year alone sorts before
    them, and every other form (by week, with slashes, without marks) after them, for which the whole year is taken. No
    bound looks like a number, which SQLite would compare as one.
    """
    years = None if first is None else first.year - 1, None if last is None else last.year + 1
    if first is None or last is None or last.year - first.year > _MOST_YEARS:
        bounds = []
        if years[0] is not None:
            bounds.append(f"{column} > '{years[0] - 1:04d}~'")
        if years[1] is not None:
            bounds.append(f"{column} < '{years[1]:04d}~'")
        if not bounds:
            raise ValueError("no bound to push down")
        return " OR ".join([*_other_ranges(column, first, last), f"({' AND '.join(bounds)})"])
    days = f"({column} >= '{first.isoformat()}' AND {column} < '{last.isoformat()}~')"
    ranges = [*_other_ranges(column, first, last), days]
    for year in range(first.year - 1, last.year + 2):
        ranges.append(f"({column} > '{year - 1:04d}~' AND {column} < '{year:04d}-0')")
        ranges.append(f"({column} > '{year:04d}-:' AND {column} < '{year:04d}~')")
    for year in range(first.year, last.year + 1):
        start = (max(first, date(year, 1, 1)) - date(year, 1, 1)).days + 1
        end = (min(last, date(year, 12, 31)) - date(year, 1, 1)).days + 1
        ranges += [
            f"({column} >= '{year:04d}-{low:03d}' AND {column} < '{year:04d}-{high:03d}~')"
            for low, high in _split_days(start, end)
        ]
    return " OR ".join(ranges)


def _other_ranges(column: str, first: date | None, last: date | None) -> list[str]:
    """Return ranges of the strings that do not begin with a year from 1900 to 2099, and of the years before and after.

    They contain numbers, strings with spaces before them, days with dots (``1.3.2024``, ``20.03.2024``), and seconds or
    milliseconds since 1970; of those that begin with 19 or 20 only the ones on the days.
    """
    ranges = [f"{column} < '18~'", f"{column} > '20~'"]
    ranges += [f"({column} > '{start}-~' AND {column} < '{start}/')" for start in ("19", "2", "20")]
    for least, most in _EPOCHS_LIKE_YEARS:
        low = least if first is None else max(least, (first.toordinal() - EPOCH) * 86_400)
        high = most if last is None else min(most, (last.toordinal() - EPOCH + 1) * 86_400)
        if low <= high:
            ranges.append(f"({column} > '{low - 1}~' AND {column} < '{high}~')")
    return ranges


def _split_days(start: int, end: int) -> list[tuple[int, int]]:
    """Split days of a year into tens, which distinguishes ``2001-013`` from ``2001-01-30``; many days stay together."""
    tens = range(start // 10, end // 10 + 1)
    if len(tens) > _MOST_TENS:
        return [(start, end)]
    return [(max(start, ten * 10), min(end, ten * 10 + 9)) for ten in tens]
