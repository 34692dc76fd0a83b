"""PostGIS as MapServer's DATA names it: ``geom FROM table USING UNIQUE id USING SRID=4326``."""

from __future__ import annotations

import re
from dataclasses import replace

from mapsos.sources.drivers.ogr_columns import read_columns
from mapsos.sources.drivers.postgres.postgresql import PostgresqlReader
from mapsos.sources.errors import unreadable
from mapsos.sources.filtering.sql import Dialect, quote_identifier
from mapsos.sources.source_columns import OgrColumn, foreign_encoding
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.values import dataclass

_DATA = re.compile(r"\s*(?P<geometry>\"(?:[^\"]|\"\")+\"|[^\s\"]+)\s+from\s+(?P<rest>.+?)\s*;?\s*", re.I | re.S)
_USING = re.compile(r"\s+using\s+(?:unique\s+(?P<unique>\S+)|srid\s*=\s*-?\d+)\s*$", re.I)


@dataclass(frozen=True)
class PostgisData:
    """A parsed DATA: the geometry column, what it is selected from, and the unique column if it is stated."""

    geometry: str
    origin: str
    unique: str | None = None


def parse_data(text: str) -> PostgisData:
    """Parse DATA without its SRID, which mapsos does not need.

    Raises ValueError unless DATA has the form of MapServer's grammar.
    """
    match = _DATA.fullmatch(text)
    if match is None:
        raise ValueError("DATA is not of the form: geometry FROM table")
    rest, unique = match["rest"], None
    while using := _USING.search(rest):
        unique = using["unique"] or unique
        rest = rest[: using.start()]
    geometry = match["geometry"]
    geometry = geometry[1:-1].replace('""', '"') if geometry.startswith('"') else geometry.split("::")[0].lower()
    return PostgisData(geometry, rest.strip(), unique)


class PostgisReader(PostgresqlReader):
    """A table or subquery of a PostgreSQL database; the unique column is a column like any other."""

    _key = ""

    def _find_layer(self) -> None:
        try:
            self._data = parse_data(self.source.data)
        except ValueError as error:
            raise unreadable(self.source, str(error)) from error
        self.driver = "PostgreSQL"
        self.dialect = Dialect.POSTGRESQL
        self.selected = True
        self.table = self.fid_name = ""
        self.geometry_name = self._data.geometry
        self._open_session()
        layer = self._own_layer()
        self._key = layer.GetFIDColumn()
        if self._key:
            self._release()
            layer = self._own_layer()
        definition = layer.GetLayerDefn()
        columns = read_columns(definition, foreign_encoding(self.source))
        if self._key:
            columns = self._place_key(columns)
        self.columns = columns
        geometries = [definition.GetGeomFieldDefn(index).GetName() for index in range(definition.GetGeomFieldCount())]
        if self._data.geometry not in geometries:
            raise RuntimeError(f"geometry column {self._data.geometry} not found")
        self.has_geometry = True
        self._release()
        self._describe()

    def _statement(self) -> str:
        if not self._key:
            return f"SELECT * FROM {self.from_clause()} LIMIT 0"
        key, named = (quote_identifier(name, self.dialect) for name in (self._key, self._name_in_result(self._key)))
        return f"SELECT o.*, o.{key} AS {named} FROM (SELECT * FROM {self.from_clause()} LIMIT 0) AS o"

    def _stated_key(self) -> str | None:
        return self._data.unique

    def _place_key(self, columns: dict[str, OgrColumn]) -> dict[str, OgrColumn]:
        """Return the columns with the one that GDAL takes for the feature's id where it stands in the table."""
        key = columns.pop(self._name_in_result(self._key))
        columns[self._key] = replace(key, column=replace(key.column, name=self._key))
        order = self.ask(
            f"WITH r AS (SELECT o.* FROM {self._no_rows()}) SELECT json_object_keys(row_to_json(r)) AS name FROM r"
        )
        return {name: columns[name] for (name,) in order if name in columns}

    def _name_in_result(self, name: str) -> str:
        """Return the name of a column in the result: not ``ogc_fid``, which GDAL takes for the feature's id."""
        return f"{name} of the table" if name == self._key else name

    def from_clause(self) -> str:
        """Return the table or subquery of DATA."""
        return self._data.origin


def open_postgresql(source: LayerSource) -> PostgresqlReader:
    """Open a reader of a PostgreSQL database, by MapServer's DATA or by what OGR opens. Raises `SourceError`."""
    return PostgisReader(source) if source.kind is SourceKind.POSTGIS else PostgresqlReader(source)
