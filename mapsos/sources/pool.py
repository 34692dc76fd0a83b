"""Readers kept open between questions: opening a data source costs as much as a small answer.

A reader is in the hands of one reading at a time. Whoever took it gives it back only after a reading that came to its
end; any other is closed by whoever has it. What is kept is asked before every use whether it still shows the data as
they are (`Reader.is_fresh`), so that a changed, replaced or deleted file is seen by the very next question, and a
connection that broke is replaced.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import OrderedDict

from mapsos.sources.open_reader import open_reader
from mapsos.sources.reader import Reader
from mapsos.terms.layer_source import LayerSource

MOST_IDLE = 16
"""How many readers are kept at most, over all sources; the one that was idle longest goes first."""

IDLE_SECONDS = 30.0
"""How long a reader is kept without use."""


class ReaderPool:
    """Idle readers by source. Safe for threads and for forks: a child process inherits none.

    Parameters
    ----------
    most
        How many are kept idle at most.
    idle_seconds
        How long one is kept idle: it is closed at most twice as long after it was given back.
    """

    def __init__(self, most: int = MOST_IDLE, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: OrderedDict[Reader, float] = OrderedDict()
        self._timer: threading.Timer | None = None
        self._inherited: list[Reader] = []

    def acquire(self, source: LayerSource) -> Reader:
        """A reader of the source that is nobody else's: a kept one that is still fresh, else one newly opened.

        Raises `SourceError`.
        """
        while (reader := self._take(source)) is not None:
            if reader.is_fresh():
                return reader
            reader.close()
        return open_reader(source)

    def release(self, reader: Reader) -> None:
        """Give a reader back after a reading that came to its end: kept if it is of use to others, else closed."""
        if not reader.is_fresh():
            reader.close()
            return
        with self._lock:
            self._idle[reader] = time.monotonic()
            surplus = [self._idle.popitem(last=False)[0] for _ in range(len(self._idle) - self._most)]
            self._watch()
        for old in surplus:
            old.close()

    def close_idle(self, older_than: float = 0.0, source: LayerSource | None = None) -> None:
        """Close the readers that have been idle for so many seconds at least; with ``source`` only its own."""
        latest = time.monotonic() - older_than
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
        """How many readers are kept just now."""
        with self._lock:
            return len(self._idle)

    def _take(self, source: LayerSource) -> Reader | None:
        with self._lock:
            # The one used last: its pages are the most likely to be in memory, and those not needed grow old.
            found = next((reader for reader in reversed(self._idle) if reader.source == source), None)
            if found is not None:
                del self._idle[found]
            return found

    def _watch(self) -> None:
        """Have the idle ones looked at later; called with the lock held."""
        if self._timer is None and self._idle:
            self._timer = threading.Timer(self._idle_seconds, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        try:
            self.close_idle(self._idle_seconds)
        finally:
            # Also after one that could not be closed, or the others would stay for ever.
            with self._lock:
                self._timer = None
                self._watch()

    def forget_parent(self) -> None:
        """In a child process: leave alone what the parent opened, which is not the child's to use or to close."""
        # Kept, for closing them would be to use them.
        self._inherited += self._idle
        self._idle = OrderedDict()
        self._lock = threading.Lock()
        self._timer = None


_pool = ReaderPool()
os.register_at_fork(before=_pool.close_idle, after_in_child=_pool.forget_parent)
atexit.register(_pool.close_idle)


def acquire_reader(source: LayerSource) -> Reader:
    """A reader of the source from the pool of this process. Raises `SourceError`."""
    return _pool.acquire(source)


def release_reader(reader: Reader) -> None:
    """Give a reader back to the pool of this process, after a reading that came to its end."""
    _pool.release(reader)


def close_idle_readers(source: LayerSource | None = None) -> None:
    """Close every reader that no reading uses; with ``source`` only its own."""
    _pool.close_idle(source=source)
