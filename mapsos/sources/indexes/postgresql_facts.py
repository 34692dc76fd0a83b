"""Facts of a table, a view or a SELECT that a PostgreSQL server reports, instead of all rows over the wire.

Where an index begins with a column, its values are looked up one after the other, by a few seeks each. The server
estimates whether that is faster (EXPLAIN); otherwise it scans the rows.
"""

from __future__ import annotations

import re

from mapsos.columns.written_times import parse_value
from mapsos.sources.drivers.postgres.postgresql import PostgresqlReader, write_envelope
from mapsos.sources.facts import Bounds, GroupFacts, TableFacts
from mapsos.sources.filtering.sql import is_plain_text, quote_identifier, quote_text
from mapsos.sources.indexes.time_texts import write_instant
from mapsos.sources.reader import Reader
from mapsos.sources.source_columns import PostgresqlColumn
from mapsos.terms.columns import ColumnKind
from mapsos.terms.predicates import And, BBox, Everything, OneOf, Predicate, Time
from mapsos.terms.times import Interval

_COST = re.compile(r"cost=[0-9.]+\.\.([0-9.]+) rows=([0-9]+)")
_ALIKE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_TIMES = ("timestamp with time zone", "timestamp without time zone")
_INWARDS = 1e-5
"""Distance from the edge of a rectangle, as a share of its size and coordinates, at which float boxes are in it."""

_PLANE = (-1e38, -1e38, 1e38, 1e38)
_ABOVE = (1e38, 1e38, 2e38, 2e38)
"""Rectangles that recognize coordinates that are not finite: they do not overlap the one or are not below the other."""


def _in_calendar(name: str) -> str:
    """Return the condition that a quoted column of dates or date-times is in the calendar, years 1 to 9999."""
    return f"{name} >= '0001-01-01' AND {name} < '10000-01-01'"


def open_server_facts(reader: Reader) -> PostgresqlFacts | None:
    """Return the facts that the server of a reader reports, None for a layer with a FILTER.

    A filter of the admin's own SQL (NATIVE_FILTER) is part of every statement.
    """
    # Every source that `LayerSource.is_postgresql` describes has such a reader.
    assert isinstance(reader, PostgresqlReader)
    if reader.source.row_filter != Everything():
        return None
    return PostgresqlFacts(reader)


class PostgresqlFacts(TableFacts):
    """Facts that the server reports for a reader. Raises `SourceError`, and DeadlineError when it takes too long."""

    def __init__(self, reader: PostgresqlReader) -> None:
        self._reader = reader
        self._source = reader.source

    def distinct(self, column: str, predicate: Predicate) -> tuple[str, ...] | None:
        """Return the distinct strings in the order of the server, '' for NULL at the end."""
        condition = self._say(predicate)
        if condition is None or not self._is_text(column):
            return None
        with self._reader.asking():
            steps = self._choose_steps(column, condition)
            found = self._ask(f"{steps} SELECT v::text FROM found WHERE v IS NOT NULL")
            nulls = self._ask(f"WITH n AS (SELECT 1 FROM {self._null_rows(column, condition)} LIMIT 1) SELECT * FROM n")
        return tuple(dict.fromkeys([*(text for (text,) in found), *([""] if nulls else [])]))

    def time_bounds(self, column: str, predicate: Predicate) -> Interval | None:
        """Return the bounds of dates, of date-times, and of strings that are all written alike in UTC."""
        condition = self._say(predicate)
        kind = self._reader.columns[column].column.kind
        name = self._name(column)
        if condition is None or kind not in (ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.TEXT):
            return None
        if kind is ColumnKind.TEXT:
            ordered = f'{name}::text COLLATE "C"'
            alike, rows = f"bool_and({ordered} ~ '{_ALIKE}')", self._rows(condition, f"{name} IS NOT NULL")
        else:
            ordered, alike, rows = name, "true", self._rows(condition, _in_calendar(name))
        with self._reader.asking():
            ((first, last, certain),) = self._ask(
                f"WITH b AS (SELECT min({ordered})::text, max({ordered})::text AS last, {alike} AS alike FROM {rows}) "
                "SELECT * FROM b"
            )
        times = self._read_times([first, last]) if certain == "1" and first else None
        return None if times is None else Interval(times[0].begin, times[1].end)

    def availability(self, group: str | None, column: str, predicate: Predicate) -> dict[str, GroupFacts] | None:
        """Return number of rows and bounds of time by string of the group column."""
        condition = self._say_of_groups(predicate, column, group)
        if condition is None:
            return None
        name = self._name(column)
        key = "''" if group is None else f"coalesce({self._key(group)}::text, '')"
        finite = f"FILTER (WHERE {_in_calendar(name)})"
        with self._reader.asking():
            found = self._ask(
                f"WITH b AS (SELECT {key} AS k, (min({name}) {finite})::text AS f, (max({name}) {finite})::text AS l, "
                f"count(*)::text AS n FROM {self._rows(condition)} GROUP BY 1) SELECT * FROM b"
            )
        facts = {}
        for text, first, last, number in found:
            times = self._read_times([first, last]) if first else []
            if times is None:
                return None
            facts[text] = GroupFacts(int(number), Interval(times[0].begin, times[1].end) if times else None)
        return facts

    def count(self, predicate: Predicate) -> int | None:
        """Return the number of rows."""
        condition = self._say(predicate)
        if condition is None:
            return None
        with self._reader.asking():
            ((number,),) = self._ask(
                f"WITH b AS (SELECT count(*)::text AS n FROM {self._rows(condition)}) SELECT * FROM b"
            )
        return int(number)

    def extreme_times(
        self, column: str, group: str | None, predicate: Predicate, newest: bool
    ) -> dict[str, Interval] | None:
        """Return the newest or oldest time by string of the group column."""
        condition = self._say_of_groups(predicate, column, group)
        if condition is None:
            return None
        finite = _in_calendar(self._name(column))
        extreme = f"{'max' if newest else 'min'}({self._name(column)})::text"
        with self._reader.asking():
            if group is None:
                found = self._ask(
                    f"WITH b AS (SELECT '', {extreme} FROM {self._rows(condition, finite)}) SELECT * FROM b"
                )
            else:
                steps = self._choose_steps(group, condition)
                if steps.startswith("WITH RECURSIVE"):
                    of_value = self._rows(condition, finite, f"{self._key(group)} = found.v")
                    each = f"SELECT v::text, (SELECT {extreme} FROM {of_value}) FROM found WHERE v IS NOT NULL"
                else:
                    grouped = self._rows(condition, finite, f"{self._name(group)} IS NOT NULL")
                    steps = f"WITH found AS (SELECT {self._key(group)}::text AS v, {extreme} FROM {grouped} GROUP BY 1)"
                    each = "SELECT * FROM found"
                found = self._ask(f"{steps} {each}")
                nulls = self._null_rows(group, condition, finite)
                found += self._ask(f"WITH b AS (SELECT '', {extreme} FROM {nulls}) SELECT * FROM b")
        found = [[value, time] for value, time in found if time]
        times = self._read_times([time for _, time in found])
        return None if times is None else dict(zip((value for value, _ in found), times, strict=True))

    def extent(self) -> Bounds | None:
        """Return minx miny maxx maxy of all geometries with finite coordinates in the CRS of the layer."""
        geometry = self._geometry()
        finite = f"{geometry} && {write_envelope(_PLANE, 0)} AND {geometry} <<| {write_envelope(_ABOVE, 0)}"
        sides = ", ".join(f"ST_{side}(e)::text AS {side}" for side in ("XMin", "YMin", "XMax", "YMax"))
        with self._reader.asking():
            found = self._ask(
                f"WITH x AS (SELECT ST_Extent({geometry}) FILTER (WHERE {finite}) AS e FROM {self._rows()}) "
                f"SELECT {sides} FROM x WHERE e IS NOT NULL"
            )
        if not found:
            return None
        minx, miny, maxx, maxy = map(float, found[0])
        return minx, miny, maxx, maxy

    def _choose_steps(self, column: str, condition: str) -> str:
        """Return SQL of the column's values ``found.v``: by seeks of an index or by a scan, whichever costs less."""
        name = self._key(column)
        there = self._rows(condition, f"{self._name(column)} IS NOT NULL")
        first = f"SELECT {name} AS v FROM {there} ORDER BY {name} LIMIT 1"
        following = f"SELECT {name} FROM {self._rows(condition, f'{name} > found.v')} ORDER BY {name} LIMIT 1"
        every = f"SELECT {name} AS v FROM {there} GROUP BY {name}"
        # Without the condition: servers estimate few rows in a rectangle, which mostly is the extent of the map.
        unconditional = self._rows(f"{self._name(column)} IS NOT NULL")
        all_rows, values = self._estimate(f"SELECT {name} FROM {unconditional} GROUP BY {name}")
        step, _ = self._estimate(f"SELECT {name} FROM {unconditional} ORDER BY {name} LIMIT 1")
        if step * (values + 1) >= all_rows:
            return f"WITH found AS ({every} ORDER BY {name})"
        return (
            f"WITH RECURSIVE found AS (({first}) UNION ALL SELECT ({following}) FROM found WHERE found.v IS NOT NULL)"
        )

    def _estimate(self, statement: str) -> tuple[float, int]:
        """Return the server's estimate of the cost and the number of rows of a statement."""
        match = _COST.search(self._reader.ask(f"EXPLAIN {statement}")[0][0])
        assert match is not None
        return float(match[1]), int(match[2])

    def _say(self, predicate: Predicate) -> str | None:
        """Return SQL that is true for exactly the rows of the predicate, None if SQL cannot express it."""
        if isinstance(predicate, Everything):
            return ""
        if isinstance(predicate, And):
            said = [self._say(operand) for operand in predicate.operands]
            some = [f"({condition})" for condition in said if condition]
            return None if None in said else " AND ".join(some)
        if isinstance(predicate, OneOf) and predicate.match_case and self._is_text(predicate.name):
            dialect = self._reader.dialect
            if predicate.values and all(value and is_plain_text(value, dialect) for value in predicate.values):
                constants = ", ".join(quote_text(value, dialect) for value in predicate.values)
                name, key = self._name(predicate.name), self._key(predicate.name)
                # An index of the column finds what its collation takes for equal.
                among = f"{name} IN ({constants})" + ("" if key == name else f" AND {key} IN ({constants})")
                return among if self._has_characters(constants) else None
        if isinstance(predicate, Time):
            return self._say_time(predicate)
        return self._say_rectangle(predicate) if isinstance(predicate, BBox) else None

    def _say_of_groups(self, predicate: Predicate, column: str, group: str | None) -> str | None:
        """Return the same, None also where the column has no typed times or the server would form other groups."""
        typed = self._reader.columns[column].column.kind in (ColumnKind.DATE, ColumnKind.DATETIME)
        return self._say(predicate) if typed and (group is None or self._is_text(group)) else None

    def _say_time(self, predicate: Time) -> str | None:
        """Return bounds for a column of date-times, to the microsecond, within years of four digits."""
        column = self._reader.columns.get(predicate.name)
        if not isinstance(column, PostgresqlColumn) or column.declared not in _TIMES or not predicate.intervals:
            return None
        name = self._name(predicate.name)
        spans = []
        for interval in predicate.intervals:
            begin, end = write_instant(interval.begin), write_instant(interval.end)
            if begin is None or end is None:
                return None
            low = {"before": "0001-01-01 00:00:00", "after": end}.get(predicate.relation, begin)
            high = {"before": begin, "after": "10000-01-01 00:00:00"}.get(predicate.relation, end)
            spans.append(f"({name} >= '{low}+00' AND {name} < '{high}+00')")
        return " OR ".join(spans)

    def _say_rectangle(self, box: BBox) -> str | None:
        crs = self._source.crs
        known = box.crs is None or (crs is not None and box.crs in (crs.definition, crs.label))
        if not known or not self._reader.has_geometry or box.minx >= box.maxx or box.miny >= box.maxy:
            return None
        geometry = self._geometry()
        inwards = _INWARDS * max(map(abs, (box.minx, box.miny, box.maxx, box.maxy, box.maxx - box.minx)))
        smaller = (box.minx + inwards, box.miny + inwards, box.maxx - inwards, box.maxy - inwards)
        whole = write_envelope((box.minx, box.miny, box.maxx, box.maxy), 0)
        exact = f"ST_Intersects(ST_SetSRID({geometry}, 0), {whole})"
        if smaller[0] >= smaller[2] or smaller[1] >= smaller[3]:
            return exact
        # A geometry that is not a number is in every rectangle, but overlaps none and is not below one.
        within = f"{geometry} @ {write_envelope(smaller, 0)} AND {geometry} <<| {write_envelope(_ABOVE, 0)}"
        return f"{geometry} && {whole} AND ({within} OR {exact})"

    def _is_text(self, name: str) -> bool:
        """Return whether the column has strings that the server distinguishes as mapsos does."""
        column = self._reader.columns.get(name)
        return isinstance(column, PostgresqlColumn) and column.declared in ("text", "character varying")

    def _has_characters(self, text: str) -> bool:
        return text.isascii() or self._reader.unicode

    def _read_times(self, texts: list[str]) -> list[Interval] | None:
        """Return times as the server writes them, None if one of them is beyond the calendar.

        One by one: the bounds of time of Capabilities are not worth loading Arrow.
        """
        times = [time for text in texts if (time := parse_value(text)) is not None]
        return times if len(times) == len(texts) else None

    def _rows(self, *conditions: str) -> str:
        """Return the FROM clause of the rows that satisfy the conditions."""
        some = [f"({condition})" for condition in (self._source.native_filter, *conditions) if condition]
        return self._reader.from_clause() + (f" WHERE {' AND '.join(some)}" if some else "")

    def _null_rows(self, column: str, *conditions: str) -> str:
        return self._rows(f"{self._name(column)} IS NULL", *conditions)

    def _ask(self, statement: str) -> list[list[str]]:
        return self._reader.ask(statement)

    def _geometry(self) -> str:
        return f"{self._name(self._reader.geometry_name)}::geometry"

    def _key(self, column: str) -> str:
        """Return a column of strings for comparisons: bytewise where the server takes different ones for equal."""
        found = self._reader.columns[column]
        merged = isinstance(found, PostgresqlColumn) and found.merged
        return f'{self._name(column)} COLLATE "C"' if merged else self._name(column)

    def _name(self, column: str) -> str:
        return quote_identifier(column, self._reader.dialect)
