"""The loops that write or copy every string of a response, in C: `_loops.c`, compiled when mapsos is installed.

The modules that use them can also write each distinct number by Python's ``%`` and join by Arrow, in three to thirty
times the time. An installation without a compiler works that way, and produces the same responses.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

try:
    from mapsos.columns import _loops
except ImportError:
    _compiled: ModuleType | None = None
else:
    _compiled = _loops

if TYPE_CHECKING:
    import pyarrow as pa


def find_text_loops() -> ModuleType | None:
    """Return the compiled loops (`_loops.pyi` has their signatures), None if this installation has none."""
    return _compiled


def make_texts(rows: int, room: int, write: Callable[[pa.Buffer, pa.Buffer], int]) -> pa.Array | None:
    """Return a large_string array of ``rows`` strings as one of the loops writes them, None where it cannot.

    Parameters
    ----------
    rows
        Number of strings.
    room
        Bytes of the buffer for all of them.
    write
        Called with that buffer and one for the int64 offsets (0, and the end of each string). Returns the number of
        bytes written, or -1.
    """
    # Not at the top: the version of the loops is shown without Arrow.
    import pyarrow as pa

    out = pa.allocate_buffer(room, resizable=True)
    ends = pa.allocate_buffer((rows + 1) * 8)
    written = write(out, ends)
    if written < 0:
        return None
    out.resize(written, True)
    return pa.Array.from_buffers(pa.large_string(), rows, [None, ends, out])
