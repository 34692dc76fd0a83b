"""Readers kept open between requests: opening a data source costs as much as a small response.

A reader serves one reading at a time. It is returned only after a reading that came to its end, and otherwise closed.
Before every use the pool checks whether a reader still shows the data as they are (`Reader.is_fresh`), so that the next
request sees a changed, replaced or deleted file, and a broken connection is replaced.

Readers of PostgreSQL need a place each while they are in use (`mapsos.sources.drivers.postgres.connections`). Idle ones
are closed for those that are opened: never are more open than there are places.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from mapsos.sources.drivers.postgres.connections import ConnectionPlaces, places
from mapsos.sources.identity import list_sources
from mapsos.sources.open_reader import open_reader
from mapsos.sources.reader import Reader
from mapsos.terms.layer_source import LayerSource

MOST_IDLE = 16
"""Maximum number of idle readers over all sources; the one that was idle longest is closed first."""

IDLE_SECONDS = 30.0
"""Seconds that a reader stays open without use."""


class ReaderPool:
    """Idle readers by source. Safe for threads and forks: a child process inherits none.

    Parameters
    ----------
    most
        Maximum number of idle readers.
    idle_seconds
        Seconds that a reader stays idle: it is closed at most twice as long after it was returned.
    connections
        The places for connections to PostgreSQL.
    """

    def __init__(
        self, most: int = MOST_IDLE, idle_seconds: float = IDLE_SECONDS, connections: ConnectionPlaces = places
    ) -> None:
        self._most = most
        self._places = connections
        self._taken: dict[Reader, tuple[Hashable, int]] = {}
        self._closing = threading.Lock()
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: OrderedDict[Reader, float] = OrderedDict()
        self._timer: threading.Timer | None = None
        self._inherited: list[Reader] = []

    def acquire(self, source: LayerSource) -> Reader:
        """Return a reader of the source for exclusive use: an idle one that is still fresh, else a new one.

        It is given back by `release` or `discard`. Raises `SourceError`; BusyError where no place for a
        connection is free in time.
        """
        count = count_connections(source)
        if not count:
            return self._take_fresh(source) or open_reader(source)
        taken = self._places.take(count)
        try:
            reader = self._take_fresh(source)
            if reader is None:
                self._make_room()
                reader = open_reader(source)
        except BaseException:
            self._places.give_back(taken)
            raise
        with self._lock:
            self._taken[reader] = taken
        return reader

    def _take_fresh(self, source: LayerSource) -> Reader | None:
        while (reader := self._take(source)) is not None:
            if reader.is_fresh():
                return reader
            reader.close()
        return None

    def _make_room(self) -> None:
        """Close idle connections until the places that are taken, among them that of the caller, are free."""
        with self._closing:
            with self._lock:
                counts = {reader: count_connections(reader.source) for reader in self._idle}
                surplus = sum(counts.values()) + self._places.used - self._places.limits.most
                old = []
                for reader, count in counts.items():
                    if surplus > 0 and count:
                        surplus -= count
                        old.append(reader)
                        del self._idle[reader]
            for reader in old:
                reader.close()

    def release(self, reader: Reader) -> None:
        """Take back a reader after a reading that came to its end: it stays open if it is fresh, else it is closed."""
        with self._giving_back(reader):
            if reader.is_fresh():
                self._keep(reader)
            else:
                reader.close()

    def _keep(self, reader: Reader) -> None:
        """Add a reader to the idle ones, and close those that are too many."""
        with self._closing:
            with self._lock:
                self._idle[reader] = time.monotonic()
                surplus = [self._idle.popitem(last=False)[0] for _ in range(len(self._idle) - self._most)]
                self._watch()
            for old in surplus:
                old.close()

    def discard(self, reader: Reader) -> None:
        """Close a reader after a reading that did not come to its end."""
        with self._giving_back(reader):
            reader.close()

    @contextmanager
    def _giving_back(self, reader: Reader) -> Iterator[None]:
        """Give back the places of a reader once it is among the idle ones, or closed: in between it counts twice."""
        # Not looked up afterwards: another thread may have taken the reader by then, with places that it has taken.
        with self._lock:
            taken = self._taken.pop(reader, None)
        try:
            yield
        finally:
            if taken is not None:
                self._places.give_back(taken)

    def close_idle(self, older_than: float = 0.0, source: LayerSource | None = None) -> None:
        """Close the readers that have been idle for at least ``older_than`` seconds; with ``source`` only its own."""
        latest = time.monotonic() - older_than
        with self._closing:
            with self._lock:
                old = [
                    reader
                    for reader, since in self._idle.items()
                    if since <= latest and (source is None or reader.source == source)
                ]
                for reader in old:
                    del self._idle[reader]
            for reader in old:
                reader.close()

    def count_idle(self) -> int:
        """Return the number of idle readers."""
        with self._lock:
            return len(self._idle)

    def _take(self, source: LayerSource) -> Reader | None:
        with self._lock:
            # The one used last: its pages are the most likely to be in memory, and surplus readers grow old.
            # Another layer of the same data is served by the same handle: opening one takes milliseconds.
            own = (reader for reader in reversed(self._idle) if reader.source == source)
            found = next(own, None) or next((reader for reader in reversed(self._idle) if reader.adopt(source)), None)
            if found is not None:
                del self._idle[found]
            return found

    def _watch(self) -> None:
        """Schedule the check of idle readers; called with the lock held."""
        if self._timer is None and self._idle:
            self._timer = threading.Timer(self._idle_seconds, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        try:
            self.close_idle(self._idle_seconds)
        finally:
            # Also after one that could not be closed, or the others would never be.
            with self._lock:
                self._timer = None
                self._watch()

    def forget_parent(self) -> None:
        """Forget the parent's readers in a child process, which must neither use nor close them."""
        # Referenced, because closing them would use them.
        self._inherited += self._idle
        self._idle = OrderedDict()
        self._inherited += self._taken
        self._taken = {}
        self._lock = threading.Lock()
        self._closing = threading.Lock()
        self._timer = None


def count_connections(source: LayerSource) -> int:
    """Return the number of connections to PostgreSQL of a reader: those of a VRT may be several."""
    if source.is_postgresql:
        return 1
    return sum(name[:13].lower().startswith(("pg:", "pgb:", "postgresql:")) for name in list_sources(source.connection))


_pool = ReaderPool()
os.register_at_fork(before=_pool.close_idle, after_in_child=_pool.forget_parent)
atexit.register(_pool.close_idle)


def acquire_reader(source: LayerSource) -> Reader:
    """Take a reader of the source from the pool of this process. Raises `SourceError`."""
    return _pool.acquire(source)


def release_reader(reader: Reader) -> None:
    """Return a reader to the pool of this process after a reading that came to its end."""
    _pool.release(reader)


def discard_reader(reader: Reader) -> None:
    """Close a reader that came from the pool of this process, after a reading that did not come to its end."""
    _pool.discard(reader)


def close_idle_readers(source: LayerSource | None = None) -> None:
    """Close every reader that no reading uses; with ``source`` only its own."""
    _pool.close_idle(source=source)
