"""A table of a database that can be queried by statements, whichever driver opened it."""

from __future__ import annotations

from typing import Protocol

from mapsos.sources.filtering.sql import Dialect
from mapsos.sources.reader import Reader


class SqlTable(Reader, Protocol):
    """A reader whose layer is a table."""

    @property
    def driver(self) -> str:
        """GDAL's short name of the driver."""

    @property
    def table(self) -> str:
        """Name of the table."""

    @property
    def fid_name(self) -> str:
        """Name of the feature id, empty without one."""

    @property
    def geometry_name(self) -> str:
        """Name of the geometry column, empty without one."""

    @property
    def dialect(self) -> Dialect:
        """The dialect of statements."""

    @property
    def known_extent(self) -> tuple[float, float, float, float] | None:
        """Minx miny maxx maxy as the driver knows it without reading rows; it may be wider or out of date."""

    def ask(self, statement: str) -> list[list[str]]:
        """Return the few rows of a statement as strings."""

    def has_table(self, name: str) -> bool:
        """Return whether the database has a table of that name."""
