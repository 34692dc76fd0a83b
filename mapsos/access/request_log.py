"""The log of requests on its way to the store: lines are collected and written together, apart from the requests."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time

from mapsos.access.databases.database import Database, StoreError
from mapsos.access.log_store import LogEntry, sweep, write_entries
from mapsos.terms.times import current_time

log = logging.getLogger("mapsos")

PERIOD = 0.1
"""Seconds in which lines are collected for one transaction."""
_MOST_WAITING = 10_000
_WAIT = 1.0
"""Seconds that a transaction waits for locks; then its lines are dropped."""
_WARN_AFTER = 60.0


class RequestLog:
    """Writes lines of the log in a thread, so that no answer waits for it. Safe for threads and after a fork.

    Parameters
    ----------
    database
        That of the store.
    days
        The days after which lines are removed.
    """

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[LogEntry] = []
        self._wake = threading.Event()
        self._process = 0
        self._dropped = 0
        self._warned = -_WARN_AFTER

    def add(self, entry: LogEntry) -> None:
        """Note a line, which is written soon; it is dropped where too many wait."""
        with self._lock:
            if self._process != os.getpid():
                self._start()
            if len(self._waiting) >= _MOST_WAITING:
                self._dropped += 1
            else:
                self._waiting.append(entry)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Write what waits now. Lines that cannot be written are dropped with a warning."""
        with self._writing:
            with self._lock:
                entries, self._waiting = self._waiting, []
                dropped, self._dropped = self._dropped, 0
                if self._process != os.getpid():
                    entries = []
            reason = "too many wait"
            if entries:
                try:
                    write_entries(self._database, entries, wait=_WAIT)
                    sweep(self._database, current_time(), self._days, wait=_WAIT)
                except StoreError as error:
                    dropped, reason = dropped + len(entries), str(error)
            if dropped:
                self._warn(dropped, reason)

    def _warn(self, dropped: int, reason: str) -> None:
        now = time.monotonic()
        if now - self._warned < _WARN_AFTER:
            return
        self._warned = now
        log.warning("the log of keys lacks %d requests: %s", dropped, reason)

    def _start(self) -> None:
        """Start the thread of this process. What a parent process collected is the parent's to write."""
        self._process = os.getpid()
        self._waiting, self._wake, self._writing = [], threading.Event(), threading.Lock()
        threading.Thread(target=self._run, args=(self._wake,), name="log of keys", daemon=True).start()
        atexit.register(self.flush)
        if "multiprocessing.util" in sys.modules:
            # Children of multiprocessing end without atexit.
            sys.modules["multiprocessing.util"].Finalize(None, self.flush, exitpriority=10)

    def _run(self, wake: threading.Event) -> None:
        while True:
            wake.wait()
            time.sleep(PERIOD)
            wake.clear()
            self.flush()
