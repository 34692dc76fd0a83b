"""Where the rows of a mapfile LAYER are: the only part of a mapfile that sources/ knows."""

from __future__ import annotations

import enum
from dataclasses import replace
from functools import cached_property

from mapsos.terms.crs import Crs
from mapsos.terms.predicates import EVERYTHING, Predicate
from mapsos.terms.values import dataclass


class SourceKind(enum.Enum):
    """The way of access to the rows."""

    SHAPEFILE = "shapefile"
    OGR = "ogr"
    POSTGIS = "postgis"
    INLINE = "inline"


class ShapeType(enum.Enum):
    """The LAYER's TYPE: as which its geometries are read and written."""

    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"


@dataclass(frozen=True)
class InlineFeature:
    """One FEATURE block of a LAYER: its parts (each a run of x y vertices in the layer's CRS) and its ITEMS strings."""

    parts: tuple[tuple[tuple[float, float], ...], ...]
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerSource:
    """Where the rows of one LAYER are, with absolute paths, and which of them the mapfile selects.

    Attributes
    ----------
    layer
        The LAYER's NAME, for messages only.
    kind
        The way of access.
    connection
        SHAPEFILE: absolute path of the .shp (or of the .dbf's stem). OGR: what GDAL opens, relative file names
        made absolute. POSTGIS: a libpq connection string, which may contain a password and is never shown.
        INLINE: empty.
    data
        OGR: a layer name, a layer number, a SELECT statement, or empty for the first layer. POSTGIS: DATA in
        MapServer's grammar (``geom FROM table USING UNIQUE id USING SRID=4326``). Empty otherwise.
    shape
        The LAYER's TYPE.
    crs
        CRS of the layer's coordinates, None if the mapfile does not state it.
    row_filter
        FILTER and FILTERITEM as a predicate over column names.
    native_filter
        PROCESSING "NATIVE_FILTER=...": SQL of the admin, passed to the driver as it is.
    max_features
        The LAYER's MAXFEATURES: maximum number of rows in each response, None for no limit.
    encoding
        The LAYER's ENCODING: character set of its strings, None for UTF-8.
    open_options
        OGR: CONNECTIONOPTIONS as ``KEY=VALUE``, the open options of the driver.
    item_names, features
        INLINE only: column names (PROCESSING "ITEMS=a,b") and the features.
    file, line
        Where the LAYER begins in the mapfile, for messages in the log.
    """

    layer: str
    kind: SourceKind
    connection: str = ""
    data: str = ""
    shape: ShapeType = ShapeType.POINT
    crs: Crs | None = None
    row_filter: Predicate = EVERYTHING
    native_filter: str | None = None
    max_features: int | None = None
    encoding: str | None = None
    open_options: tuple[str, ...] = ()
    item_names: tuple[str, ...] = ()
    features: tuple[InlineFeature, ...] = ()
    file: str = ""
    line: int = 0

    def __hash__(self) -> int:
        # Facts are looked up by source several times a request.
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.layer, self.connection, self.data, self.row_filter))

    @cached_property
    def rows(self) -> LayerSource:
        """Return the source without its name and place in the mapfile: equal for layers that have the same rows."""
        # The many features of a mapfile are told apart by the names of their layers, which are quicker to compare.
        return self if self.kind is SourceKind.INLINE else replace(self, layer="", file="", line=0)

    @cached_property
    def unfiltered(self) -> LayerSource:
        """Return `rows` without what selects or places them: equal for layers of the same columns."""
        return replace(self.rows, row_filter=EVERYTHING, max_features=None, crs=None)

    def is_read_alike(self, other: LayerSource) -> bool:
        """Return whether a handle on the data of one can deliver those of the other: they differ by FILTER at most."""
        return (self.connection, self.data) == (other.connection, other.data) and self.unfiltered == other.unfiltered

    @property
    def is_postgresql(self) -> bool:
        """Whether the rows are in a PostgreSQL database, by either way of access."""
        beginnings = ("pg:", "pgb:", "postgresql://")
        return self.kind is SourceKind.POSTGIS or self.connection[:13].lower().startswith(beginnings)
