"""The table of a response as an Arrow schema and record batches, for the Arrow and the Parquet format."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import pyarrow as pa

from mapsos.columns.batches import Batch
from mapsos.columns.geometries import GeometryColumn
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.table import Table
from mapsos.encodings.tables.table_columns import arrow_type, fill_values
from mapsos.terms.crs import Crs
from mapsos.web.messages import Chunk

GEOMETRY = "geometry"


def build_schema(collection: CollectionMarkup, table: Table) -> pa.Schema:
    """Return the columns of the table and, if a layer has geometries, ``geometry`` as WKB.

    Metadata of a field: ``role``, ``unit`` and ``definition``, as far as known. Metadata of the schema: ``offering``,
    its ``name`` and ``description``. The geometry is marked as in GeoArrow (``geoarrow.wkb`` with its CRS as PROJJSON).
    """
    fields = [
        pa.field(
            column.name,
            arrow_type(column.kind),
            metadata=_encode({"role": column.role.value, "unit": column.unit, "definition": column.definition}),
        )
        for column in table.columns
    ]
    if table.shape is not None:
        crs = {} if table.crs is None else {"crs": describe_crs(table.crs), "crs_type": "projjson"}
        extension = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": json.dumps(crs)}
        fields.append(pa.field(GEOMETRY, pa.binary(), metadata={"role": "position", **extension}))
    said = {"offering": collection.id, "name": collection.name, "description": collection.description}
    return pa.schema(fields, metadata=_encode(said))


def describe_geometries(
    table: Table, types: list[str] | None = None, bounds: tuple[float, ...] | None = None
) -> dict[str, Any]:
    """Return the ``geo`` metadata of GeoParquet 1.1. Without ``types`` the list is empty, which allows any type."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": types or [],
        "crs": None if table.crs is None else describe_crs(table.crs),
    }
    if bounds is not None:
        column["bbox"] = list(bounds)
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def make_record_batch(schema: pa.Schema, table: Table, layer: int, batch: Batch) -> pa.RecordBatch:
    """Return the rows of a batch of one layer (by its index)."""
    columns = fill_values(table, layer, batch)
    if table.shape is not None:
        columns.append(pa.nulls(batch.rows, pa.binary()) if batch.geometry is None else _flat_wkb(batch.geometry))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _flat_wkb(geometry: GeometryColumn) -> pa.Array:
    """Return the geometries in two dimensions, as everywhere in a response."""
    points = geometry.point_coordinates()
    if points is not None:
        return GeometryColumn.from_points(points).wkb.cast(pa.binary())
    import shapely

    return pa.array(shapely.to_wkb(shapely.force_2d(geometry.shapes())), pa.binary())


@lru_cache(maxsize=64)
def describe_crs(crs: Crs) -> dict[str, Any] | None:
    """Return a CRS as PROJJSON, None if PROJ does not know it."""
    import pyproj
    import pyproj.exceptions

    try:
        return dict(pyproj.CRS.from_user_input(crs.definition).to_json_dict())
    except pyproj.exceptions.CRSError:
        return None


class Sink:
    """A writable file whose contents are taken out as they are written: turns a writer of files into a stream."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Append some bytes."""
        chunk = bytes(data)
        self._chunks.append(chunk)
        self._size += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        """Return how many bytes were written so far."""
        return self._size

    def flush(self) -> None:
        """Do nothing, since bytes are not buffered."""

    def close(self) -> None:
        """End writing."""
        self.closed = True

    def writable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False."""
        return False

    def take(self) -> list[Chunk]:
        """Return the bytes written since the last call."""
        chunks, self._chunks = self._chunks, []
        return chunks


def _encode(metadata: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if value is not None}
