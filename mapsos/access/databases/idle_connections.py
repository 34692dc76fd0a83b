"""Connections that wait for their next use, in one process."""

from __future__ import annotations

import os
import threading
from typing import Generic, Protocol, TypeVar

_MOST = 8


class Closable(Protocol):
    """Has a method that ends it."""

    def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Closable)


class IdleConnections(Generic[C]):
    """Open connections that nothing uses. Safe for threads and forks: a child process inherits none."""

    def __init__(self) -> None:
        self._idle: list[C] = []
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._inherited: list[C] = []

    def __del__(self) -> None:
        # Those of a parent process stay open, as in `take`.
        if self._process == os.getpid():
            self.close()

    def take(self) -> C | None:
        """Return the one used last, None without one."""
        with self._lock:
            if self._process != os.getpid():
                # The parent uses them: closing them here would release its locks, or end its sessions.
                self._inherited += self._idle
                self._idle, self._process = [], os.getpid()
            return self._idle.pop() if self._idle else None

    def give_back(self, connection: C) -> None:
        """Keep a connection for its next use; close it if there are enough, or if the parent opened it."""
        with self._lock:
            if len(self._idle) < _MOST and self._process == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close all."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
