"""Choose and open the reader of a layer, and the facts that its data source reports.

Drivers are imported when a layer needs them: GDAL alone costs more than many answers.
"""

from __future__ import annotations

from mapsos.sources.facts import TableFacts
from mapsos.sources.reader import Reader
from mapsos.terms.layer_source import LayerSource, SourceKind


def open_reader(source: LayerSource) -> Reader:
    """Open a reader of the layer's data. Raises `mapsos.sources.errors.SourceError`."""
    if source.kind is SourceKind.INLINE:
        from mapsos.sources.drivers.inline import InlineReader

        return InlineReader(source)
    if source.kind is SourceKind.SHAPEFILE:
        from mapsos.sources.drivers.shapefiles import ShapefileReader

        return ShapefileReader(source, open_ogr)
    if source.is_postgresql:
        from mapsos.sources.drivers.postgres.postgis import open_postgresql

        return open_postgresql(source)
    if source.connection.lower().endswith(".fgb"):
        from mapsos.sources.drivers.flatgeobuf import open_flatgeobuf

        return open_flatgeobuf(source)
    return open_ogr(source)


def open_ogr(source: LayerSource) -> Reader:
    """Open a reader of the layer's data by GDAL, whatever the kind of the source."""
    from mapsos.sources.drivers.vrt import open_by_gdal

    return open_by_gdal(source)


def open_facts(reader: Reader) -> TableFacts | None:
    """Return the facts that the data source of a reader reports, None where it cannot be queried.

    They are valid as long as the reader is not used for anything else, and as long as it is open.
    """
    source = reader.source
    if source.kind in (SourceKind.INLINE, SourceKind.SHAPEFILE) or source.max_features is not None or source.encoding:
        return None
    if source.is_postgresql:
        from mapsos.sources.indexes.postgresql_facts import open_server_facts

        return open_server_facts(reader)
    from mapsos.sources.indexes.sqlite_facts import open_table_facts

    return open_table_facts(reader)
