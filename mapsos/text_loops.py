"""The loops that touch every text of an answer, in C: `_text_loops.c`, compiled when mapsos is installed.

What they do, the modules that use them can also do with NumPy and Arrow, in three to ten times the time: that is what
an installation made without a compiler has. Their answers are the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class TextLoops(Protocol):
    """The functions of `_text_loops`, which say themselves what they take. They work without the interpreter's lock."""

    def format_reals(self, values: ReadableBuffer, out: WriteableBuffer, ends: WriteableBuffer, /) -> int:
        """Write doubles as ``%.15g`` has them."""

    def format_fixed(
        self, values: ReadableBuffer, after: ReadableBuffer, out: WriteableBuffer, ends: WriteableBuffer, /
    ) -> int:
        """Write rows of doubles with six decimals."""

    def join_texts(
        self,
        first: int,
        last: int,
        pieces: tuple[ReadableBuffer | tuple[ReadableBuffer, ReadableBuffer], ...],
        out: WriteableBuffer,
        ends: WriteableBuffer | None,
        /,
    ) -> int:
        """Write the pieces of rows one after the other."""


@lru_cache(maxsize=1)
def find_text_loops() -> TextLoops | None:
    """The compiled loops, None where this installation has none."""
    try:
        from mapsos import _text_loops
    except ImportError:
        return None
    return _text_loops
