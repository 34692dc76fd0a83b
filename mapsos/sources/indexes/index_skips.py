"""Facts from the indexes of an SQLite table by a few seeks, where a plain statement would visit every row.

SQLite has no loose index scan: a DISTINCT, or a MIN within each group, visits each entry of an index. Querying
repeatedly for the least value above the last one visits one entry for each value.
"""

from __future__ import annotations

from mapsos.sources.filtering.sql import is_plain_text, is_unicode, quote_identifier, quote_text
from mapsos.sources.indexes.sql_table import SqlTable

MOST_VALUES = 5000
"""With more distinct values than this a scan of the index is as fast."""

_FIRST_ROWS = (4096, 131_072)
"""Numbers of feature ids from the start that are searched for the order of first appearance, in turn."""


def list_distinct(reader: SqlTable, column: str) -> tuple[str, ...] | None:
    """Return the distinct strings of a column in order of first appearance, NULL as ''; None if that needs a scan.

    For a column that an index begins with, with few values that all appear early.
    """
    found = find_first_ids(reader, column)
    return None if found is None else tuple(found)


def find_first_ids(reader: SqlTable, column: str) -> dict[str, int] | None:
    """Return the least feature id of each distinct string of a column, in order; None as for `list_distinct`."""
    if not any(key[0] == column for key in reader.index_keys()):
        return None
    table, name = _names(reader, column)
    many, nulls = reader.ask(
        f"SELECT count(s), EXISTS (SELECT 1 FROM {table} WHERE {name} IS NULL) "
        f"FROM ({_skip(table, name)} SELECT s FROM d LIMIT {MOST_VALUES + 1})"
    )[0]
    if int(many) > MOST_VALUES:
        return None
    fid = quote_identifier(reader.fid_name, reader.dialect)
    for count in _FIRST_ROWS:
        early = f"{fid} < (SELECT MIN({fid}) FROM {table}) + {count}"
        rows = reader.ask(
            f"SELECT {name}, CAST(MIN({fid}) AS TEXT) AS id FROM {table} NOT INDEXED WHERE {early} "
            f"GROUP BY {name} COLLATE BINARY ORDER BY MIN({fid})"
        )
        if len(rows) == int(many) + int(nulls):
            if not all(is_unicode(text) for text, _ in rows):
                return None
            ids: dict[str, int] = {}
            for text, id in rows:
                ids.setdefault(text, int(id))
            return ids
    return None


def count_each(reader: SqlTable, column: str, texts: tuple[str, ...]) -> dict[str, int] | None:
    """Count the rows of each string by a scan of the index, None for a string that cannot be a constant."""
    if not all(is_plain_text(text, reader.dialect) for text in texts):
        return None
    table, name = _names(reader, column)
    counts: dict[str, int] = {}
    for text in texts:
        condition = f"{name} COLLATE BINARY = {quote_text(text, reader.dialect)}"
        counts[text] = int(reader.ask(f"SELECT '' AS n UNION ALL SELECT count(*) FROM {table} WHERE {condition}")[1][0])
    return counts


def find_extremes(reader: SqlTable, column: str) -> tuple[str, str] | None:
    """Return the least and greatest string of a column, '' without any; None if that needs a scan.

    For a column that an index begins with, or that is second in one whose first column has few values and no NULL.
    """
    keys = reader.index_keys()
    table, name = _names(reader, column)
    least, most = f"MIN({name} COLLATE BINARY)", f"MAX({name} COLLATE BINARY)"
    if any(key[0] == column for key in keys):
        return _pair(reader, f"SELECT (SELECT {least} FROM {table}) AS a, (SELECT {most} FROM {table}) AS b")
    for key in keys:
        if key[1:] != (column,) or not key[0]:
            continue
        first = quote_identifier(key[0], reader.dialect)
        values = f"({_skip(table, first)} SELECT s FROM d LIMIT {MOST_VALUES + 1})"
        many, nulls = reader.ask(
            f"SELECT count(s), EXISTS (SELECT 1 FROM {table} WHERE {first} IS NULL) FROM {values}"
        )[0]
        if int(many) <= MOST_VALUES and nulls == "0":
            of_one = f"FROM {table} WHERE {first} COLLATE BINARY = v.s"
            return _pair(
                reader,
                f"SELECT MIN((SELECT {least} {of_one})) AS a, MAX((SELECT {most} {of_one})) AS b FROM {values} v",
            )
    return None


def _pair(reader: SqlTable, statement: str) -> tuple[str, str]:
    least, most = reader.ask(f"SELECT CAST(a AS TEXT), CAST(b AS TEXT) FROM ({statement})")[0]
    return least, most


def _names(reader: SqlTable, column: str) -> tuple[str, str]:
    return quote_identifier(reader.table, reader.dialect), quote_identifier(column, reader.dialect)


def _skip(table: str, name: str) -> str:
    """Return SQL of a table ``d`` of the distinct values ``s``, each found by a seek; a NULL may be at its end."""
    least = f"SELECT MIN({name} COLLATE BINARY) FROM {table}"
    return (
        f"WITH RECURSIVE d(s) AS ({least} UNION ALL "
        f"SELECT ({least} WHERE {name} COLLATE BINARY > d.s) FROM d WHERE d.s IS NOT NULL)"
    )
