"""Find the first and last rows of steps of time by seeks into an index of an SQLite table instead of by a pass.

Times are strings there, whose order is that of time only where all are in UTC and written alike. That is verified
without reading every row: one seek for each day proves that all strings begin with a date and a ``T``, so that none is
further from its time than the offset of a zone; and around the ends of each step all strings are checked. Where
anything is not certain, the result is None, and a pass is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mapsos.columns.written_times import parse_value
from mapsos.sources.filtering.sql import is_plain_text, quote_identifier, quote_text
from mapsos.sources.indexes.index_skips import list_distinct
from mapsos.sources.indexes.sql_table import SqlTable
from mapsos.sources.indexes.time_texts import find_digits, write_bound
from mapsos.sources.query import StepEnds
from mapsos.sources.source_columns import parse_times
from mapsos.terms.columns import ColumnKind
from mapsos.terms.predicates import BBox, Everything, OneOf, Predicate, Time, list_conditions
from mapsos.terms.times import FOREVER, HOUR, Interval, parse_time
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import numpy as np


MOST_STEPS = 20_000
"""More steps (of all groups together) are left to a pass."""

_MOST_DAYS = 50_000
_STEPS_AT_ONCE = 1000
_ROWS_WITHOUT_VALUE = 100
"""Maximum number of rows that are searched for one with a value, before it is left to a pass."""

_ZONES = 15 * HOUR
"""More than the distance of a string from its time by any zone and any form of a time of day."""
_FORMS = 2 * HOUR
"""More than the distance of a string from its time by any form of a time of day in UTC."""

_DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_VALUES = {ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.REAL}
"""Kinds of columns that have a value wherever the table has one."""


@dataclass(frozen=True)
class _Rows:
    """The rows of one group: the table with their condition, by the index for the seeks."""

    reader: SqlTable
    key: tuple[str, str] | None
    time: str

    @property
    def source(self) -> str:
        """The table and condition, for a FROM clause."""
        condition = "1"
        if self.key is not None:
            column, value = self.key
            condition = f"{self._name(column)} COLLATE BINARY = {quote_text(value, self.reader.dialect)}"
        return f"{self._name(self.reader.table)} WHERE {condition}"

    @property
    def when(self) -> str:
        """The time of a row."""
        return f"{self._name(self.time)} COLLATE BINARY"

    def _name(self, name: str) -> str:
        return quote_identifier(name, self.reader.dialect)

    def find_bounds(self) -> tuple[str, str, int] | None:
        """Return the least and the greatest string and the number of days; None unless all are dates with a T.

        Costs one seek a day. The strings are empty without a time.
        """
        regular = f"typeof(s) = 'text' AND s GLOB '{_DATE}T*' AND s < substr(s, 1, 10) || 'T24'"
        least = f"SELECT MIN({self.when}) FROM {self.source}"
        most = f"SELECT MAX({self.when}) FROM {self.source}"
        ((first, last, count, odd),) = self._ask(
            "'' AS first, '' AS last, '' AS days, '' AS odd",
            f"WITH RECURSIVE d(s) AS ({least} UNION ALL SELECT ({least} AND {self.when} >= substr(s, 1, 10) || 'T24') "
            f"FROM d WHERE s IS NOT NULL AND {regular}) "
            f"SELECT CAST(MIN(s) AS TEXT), CAST(({most}) AS TEXT), COUNT(s), MAX(s IS NOT NULL AND NOT ({regular})) "
            f"FROM (SELECT s FROM d LIMIT {_MOST_DAYS + 1})",
        )
        return None if odd == "1" or int(count) > _MOST_DAYS else (first, last, int(count))

    def is_alike(self, spans: list[tuple[int, int]], digits: int) -> bool:
        """Return whether the order of strings is that of time in spans of time (ends included).

        No string that a zone could move there is in another zone than UTC, and no string that the form of its time of
        day could move there has another form than with so many digits of a second.
        """
        clock = "?" * 11 + "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]" + ("." + "[0-9]" * digits if digits else "") + "Z"
        for pattern, reach in (("*Z", _ZONES), (clock, _FORMS)):
            differs = f"EXISTS (SELECT 1 {self._within} AND {self.when} NOT GLOB '{pattern}')"
            ranges = _merge([(first - reach, last + reach + 1) for first, last in spans])
            if any(
                self._ask("'' AS found", f"{part} SELECT 'x' FROM r WHERE {differs} LIMIT 1")
                for part in _part(ranges, digits)
            ):
                return False
        return True

    def find_rows(
        self, steps: list[tuple[int, int]], columns: tuple[str, ...], digits: int, order: str
    ) -> list[list[str]]:
        """Return the first row of each step (ends exclusive): its time and feature id.

        They are followed by the feature id of the first row with a value of each column, searched in at most
        `_ROWS_WITHOUT_VALUE` rows. Missing ones are empty strings. ``order`` is ASC, or DESC for the last rows.
        """
        fid = self._name(self.reader.fid_name)
        by = f"ORDER BY {self.when} {order}, {fid} {order}"
        terms = [f"(SELECT {what} {self._within} {by} LIMIT 1)" for what in (self.when, fid)]
        terms += [
            f"(SELECT f FROM (SELECT {fid} AS f, {self._name(column)} AS v {self._within} {by} "
            f"LIMIT {_ROWS_WITHOUT_VALUE}) WHERE v IS NOT NULL LIMIT 1)"
            for column in columns
        ]
        texts = ", ".join(f"CAST({term} AS TEXT) AS c{number}" for number, term in enumerate(terms))
        nothing = ", ".join(f"'' AS c{number}" for number in range(len(terms)))
        return [row for part in _part(steps, digits) for row in self._ask(nothing, f"{part} SELECT {texts} FROM r")]

    def has_long(self, steps: list[tuple[int, int]], digits: int) -> bool:
        """Return whether a step has more than `_ROWS_WITHOUT_VALUE` rows."""
        long = f"EXISTS (SELECT 1 {self._within} LIMIT 1 OFFSET {_ROWS_WITHOUT_VALUE})"
        return any(
            self._ask("'' AS found", f"{part} SELECT 'x' FROM r WHERE {long} LIMIT 1") for part in _part(steps, digits)
        )

    @property
    def _within(self) -> str:
        return f"FROM {self.source} AND {self.when} >= r.a AND {self.when} < r.b"

    def _ask(self, nothing: str, statement: str) -> list[list[str]]:
        # GDAL runs a statement to its first row to learn its columns, and then again: so the first row is a cheap one.
        return self.reader.ask(f"SELECT {nothing} UNION ALL SELECT * FROM ({statement})")[1:]


def find_span(reader: SqlTable, time: str, digits: int) -> Interval | None:
    """Return the interval from the first time of a column to the last, included; None without or if it needs a pass.

    For a column that an index begins with, or that is second in one whose first column has few values and no NULL.
    ``digits`` is what `mapsos.sources.indexes.time_texts.find_digits` returns.
    """
    groups = _list_parts(reader, time)
    if groups is None:
        return None
    spans: list[Interval] = []
    days_left = _MOST_DAYS
    for rows in groups:
        bounds = rows.find_bounds()
        if bounds is None or (days_left := days_left - bounds[2]) < 0:
            return None
        if not bounds[2]:
            continue
        # One by one: the bounds of time of Capabilities are not worth loading Arrow.
        first_time, last_time = map(parse_value, bounds[:2])
        if first_time is None or last_time is None:
            return None
        first, last = first_time.begin, last_time.begin
        if not rows.is_alike([(first, first), (last, last)], digits):
            return None
        spans.append(Interval(first, last + 1))
    return Interval(min(span.begin for span in spans), max(span.end for span in spans)) if spans else None


def _list_parts(reader: SqlTable, time: str) -> list[_Rows] | None:
    """Return parts that make up the whole table, each with an index for the seeks of times."""
    keys = reader.index_keys()
    if any(key[0] == time for key in keys):
        return [_Rows(reader, None, time)]
    for key in keys:
        if key[1:] == (time,) and key[0] in reader.columns and reader.condition_dialect(key[0]) is not None:
            values = list_distinct(reader, key[0]) if reader.columns[key[0]].column.kind is ColumnKind.TEXT else None
            if values is not None and all(text and is_plain_text(text, reader.dialect) for text in values):
                return [_Rows(reader, (key[0], text), time) for text in values]
    return None


def tells_steps(reader: SqlTable, time: str, group: str | None) -> bool:
    """Return whether an index of the table may find the first and last rows of steps of time."""
    return bool({(time,), (group, time)} & {key[: 1 if key[0] == time else 2] for key in reader.index_keys()})


def find_ends(reader: SqlTable, ends: StepEnds, predicate: Predicate) -> list[int] | None:
    """Return the feature ids, in order, of rows that include all rows of ``ends``; None if that needs a pass.

    Valid only if the predicate selects each of these rows. The predicate may consist of one list of values of the
    group, one period and rectangles.
    """
    parts = _read_predicate(predicate, ends)
    if parts is None or not {reader.columns[name].column.kind for name in ends.columns} <= _VALUES:
        return None
    # A value of a column without a declared type may be no value of its kind.
    if any(reader.condition_dialect(name) is None for name in ends.columns):
        return None
    values, period = parts
    if reader.columns[ends.time].column.kind not in (ColumnKind.DATETIME, ColumnKind.TEXT):
        return None
    groups = _list_groups(reader, ends, values)
    digits = find_digits(reader, ends.time)
    if groups is None or digits is None:
        return None
    found: set[int] = set()
    steps_left, days_left = MOST_STEPS, _MOST_DAYS
    for rows in groups:
        bounds = rows.find_bounds()
        if bounds is None:
            return None
        first, last, days = bounds
        days_left -= days
        if not days:
            continue
        try:
            whole = Interval(parse_time(first).begin, parse_time(last).begin + 1)
        except ValueError:
            return None
        begin, end = max(whole.begin - _ZONES, period.begin), min(whole.end + _ZONES, period.end)
        cut = ends.steps.cut(begin, end, steps_left)
        if cut is None or days_left < 0:
            return None
        begins, step_ends = (edge.tolist() for edge in cut)
        steps = [(max(a, begin), min(b, end)) for a, b in zip(begins, step_ends, strict=True)]
        steps_left -= len(steps)
        ids = _find_ends(rows, ends, steps, digits)
        if ids is None:
            return None
        found |= ids
    return sorted(found)


def _read_predicate(predicate: Predicate, ends: StepEnds) -> tuple[tuple[str, ...] | None, Interval] | None:
    """Return the values of the group (None for any) and the period of a predicate; None for other predicates."""
    values: tuple[str, ...] | None = None
    period: Interval | None = None
    for operand in list_conditions(predicate):
        if isinstance(operand, OneOf) and operand.name == ends.group and operand.match_case and values is None:
            values = operand.values
        elif isinstance(operand, Time) and operand.name == ends.time and period is None:
            if operand.relation != "during" or len(operand.intervals) != 1:
                return None
            period = operand.intervals[0]
        elif not isinstance(operand, BBox | Everything):
            return None
    return values, period or Interval(-FOREVER, FOREVER)


def _list_groups(reader: SqlTable, ends: StepEnds, values: tuple[str, ...] | None) -> list[_Rows] | None:
    """Return the groups, each with an index for the seeks of its rows; None without one."""
    keys = reader.index_keys()
    group, time = ends.group, ends.time
    if group is not None and any(key == (group, time) for key in keys):
        if reader.columns[group].column.kind is not ColumnKind.TEXT or reader.condition_dialect(group) is None:
            return None
        present = values if values is not None else list_distinct(reader, group)
        if present is None or not all(text and is_plain_text(text, reader.dialect) for text in present):
            return None
        return [_Rows(reader, (group, text), time) for text in dict.fromkeys(present)]
    # Where all rows found belong to the one requested group, they are the first of that group too.
    alone = group is None or (values is not None and len(values) == 1)
    return [_Rows(reader, None, time)] if alone and any(key[0] == time for key in keys) else None


def _find_ends(rows: _Rows, ends: StepEnds, steps: list[tuple[int, int]], digits: int) -> set[int] | None:
    ids: set[int] = set()
    near: list[tuple[int, int]] = []
    for order in (*(("ASC",) if ends.first else ()), *(("DESC",) if ends.last else ())):
        found = rows.find_rows(steps, ends.columns, digits, order)
        times = _read_times([row[0] for row in found if row[0]])
        if times is None:
            return None
        instants = iter(times.tolist())
        without_value = []
        for (begin, end), (text, id, *others) in zip(steps, found, strict=True):
            if not text:
                near.append((begin, end))
                continue
            if not all(others):
                without_value.append((begin, end))
            instant = next(instants)
            near.append((begin, instant) if order == "ASC" else (instant, end))
            ids.update(int(id) for id in (id, *others) if id)
        if without_value and rows.has_long(without_value, digits):
            return None
    return ids if rows.is_alike(near, digits) else None


def _read_times(texts: list[str]) -> np.ndarray | None:
    """Parse strings as instants, None if one is not a time."""
    import pyarrow as pa

    begins, _, valid = parse_times(pa.array(texts, pa.large_string()))
    return begins if valid.all() else None


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _part(spans: list[tuple[int, int]], digits: int) -> Iterator[str]:
    """Yield SQL of tables ``r`` of spans of time, strings ``a`` and ``b`` (exclusive), of limited length each."""
    for start in range(0, len(spans), _STEPS_AT_ONCE):
        some = spans[start : start + _STEPS_AT_ONCE]
        # A bound without a string is beyond all times.
        texts = [(write_bound(begin, digits) or "0000-", write_bound(end, digits) or "9999~") for begin, end in some]
        yield "WITH r(a, b) AS (VALUES " + ", ".join(f"('{begin}', '{end}')" for begin, end in texts) + ")"
