"""Start and end a process that answers one request; load the libraries that it will need while Python still imports.

The dynamic linker takes 0.1 s for GDAL and the hundred libraries it needs. It works in a thread without the
interpreter's lock, so that on a second processor it costs nothing.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from mapsos.files.extensions import find_extension

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LIBRARIES = (("osgeo", "_gdal"), ("numpy", "_core", "_multiarray_umath"), ("pyarrow", "lib"), ("pyarrow", "_compute"))
"""The extension modules that bring the libraries with them, in the order in which an answer imports them."""

_STANDARD_EXTENSIONS = ("contextvars", "hashlib", "json", "typing", "uuid")
"""Modules of the standard library with their own shared library that an answer imports at the same time.

While the linker loads one library for a thread, any other thread that needs one waits: for all of GDAL.
"""

_SWITCH_AFTER = 0.0005
"""Seconds after which a thread hands the interpreter on: those that read, write texts and send wait for each other."""

_COLLECT_AFTER = 100_000
"""Objects between two collections of garbage: importing makes as many and leaves next to no garbage."""


def start_early(query: str | None) -> None:
    """Prepare for a single request with this query string, None if unknown.

    Only what reads data is worth a thread: GetObservation, known by its name in the query. Otherwise only
    the cost of garbage collection, of switching threads and of unused linear algebra changes.
    """
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
    sys.setswitchinterval(_SWITCH_AFTER)
    # OpenBLAS, which comes with numpy, starts a thread for each processor that spins for a while.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if query is not None and "getobservation" in query.casefold():
        from importlib import import_module
        from threading import Thread

        for name in _STANDARD_EXTENSIONS:
            import_module(name)
        Thread(target=load_libraries, name="preloading", daemon=True).start()


def load_libraries() -> None:
    """Load the shared libraries of GDAL, numpy and pyarrow, as the imports will; ignore errors, which those report."""
    import ctypes

    # Called as a foreign function, dlopen lets other threads run meanwhile; ctypes.CDLL does not.
    linker = ctypes.CDLL(None)
    for path in filter(None, (find_extension(*parts) for parts in _LIBRARIES)):
        linker.dlopen(os.fsencode(path), os.RTLD_NOW)


class _Resumed(io.RawIOBase):
    def __init__(self, taken: bytes, rest: BinaryIO) -> None:
        self._taken = io.BytesIO(taken)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._taken.read(len(view)) or self._rest.read(len(view))
        view[: len(piece)] = piece
        return len(piece)


def resume_input(taken: bytes, rest: BinaryIO) -> BinaryIO:
    """Return a stream of the bytes that a worker, since lost, had read from another one, followed by its rest."""
    return io.BufferedReader(_Resumed(taken, rest)) if taken else rest


def leave(code: int) -> NoReturn:
    """Flush buffers and end the process: tearing down the interpreter takes 50 ms.

    Where that cannot be written the code is 120, as the interpreter's own.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = 120
    os._exit(code)
