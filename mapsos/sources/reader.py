"""What a reader is, and which one reads a layer."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mapsos.sources.filtering.sql import Dialect
from mapsos.sources.query import BATCH_ROWS
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import SourceColumn
from mapsos.terms.layer_source import LayerSource, SourceKind

if TYPE_CHECKING:
    from mapsos.sources.indexes.postgresql_facts import ServerFacts
    from mapsos.sources.indexes.sqlite_facts import Database


@dataclass(frozen=True)
class Narrowing:
    """What is handed to the driver so that it need not deliver everything: only ever wider than the predicate.

    ``condition`` is SQL of the driver's dialect made of typed constants, empty for none; ``rectangle`` is minx miny
    maxx maxy in the CRS of the layer.
    """

    condition: str = ""
    rectangle: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class ReadPlan:
    """What a reader shall deliver.

    Attributes
    ----------
    columns
        Names of columns, spelled as the source does.
    geometry
        Whether geometries are wanted.
    narrowing
        What may be left out, None for nothing.
    batch_rows
        Rows at a time, at most.
    first_rows
        How many rows will be used at all, if that is known.
    """

    columns: tuple[str, ...]
    geometry: bool
    narrowing: Narrowing | None = None
    batch_rows: int = BATCH_ROWS
    first_rows: int | None = None


class Reader(Protocol):
    """One handle on the data of a layer: for one reading at a time, in one thread at a time."""

    @property
    def source(self) -> LayerSource:
        """What it was opened for."""

    @property
    def columns(self) -> Mapping[str, SourceColumn]:
        """The columns by name, in the source's order and spelling."""

    @property
    def has_geometry(self) -> bool:
        """Whether rows can have geometries."""

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver what the plan asks for, in the source's order. Closing the generator ends the reading."""

    def condition_dialect(self, name: str) -> Dialect | None:
        """The dialect in which conditions on a column may be handed down, None if they may not."""

    def is_fresh(self) -> bool:
        """Whether it shows the data as they are now, so that it may answer another question without being reopened.

        Asked when a reader is given back and again before it is used next (`mapsos.sources.pool`): it must be cheap,
        and False whenever that is not certain.
        """

    def open_database(self) -> Database | ServerFacts | None:
        """What the data source knows of its rows without delivering them, None where it cannot be asked."""

    def close(self) -> None:
        """Give back every file and connection."""


def open_reader(source: LayerSource) -> Reader:
    """A reader of the layer's data. Raises `mapsos.sources.errors.SourceError`."""
    if source.kind is SourceKind.INLINE:
        from mapsos.sources.drivers.inline import InlineReader

        return InlineReader(source)
    if source.kind is SourceKind.SHAPEFILE:
        from mapsos.sources.drivers.shapefiles import ShapefileReader

        return ShapefileReader(source)
    if source.kind is SourceKind.POSTGIS:
        from mapsos.sources.drivers.postgis import PostgisReader

        return PostgisReader(source)
    if source.is_postgresql:
        from mapsos.sources.drivers.postgresql import PostgresqlReader

        return PostgresqlReader(source)
    if source.connection.lower().endswith(".fgb"):
        from mapsos.sources.drivers.flatgeobuf import open_flatgeobuf

        return open_flatgeobuf(source)
    from mapsos.sources.drivers.ogr import OgrReader

    return OgrReader(source)
