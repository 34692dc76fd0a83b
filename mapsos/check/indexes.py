"""Advise indexes that make requests fast: for tables of GeoPackage, SQLite and PostgreSQL (docs/postgis.md)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import closing

from mapsos.check import codes
from mapsos.check.finding import Finding, Located
from mapsos.mapfile.blocks import Block
from mapsos.operations.layers.facts import find_extent, has_geometry
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.layers.open_layers import source_errors
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.drivers.opening import guarded
from mapsos.sources.drivers.postgres.postgresql import PostgresqlReader
from mapsos.sources.filtering.sql import Dialect, quote_identifier, quote_text
from mapsos.sources.open_reader import open_reader
from mapsos.sources.source_columns import PostgresqlColumn
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.values import dataclass

_FEW_ROWS = 100
"""A table that has no more rows is read as fast without an index."""
_MANY_ROWS = 10_000
"""A table with more rows takes time to read for a small area."""

_DATABASES = {Dialect.SQLITE: "GeoPackages and SQLite files", Dialect.POSTGRESQL: "PostgreSQL"}


@dataclass(frozen=True)
class _Table:
    """A table and its indexes.

    ``keys`` are the first columns of each index, at most two, that can be searched for exact values and ranges.
    ``is_large`` is whether a search for a small area gains by an index.
    """

    name: str
    quoted: str
    keys: tuple[tuple[str, ...], ...]
    has_spatial_index: bool
    is_large: bool


def find_missing_indexes(meaning: LayerMeaning, block: Block) -> Iterator[Finding]:
    """Yield findings about a table that has no index of procedures and times, of times, or of positions.

    Nothing for views, SELECTs, files of other formats, and tables of up to 100 rows. Raises ServiceError.
    """
    source = meaning.layer.source
    if source.kind in (SourceKind.INLINE, SourceKind.SHAPEFILE):
        return
    with source_errors(), closing(open_reader(source)) as reader:
        if not isinstance(reader, OgrReader) or reader.dialect not in _DATABASES:
            return
        with guarded(source):
            if isinstance(reader, PostgresqlReader):
                table = _read_postgresql(reader, meaning.time_column)
            else:
                table = _read_sqlite(reader)
        if table is not None:
            yield from _compare(meaning, block.last("data") or block.last("connection") or block, reader, table)


def _compare(meaning: LayerMeaning, where: Located, reader: OgrReader, table: _Table) -> Iterator[Finding]:
    sensor, time = meaning.procedure_column, meaning.time_column
    wanted = tuple(column.name for column in (sensor, time) if column is not None)
    if sensor is not None and wanted and wanted not in {key[: len(wanted)] for key in table.keys}:
        subject = "procedure and time" if time is not None else "procedure"
        message = (
            f"table {table.name} has no index of {subject}, so a request for one of them reads all rows. Create it: "
            f"{_write_index(reader, table, wanted, None if time is None else time.name)}"
        )
        yield Finding(where.file, where.line, codes.NO_INDEX, "DATA", message)
    # The bounds of an SQLite table come from the other index too.
    needs = time is not None and (sensor is None or reader.dialect is Dialect.POSTGRESQL)
    if time is not None and needs and time.name not in {key[0] for key in table.keys if key}:
        message = (
            f"table {table.name} has no index of times, so capabilities and requests for a time read all rows. Create "
            f"it: {_write_index(reader, table, (time.name,), time.name)}"
        )
        yield Finding(where.file, where.line, codes.NO_TIME_INDEX, "DATA", message)
    if table.has_spatial_index or not table.is_large or not _is_spread(meaning.layer.source):
        return
    if statement := _write_spatial_index(reader, table):
        message = (
            f"table {table.name} has no spatial index, so a request for a small area reads all rows. Create it: "
            f"{statement}"
        )
        yield Finding(where.file, where.line, codes.NO_SPATIAL_INDEX, "DATA", message)


def _is_spread(source: LayerSource) -> bool:
    """Return whether a small area can exclude rows: whether not all are at one position."""
    extent = find_extent(source, None) if has_geometry(source) else None
    return extent is not None and extent[:2] != extent[2:]


def _write_index(reader: OgrReader, table: _Table, columns: tuple[str, ...], time: str | None) -> str:
    terms = [quote_identifier(name, reader.dialect) + (_write_order(reader, name) if name == time else "")
             for name in columns]
    name = quote_identifier("_".join(("by", *columns)), reader.dialect)
    if reader.dialect is Dialect.POSTGRESQL:
        return f"CREATE INDEX ON {table.quoted} ({', '.join(terms)}); ANALYZE {table.quoted};"
    if len(reader.ask(f"SELECT 1 FROM sqlite_master WHERE name = {quote_text(name[1:-1], reader.dialect)}")):
        name = quote_identifier("_".join((table.name, "by", *columns)), reader.dialect)
    return f"CREATE INDEX {name} ON {table.quoted} ({', '.join(terms)}); ANALYZE;"


def _write_order(reader: OgrReader, name: str) -> str:
    """Return the collation that a text of times needs in PostgreSQL, empty if it has that already."""
    column = reader.columns[name]
    if not isinstance(column, PostgresqlColumn) or column.column.kind is not ColumnKind.TEXT or column.bytewise:
        return ""
    return ' COLLATE "C"' if column.declared in ("text", "character varying", "character", "citext") else ""


def _write_spatial_index(reader: OgrReader, table: _Table) -> str:
    if reader.dialect is Dialect.POSTGRESQL:
        return f"CREATE INDEX ON {table.quoted} USING gist ({quote_identifier(reader.geometry_name, reader.dialect)});"
    if reader.driver != "GPKG":
        return ""
    names = ", ".join(quote_text(name, reader.dialect) for name in (table.name, reader.geometry_name))
    statement = f"SELECT CreateSpatialIndex({names})"
    # In double quotes it is easier to read.
    quoted = shlex.quote(statement) if re.search(r'["$`\\\\!]', statement) else f'"{statement}"'
    return f"ogrinfo {shlex.quote(reader.source.connection)} -sql {quoted}"


def _read_sqlite(reader: OgrReader) -> _Table | None:
    if reader.selected:
        return None
    name = quote_text(reader.table, reader.dialect)
    if reader.ask(f"SELECT type FROM sqlite_master WHERE name = {name}") != [["table"]]:
        return None
    quoted = quote_identifier(reader.table, reader.dialect)
    ((count,),) = reader.ask(f"SELECT count(*) FROM (SELECT 1 FROM {quoted} LIMIT {_MANY_ROWS + 1})")
    if int(count) <= _FEW_ROWS:
        return None
    spatial = reader.has_table(f"rtree_{reader.table}_{reader.geometry_name}")
    return _Table(reader.table, quoted, tuple(reader.index_keys()), spatial, int(count) > _MANY_ROWS)


def _read_postgresql(reader: PostgresqlReader, time: Column | None) -> _Table | None:
    origin = reader.from_clause()
    if origin.startswith("("):
        return None
    found = reader.ask(
        "WITH t AS (SELECT oid, relkind, reltuples, relname FROM pg_class WHERE oid = "
        f"to_regclass({quote_text(origin, reader.dialect)})) "
        "SELECT oid::text AS number, relkind::text, reltuples::text, relname FROM t"
    )
    if not found:
        return None
    ((oid, kind, rows, name),) = found
    # Before the first ANALYZE the number of rows is -1, or 0 until PostgreSQL 13.
    if kind not in ("r", "p", "m") or 0 < float(rows) <= _FEW_ROWS:
        return None
    indexes = reader.ask(
        "WITH i AS (SELECT * FROM pg_index WHERE indisvalid AND indpred IS NULL AND indrelid = "
        f"{int(oid)}), k AS (SELECT i.indexrelid, am.amname, p AS place, a.attname, c.collname "
        "FROM i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam "
        "CROSS JOIN generate_series(0, 1) AS p LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND "
        "p < i.indnkeyatts AND a.attnum = i.indkey[p] LEFT JOIN pg_collation c ON c.oid = i.indcollation[p]) "
        "SELECT indexrelid::text, amname, COALESCE(attname, '') AS attname, COALESCE(collname, '') AS collname FROM k "
        "ORDER BY indexrelid, place"
    )
    keys: dict[str, list[str]] = {}
    spatial = False
    for index, method, column, collation in indexes:
        if method in ("gist", "spgist", "brin"):
            spatial = spatial or column == reader.geometry_name
        elif method == "btree" and column:
            by_bytes = collation in ("C", "POSIX", "ucs_basic")
            useless = time is not None and column == time.name and not by_bytes and _write_order(reader, column)
            keys.setdefault(index, []).append("" if useless else column)
    large = float(rows) <= 0 or float(rows) > _MANY_ROWS
    return _Table(name, origin, tuple(tuple(columns) for columns in keys.values()), spatial, large)
