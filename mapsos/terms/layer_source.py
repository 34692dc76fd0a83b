"""What a mapfile LAYER says about where its rows are: the one thing that sources/ is handed."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from mapsos.terms.crs import Crs
from mapsos.terms.predicates import EVERYTHING, Predicate


class SourceKind(enum.Enum):
    """How the rows are reached."""

    SHAPEFILE = "shapefile"
    OGR = "ogr"
    POSTGIS = "postgis"
    INLINE = "inline"


class ShapeType(enum.Enum):
    """The LAYER's TYPE: as what its geometries are read and written."""

    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"


@dataclass(frozen=True)
class InlineFeature:
    """One FEATURE block of a LAYER: its parts (each a run of x y vertices in the layer's CRS) and its ITEMS texts."""

    parts: tuple[tuple[tuple[float, float], ...], ...]
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerSource:
    """Where the rows of one LAYER are, resolved to absolute paths, and which of them the mapfile admits.

    Attributes
    ----------
    layer
        The LAYER's NAME, for messages only.
    kind
        How the rows are reached.
    connection
        SHAPEFILE: absolute path of the .shp (or of the .dbf's stem). OGR: what GDAL opens, relative file names
        already made absolute. POSTGIS: a libpq connection string; it may hold a password and is never shown.
        INLINE: empty.
    data
        OGR: a layer name, a layer number, a SELECT statement, or empty for the first layer. POSTGIS: the text of
        DATA in MapServer's grammar (``geom FROM table USING UNIQUE id USING SRID=4326``). Empty otherwise.
    shape
        The LAYER's TYPE.
    crs
        CRS of the layer's coordinates, None if the mapfile does not say.
    admitted
        FILTER and FILTERITEM as a predicate over column names.
    native_filter
        PROCESSING "NATIVE_FILTER=...": SQL by the admin, handed to the driver as it is.
    max_features
        The LAYER's MAXFEATURES: at most so many rows in each answer, None for no limit.
    encoding
        The LAYER's ENCODING: character set of its text, None for UTF-8.
    item_names, features
        INLINE only: column names (PROCESSING "ITEMS=a,b") and the features.
    file, line
        Where the LAYER starts in the mapfile, for messages in the log.
    """

    layer: str
    kind: SourceKind
    connection: str = ""
    data: str = ""
    shape: ShapeType = ShapeType.POINT
    crs: Crs | None = None
    admitted: Predicate = EVERYTHING
    native_filter: str | None = None
    max_features: int | None = None
    encoding: str | None = None
    item_names: tuple[str, ...] = ()
    features: tuple[InlineFeature, ...] = ()
    file: str = ""
    line: int = 0

    @property
    def is_postgresql(self) -> bool:
        """Whether the rows are in a PostgreSQL database, by whichever of the two ways."""
        beginnings = ("pg:", "pgb:", "postgresql://")
        return self.kind is SourceKind.POSTGIS or self.connection[:13].lower().startswith(beginnings)
