"""Markup with holes: constant spans and column slots, filled for a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from mapsos.column_bytes import column_bytes
from mapsos.http import Chunk

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
    ) -> Iterator[Chunk]:
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


def find_filled(column: pa.Array) -> pa.Array | bool:
    """Which texts are not empty, as one answer if it is the same for all: what tells where an `Optional` stands."""
    import pyarrow.compute as pc

    filled = pc.greater(pc.binary_length(column), 0)
    count = filled.true_count
    return filled if 0 < count < len(column) else bool(count)


def join_rows(rows: int, pieces: Pieces) -> pa.Array:
    """The pieces of each row joined: a large_string array."""
    return _join(rows, _merge(pieces))


def join_chunks(rows: int, pieces: Pieces, separator: str = "") -> Iterator[Chunk]:
    """The pieces of all rows joined, row after row, in chunks of about `CHUNK_BYTES` that end with a row.

    A ``separator`` between all pieces of a row costs less than as a piece.
    """
    import pyarrow as pa

    spans = _merge(pieces, separator)
    total = sum(len(span.as_py()) * rows if isinstance(span, pa.Scalar) else column_bytes(span).size for span in spans)
    total += len(separator) * rows * len(spans)
    step = max(1, CHUNK_BYTES * rows // max(total, 1))
    for start in range(0, rows, step):
        count = min(step, rows - start)
        part = [span if isinstance(span, pa.Scalar) else span.slice(start, count) for span in spans]
        yield column_bytes(_join(count, part, separator)).data


def _join(rows: int, spans: Sequence[pa.Scalar | pa.Array], separator: str = "") -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if all(isinstance(span, pa.Scalar) for span in spans):
        return pa.repeat(spans[0] if spans else pa.scalar("", pa.large_string()), rows)
    return pc.binary_join_element_wise(*spans, pa.scalar(separator, pa.large_string()))


def _merge(pieces: Pieces, separator: str = "") -> list[pa.Scalar | pa.Array]:
    """The pieces with neighbouring constants as one scalar."""
    import pyarrow as pa

    spans: list[pa.Scalar | pa.Array] = []
    for is_constant, some in groupby(pieces, lambda piece: isinstance(piece, str)):
        if not is_constant:
            spans.extend(some)
        elif (constant := separator.join(some)) or separator:
            spans.append(pa.scalar(constant, pa.large_string()))
    return spans
