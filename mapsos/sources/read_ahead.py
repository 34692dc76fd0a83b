"""Reading the next one while the last one is used: driver, conversion and encoder work at the same time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextvars import copy_context
from itertools import chain
from typing import TypeVar

from mapsos.sources.rows import Rows

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, each read in another thread while the one before is used; never more than one ahead.

    What reading raises is raised here, in its place. Closing it waits for the item that is being read, at most;
    ``items`` itself is left to whoever made it. The thread has a copy of the caller's context variables, as they are
    when the first item is taken: the deadline and the id of the request are those of the reader's log lines and errors.
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
    """The same rows as by `read_ahead`, but the first, which is waited for; without a thread if it is not ``full``.

    If it is, the next are read while its user still imports what it takes to use them.
    """
    first = next(rows_of, None)
    if first is None:
        return
    if first.count >= full:
        yield from read_ahead(chain((first,), rows_of))
    else:
        yield first
        yield from rows_of
