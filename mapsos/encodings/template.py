"""Markup with holes: constant spans and column slots, filled for a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mapsos.xml_text import column_bytes

if TYPE_CHECKING:
    import pyarrow as pa

Pieces: TypeAlias = "Sequence[str | pa.Array]"
"""What stands one after the other in every row: the same text, or each row's text of a large_string array."""

CHUNK_BYTES = 1 << 19
"""About how long a chunk of output is: the rows being joined and their copy stay within a processor's cache."""


@dataclass(frozen=True)
class Slot:
    """A hole: its name says which column, or which pieces, fill it."""

    name: str


@dataclass(frozen=True)
class Optional:
    """Parts that stand in the rows that have ``name``; the others have ``otherwise``."""

    name: str
    parts: tuple[Part, ...]
    otherwise: str = ""


Part: TypeAlias = "str | Slot | Optional"


class Template:
    """Parts in order. Constant parts are markup already: what needs escaping has been escaped."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def fill(
        self, rows: int, slots: Mapping[str, Pieces | pa.Array], present: Mapping[str, pa.Array | bool]
    ) -> Iterator[bytes]:
        """The markup of all rows, in chunks of about `CHUNK_BYTES` that end with a row.

        ``slots`` gives for each slot its pieces or its column (large_string without nulls), ``present`` for each
        optional part a boolean array, or one answer for all rows.
        """
        return join_chunks(rows, _lay_out(rows, self._parts, slots, present))


def _lay_out(
    rows: int, parts: Sequence[Part], slots: Mapping[str, Pieces | pa.Array], present: Mapping[str, pa.Array | bool]
) -> list[str | pa.Array]:
    laid: list[str | pa.Array] = []
    for part in parts:
        if isinstance(part, str):
            laid.append(part)
        elif isinstance(part, Slot):
            filling = slots[part.name]
            laid.extend(filling if isinstance(filling, list | tuple) else (filling,))
        else:
            laid.extend(_choose(rows, part, slots, present))
    return laid


def _choose(
    rows: int, part: Optional, slots: Mapping[str, Pieces | pa.Array], present: Mapping[str, pa.Array | bool]
) -> Pieces:
    import pyarrow.compute as pc

    has = present[part.name]
    if has is False:
        return (part.otherwise,)
    inner = _lay_out(rows, part.parts, slots, present)
    if has is True:
        return inner
    return (pc.if_else(has, join_rows(rows, inner), part.otherwise),)


def join_rows(rows: int, pieces: Pieces) -> pa.Array:
    """The pieces of each row joined: a large_string array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    spans = [pa.scalar(piece, text) if isinstance(piece, str) else piece for piece in _merge(pieces)]
    if all(isinstance(span, pa.Scalar) for span in spans):
        return pa.repeat(spans[0] if spans else pa.scalar("", text), rows)
    return pc.binary_join_element_wise(*spans, pa.scalar("", text))


def join_chunks(rows: int, pieces: Pieces) -> Iterator[bytes]:
    """The pieces of all rows joined, row after row, in chunks of about `CHUNK_BYTES` that end with a row."""
    merged = _merge(pieces)
    total = sum(len(piece) * rows if isinstance(piece, str) else column_bytes(piece).size for piece in merged)
    step = max(1, CHUNK_BYTES * rows // max(total, 1))
    for start in range(0, rows, step):
        count = min(step, rows - start)
        part = [piece if isinstance(piece, str) else piece.slice(start, count) for piece in merged]
        yield column_bytes(join_rows(count, part)).tobytes()


def _merge(pieces: Pieces) -> list[str | pa.Array]:
    """Neighbouring constants as one."""
    merged: list[str | pa.Array] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif not isinstance(piece, str) or piece:
            merged.append(piece)
    return merged
