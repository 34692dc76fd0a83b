"""Read the next item while the last one is used: driver, conversion and encoder work at the same time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextvars import copy_context
from itertools import chain
from typing import TypeVar

from mapsos.sources.rows import Rows

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Generator[T]:
    """Yield the same items, each read in another thread while the one before is used; never more than one ahead.

    Exceptions of the reading are raised at the item where they occur. Closing waits for the item that is being read, at
    most; ``items`` itself must be closed by the caller. The thread has a copy of the caller's context variables at the
    first item, so that log lines and errors of the reader have the deadline and the id of the request.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, "read-ahead") as thread:
        context = copy_context()
        coming = thread.submit(context.run, _take, items)
        while (item := coming.result()) is not None:
            coming = thread.submit(context.run, _take, items)
            yield item


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
