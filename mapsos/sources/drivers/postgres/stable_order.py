"""An order of the rows of a PostgreSQL table or SELECT that is the same for each page of an answer.

Without one a page that ends in the middle of a scan, new statistics, or an update in between can move rows from one
page to another, so that a client sees some twice and others never.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from mapsos.sources.filtering.sql import Dialect, quote_identifier, quote_text
from mapsos.sources.source_columns import SourceColumn
from mapsos.terms.columns import ColumnKind
from mapsos.terms.values import dataclass

_TABLE = re.compile(r'(?:(?:"(?:[^"]|"")+"|[\w$]+)\.)?("(?:[^"]|"")+"|[\w$]+)')
_SORTED = (ColumnKind.INTEGER, ColumnKind.REAL, ColumnKind.DATE, ColumnKind.DATETIME)
"""Kinds of columns that the server sorts by themselves; others are sorted by their strings."""


class Asked(Protocol):
    """A reader of a server that answers questions about its tables."""

    @property
    def columns(self) -> Mapping[str, SourceColumn]:
        """The columns by name."""

    @property
    def geometry_name(self) -> str:
        """The column of the geometries."""

    def ask(self, statement: str) -> list[list[str]]:
        """Return the few rows of a statement."""


@dataclass(frozen=True)
class StableOrder:
    """How rows come in the same order each time.

    Attributes
    ----------
    key
        The columns that each row differs in, quoted; empty if none are known.
    stored
        Whether the rows of scans come as they are stored, which is the order if no key is known.
    first
        The column that the mapfile calls unique, which no database checks: sorted by first, as it may have an index.
    """

    key: tuple[str, ...] = ()
    stored: bool = False
    first: str | None = None

    @property
    def by_scan(self) -> bool:
        """Whether a scan of the table has the order, so that no index may be used to read rows."""
        return self.stored and not self.key

    def write(self, reader: Asked, names: list[str], geometry: bool) -> str:
        """Return the ORDER BY for a result of these columns, empty where a scan has the order.

        Without a key rows are sorted by all that is read: those that are still equal are alike in the answer.
        """
        if self.by_scan:
            return ""
        if self.key:
            return f" ORDER BY {', '.join(self.key)}"
        terms = []
        if self.first is not None:
            terms.append(_write_term(reader, self.first))
        terms += [_write_term(reader, name) for name in names if name != self.first]
        if geometry:
            terms.append(f'{quote_identifier(reader.geometry_name, Dialect.POSTGRESQL)}::text COLLATE "C"')
        return f" ORDER BY {', '.join(terms)}" if terms else ""


def _write_term(reader: Asked, name: str) -> str:
    quoted = quote_identifier(name, Dialect.POSTGRESQL)
    return quoted if reader.columns[name].column.kind in _SORTED else f'{quoted}::text COLLATE "C"'


def is_table(origin: str) -> bool:
    """Return whether a FROM clause is the name of a table or view alone."""
    return _TABLE.fullmatch(origin) is not None


def find_order(reader: Asked, origin: str, unique: str | None) -> StableOrder:
    """Return the order of the rows of a FROM clause.

    Parameters
    ----------
    reader
        Asked for the declarations of the server.
    origin
        The FROM clause.
    unique
        The column that the mapfile calls unique, None without one.
    """
    first = None if unique is None else _find_column(reader, unique)
    table = _TABLE.fullmatch(origin)
    if table is None:
        return StableOrder(first=first)
    found = reader.ask(
        "WITH RECURSIVE c AS (SELECT oid, relkind, relhassubclass FROM pg_class WHERE oid = to_regclass("
        f"{quote_text(origin, Dialect.POSTGRESQL)})), "
        "t (oid) AS (SELECT oid FROM c UNION SELECT inhrelid FROM pg_inherits JOIN t ON inhparent = t.oid), "
        # Of unique indexes over all rows, with columns that are never NULL: the primary key, else the shortest.
        "i AS (SELECT x.*, coalesce((to_jsonb(x) ->> 'indnkeyatts')::int, indnatts) AS width FROM c "
        "JOIN pg_index x ON indrelid = c.oid WHERE indisunique AND indisvalid AND indimmediate "
        "AND indpred IS NULL AND indexprs IS NULL AND NOT (relkind = 'r' AND relhassubclass) AND NOT EXISTS "
        "(SELECT FROM pg_attribute a WHERE attrelid = c.oid AND attnum = ANY (indkey) AND NOT attnotnull) "
        "ORDER BY indisprimary DESC, width, indexrelid LIMIT 1), "
        "k AS (SELECT NOT EXISTS (SELECT FROM t JOIN pg_class p USING (oid) WHERE p.relkind NOT IN ('r', 'm', 'p')) "
        "AS stored, pg_get_indexdef(indexrelid, place, true) AS term FROM c LEFT JOIN i ON true "
        "LEFT JOIN LATERAL generate_series(1, width) AS place ON true ORDER BY place) SELECT * FROM k"
    )
    if not found:
        return StableOrder(first=first)
    # By the table, as the result has strings of the same names.
    name = table[1]
    return StableOrder(tuple(f"{name}.{term}" for _, term in found if term), found[0][0] == "1", first)


def _find_column(reader: Asked, name: str) -> str | None:
    bare = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
    return bare if bare in reader.columns else None
