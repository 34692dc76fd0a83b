"""Read an OGR layer as Arrow batches, through the layer itself or through a SELECT of typed constants."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from osgeo import ogr

from mapsos.columns.geometries import GeometryColumn
from mapsos.sources.drivers import sqlite_columns as sqlite
from mapsos.sources.drivers.arrow_streams import ArrowStream, streams_old_days
from mapsos.sources.drivers.batch_sizes import find_part_rows, gather_parts, read_parts
from mapsos.sources.drivers.ogr_columns import read_columns
from mapsos.sources.drivers.opening import guarded, open_as_layer, open_dataset, turn_of
from mapsos.sources.filtering.sql import Dialect, dialect_of, quote_identifier, quote_text, write_number
from mapsos.sources.identity import identity
from mapsos.sources.reader import Narrowing, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import OgrColumn, SourceColumn, foreign_encoding
from mapsos.terms.columns import ColumnKind
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    import pyarrow as pa

_SELECTIVE_SHARE = 0.2
"""Maximum share of the data's extent up to which a rectangle is worth a search of the spatial index."""


class OgrReader:
    """One dataset handle and the layer in it: for one reading at a time, in one thread at a time.

    ``hidden`` are columns that a plan can name although the layer does not have them, for the readers of formats.
    Raises `SourceError` where the source cannot be opened or the layer is missing.
    """

    def __init__(self, source: LayerSource) -> None:
        self.source = source
        # Taken before the file is opened: a change in between shows.
        self._identity = identity(source)
        self._result: Any = None
        self._result_owner: Any = None
        self._outer: Any = None
        self._layer: Any = None
        self._declared: dict[str, str] = {}
        self.hidden: dict[str, OgrColumn] = {}
        self.known_extent: tuple[float, float, float, float] | None = None
        self._index_keys: list[tuple[str, ...]] | None = None
        self._at_once: int | None = None
        self._dataset: Any = None
        self._turn: AbstractContextManager[object] = nullcontext()
        try:
            self._opened = replace(source, connection=self._find_connection())
            self._turn = turn_of(self._opened)
            self._dataset = self._open(self._opened)
            with guarded(source), self._turn:
                self._find_layer()
        except BaseException:
            self.close()
            raise

    def adopt(self, source: LayerSource) -> bool:
        """Serve another layer of the same data, which differs by its FILTER at most; return whether it does."""
        if alike := self.source.is_read_alike(source):
            self.source, self._opened = source, replace(source, connection=self._opened.connection)
        return alike

    def _find_connection(self) -> str:
        """Return the connection that GDAL is to open."""
        return self.source.connection

    def _open(self, source: LayerSource) -> Any:
        return open_dataset(source)

    def _find_layer(self) -> None:
        source = self.source
        self.driver: str = self._dataset.GetDriver().ShortName
        self.dialect: Dialect = dialect_of(self.driver)
        data = source.data.strip()
        self.selected = data[:6].upper() == "SELECT"
        if self.selected:
            self._own_layer()
        else:
            self._layer = self._dataset.GetLayerByName(data) if data else self._dataset.GetLayer(0)
            if self._layer is None and data.isdecimal():
                self._layer = self._dataset.GetLayer(int(data))
        if self._layer is None:
            raise RuntimeError(f"layer {data!r} not found")
        definition = self._layer.GetLayerDefn()
        columns = read_columns(definition, foreign_encoding(source))
        self.has_geometry: bool = definition.GetGeomFieldCount() > 0
        self.geometry_name: str = self._layer.GetGeometryColumn()
        self.fid_name: str = self._layer.GetFIDColumn()
        self.table: str = self._layer.GetName()
        if self.dialect is Dialect.SQLITE:
            selected = data.rstrip(";") if self.selected else ""
            self._declared = sqlite.read_declared_types(self.ask, self.table, selected)
            columns = sqlite.find_undeclared(columns.values(), self._declared, self.ask, self.from_clause())
        self.columns: Mapping[str, SourceColumn] = columns
        if self.has_geometry and not self.selected:
            # Only the extent that the driver knows without reading rows; it may be wider or out of date.
            known = self._layer.GetExtent(force=0, can_return_null=True)
            finite = known is not None and all(map(math.isfinite, known))
            self.known_extent = (known[0], known[2], known[1], known[3]) if finite else None

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver the rows of the plan. Closing the generator ends the reading."""
        wanted = set(plan.columns)
        known: dict[str, SourceColumn] = {**self.columns, **self.hidden}
        names = [name for name in known if name in wanted]
        geometry = plan.geometry and self.has_geometry
        with guarded(self.source), self._turn:
            rows = min(self._part_rows(), plan.batch_rows)
            rows = rows if plan.first_rows is None else max(1, min(rows, plan.first_rows))
            narrowing = self._keep_selective(plan.narrowing or Narrowing())
            layer = self._prepare(names, geometry, narrowing)
            placed = geometry and self.driver == "FlatGeobuf"
            # GDAL 3.6 delivers empty geometries where a GeoPackage delivers nothing else: so with the feature ids.
            fids = "NO" if names else "YES"
            stream = ArrowStream(
                layer,
                [f"MAX_FEATURES_IN_BATCH={rows}", f"INCLUDE_FID={fids}"],
                may_lack_geometries=placed,
                by_features=(self.selected and self.dialect is Dialect.OGR) or (placed and self._filters(narrowing)),
            )
            kind = stream.columns
            places = _places([self._name_in_result(name) for name in names], kind)
        columns = {name: known[name] for name in names}
        enough = plan.batch_rows if plan.most_rows is None else max(1, min(plan.batch_rows, plan.most_rows))
        try:
            for batch in gather_parts(read_parts(stream, self.source, self._reading_part()), plan.batch_rows, enough):
                raw = {name: self._deliver(name, batch.field(place)) for name, place in zip(names, places, strict=True)}
                shapes = GeometryColumn(batch.field(kind.num_fields - 1)) if geometry else None
                yield Rows(len(batch), columns, raw, shapes, None if names else batch.field(0))
        finally:
            del stream, layer
            with guarded(self.source), self._turn:
                self._release()

    def _reading_part(self) -> AbstractContextManager[object]:
        """Return what is entered for each part of the rows that GDAL reads."""
        return self._turn

    def _part_rows(self) -> int:
        """Return how many rows to read at a time."""
        if self._at_once is None:
            self._at_once = find_part_rows(self.source.connection, self._count_roughly)
        return self._at_once

    def _count_roughly(self) -> int:
        """Return the number of rows if it is known without reading them, else 0 or less."""
        if self.selected:
            return 0
        if self.dialect is Dialect.SQLITE and self.fid_name:
            return int(self.ask(f"SELECT max(rowid) AS most FROM {self.from_clause()}")[0][0] or 0)
        return int(self._layer.GetFeatureCount(0))

    def _filters(self, narrowing: Narrowing) -> bool:
        """Return whether rows are left out after they are read. An index is searched before."""
        has_index = bool(self._layer.TestCapability(ogr.OLCFastSpatialFilter))
        return bool(self.source.native_filter or narrowing.condition) or not (narrowing.rectangle is None or has_index)

    def _deliver(self, name: str, raw: pa.Array) -> pa.Array:
        """Return a column in the form that its `SourceColumn` converts."""
        return raw

    def _name_in_result(self, name: str) -> str:
        """Return the name of a column in the result of a statement."""
        return name

    def _keep_selective(self, narrowing: Narrowing) -> Narrowing:
        """Drop the rectangle where it contains so much of the data that reading all of them costs less."""
        if narrowing.rectangle is None or self.known_extent is None:
            return narrowing
        share = 1.0
        for axis in (0, 1):
            least, most = self.known_extent[axis], self.known_extent[axis + 2]
            length = min(most, narrowing.rectangle[axis + 2]) - max(least, narrowing.rectangle[axis])
            if most > least:
                share *= max(0.0, length / (most - least))
            elif length < 0:
                share = 0.0
        return narrowing if share < _SELECTIVE_SHARE else replace(narrowing, rectangle=None)

    def _prepare(self, names: list[str], geometry: bool, narrowing: Narrowing) -> Any:
        """Return the layer to stream from, with its filters set."""
        casts = self._casts(names)
        conditions = [f"({condition})" for condition in (self.source.native_filter, narrowing.condition) if condition]
        # Threads of GDAL read the tables of a GeoPackage ahead, and lose batches or hand them over too early.
        by_statement = self.driver in ("GPKG", "PostgreSQL") or (conditions and self.dialect is not Dialect.OGR)
        if casts or by_statement:
            return self._select(names, geometry, " AND ".join(conditions), narrowing, casts)
        layer = self._own_layer()
        # The admin's own filter may use any column, and an ignored one would be NULL for it.
        known = (*self.columns, *self.hidden)
        ignored = [] if self.source.native_filter else [name for name in known if name not in names]
        if not geometry and self.has_geometry:
            ignored.append("OGR_GEOMETRY")
        # A VRT over GeoJSON raises an error instead.
        if layer.TestCapability(ogr.OLCIgnoreFields):
            layer.SetIgnoredFields(ignored)
        layer.SetAttributeFilter(" AND ".join(conditions) or None)
        if narrowing.rectangle is None or not self.has_geometry:
            layer.SetSpatialFilter(None)
        else:
            layer.SetSpatialFilterRect(*narrowing.rectangle)
            # The Arrow stream of GDAL 3.6 never ends, with rows of garbage, where a FlatGeobuf's index finds nothing.
            if self.driver == "FlatGeobuf" and layer.GetNextFeature() is None:
                layer.SetSpatialFilter(None)
        layer.ResetReading()
        return layer

    def _casts(self, names: list[str]) -> dict[str, str]:
        """Return the columns that must be read as another type, by name.

        Arrow streams of GDAL 3.6 drop the zones of date-times; those of GeoPackage and FlatGeobuf mix up booleans. That
        of GeoPackage delivers 1970-01-01 for a value that is not a date, others the day after one before 1970.
        """
        kinds = {ColumnKind.DATETIME: "CHARACTER(40)"}
        if self.dialect is Dialect.SQLITE or self.driver == "FlatGeobuf":
            kinds[ColumnKind.BOOLEAN] = "INTEGER"
        found = {name: self.columns[name] for name in names if name not in self.hidden}
        kinds_found = {column.column.kind for column in found.values()}
        if ColumnKind.DATE in kinds_found and (self.dialect is Dialect.SQLITE or not streams_old_days()):
            kinds[ColumnKind.DATE] = "CHARACTER(40)"
        undeclared = {name: "TEXT" for name, column in found.items() if isinstance(column, sqlite.UndeclaredColumn)}
        return {name: kinds[kind] for name in found if (kind := found[name].column.kind) in kinds} | undeclared

    def _select(
        self, names: list[str], geometry: bool, condition: str, narrowing: Narrowing, casts: Mapping[str, str]
    ) -> Any:
        """Return the result of a SELECT, which delivers as another type what Arrow streams would deliver wrongly."""
        statement = self.write_select(names, geometry, condition, narrowing, casts)
        self._release()
        if self.dialect is not Dialect.OGR:
            self._result_owner = self._dataset
            self._result = self._dataset.ExecuteSQL(statement)
        else:
            dataset = self._dataset
            if self.selected:
                dataset = self._outer = open_as_layer(self._opened)
            else:
                # Columns and rows that an earlier reading left out would be missing from a statement's source as well.
                if self._layer.TestCapability(ogr.OLCIgnoreFields):
                    self._layer.SetIgnoredFields([])
                self._layer.SetAttributeFilter(None)
                self._layer.SetSpatialFilter(None)
            self._result_owner = dataset
            self._result = dataset.ExecuteSQL(statement, None, "OGRSQL")
            if self._result is not None and narrowing.rectangle is not None and self.has_geometry:
                self._result.SetSpatialFilterRect(*narrowing.rectangle)
        if self._result is None:
            raise RuntimeError("the statement has no result")
        return self._result

    def write_select(
        self, names: list[str], geometry: bool, condition: str, narrowing: Narrowing, casts: Mapping[str, str]
    ) -> str:
        """Return the statement that `_select` runs, in the dialect of the driver."""
        dialect = self.dialect
        terms = []
        for name in names:
            quoted, named = (quote_identifier(text, dialect) for text in (name, self._name_in_result(name)))
            if isinstance(self.columns.get(name), sqlite.UndeclaredColumn):
                term = sqlite.write_text(quoted)
            else:
                term = f"CAST({quoted} AS {casts[name]})" if name in casts else quoted
            terms.append(term if term == named else f"{term} AS {named}")
        if dialect is Dialect.OGR:
            table = quote_identifier("selected" if self.selected else self.table, dialect)
            return f"SELECT {', '.join(terms)} FROM {table}" + (f" WHERE {condition}" if condition else "")
        if geometry:
            terms.append(quote_identifier(self.geometry_name, dialect))
        conditions = [condition] if condition else []
        if narrowing.rectangle is not None and (inside := self._inside(narrowing.rectangle)):
            conditions.append(inside)
        statement = f"SELECT {', '.join(terms) or '1'} FROM {self.from_clause()}"
        if dialect is Dialect.SQLITE and not (self.selected or casts or conditions):
            # In the order of the table: SQLite would read an index that has all columns.
            statement += " NOT INDEXED"
        return statement + (f" WHERE {' AND '.join(conditions)}" if conditions else "")

    def from_clause(self) -> str:
        """Return the FROM clause of the rows."""
        if self.selected:
            return f"({self.source.data.strip().rstrip(';')}) AS selected"
        return quote_identifier(self.table, self.dialect)

    def _inside(self, rectangle: tuple[float, float, float, float]) -> str:
        """Return the condition on the spatial index of the table, empty without an index."""
        if self.dialect is not Dialect.SQLITE or self.selected or not self.geometry_name:
            return ""
        index = f"rtree_{self.table}_{self.geometry_name}"
        if not self.has_table(index):
            return ""
        minx, miny, maxx, maxy = map(write_number, rectangle)
        return (
            f"{quote_identifier(self.fid_name, self.dialect)} IN (SELECT id FROM "
            f"{quote_identifier(index, self.dialect)} "
            f"WHERE maxx >= {minx} AND minx <= {maxx} AND maxy >= {miny} AND miny <= {maxy})"
        )

    def has_table(self, name: str) -> bool:
        """Return whether the database has a table of that name, even if it is not a layer."""
        quoted = quote_text(name, self.dialect)
        return bool(self.ask(f"SELECT count(*) FROM sqlite_master WHERE name = {quoted}")[0][0] != "0")

    def ask(self, statement: str) -> list[list[str]]:
        """Return the few rows of a statement about the data source itself, as strings."""
        result = self._dataset.ExecuteSQL(statement)
        if result is None:
            return []
        width = result.GetLayerDefn().GetFieldCount()
        answer = [[feature.GetFieldAsString(index) for index in range(width)] for feature in result]
        self._dataset.ReleaseResultSet(result)
        return answer

    def _own_layer(self) -> Any:
        """Return the layer that the source names; the result of its SELECT is opened again if it was released."""
        if self._layer is None:
            self._result_owner = self._dataset
            self._layer = self._result = self._dataset.ExecuteSQL(self._statement())
        return self._layer

    def _statement(self) -> str:
        """Return the SELECT whose result is the layer."""
        return self.source.data.strip()

    def _release(self) -> None:
        """Release the result of a statement, if any."""
        if self._result is not None:
            if self.selected:
                self._layer = None
            self._result_owner.ReleaseResultSet(self._result)
        self._result = self._result_owner = self._outer = None

    def condition_dialect(self, name: str) -> Dialect | None:
        """Return the driver's dialect, unless the column may contain values of another type.

        SQLite stores any value in any column, and a column without a declared type compares values of different types
        by its own rules: there texts are compared with texts only where the table declares them so.
        """
        column = self.columns[name]
        is_text = column.column.kind is ColumnKind.TEXT
        if self.selected or isinstance(column, sqlite.UndeclaredColumn):
            return None
        if is_text and foreign_encoding(self.source) is not None:
            return None
        if is_text and self.dialect is Dialect.SQLITE and not sqlite.declares_text(self._declared.get(name, "")):
            return None
        return self.dialect

    def is_fresh(self) -> bool:
        """Return whether the file is still the one that was opened; other sources are opened anew each time."""
        return self._identity is not None and self._identity[1:] == (identity(self.source) or ())[1:]

    def index_keys(self) -> list[tuple[str, ...]]:
        """Return the first columns of each index over all rows of an SQLite table; empty for everything else.

        Read once: a reader is used again only as long as its file is the same.
        """
        if self._index_keys is None:
            is_table = self.dialect is Dialect.SQLITE and not self.selected
            self._index_keys = self._read_index_keys() if is_table else []
        return self._index_keys

    def finds_few(self, condition: str) -> bool:
        """Return whether SQL selects at most a quarter of the rows of a large table, by a sample of them."""
        with guarded(self.source), self._turn:
            return sqlite.finds_few(self.ask, self.from_clause(), condition)

    def _read_index_keys(self) -> list[tuple[str, ...]]:
        with guarded(self.source):
            rows = self.ask(
                "SELECT l.name AS of_index, x.name AS of_column, x.coll AS collation "
                f"FROM pragma_index_list({quote_text(self.table, self.dialect)}) l, pragma_index_xinfo(l.name) x "
                "WHERE l.partial = 0 AND x.key = 1 AND x.seqno < 2 ORDER BY l.seq, x.seqno"
            )
        keys: dict[str, list[str]] = {}
        for index, column, collation in rows:
            keys.setdefault(index, []).append(column if collation == "BINARY" else "")
        return [tuple(columns) for columns in keys.values()]

    def close(self) -> None:
        """Close the dataset."""
        with guarded(self.source), self._turn:
            self._release()
            self._layer = None
            self._dataset = None


def _places(names: list[str], kind: Any) -> list[int]:
    found = {kind.field(index).name: index for index in reversed(range(kind.num_fields))}
    return [found[name] for name in names]
