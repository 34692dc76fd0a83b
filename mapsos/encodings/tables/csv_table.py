"""Observations as CSV (RFC 4180): a header line with names and units, then a line for every row of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import ColumnKind
from mapsos.columns.geometries import GeometryColumn, single_points
from mapsos.columns.texts import column_bytes
from mapsos.columns.value_texts import shortest_texts
from mapsos.encodings.encoder import Encoder, LayerAnswer
from mapsos.encodings.joining import join_chunks, join_rows
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.table import (
    Table,
    TableColumn,
    TableMarkup,
    describe_table,
    join_tables,
    need_texts,
)
from mapsos.encodings.tables.table_columns import fill_texts
from mapsos.terms.crs import is_geographic
from mapsos.terms.layer_source import ShapeType
from mapsos.web.messages import Chunk

_BARE = frozenset({ColumnKind.INTEGER, ColumnKind.REAL, ColumnKind.BOOLEAN, ColumnKind.DATE, ColumnKind.TIME})
"""Kinds whose texts never need quotes."""
_SPECIAL = '[",\r\n]'
_LINE_END = "\r\n"

BREAK = b'"' + b"This response broke off: rows are missing.\n" * 4096
"""The end of a table that breaks off: a text in quotes that never ends, longer than a field can be.

Of a table that simply stops, no reader can tell that rows are missing. In this one pandas, Arrow and R find the end of
the file within quotes, or a line of too few cells, and Python's csv a field of more than 131 072 characters.
"""


def encode_csv(collection: CollectionMarkup, layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield the table of a response (`write_csv`); the collection is ignored."""
    del collection
    return write_csv(layers)


def write_csv(layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield the table, in UTF-8 without byte order mark.

    A header is the name of the column followed by its unit in brackets: ``level [m]``, ``air [degF]``. Times are ISO
    8601 in UTC; other values are the texts of the source, the same as in om:Measurement. A null is empty, an empty text
    ``""``. Points are two columns, ``longitude`` and ``latitude`` or (in a projected CRS) ``x`` and ``y``, with the
    shortest digits that return the same number; other geometries are WKT in a column ``geometry``. In a point layer,
    rows with several points have neither. Where reading fails, `BREAK` comes before the exception.
    """
    try:
        yield from _write_table(layers)
    except Exception:
        yield BREAK
        raise


def _write_table(layers: Sequence[LayerAnswer[TableMarkup]]) -> Iterator[Chunk]:
    """Yield chunks that end with a line."""
    markups = [layer.markup for layer in layers]
    positions = _name_positions(join_tables(markups))
    table = join_tables(markups, positions)
    yield (",".join([*map(_write_header, table.columns), *positions]) + _LINE_END).encode()
    for number, layer in enumerate(layers):
        for batch in layer.batches:
            cells: list[str | pa.Array] = []
            for column, texts in zip(table.columns, fill_texts(table, number, batch), strict=True):
                cells.append(_write_cells(texts, column.kind in _BARE))
            if positions:
                cells.extend(_write_positions(batch.geometry, len(positions) == 2))
            cells[-1:] = [join_rows(batch.rows, (*cells[-1:], _LINE_END))]
            yield from join_chunks(batch.rows, cells, ",")


def _name_positions(table: Table) -> tuple[str, ...]:
    if table.shape is None:
        return ()
    if table.shape is not ShapeType.POINT:
        return ("geometry",)
    return ("longitude", "latitude") if table.crs and is_geographic(table.crs.definition) else ("x", "y")


def _write_header(column: TableColumn) -> str:
    unit = column.unit or ""
    # Units of UCUM such as [degF] have brackets themselves.
    if unit and not (unit.startswith("[") and unit.find("]") == len(unit) - 1):
        unit = f"[{unit}]"
    return _quote(f"{column.name} {unit}".rstrip())


def _quote(text: str) -> str:
    special = not text or any(character in text for character in '",\r\n')
    return '"' + text.replace('"', '""') + '"' if special else text


def _write_cells(texts: pa.Array | str | None, bare: bool) -> str | pa.Array:
    """Return the cells of a column, quoted where necessary."""
    if texts is None:
        return ""
    if isinstance(texts, str):
        return _quote(texts)
    if not bare and _may_need_quotes(texts):
        special = pc.or_(pc.match_substring_regex(texts, _SPECIAL), pc.equal(pc.binary_length(texts), 0))
        if pc.any(special).as_py():
            inside = pc.replace_substring(texts, '"', '""')
            quotes = pa.scalar('"', pa.large_string())
            quoted = pc.binary_join_element_wise(quotes, inside, quotes, pa.scalar("", pa.large_string()))
            texts = pc.if_else(special, quoted, texts)
    return pc.fill_null(texts, "")


def _may_need_quotes(texts: pa.Array) -> bool:
    """Return whether any text is empty or has a special character. Scanning bytes is cheaper than scanning texts."""
    data = column_bytes(texts).tobytes()
    return pc.min(pc.binary_length(texts)).as_py() == 0 or any(mark in data for mark in (b",", b'"', b"\r", b"\n"))


def _write_positions(geometry: GeometryColumn | None, points: bool) -> list[str | pa.Array]:
    """Return the cells of coordinates, or of WKT."""
    if geometry is None:
        return ["", ""] if points else [""]
    if not points:
        import shapely

        texts = pa.array(shapely.to_wkt(geometry.shapes(), rounding_precision=-1), pa.large_string())
        return [_write_cells(texts, bare=False)]
    coordinates = single_points(geometry)
    axes = (pa.array(np.ascontiguousarray(coordinates[:, axis]), from_pandas=True) for axis in (0, 1))
    return [pc.fill_null(shortest_texts(axis), "") for axis in axes]


ENCODER = Encoder(describe_table, need_texts, encode_csv)
