"""Date-times as strings that sort as the times do: all in UTC, all with the same number of digits."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mapsos.sources.filtering.sql import quote_identifier
from mapsos.sources.indexes.sql_table import SqlTable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}((?:\.[0-9]{1,6})?)Z")


def find_digits(reader: SqlTable, column: str) -> int | None:
    """Return the digits of a second of one string of an SQLite column, None without one or for another form."""
    name = quote_identifier(column, reader.dialect)
    table = quote_identifier(reader.table, reader.dialect)
    some = reader.ask(f"SELECT CAST({name} AS TEXT) FROM {table} WHERE {name} IS NOT NULL LIMIT 1")
    form = _UTC.fullmatch(some[0][0]) if some else None
    return None if form is None else max(0, len(form[1]) - 1)


def write_pattern(digits: int) -> str:
    """Return the GLOB pattern of strings with so many digits of a second, as a constant."""
    return "'????-??-??T??:??:??" + ("." + "[0-9]" * digits if digits else "") + "Z'"


def write_bound(instant: int, digits: int) -> str | None:
    """Write the first time with so many digits of a second at or after the instant, None beyond `write_instant`."""
    unit = 10 ** (6 - digits)
    text = write_instant(-(-instant // unit) * unit)
    return None if text is None else (text[: 20 + digits] if digits else text[:19]) + "Z"


def write_instant(instant: int) -> str | None:
    """Write an instant in UTC with all its digits, 26 characters; None beyond years of four digits."""
    try:
        moment = _EPOCH + timedelta(microseconds=instant)
    except OverflowError:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0")
