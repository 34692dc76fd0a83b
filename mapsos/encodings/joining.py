"""Join pieces of text row by row, for a whole batch at once: the last step of every response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.loops import find_text_loops, make_texts
from mapsos.columns.texts import column_bytes, column_offsets
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    import numpy.typing as npt

Pieces: TypeAlias = "Sequence[str | pa.Array]"
"""The parts of every row in order: a constant text, or a large_string array with a text for each row."""

CHUNK_BYTES = 1 << 19
"""Approximate size of a chunk: the rows being joined and their copy stay in the processor's cache."""


def join_rows(rows: int, pieces: Pieces) -> pa.Array:
    """Return the joined pieces of each row as a large_string array; a row is null if one of its pieces is."""
    spans = _merge(pieces)
    loops = find_text_loops()
    if loops is None or any(not isinstance(span, str) and span.null_count for span in spans):
        return _join_by_arrow(rows, spans)
    joining = _Joining(rows, spans)
    return make_texts(rows, joining.count_bytes(0, rows), partial(loops.join_texts, 0, rows, joining.pieces))


def join_chunks(rows: int, pieces: Pieces, separator: str = "") -> Iterator[Chunk]:
    """Yield the joined pieces of all rows, in chunks of about `CHUNK_BYTES` that end with a row.

    Pieces must not be null. A ``separator`` stands between all pieces of a row.
    """
    spans = _merge(pieces, separator)
    joining = _Joining(rows, spans)
    step = max(1, CHUNK_BYTES * rows // max(joining.count_bytes(0, rows), 1))
    loops = find_text_loops()
    for start in range(0, rows, step):
        end = min(start + step, rows)
        if loops is not None:
            chunk = pa.allocate_buffer(joining.count_bytes(start, end))
            loops.join_texts(start, end, joining.pieces, chunk, None)
            yield memoryview(chunk)
        else:
            part = [span if isinstance(span, str) else span.slice(start, end - start) for span in spans]
            yield column_bytes(_join_by_arrow(end - start, part)).data


def drop_lead(chunks: Iterable[Chunk], size: int) -> Iterator[Chunk]:
    """Yield chunks without the first ``size`` bytes of the first: the separator that precedes the first record."""
    for chunk in chunks:
        yield chunk[size:] if size else chunk
        size = 0


class _Joining:
    """The input of the compiled loop for ``rows`` rows of ``spans``, constants or columns without nulls."""

    def __init__(self, rows: int, spans: Pieces) -> None:
        self._constants = 0
        self._offsets: list[npt.NDArray[np.int64] | npt.NDArray[np.int32]] = []
        pieces: list[object] = []
        for span in spans if rows else ():
            if isinstance(span, str):
                pieces.append(constant := span.encode())
                self._constants += len(constant)
            else:
                offsets, data = column_offsets(span), span.buffers()[2]
                self._offsets.append(offsets)
                pieces.append((offsets.data, b"" if data is None else data))
        self.pieces = tuple(pieces)

    def count_bytes(self, start: int, end: int) -> int:
        """Return the size of these rows in bytes."""
        return (end - start) * self._constants + sum(int(offsets[end] - offsets[start]) for offsets in self._offsets)


def _join_by_arrow(rows: int, spans: Pieces) -> pa.Array:
    texts = [pa.scalar(span, pa.large_string()) if isinstance(span, str) else span for span in spans]
    if all(isinstance(text, pa.Scalar) for text in texts):
        return pa.repeat(texts[0] if texts else pa.scalar("", pa.large_string()), rows)
    return pc.binary_join_element_wise(*texts, pa.scalar("", pa.large_string()))


def _merge(pieces: Pieces, separator: str = "") -> list[str | pa.Array]:
    """Return the pieces with the separator between them, neighbouring constants merged."""
    parted = [part for piece in pieces for part in (separator, piece)][1:] if separator else pieces
    spans: list[str | pa.Array] = []
    for is_constant, some in groupby(parted, lambda part: isinstance(part, str)):
        if not is_constant:
            spans.extend(some)
        elif constant := "".join(some):
            spans.append(constant)
    return spans
