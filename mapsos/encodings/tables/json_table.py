"""Observations as JSON: the table of the response in blocks of columns (schemas/observation-table.json)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.columns.geometries import GeometryColumn, single_points
from mapsos.columns.texts import column_bytes
from mapsos.encodings.encoder import Encoder, LayerAnswer
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.json_texts import describe_columns, json_cells, write_json
from mapsos.encodings.tables.table import Table, TableMarkup, describe_table, join_tables, need_values
from mapsos.encodings.tables.table_columns import fill_values
from mapsos.terms.layer_source import ShapeType
from mapsos.web.messages import Chunk


def encode_json(collection: CollectionMarkup, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield one object: a description, the columns, the ``blocks`` and, last, the total number of rows.

    A block is an object with an array for each column, all of the same length: some thousand rows at most, so that
    neither side needs the whole. A response without ``numberOfRows`` at the end is incomplete. Positions of points are
    columns ``x`` and ``y`` (longitude and latitude in a geographic CRS), other geometries WKT in ``geometry``.
    """
    markups = [layer.markup for layer in layers]
    shape = join_tables(markups).shape
    positions = () if shape is None else ("x", "y") if shape is ShapeType.POINT else ("geometry",)
    table = join_tables(markups, positions)
    yield _open_document(collection, table, positions).encode()
    names = [write_json(name) + ":" for name in (*(column.name for column in table.columns), *positions)]
    rows, between = 0, ""
    for number, layer in enumerate(layers):
        for batch in layer.batches:
            if not batch.rows:
                continue
            yield between.encode()
            opening = "{"
            for name, cells in zip(names, _write_cells(table, number, batch, positions), strict=True):
                yield f"{opening}{name}[".encode()
                opening = ","
                yield _join(cells)
                yield b"]"
            yield b"}"
            rows += batch.rows
            between = ",\n"
    yield f'],"numberOfRows":{rows}}}\n'.encode()


def _open_document(collection: CollectionMarkup, table: Table, positions: tuple[str, ...]) -> str:
    said: dict[str, object] = {"type": "ObservationTable", "offering": collection.id}
    if collection.name is not None:
        said["name"] = collection.name
    if collection.description is not None:
        said["description"] = collection.description
    if positions and table.crs is not None:
        said["crs"] = table.crs.label or table.crs.definition
    kind = "number" if len(positions) == 2 else "wkt"
    described = [*describe_columns(table), *({"name": name, "role": "position", "type": kind} for name in positions)]
    said["columns"] = described
    return write_json(said)[:-1] + ',"blocks":['


def _write_cells(table: Table, layer: int, batch: Batch, positions: tuple[str, ...]) -> Iterator[pa.Array]:
    for column, values in zip(table.columns, fill_values(table, layer, batch), strict=True):
        yield json_cells(values, column.kind)
    if positions:
        yield from _write_positions(batch.geometry, batch.rows, len(positions) == 2)


def _write_positions(geometry: GeometryColumn | None, rows: int, points: bool) -> Iterator[pa.Array]:
    if not points:
        import shapely

        shapes = [None] * rows if geometry is None else shapely.to_wkt(geometry.shapes(), rounding_precision=-1)
        yield json_cells(pa.array(shapes, pa.large_string()), ColumnKind.TEXT)
        return

    coordinates = np.full((rows, 2), np.nan) if geometry is None else single_points(geometry)
    for axis in (0, 1):
        yield json_cells(pa.array(np.ascontiguousarray(coordinates[:, axis]), from_pandas=True), ColumnKind.REAL)


def _join(cells: pa.Array) -> Chunk:
    """Return the cells joined by commas."""
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(cells)], pa.int64()), cells)
    return column_bytes(pc.binary_join(whole, pa.scalar(",", pa.large_string()))).data


ENCODER = Encoder(describe_table, need_values, encode_json)
