"""Count the rows of a predicate in a table of SQLite or GeoPackage by the database: exactly, or not at all.

A reading delivers the rows that match both the pushed-down condition (`mapsos.sources.filtering.pushdown`) and the
predicate. So each part of a predicate is written as SQL that decides as `mapsos.sources.filtering.evaluate` does for
the rows within that condition; where it might decide otherwise for one of those rows, no number is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mapsos.sources.filtering.pushdown import narrow
from mapsos.sources.filtering.sql import is_plain_text, quote_identifier, quote_text
from mapsos.sources.indexes.sql_table import SqlTable
from mapsos.sources.indexes.time_texts import find_digits, write_bound, write_pattern
from mapsos.terms.columns import ColumnKind
from mapsos.terms.predicates import And, Everything, OneOf, Predicate, Time, names
from mapsos.terms.values import dataclass

_MOST_INTERVALS = 20


@dataclass(frozen=True)
class Exactly:
    """SQL that is true for the rows of a predicate, if ``certain`` is true for all candidate rows."""

    condition: str
    certain: str


def count_exactly(reader: SqlTable, predicate: Predicate, admits_all: Callable[[Predicate], bool]) -> int | None:
    """Return how many rows a reading with the predicate delivers, None where SQL might decide differently for one.

    None also where it would have to check the times of all rows: a pass over Arrow columns is faster.

    Parameters
    ----------
    reader
        A table that the mapfile does not narrow down.
    predicate
        Its names are spelled as the table does.
    admits_all
        Returns whether a predicate is known to be true for every row.
    """
    said = _say(reader, predicate, admits_all)
    if said is None or (said.certain and not _has_index(reader, predicate)):
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


def _has_index(reader: SqlTable, predicate: Predicate) -> bool:
    """Return whether an index of the table begins with a column of the predicate."""
    named = names(predicate)
    return any(key[0] in named for key in reader.index_keys())


def _say(reader: SqlTable, predicate: Predicate, admits_all: Callable[[Predicate], bool]) -> Exactly | None:
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


def _say_texts(reader: SqlTable, predicate: OneOf) -> Exactly | None:
    dialect = reader.condition_dialect(predicate.name)
    plain = all(value and is_plain_text(value, reader.dialect) for value in predicate.values)
    text = reader.columns[predicate.name].column.kind is ColumnKind.TEXT
    if dialect is None or not (text and plain and predicate.values and predicate.match_case):
        return None
    constants = ", ".join(quote_text(value, dialect) for value in predicate.values)
    # Whatever the collation of the column: the same characters.
    return Exactly(f"CAST({quote_identifier(predicate.name, dialect)} AS TEXT) COLLATE BINARY IN ({constants})", "")


def _say_time(reader: SqlTable, predicate: Time) -> Exactly | None:
    """Return ranges of strings, where all of them are date-times in UTC with the same number of digits."""
    dialect = reader.condition_dialect(predicate.name)
    kind = reader.columns[predicate.name].column.kind
    if dialect is None or kind is not ColumnKind.DATETIME or not 0 < len(predicate.intervals) <= _MOST_INTERVALS:
        return None
    digits = find_digits(reader, predicate.name)
    if digits is None:
        return None
    name = quote_identifier(predicate.name, dialect)
    text = f"CAST({name} AS TEXT)"
    spans = []
    for interval in predicate.intervals:
        begin, end = write_bound(interval.begin, digits), write_bound(interval.end, digits)
        if begin is None or end is None:
            return None
        if predicate.relation == "before":
            spans.append(f"{text} < '{begin}'")
        elif predicate.relation == "after":
            spans.append(f"{text} >= '{end}'")
        else:
            spans.append(f"({text} >= '{begin}' AND {text} < '{end}')")
    # Moved by 0 days, SQLite writes an invalid date as another one, and other strings as NULL.
    real = f"strftime('%Y-%m-%dT%H:%M:%S', substr({text}, 1, 19), '+0 days') = substr({text}, 1, 19)"
    return Exactly(
        " OR ".join(spans), f"{name} IS NULL OR ({text} GLOB {write_pattern(digits)} AND {text} >= '0001' AND {real})"
    )
