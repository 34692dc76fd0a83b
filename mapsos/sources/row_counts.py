"""How many rows a table of SQLite or GeoPackage has for a predicate, counted by the database: exactly, or not at all.

What a reading delivers is what the condition that is handed down admits (`mapsos.sources.pushdown`) and the predicate
too. So each part of a predicate is said as SQL that decides as `mapsos.sources.evaluate` does for the rows within that
condition; where one row of those might be decided otherwise, nobody is told a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mapsos.batches import ColumnKind
from mapsos.predicates import And, Everything, OneOf, Predicate, Time
from mapsos.sources.ogr_reader import OgrReader
from mapsos.sources.pushdown import narrow
from mapsos.sources.sql import is_plain_text, quote_identifier, quote_text

_MOST_INTERVALS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}((?:\.[0-9]{1,6})?)Z")


@dataclass(frozen=True)
class Exactly:
    """SQL that is true for the rows of a predicate, if ``certain`` is true for all rows that may be of it."""

    condition: str
    certain: str


def count_exactly(reader: OgrReader, predicate: Predicate, admits_all: Callable[[Predicate], bool]) -> int | None:
    """How many rows a reading with the predicate delivers, None where SQL might decide otherwise for any of them.

    Parameters
    ----------
    reader
        Of a table that the mapfile does not narrow down.
    predicate
        With names as the table spells them.
    admits_all
        Whether a predicate is known to hold for every row.
    """
    said = _say(reader, predicate, admits_all)
    if said is None:
        return None
    handed_down = narrow(predicate, reader, None).condition
    where = f" WHERE {handed_down}" if handed_down else ""
    # GDAL runs a statement to its first row to learn its columns, and then anew: the first costs nothing.
    _, (count, uncertain) = reader.ask(
        "SELECT '' AS number, '' AS others UNION ALL "
        f"SELECT COUNT(CASE WHEN {said.condition or '1'} THEN 1 END), "
        f"COUNT(CASE WHEN {said.certain or '1'} THEN NULL ELSE 1 END) "
        f"FROM {quote_identifier(reader.table, reader.dialect)}{where}"
    )
    return int(count) if uncertain == "0" else None


def _say(reader: OgrReader, predicate: Predicate, admits_all: Callable[[Predicate], bool]) -> Exactly | None:
    if isinstance(predicate, And):
        parts = [_say(reader, operand, admits_all) for operand in predicate.operands]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return Exactly(_join(part.condition for part in known), _join(part.certain for part in known))
    if isinstance(predicate, Everything):
        return Exactly("", "")
    if isinstance(predicate, OneOf):
        return _say_texts(reader, predicate)
    if isinstance(predicate, Time):
        return _say_time(reader, predicate)
    return Exactly("", "") if admits_all(predicate) else None


def _join(conditions: Iterable[str]) -> str:
    return " AND ".join(f"({condition})" for condition in conditions if condition)


def _say_texts(reader: OgrReader, predicate: OneOf) -> Exactly | None:
    dialect = reader.condition_dialect(predicate.name)
    plain = all(value and is_plain_text(value, reader.dialect) for value in predicate.values)
    text = reader.columns[predicate.name].column.kind is ColumnKind.TEXT
    if dialect is None or not (text and plain and predicate.values and predicate.match_case):
        return None
    constants = ", ".join(quote_text(value, dialect) for value in predicate.values)
    # Whatever the column is declared to compare like: the same characters.
    return Exactly(f"CAST({quote_identifier(predicate.name, dialect)} AS TEXT) COLLATE BINARY IN ({constants})", "")


def _say_time(reader: OgrReader, predicate: Time) -> Exactly | None:
    """Ranges of texts, where all of them are date-times in UTC with the same number of digits."""
    dialect = reader.condition_dialect(predicate.name)
    kind = reader.columns[predicate.name].column.kind
    if dialect is None or kind is not ColumnKind.DATETIME or not 0 < len(predicate.intervals) <= _MOST_INTERVALS:
        return None
    name = quote_identifier(predicate.name, dialect)
    table = quote_identifier(reader.table, dialect)
    some = reader.ask(f"SELECT CAST({name} AS TEXT) FROM {table} WHERE {name} IS NOT NULL LIMIT 1")
    form = _UTC.fullmatch(some[0][0]) if some else None
    if form is None:
        return None
    digits = max(0, len(form[1]) - 1)
    text = f"CAST({name} AS TEXT)"
    spans = []
    for interval in predicate.intervals:
        begin, end = _write_bound(interval.begin, digits), _write_bound(interval.end, digits)
        if begin is None or end is None:
            return None
        if predicate.relation == "before":
            spans.append(f"{text} < '{begin}'")
        elif predicate.relation == "after":
            spans.append(f"{text} >= '{end}'")
        else:
            spans.append(f"({text} >= '{begin}' AND {text} < '{end}')")
    pattern = "????-??-??T??:??:??" + ("." + "[0-9]" * digits if digits else "") + "Z"
    # Moved by no days, SQLite writes a date that is none as another one, and what is no date not at all.
    real = f"strftime('%Y-%m-%dT%H:%M:%S', substr({text}, 1, 19), '+0 days') = substr({text}, 1, 19)"
    return Exactly(" OR ".join(spans), f"{name} IS NULL OR ({text} GLOB '{pattern}' AND {text} >= '0001' AND {real})")


def _write_bound(instant: int, digits: int) -> str | None:
    """The first text of that many digits of a second that is not before the instant."""
    unit = 10 ** (6 - digits)
    text = write_instant(-(-instant // unit) * unit)
    return None if text is None else (text[: 20 + digits] if digits else text[:19]) + "Z"


def write_instant(instant: int) -> str | None:
    """An instant in UTC with all its digits, 26 characters; None beyond the years that have four digits."""
    try:
        moment = _EPOCH + timedelta(microseconds=instant)
    except OverflowError:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0")
