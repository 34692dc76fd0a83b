"""The rows of each layer as columns of the table: typed Arrow arrays, or texts."""

from __future__ import annotations

import pyarrow as pa

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.columns.parse_numbers import parse_numbers
from mapsos.columns.value_texts import instant_texts, typed_texts
from mapsos.encodings.tables.table import LayerColumn, Table, TableColumn


def arrow_type(kind: ColumnKind) -> pa.DataType:
    """Return the Arrow type of a column of the table."""
    types = {
        ColumnKind.INTEGER: pa.int64(),
        ColumnKind.REAL: pa.float64(),
        ColumnKind.BOOLEAN: pa.bool_(),
        ColumnKind.DATE: pa.date32(),
        ColumnKind.TIME: pa.time64("us"),
        ColumnKind.DATETIME: pa.timestamp("us", "UTC"),
        ColumnKind.BINARY: pa.large_binary(),
    }
    return types.get(kind, pa.large_string())


def fill_values(table: Table, layer: int, batch: Batch) -> list[pa.Array]:
    """Return the typed columns of the rows of one layer (by its index), in the order of the table."""
    return [
        _fill_column(column, filling, batch)
        for column, filling in zip(table.columns, table.fillings[layer], strict=True)
    ]


def _fill_column(column: TableColumn, filling: LayerColumn | None, batch: Batch) -> pa.Array:
    wanted = arrow_type(column.kind)
    if filling is None or (filling.source is None and filling.constant is None):
        return pa.nulls(batch.rows, wanted)
    if filling.source is None:
        return pa.repeat(pa.scalar(filling.constant, wanted), batch.rows)
    if filling.is_time:
        return batch.times[filling.source]
    values = batch.values[filling.source]
    if filling.numeric_text:
        values = parse_numbers(values)
    if values.type == wanted:
        return values
    if column.kind in (ColumnKind.TEXT, ColumnKind.LIST):
        return typed_texts(values)
    return values.cast(wanted)


def fill_texts(table: Table, layer: int, batch: Batch) -> list[pa.Array | str | None]:
    """Return the columns as texts, in the order of the table: an array with nulls, one text for all rows, or None.

    Times are ISO 8601 in UTC; other values are the texts of the source.
    """
    filled: list[pa.Array | str | None] = []
    for filling in table.fillings[layer]:
        if filling is None or filling.source is None:
            filled.append(None if filling is None else filling.constant)
        elif filling.is_time:
            filled.append(instant_texts(batch.times[filling.source]))
        else:
            filled.append(batch.texts[filling.source])
    return filled
