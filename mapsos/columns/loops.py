"""The loops that touch every text of an answer, in C: `_loops.c`, compiled when mapsos is installed.

The modules that use them can also write each distinct number by Python's ``%`` and join by Arrow, in three to thirty
times the time. An installation made without a compiler works that way, and gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@lru_cache(maxsize=1)
def find_text_loops() -> ModuleType | None:
    """The compiled loops (`_loops.pyi` has their signatures), None where this installation has none."""
    try:
        from mapsos.columns import _loops
    except ImportError:
        return None
    return _loops


def make_texts(rows: int, room: int, write: Callable[[pa.Buffer, pa.Buffer], int]) -> pa.Array | None:
    """A large_string array of ``rows`` texts as one of the loops writes them, None where it cannot.

    ``write`` is given a buffer of ``room`` bytes for the texts, and one for the int64 offsets: 0, and where each ends.
    It gives how many bytes it has written, or -1.
    """
    import pyarrow as pa

    out = pa.allocate_buffer(room, resizable=True)
    ends = pa.allocate_buffer((rows + 1) * 8)
    written = write(out, ends)
    if written < 0:
        return None
    out.resize(written, True)
    return pa.Array.from_buffers(pa.large_string(), rows, [None, ends, out])
