"""Date-times as texts that sort as the times do: all in UTC, all with the same number of digits."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mapsos.sources.filtering.sql import quote_identifier
from mapsos.sources.indexes.sql_table import SqlTable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}((?:\.[0-9]{1,6})?)Z")


def find_digits(reader: SqlTable, column: str) -> int | None:
    """How many digits of a second one text of an SQLite column has, None without one and for one of another form."""
    name = quote_identifier(column, reader.dialect)
    table = quote_identifier(reader.table, reader.dialect)
    some = reader.ask(f"SELECT CAST({name} AS TEXT) FROM {table} WHERE {name} IS NOT NULL LIMIT 1")
    form = _UTC.fullmatch(some[0][0]) if some else None
    return None if form is None else max(0, len(form[1]) - 1)


def write_pattern(digits: int) -> str:
    """The pattern (GLOB) of texts with so many digits of a second, as a constant."""
    return "'????-??-??T??:??:??" + ("." + "[0-9]" * digits if digits else "") + "Z'"


def write_bound(instant: int, digits: int) -> str | None:
    """The first text of that many digits of a second that is not before the instant, None beyond `write_instant`."""
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
