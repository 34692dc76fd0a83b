"""Observations as Parquet, with their geometries as GeoParquet 1.1 describes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from mapsos.columns.geometries import GeometryColumn, is_finite
from mapsos.encodings.encoder import Encoder, LayerAnswer
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.arrow_table import Sink, build_schema, describe_geometries, make_record_batch
from mapsos.encodings.tables.table import TableMarkup, describe_table, join_tables, need_values
from mapsos.web.messages import Chunk

GROUP_ROWS = 1 << 17
"""Rows of a row group: the unit that is in memory at once, and that readers can skip by its statistics."""


def encode_parquet(collection: CollectionMarkup, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield the file by row groups, compressed by zstd. Its footer lists the types of geometries and their bounds."""
    # 8 ms that an Arrow stream does not need.
    import pyarrow.parquet as pq

    table = join_tables([layer.markup for layer in layers], ("geometry",))
    schema = build_schema(collection, table)
    found = _Geometries()
    sink = Sink()
    waiting: list[pa.RecordBatch] = []
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for number, layer in enumerate(layers):
            for batch in layer.batches:
                found.add(batch.geometry)
                waiting.append(make_record_batch(schema, table, number, batch))
                if sum(member.num_rows for member in waiting) >= GROUP_ROWS:
                    writer.write_table(pa.Table.from_batches(waiting), GROUP_ROWS)
                    waiting = []
                    yield from sink.take()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting), GROUP_ROWS)
        if table.shape is not None:
            described = describe_geometries(table, found.types, found.bounds)
            writer.add_key_value_metadata({"geo": json.dumps(described)})
    yield from sink.take()


class _Geometries:
    """Statistics of the written geometries: the names of their types and their bounds."""

    def __init__(self) -> None:
        self._types: set[str] = set()
        self._bounds: tuple[float, float, float, float] | None = None

    def add(self, geometry: GeometryColumn | None) -> None:
        """Add the geometries of a batch."""
        if geometry is None:
            return
        if geometry.point_coordinates() is not None:
            self._types |= {"Point"} if geometry.present().any() else set()
        else:
            import shapely

            self._types |= {_NAMES[code] for code in np.unique(shapely.get_type_id(geometry.shapes())) if code >= 0}
        bounds = geometry.bounds()
        bounds = bounds[is_finite(bounds)]
        if not len(bounds):
            return
        low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        if self._bounds is not None:
            low, high = np.minimum(low, self._bounds[:2]), np.maximum(high, self._bounds[2:])
        self._bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    @property
    def types(self) -> list[str]:
        """Return the names of the types, sorted."""
        return sorted(self._types)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Return minx miny maxx maxy, None without any geometry."""
        return self._bounds


_NAMES = {
    0: "Point",
    1: "LineString",
    2: "LineString",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
    7: "GeometryCollection",
}
"""Names by shapely's type id."""

ENCODER = Encoder(describe_table, need_values, encode_parquet)
