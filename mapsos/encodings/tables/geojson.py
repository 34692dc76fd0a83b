"""Observations as GeoJSON (RFC 7946): a feature for every row of the response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.geometries import GeometryColumn
from mapsos.columns.value_texts import shortest_texts
from mapsos.encodings.encoder import Encoder, LayerAnswer, Needs
from mapsos.encodings.joining import drop_lead, join_chunks
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.json_texts import describe_columns, json_cells, write_json
from mapsos.encodings.tables.table import Role, Table, TableMarkup, describe_table, join_tables, need_values
from mapsos.encodings.tables.table_columns import fill_values
from mapsos.terms.crs import Crs
from mapsos.web.messages import Chunk

_LONGITUDE_LATITUDE = Crs("EPSG:4326", "EPSG:4326")
"""Coordinates are in x y order everywhere, so that this is what RFC 7946 requires."""

_DECIMALS = 9
"""Decimals of a degree: a tenth of a millimetre. Further digits are noise of the reprojection."""

_SEPARATOR = ",\n"
"""Between features."""


def need_longitude_latitude(markup: TableMarkup) -> Needs:
    """Return what the batches must contain: typed values, times, and geometries in longitude and latitude."""
    return need_values(markup, _LONGITUDE_LATITUDE)


def encode_geojson(collection: CollectionMarkup, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield a FeatureCollection whose ``name`` is the offering and whose ``columns`` describe the properties.

    Coordinates are longitude and latitude in WGS 84, with at most nine decimals; rings of polygons follow the right
    hand rule. Coordinates of a layer without a known CRS are taken for longitude and latitude. The id of a feature is
    the layer's feature id, if it has one.
    """
    table = join_tables([layer.markup for layer in layers])
    said = {"type": "FeatureCollection", "name": collection.id, "columns": describe_columns(table)}
    yield (write_json(said)[:-1] + ',"features":[\n').encode()
    yield from drop_lead(_write_features(table, layers), len(_SEPARATOR))
    yield b"\n]}\n"


def _write_features(table: Table, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield the features, each after a separator."""
    names = [write_json(column.name) + ":" for column in table.columns]
    ids = next((number for number, column in enumerate(table.columns) if column.role is Role.FEATURE_ID), None)
    for number, layer in enumerate(layers):
        for batch in layer.batches:
            columns = zip(table.columns, fill_values(table, number, batch), strict=True)
            cells = [json_cells(values, column.kind) for column, values in columns]
            pieces: list[str | pa.Array] = [_SEPARATOR + '{"type":"Feature",']
            # A feature without an id has no such member: null is not allowed.
            if ids is not None and table.fillings[number][ids] is not None:
                pieces += _write_ids(cells[ids])
            pieces += ['"geometry":', _write_geometry(batch.geometry), ',"properties":{']
            for position, (name, cell) in enumerate(zip(names, cells, strict=True)):
                pieces += [f",{name}" if position else name, cell]
            pieces.append("}}")
            yield from join_chunks(batch.rows, pieces)


def _write_ids(cells: pa.Array) -> list[str | pa.Array]:
    there = pc.not_equal(cells, "null")
    member = pc.binary_join_element_wise(
        pa.scalar('"id":', pa.large_string()),
        cells,
        pa.scalar(",", pa.large_string()),
        pa.scalar("", pa.large_string()),
    )
    return [pc.if_else(there, member, pa.scalar("", pa.large_string()))]


def _write_geometry(geometry: GeometryColumn | None) -> str | pa.Array:
    """Return each geometry as JSON, ``null`` where it is missing."""
    if geometry is None:
        return "null"
    points = geometry.point_coordinates()
    if points is not None:
        texts = [shortest_texts(pa.array(np.round(points[:, axis], _DECIMALS), from_pandas=True)) for axis in (0, 1)]
        fixed = [pa.scalar(text, pa.large_string()) for text in ('{"type":"Point","coordinates":[', ",", "]}", "")]
        return pc.fill_null(pc.binary_join_element_wise(fixed[0], texts[0], fixed[1], texts[1], *fixed[2:]), "null")
    import shapely

    # exterior_cw=False is the right hand rule.
    shapes = shapely.orient_polygons(shapely.force_2d(geometry.shapes()), exterior_cw=False)
    rounded = shapely.set_coordinates(shapes, np.round(shapely.get_coordinates(shapes), _DECIMALS))
    return pc.fill_null(pa.array(shapely.to_geojson(rounded), pa.large_string()), "null")


ENCODER = Encoder(describe_table, need_longitude_latitude, encode_geojson)
