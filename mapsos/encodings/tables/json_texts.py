"""Write columns as JSON values, a whole Arrow column at a time (RFC 8259)."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import ColumnKind
from mapsos.columns.texts import column_bytes
from mapsos.columns.value_texts import binary_texts, instant_texts, shortest_texts
from mapsos.encodings.tables.table import Table

_CONTROLS = [chr(code) for code in range(0x20)]


def write_json(value: object) -> str:
    """Return a small value as compact JSON, characters unescaped where possible."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def describe_columns(table: Table) -> list[dict[str, str]]:
    """Return the columns of a table: name, role, type and, where known, unit and definition."""
    described = []
    for column in table.columns:
        entry = {"name": column.name, "role": column.role.value, "type": _TYPES[column.kind]}
        if column.unit is not None:
            entry["unit"] = column.unit
        if column.definition is not None:
            entry["definition"] = column.definition
        described.append(entry)
    return described


_TYPES = {
    ColumnKind.TEXT: "string",
    ColumnKind.INTEGER: "integer",
    ColumnKind.REAL: "number",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.DATE: "date",
    ColumnKind.TIME: "time",
    ColumnKind.DATETIME: "date-time",
    ColumnKind.LIST: "string",
    ColumnKind.BINARY: "hexadecimal",
}


def json_cells(values: pa.Array, kind: ColumnKind) -> pa.Array:
    """Return each value of a typed column as JSON: large_string without nulls.

    Numbers have the shortest digits that return the same number; NaN and infinities, which JSON lacks, are null.
    Instants are ISO 8601 in UTC; binary values are upper case hexadecimal digits.
    """
    if kind is ColumnKind.INTEGER:
        cells = values.cast(pa.large_string())
    elif kind is ColumnKind.REAL:
        cells = shortest_texts(values)
        if not pc.all(pc.is_finite(values), min_count=0).as_py():
            finite = pc.fill_null(pc.is_finite(values), False)
            cells = pc.if_else(finite, cells, pa.scalar(None, pa.large_string()))
    elif kind is ColumnKind.BOOLEAN:
        cells = values.cast(pa.large_string())
    else:
        cells = _quote(_as_text(values, kind))
    return pc.fill_null(cells, "null")


def _as_text(values: pa.Array, kind: ColumnKind) -> pa.Array:
    if kind is ColumnKind.DATETIME:
        return instant_texts(values)
    if kind is ColumnKind.BINARY:
        return binary_texts(values)
    if kind is ColumnKind.TIME:
        return pc.replace_substring_regex(values.cast(pa.large_string()), r"\.0+$", "")
    return values.cast(pa.large_string())


def _quote(texts: pa.Array) -> pa.Array:
    """Return texts as JSON strings; nulls stay."""
    data = column_bytes(texts)
    content = data.tobytes()
    for character in ("\\", '"'):
        if character.encode() in content:
            texts = pc.replace_substring(texts, character, f"\\{character}")
    if len(data) and data.min() < 0x20:
        for control in _CONTROLS:
            if control.encode() in content:
                texts = pc.replace_substring(texts, control, json.dumps(control)[1:-1])
    quote = pa.scalar('"', pa.large_string())
    return pc.binary_join_element_wise(quote, texts, quote, pa.scalar("", pa.large_string()))
