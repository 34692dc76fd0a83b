"""Read the next item while the last one is used: driver, conversion and encoder work at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from contextvars import copy_context
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from mapsos.sources.rows import Rows

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Generator[T]:
    """Yield the same items, each read in another thread while the one before is used; never more than one ahead.

    All readings of the process share two threads for each processor. An item that none of them has begun when it is
    needed is read by the thread that needs it, so that readings within readings cannot wait for each other.

    Exceptions of the reading are raised at the item where they occur. Closing waits for the item that is being read, at
    most; ``items`` itself must be closed by the caller. The reading has a copy of the caller's context variables at the
    first item, so that log lines and errors of the reader have the deadline and the id of the request.
    """
    from concurrent.futures import wait

    context = copy_context()
    pool = _open_pool()
    coming = pool.submit(context.run, _take, items)
    try:
        while True:
            item = context.run(_take, items) if coming.cancel() else coming.result()
            if item is None:
                return
            coming = pool.submit(context.run, _take, items)
            yield item
    finally:
        if not coming.cancel():
            wait((coming,))


_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def _open_pool() -> ThreadPoolExecutor:
    """Return the threads of this process, two for each processor."""
    global _pool
    from concurrent.futures import ThreadPoolExecutor

    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(2 * len(os.sched_getaffinity(0)), "read-ahead")
        return _pool


def _forget_pool() -> None:
    """Forget the parent's threads in a child process, which does not have them."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_pool)


def _take(items: Iterator[T]) -> T | None:
    return next(items, None)


def read_rows_ahead(rows_of: Iterator[Rows], full: int) -> Generator[Rows]:
    """Yield the same rows, reading ahead only after a first batch of ``full`` rows, which is read in this thread.

    Then the next batches are read while the caller still imports what it needs to use them.
    """
    first = next(rows_of, None)
    if first is None:
        return
    if first.count >= full:
        yield from read_ahead(chain((first,), rows_of))
    else:
        yield first
        yield from rows_of
