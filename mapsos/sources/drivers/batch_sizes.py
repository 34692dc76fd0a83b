"""How many rows a driver reads at a time: batches are bounded by bytes, whatever is in the rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mapsos.sources.drivers.arrow_streams import ArrowStream
from mapsos.sources.drivers.opening import guarded
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 16 * 2**20
"""Bytes of the rows that are read at a time, as far as they can be foreseen, and of a batch of several such parts."""

MOST_ROWS = 65_536
"""Rows that are read at a time of a small file: a whole batch of any query."""

UNKNOWN_ROWS = 1024
"""Rows that are read at a time of a large file, of which nothing is known."""

_MARGIN = 4
"""How many times longer than the average the rows of a part may be."""


def rows_within(size: int, rows: int) -> int:
    """Return how many rows to read at a time of a table of ``size`` bytes: a power of two.

    There are at most ``size`` / `BATCH_BYTES` * 8 such parts, so that few of them cost no time.
    """
    fitting = BATCH_BYTES * max(rows, 1) // (_MARGIN * max(size, 1))
    return 1 << max(fitting.bit_length() - 1, 0)


def find_part_rows(path: str, count: Callable[[], int]) -> int:
    """Return how many rows to read at a time of a file, all of whose rows may be long texts.

    ``count`` returns the number of rows of a large one, 0 or less if that is unknown.
    """
    try:
        size = os.path.getsize(path)
    except (OSError, ValueError):
        return UNKNOWN_ROWS
    if size <= BATCH_BYTES:
        return MOST_ROWS
    rows = count()
    return rows_within(size, rows) if rows > 0 else UNKNOWN_ROWS


def read_parts(
    stream: ArrowStream, source: LayerSource, turn: AbstractContextManager[object]
) -> Iterator[pa.StructArray]:
    """Yield the batches of a stream, none of them empty, each read within ``turn``. Raises `SourceError`."""
    while True:
        with guarded(source) as messages, turn:
            part = stream.next_batch()
            if part is None:
                if messages:
                    raise RuntimeError(messages[0])
                return
        if len(part):
            yield part


def gather_parts(parts: Iterator[pa.StructArray], most_rows: int, first_rows: int) -> Iterator[pa.StructArray]:
    """Yield the rows of the parts in batches of ``most_rows`` or `BATCH_BYTES`, whichever comes first.

    The first batch is complete with ``first_rows``, each other one with twice as many as the one before. Parts are of
    at most ``most_rows`` rows, which should be a multiple of theirs.
    """
    held: list[pa.StructArray] = []
    enough, rows, size = first_rows, 0, 0
    for part in parts:
        if rows + len(part) > most_rows:
            yield _join(held)
            held, rows, size = [], 0, 0
        held.append(part)
        rows += len(part)
        size += part.nbytes
        if rows >= enough or size >= BATCH_BYTES:
            yield _join(held)
            held, rows, size = [], 0, 0
            enough = min(2 * enough, most_rows)
    if held:
        yield _join(held)


def _join(held: list[pa.StructArray]) -> pa.StructArray:
    import pyarrow as pa

    return held[0] if len(held) == 1 else pa.concat_arrays(held)
