"""The encoders of tables in Arrow's own columns, imported together: they share most of their modules."""

from __future__ import annotations

from mapsos.encodings.tables import arrow_stream, parquet

ARROW_STREAM = arrow_stream.ENCODER
PARQUET = parquet.ENCODER
