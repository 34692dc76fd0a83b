"""Reading the next one while the last one is used: driver, conversion and encoder work at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

from mapsos.sources.rows import Rows

T = TypeVar("T")


def read_ahead(items: Iterator[T], begun: Iterable[T] = (), most: int = 1) -> Generator[T]:
    """The same items, read one after the other in another thread while those before are used; at most so many ahead.

    ``begun`` are items that have been read before: they come first, while the next one is being read.
    What reading raises is raised here, in its place. Closing it waits for the item that is being read, at most;
    ``items`` itself is left to whoever made it.
    """
    from concurrent.futures import ThreadPoolExecutor

    thread = ThreadPoolExecutor(1, "read-ahead")
    try:
        coming = deque(thread.submit(next, items, None) for _ in range(most))
        yield from begun
        while (item := coming.popleft().result()) is not None:
            coming.append(thread.submit(next, items, None))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)


def read_rows_ahead(rows_of: Iterator[Rows], full: int) -> Generator[Rows]:
    """The same rows as by `read_ahead`; without a thread if the first, which is waited for, are fewer than ``full``."""
    first = next(rows_of, None)
    if first is None:
        return
    if first.count >= full:
        yield from read_ahead(rows_of, (first,))
    else:
        yield first
        yield from rows_of
