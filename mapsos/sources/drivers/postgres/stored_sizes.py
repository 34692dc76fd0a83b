"""How many rows of a PostgreSQL table or SELECT to fetch at a time, by what its tables store apart from their rows.

The server stores a value apart (TOAST) that makes its row longer than 2 kB even when it is compressed. Without such
values rows are short. Its statistics do not contain their lengths.
"""

from __future__ import annotations

import re

from mapsos.sources.drivers.batch_sizes import rows_within
from mapsos.sources.drivers.postgres.stable_order import Asked, is_table
from mapsos.sources.filtering.sql import Dialect, quote_text

_SHORT_ROWS = 512
"""Rows fetched at a time of tables without long values."""

_LONG_ROWS = 64
"""Maximum number of rows fetched at a time of tables with long values."""

_COMPRESSED = 4
"""How many times longer than it is stored a value is assumed to be."""

_RELATION = re.compile(r" on ((?:\"(?:[^\"]|\"\")+\"|[\w$]+)\.(?:\"(?:[^\"]|\"\")+\"|[\w$]+))")


def find_server_rows(reader: Asked, origin: str) -> int:
    """Return how many rows of a FROM clause to fetch at a time: a power of two."""
    if is_table(origin):
        found = _read_sizes(reader, f"SELECT to_regclass({quote_text(origin, Dialect.POSTGRESQL)})::oid")
        if found is not None:
            return _choose_rows(*found)
    # By their names, as the account need not have the privilege to use the tables of a view by itself.
    plan = reader.ask(f"EXPLAIN (VERBOSE) SELECT * FROM {origin}")
    names = dict.fromkeys(match[1] for (line,) in plan if (match := _RELATION.search(line)))
    if not names:
        return _SHORT_ROWS
    constants = ", ".join(quote_text(name, Dialect.POSTGRESQL) for name in names)
    named = "format('%I.%I', nspname, relname)"
    tables = f"SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE {named} IN ({constants})"
    found = _read_sizes(reader, tables)
    return _SHORT_ROWS if found is None else _choose_rows(*found)


def _read_sizes(reader: Asked, tables: str) -> tuple[int, int] | None:
    """Return the bytes stored apart of tables and their partitions, and rows of the largest; None without a table."""
    ((size, rows),) = reader.ask(
        f"WITH RECURSIVE t (oid) AS ({tables} UNION SELECT inhrelid FROM pg_inherits JOIN t ON inhparent = t.oid), "
        "s AS (SELECT sum(coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0))::bigint AS size, "
        "max(reltuples)::bigint AS most FROM t JOIN pg_class USING (oid) WHERE relkind IN ('r', 'm', 'p')) "
        "SELECT * FROM s"
    )
    return (int(size), int(rows)) if size else None


def _choose_rows(size: int, rows: int) -> int:
    return _SHORT_ROWS if size == 0 else min(_LONG_ROWS, rows_within(size * _COMPRESSED, rows))
