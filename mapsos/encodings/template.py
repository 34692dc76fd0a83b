"""Markup with holes: constant spans and column slots, filled for a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.encodings.joining import Pieces, join_chunks, join_rows
from mapsos.terms.values import dataclass
from mapsos.web.messages import Chunk


@dataclass(frozen=True)
class Slot:
    """A hole, filled by the column or the pieces of its name."""

    name: str


@dataclass(frozen=True)
class Optional:
    """Parts for rows where ``name`` is present; the others have ``otherwise``."""

    name: str
    parts: tuple[Part, ...]
    otherwise: str = ""


Part: TypeAlias = "str | Slot | Optional"


class Template:
    """Parts in order. Constant parts are markup, already escaped."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def fill(
        self, rows: int, slots: Mapping[str, Pieces | pa.Array], present: Mapping[str, pa.Array | bool]
    ) -> Iterator[Chunk]:
        """Yield the markup of all rows, in chunks of about `CHUNK_BYTES` that end with a row.

        Parameters
        ----------
        slots
            For each slot its pieces, or its column (large_string without nulls).
        present
            For each optional part a boolean array, or one value for all rows.
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
    has = present[part.name]
    if has is False:
        return (part.otherwise,)
    inner = _lay_out(rows, part.parts, slots, present)
    if has is True:
        return inner
    return (pc.if_else(has, join_rows(rows, inner), part.otherwise),)


def find_filled(column: pa.Array) -> pa.Array | bool:
    """Return which texts are not empty, as one value if it is the same for all: where an `Optional` is present."""
    filled = pc.greater(pc.binary_length(column), 0)
    count = filled.true_count
    return filled if 0 < count < len(column) else bool(count)
