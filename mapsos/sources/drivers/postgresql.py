"""PostgreSQL: a session that gives the same texts everywhere, columns by their declared types, tables by their names.

Nothing here needs more than CONNECT, USAGE of the schema and SELECT of the table or view. Sessions are read-only.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from mapsos.columns.batches import ColumnKind
from mapsos.sources.drivers.ogr import OgrReader, read_columns
from mapsos.sources.drivers.opening import guarded
from mapsos.sources.errors import SourceError
from mapsos.sources.filtering.sql import Dialect, quote_identifier, quote_text, write_number
from mapsos.sources.reader import Narrowing, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import WRITTEN_NUMBERS, OgrColumn, PostgresqlColumn
from mapsos.terms.deadlines import DeadlineError, current_deadline
from mapsos.terms.layer_source import LayerSource

BELIEVED_SECONDS = 60.0
"""How long the columns of an open table are believed to be what they were."""

STATEMENT_SECONDS = 120.0
"""How long a statement may take where a request may take as long as it takes."""

_SESSION = """SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
SET bytea_output = 'hex'; SET extra_float_digits = 1; SET standard_conforming_strings = on;
SET default_transaction_read_only = on; SET cursor_tuple_fraction = 1"""
"""What texts depend on, whatever role, database or server have set; and that cursors are read to their end."""

_TEXTS = ("text", "character varying", "character", "name", "citext")
_BYTEWISE = ("C", "POSIX", "UCS_BASIC", "C.UTF-8", "C.UTF8")
_GREAT_CIRCLE_DEGREES = 10.0
"""The widest rectangle whose edges and the great circles between its corners are near each other."""


class PostgresqlReader(OgrReader):
    """A table, view or SELECT of a PostgreSQL database, as OGR names them; it keeps its connection."""

    def __init__(self, source: LayerSource) -> None:
        self._just_read = False
        try:
            super().__init__(source)
        except SourceError as error:
            raise _name_cause(error) from error

    def _find_layer(self) -> None:
        self._open_session()
        super()._find_layer()
        self._describe()

    def _open_session(self) -> None:
        self._dataset.ExecuteSQL(_SESSION)
        ((limit, origin),) = self.ask(
            "WITH s AS (SELECT setting, source FROM pg_settings WHERE name = 'statement_timeout') SELECT * FROM s"
        )
        # Compiling a statement for many partitions takes seconds; what is asked here takes milliseconds.
        compiling = "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'"
        self.ask(f"WITH j AS ({compiling}) SELECT * FROM j")
        self._stated_limit = int(limit)
        self._may_limit = origin != "client"
        self._limit_statements()

    def _limit_statements(self) -> None:
        """Have the server end a statement that outlasts the request, or that nobody would wait for.

        What the connection string says counts; what the server, database or role says counts where it is less.
        """
        if not self._may_limit:
            self.ask("SELECT 1")
            return
        left = current_deadline().left
        limit = max(1, int((STATEMENT_SECONDS if left is None else left) * 1000))
        limit = min(limit, self._stated_limit or limit)
        self.ask(f"SELECT set_config('statement_timeout', '{limit:d}', false)")

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Run statements: `SourceError` for what fails, DeadlineError for what takes too long."""
        try:
            with guarded(self.source):
                yield
        except SourceError as error:
            raise _name_cause(error) from error

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver what the plan asks for. Raises also DeadlineError."""
        stream = super().rows(plan)
        try:
            yield from stream
            self._just_read = True
        except SourceError as error:
            raise _name_cause(error) from error
        finally:
            stream.close()

    def _describe(self) -> None:
        """Learn what the server declares; no row is read."""
        if not self.selected:
            self._origin = self._find_table(self.table)
        self._seen = self._look()
        self._seen_at = time.monotonic()
        declared = self._read_types()
        self.geography = self.has_geometry and declared[self.geometry_name] == "geography"
        bytewise = self._find_bytewise([name for name in self.columns if declared[name] in _TEXTS])
        self.columns = {
            name: PostgresqlColumn(**vars(column), declared=declared[name], bytewise=name in bytewise)
            for name, column in self.columns.items()
        }
        ((encoding,),) = self.ask("SELECT current_setting('server_encoding')")
        self.unicode = encoding == "UTF8"

    def _find_table(self, name: str) -> str:
        """The identifier of what OGR calls ``table``, ``schema.table`` or either with ``(geometry)`` behind it."""
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
        """All columns of the table or SELECT as they are now."""
        result = self._dataset.ExecuteSQL(f"SELECT * FROM {self.from_clause()} LIMIT 0")
        try:
            return read_columns(result.GetLayerDefn(), None)
        finally:
            self._dataset.ReleaseResultSet(result)

    def _read_types(self) -> dict[str, str]:
        """The declared type of each column, that of a domain for the domain."""
        names = [*self.columns, *([self.geometry_name] if self.has_geometry else [])]
        types = ", ".join(f"pg_typeof(o.{quote_identifier(name, self.dialect)})::oid" for name in names)
        rows = self.ask(
            f"WITH found AS (SELECT ARRAY[{types}]::oid[] AS types FROM {self._no_rows()}) "
            "SELECT format_type(CASE typtype WHEN 'd' THEN typbasetype ELSE t.oid END, NULL) FROM found "
            "CROSS JOIN unnest(types) WITH ORDINALITY AS k (oid, place) JOIN pg_type t ON t.oid = k.oid ORDER BY place"
        )
        return {name: kind.rpartition(".")[2] for name, (kind,) in zip(names, rows, strict=True)}

    def _find_bytewise(self, names: list[str]) -> set[str]:
        """Those of the columns of texts that the server orders by their bytes."""
        if not names:
            return set()
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
        return {name for name, order in orders.items() if (usual if order == "default" else order.upper() in _BYTEWISE)}

    def _no_rows(self) -> str:
        """One row without a value: expressions on its columns have their types all the same."""
        return f"(SELECT 1) AS one LEFT JOIN (SELECT * FROM {self.from_clause()} LIMIT 0) AS o ON true"

    def is_fresh(self) -> bool:
        """Whether the connection works and, asked once a minute, the columns are what they were.

        After a reading that came to its end the connection works: who gives the reader back need not wait.
        """
        if self._just_read:
            self._just_read = False
            return True
        try:
            with guarded(self.source):
                self._limit_statements()
                if time.monotonic() - self._seen_at <= BELIEVED_SECONDS:
                    return True
                self._seen_at = time.monotonic()
                return self._look() == self._seen
        except SourceError:
            return False

    def condition_dialect(self, name: str) -> Dialect | None:
        """PostgreSQL's for all columns but those that it compares by other rules.

        That are types that OGR takes for text, and real, whose numbers are not the ones that they are written as.
        """
        column = self.columns[name]
        assert isinstance(column, PostgresqlColumn)
        if column.declared == "real":
            return None
        comparable = column.declared in _TEXTS and column.encoding is None
        return None if column.column.kind is ColumnKind.TEXT and not comparable else self.dialect

    def _keep_selective(self, narrowing: Narrowing) -> Narrowing:
        """All of it, for the server knows by its statistics what is worth the look into an index.

        A text that the server has no characters for would be an error to it.
        """
        return narrowing if self.unicode or narrowing.condition.isascii() else replace(narrowing, condition="")

    def from_clause(self) -> str:
        """What rows are selected from."""
        return super().from_clause() if self.selected else self._origin

    def _casts(self, names: list[str]) -> dict[str, str]:
        """The columns to be read as text: as the server writes them."""
        found = {name: self.columns[name] for name in names}
        return {
            name: "text"
            for name, column in found.items()
            if column.column.kind is ColumnKind.DATETIME
            or (isinstance(column, PostgresqlColumn) and column.declared in (*WRITTEN_NUMBERS, "character"))
        }

    def _inside(self, rectangle: tuple[float, float, float, float]) -> str:
        """The condition on the index of the geometries. Boxes meet or do not, whatever the SRIDs of the rows.

        The edges of a box of geographies are great circles. Where those are no longer near the edges of the rectangle
        the index is left alone.
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


def _name_cause(error: SourceError) -> Exception:
    """The error, or that a statement took too long: by PostgreSQL's words, since the driver hands on no code."""
    if "statement timeout" not in error.detail:
        return error
    return DeadlineError(current_deadline().seconds or STATEMENT_SECONDS)


def write_envelope(rectangle: tuple[float, float, float, float], srid: int) -> str:
    """A rectangle as an expression."""
    return f"ST_MakeEnvelope({', '.join(map(write_number, rectangle))}, {srid:d})"
