"""PostgreSQL: sessions that write values alike everywhere, columns by their declared types, tables by their names.

Only CONNECT, USAGE of the schema and SELECT of the table or view are needed. Sessions are read-only.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from osgeo import gdal

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.drivers.ogr_columns import read_columns
from mapsos.sources.drivers.opening import guarded
from mapsos.sources.drivers.postgres.cancelling import BEGUN, Session
from mapsos.sources.drivers.postgres.failures import name_cause
from mapsos.sources.drivers.postgres.stable_order import StableOrder, find_order
from mapsos.sources.drivers.postgres.stored_sizes import find_server_rows
from mapsos.sources.drivers.postgres.time_limits import NAMES, TimeLimits
from mapsos.sources.errors import SourceError
from mapsos.sources.filtering.sql import Dialect, quote_identifier, quote_text, write_number
from mapsos.sources.reader import Narrowing, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import WRITTEN_NUMBERS, OgrColumn, PostgresqlColumn
from mapsos.terms.columns import ColumnKind
from mapsos.terms.layer_source import LayerSource

TRUSTED_SECONDS = 60.0
"""Seconds for which the columns of an open table are assumed to be unchanged."""

_SETTINGS = {
    # What the text of a statement means.
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "backslash_quote": "safe_encoding",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    # How values are written.
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "extra_float_digits": "1",
    # Which rows there are, in which order: a scan begins with the first row, not where another one has come to.
    "synchronize_seqscans": "off",
    "gin_fuzzy_search_limit": "0",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "on",
    # Cursors are read to the end. Compiling a statement for many partitions takes seconds; these take milliseconds.
    "cursor_tuple_fraction": "1",
    "jit": "off",
}
"""Settings of a session, whatever the environment, the connection string, the role or the database set."""

_AS_TEXT = (ColumnKind.DATETIME, ColumnKind.DATE, ColumnKind.TIME, ColumnKind.LIST)
"""Kinds that are read as the server writes them: Arrow streams of GDAL shift dates before 1970, stop at a time of day
that they round to 24:00, and have zeros for the NULL members of arrays."""

_PAGE = "OGR_PG_CURSOR_PAGE"
"""Option of GDAL: how many rows are fetched from a cursor at a time."""

_TEXTS = ("text", "character varying", "character", "name", "citext")
_BYTEWISE = ("C", "POSIX", "UCS_BASIC", "C.UTF-8", "C.UTF8")
_GREAT_CIRCLE_DEGREES = 10.0
"""Maximum width of a rectangle whose edges are close to the great circles between its corners."""


class PostgresqlReader(OgrReader):
    """A table, view or SELECT of a PostgreSQL database, as OGR names them; it keeps its connection."""

    def __init__(self, source: LayerSource) -> None:
        self._just_read = False
        self._plan = ReadPlan((), False)
        self._order: StableOrder | None = None
        self._session: Session | None = None
        try:
            super().__init__(source)
        except SourceError as error:
            raise name_cause(error) from error

    def _find_layer(self) -> None:
        self._open_session()
        super()._find_layer()
        self._describe()

    def _open_session(self) -> None:
        # First, before a constant is written: in some encodings a backslash can be the second byte of a character.
        self._dataset.ExecuteSQL("SET client_encoding = 'UTF8'")
        wanted = ", ".join(f"('{name}', '{value}')" for name, value in _SETTINGS.items())
        self.ask(
            f"WITH w (name, value) AS (VALUES {wanted}), "
            "s AS (SELECT set_config(name, value, false) FROM w JOIN pg_settings USING (name)) SELECT * FROM s"
        )
        names = ", ".join(f"'{name}'" for name in NAMES)
        rows = self.ask(
            f"WITH s AS (SELECT name, setting, source FROM pg_settings WHERE name IN ({names}) UNION ALL SELECT "
            f"pid::text, {BEGUN}::text, '' FROM pg_stat_activity WHERE pid = pg_backend_pid()) SELECT * FROM s"
        )
        stated = {name: None if origin == "client" else int(limit) for name, limit, origin in rows if name in NAMES}
        own = next(((int(name), int(begun)) for name, begun, _ in rows if name not in NAMES), None)
        self._session = Session(self._opened, own, TimeLimits(stated, self._execute))
        self._session.limits.renew()

    def _execute(self, statement: str) -> None:
        self._dataset.ExecuteSQL(statement)

    def _reading_part(self) -> AbstractContextManager[object]:
        """Return what is entered for each statement, and each fetch of rows: it ends with the request."""
        return self._session or nullcontext()

    def ask(self, statement: str) -> list[list[str]]:
        """Return the few rows of a statement about the data source itself, as strings."""
        with self._reading_part():
            return super().ask(statement)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Run statements: raises `SourceError` for those that fail, DeadlineError for those that take too long."""
        try:
            with guarded(self.source):
                yield
        except SourceError as error:
            raise name_cause(error) from error

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver the rows of the plan. Also raises DeadlineError."""
        self._plan = plan
        settings = self._order_settings(plan)
        if settings:
            with self.asking():
                self.ask("SELECT " + ", ".join(f"set_config('{name}', '{to}', false)" for name, to in settings.items()))
        stream = super().rows(plan)
        try:
            yield from stream
            # A reader whose reading does not come to its end is not used again.
            if settings:
                with self.asking():
                    self._dataset.ExecuteSQL("; ".join(f"RESET {name}" for name in settings))
            self._just_read = True
        except SourceError as error:
            raise name_cause(error) from error
        finally:
            stream.close()

    def _order_settings(self, plan: ReadPlan) -> dict[str, str]:
        """Return the settings of the session for the order of a plan."""
        if not plan.ordered:
            return {}
        if self._order is None:
            with self.asking():
                self._order = find_order(self, self.from_clause(), self._stated_key())
        if self._order.by_scan:
            return {"enable_indexscan": "off", "enable_indexonlyscan": "off"}
        # Most clients want the first page: an index with the order is worth more than the cheapest way to all rows.
        return {"cursor_tuple_fraction": "0.1"}

    def _part_rows(self) -> int:
        """Return how many rows to read at a time: few of tables that have long values."""
        if self._at_once is None:
            with self.asking():
                self._at_once = find_server_rows(self, self.from_clause())
        return self._at_once

    def _select(
        self, names: list[str], geometry: bool, condition: str, narrowing: Narrowing, casts: Mapping[str, str]
    ) -> Any:
        """Return the result of a SELECT, whose cursor fetches as many rows at a time as are read."""
        if gdal.GetConfigOption(_PAGE) is not None:
            with self._reading_part():
                return super()._select(names, geometry, condition, narrowing, casts)
        rows = self._part_rows()
        if self._plan.first_rows is not None:
            rows = max(1, min(rows, self._plan.first_rows))
        gdal.SetThreadLocalConfigOption(_PAGE, str(rows))
        try:
            with self._reading_part():
                return super()._select(names, geometry, condition, narrowing, casts)
        finally:
            gdal.SetThreadLocalConfigOption(_PAGE, None)

    def _stated_key(self) -> str | None:
        """Return the column that the mapfile calls unique, None without one."""
        return None

    def write_select(
        self, names: list[str], geometry: bool, condition: str, narrowing: Narrowing, casts: Mapping[str, str]
    ) -> str:
        """Return the statement for the rows, in the order and up to the number that the plan has."""
        statement = super().write_select(names, geometry, condition, narrowing, casts)
        if self._plan.ordered and self._order is not None:
            statement += self._order.write(self, names, geometry)
            if self._plan.first_rows is not None:
                statement += f" LIMIT {self._plan.first_rows:d}"
        return statement

    def _describe(self) -> None:
        """Read the declarations of the server; no row is read."""
        if not self.selected:
            self._origin = self._find_table(self.table)
        self._seen = self._look()
        self._seen_at = time.monotonic()
        declared = self._read_types()
        self.geography = self.has_geometry and declared[self.geometry_name] == "geography"
        bytewise, merged = self._read_collations([name for name in self.columns if declared[name] in _TEXTS])
        self.columns = {
            name: PostgresqlColumn(
                **vars(column), declared=declared[name], bytewise=name in bytewise, merged=name in merged
            )
            for name, column in self.columns.items()
        }
        ((encoding,),) = self.ask("SELECT current_setting('server_encoding')")
        self.unicode = encoding == "UTF8"

    def _find_table(self, name: str) -> str:
        """Return the identifier of OGR's ``table`` or ``schema.table``, with or without ``(geometry)`` behind it."""
        bare = name.removesuffix(f"({self.geometry_name})")
        parts = [(bare,), *((bare[:dot], bare[dot + 1 :]) for dot, mark in enumerate(bare) if mark == ".")]
        candidates = [".".join(quote_identifier(part, self.dialect) for part in named) for named in parts]
        if len(candidates) == 1:
            return candidates[0]
        terms = ", ".join(
            f"to_regclass({quote_text(candidate, self.dialect)}) IS NOT NULL AS c{number}"
            for number, candidate in enumerate(candidates)
        )
        (there,) = self.ask(f"SELECT {terms}")
        return next(candidate for candidate, found in zip(candidates, there, strict=True) if found == "1")

    def _look(self) -> dict[str, OgrColumn]:
        """Return the current columns of the table or SELECT."""
        result = self._dataset.ExecuteSQL(f"SELECT * FROM {self.from_clause()} LIMIT 0")
        try:
            return read_columns(result.GetLayerDefn(), None)
        finally:
            self._dataset.ReleaseResultSet(result)

    def _read_types(self) -> dict[str, str]:
        """Return the declared type of each column, for a domain its base type."""
        names = [*self.columns, *([self.geometry_name] if self.has_geometry else [])]
        types = ", ".join(f"pg_typeof(o.{quote_identifier(name, self.dialect)})::oid" for name in names)
        rows = self.ask(
            f"WITH found AS (SELECT ARRAY[{types}]::oid[] AS types FROM {self._no_rows()}) "
            "SELECT format_type(CASE typtype WHEN 'd' THEN typbasetype ELSE t.oid END, NULL) FROM found "
            "CROSS JOIN unnest(types) WITH ORDINALITY AS k (oid, place) JOIN pg_type t ON t.oid = k.oid ORDER BY place"
        )
        return {name: kind.rpartition(".")[2] for name, (kind,) in zip(names, rows, strict=True)}

    def _read_collations(self, names: list[str]) -> tuple[set[str], set[str]]:
        """Return the columns that the server orders by their bytes, and those whose collation is nondeterministic."""
        if not names:
            return set(), set()
        terms = ", ".join(f"pg_collation_for(o.{quote_identifier(name, self.dialect)})" for name in names)
        found = self.ask(
            f"WITH found AS (SELECT ARRAY[{terms}]::text[] AS orders FROM {self._no_rows()}) "
            "SELECT COALESCE(name, '') FROM found CROSS JOIN unnest(orders) WITH ORDINALITY AS k (name, place) "
            "ORDER BY place"
        )
        ((default, provider),) = self.ask(
            "WITH d AS (SELECT * FROM pg_database WHERE datname = current_database()) "
            "SELECT datcollate, COALESCE(to_jsonb(d) ->> 'datlocprovider', 'c') FROM d"
        )
        usual = default.upper() in _BYTEWISE and provider == "c"
        orders = dict(zip(names, (order.strip('"') for (order,) in found), strict=True))
        bytewise = {
            name for name, order in orders.items() if (usual if order == "default" else order.upper() in _BYTEWISE)
        }
        if len(bytewise) == len(names) or set(orders.values()) == {"default"}:
            return bytewise, set()
        # Only those that were created: their object ids begin with this one. PostgreSQL 11 has none.
        merging = self.ask(
            "WITH c AS (SELECT quote_ident(collname) FROM pg_collation AS p WHERE oid >= 16384 "
            "AND to_jsonb(p) ->> 'collisdeterministic' = 'false') SELECT * FROM c"
        )
        ends = tuple(name.strip('"') for (name,) in merging)
        return bytewise, {name for name, order in orders.items() if order.endswith(ends)}

    def _no_rows(self) -> str:
        """Return a FROM clause of one row without values: expressions on its columns still have their types."""
        return f"(SELECT 1) AS one LEFT JOIN (SELECT * FROM {self.from_clause()} LIMIT 0) AS o ON true"

    def adopt(self, source: LayerSource) -> bool:
        """Return False: each layer is opened by itself."""
        return False

    def is_fresh(self) -> bool:
        """Return whether the connection works and, checked once a minute, the columns are unchanged.

        After a reading that came to its end the connection works: returning the reader does not wait for the server.
        """
        if self._session is None or self._session.is_spoiled:
            return False
        if self._just_read:
            self._just_read = False
            return True
        try:
            with guarded(self.source):
                self._session.limits.renew(always=True)
                if time.monotonic() - self._seen_at <= TRUSTED_SECONDS:
                    return True
                self._seen_at = time.monotonic()
                self._order = self._at_once = None
                return self._look() == self._seen
        except SourceError:
            return False

    def condition_dialect(self, name: str) -> Dialect | None:
        """Return PostgreSQL's dialect, None for columns that it compares by other rules.

        Those are types that OGR reads as strings, and real, whose numbers differ from their written form.
        """
        column = self.columns[name]
        assert isinstance(column, PostgresqlColumn)
        if column.declared == "real":
            return None
        comparable = column.declared in _TEXTS and column.encoding is None
        return None if column.column.kind is ColumnKind.TEXT and not comparable else self.dialect

    def _keep_selective(self, narrowing: Narrowing) -> Narrowing:
        """Return all of it: the server decides by its statistics whether an index is worth using.

        A string with characters that the server's encoding lacks would be an error.
        """
        return narrowing if self.unicode or narrowing.condition.isascii() else replace(narrowing, condition="")

    def from_clause(self) -> str:
        """Return the FROM clause of the rows."""
        return super().from_clause() if self.selected else self._origin

    def _casts(self, names: list[str]) -> dict[str, str]:
        """Return the columns to read as strings, as the server writes them."""
        found = {name: self.columns[name] for name in names}
        return {
            name: "text"
            for name, column in found.items()
            if column.column.kind in _AS_TEXT
            or (isinstance(column, PostgresqlColumn) and column.declared in (*WRITTEN_NUMBERS, "character"))
        }

    def _inside(self, rectangle: tuple[float, float, float, float]) -> str:
        """Return the condition on the index of the geometries, which ignores the SRIDs of the rows.

        The edges of a box of geographies are great circles. Where those are far from the edges of the rectangle the
        index is not used.
        """
        geometry = quote_identifier(self.geometry_name, self.dialect)
        condition = f"{geometry} && {write_envelope(rectangle, 0)}"
        if not self.geography:
            return condition
        condition = f"{geometry}::geometry && {write_envelope(rectangle, 0)}"
        minx, miny, maxx, maxy = rectangle
        if maxx - minx > _GREAT_CIRCLE_DEGREES or minx < -179 or maxx > 179 or miny < -88 or maxy > 88:
            return condition
        wider = (minx - 1, miny - 1, maxx + 1, maxy + 1)
        return f"{geometry} && {write_envelope(wider, 4326)}::geography AND {condition}"


def write_envelope(rectangle: tuple[float, float, float, float], srid: int) -> str:
    """Return SQL for a rectangle."""
    return f"ST_MakeEnvelope({', '.join(map(write_number, rectangle))}, {srid:d})"
