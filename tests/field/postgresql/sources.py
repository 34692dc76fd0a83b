"""The tables of the tests of PostgreSQL in this folder: what to read of them, and how."""

from __future__ import annotations

from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.predicates import EVERYTHING, Predicate

READER = "reader"
WGS84 = Crs("EPSG:4326", "EPSG:4326")


def by_postgis(connection: str, origin: str, more: str = "") -> LayerSource:
    """A layer with CONNECTIONTYPE POSTGIS."""
    return LayerSource("layer", SourceKind.POSTGIS, connection, f"geom FROM {origin} {more}", crs=WGS84)


def by_ogr(connection: str, data: str) -> LayerSource:
    """A layer with CONNECTIONTYPE OGR."""
    return LayerSource("layer", SourceKind.OGR, f"PG:{connection}", data, crs=WGS84)


def read_texts(
    source: LayerSource, column: str, predicate: Predicate = EVERYTHING, push_down: bool = True
) -> list[str | None]:
    """The value texts of a column."""
    with open_layer(source) as layer:
        query = LayerQuery(source, texts=(column,), predicate=predicate)
        return [text for batch in layer.read(query, push_down=push_down) for text in batch.texts[column].to_pylist()]
