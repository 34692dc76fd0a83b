"""Observations as an Arrow IPC stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa

from mapsos.encodings.encoder import Encoder, LayerAnswer
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.arrow_table import Sink, build_schema, describe_geometries, make_record_batch
from mapsos.encodings.tables.table import TableMarkup, describe_table, join_tables, need_values
from mapsos.web.messages import Chunk

BREAK = b"\xff\xff\xff\xff\x00\x10\x00\x00" + b"This response broke off: rows are missing."
"""The end of a stream that breaks off: the begin of a message that is longer than what is left.

A stream may end without its marker, so that readers take one that simply stops for complete.
"""


def encode_arrow_stream(collection: CollectionMarkup, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield the schema, a record batch for each batch, and the end-of-stream marker.

    The schema is that of `build_schema`. If there are geometries, its metadata also contain ``geo`` as in GeoParquet.
    Where reading fails, `BREAK` comes before the exception.
    """
    try:
        yield from _write_stream(collection, layers)
    except Exception:
        yield BREAK
        raise


def _write_stream(collection: CollectionMarkup, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield chunks that end with a message."""
    table = join_tables([layer.markup for layer in layers], ("geometry",))
    schema = build_schema(collection, table)
    if table.shape is not None:
        schema = schema.with_metadata({**(schema.metadata or {}), "geo": json.dumps(describe_geometries(table))})
    sink = Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema) as writer:
        for number, layer in enumerate(layers):
            for batch in layer.batches:
                writer.write_batch(make_record_batch(schema, table, number, batch))
                yield from sink.take()
    yield from sink.take()


ENCODER = Encoder(describe_table, need_values, encode_arrow_stream)
