"""Metrics for Prometheus, counted by all processes of a server in one piece of shared memory.

Each process counts in a slot of its own, which it holds by a lock that the kernel gives back when the process ends. The
next process takes the slot over with what was counted in it, so that counters only ever grow, whatever process dies.
"""

from __future__ import annotations

import bisect
import fcntl
import logging
import mmap
import os
import threading
import time
from collections.abc import Iterator, Sequence

log = logging.getLogger("mapsos")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the buckets of seconds; one without a bound comes after them."""

STATUSES = (200, 204, 302, 304, 400, 404, 405, 413, 500, 503)
_OTHER = "other"
_STATUS_LABELS = (*map(str, STATUSES), _OTHER)
OUTCOMES = ("complete", "unfinished", "broken")
MOST_PROCESSES = 256
"""How many processes can count at once; what one beyond them does is not counted, and its log says so."""


class Metrics:
    """Counters of one server, shared by its processes. Safe for threads and for processes that are forked off.

    Parameters
    ----------
    operations
        The names by which requests are counted; every other one counts as ``other``.
    version
        What ``mapsos_info`` tells, None to tell none.
    file
        A file descriptor of the shared memory, which all processes of the server have open; it is kept. None makes
        one that this process shares with those that it forks.

    Raises
    ------
    OSError
        The memory cannot be had.
    """

    def __init__(self, operations: Sequence[str], version: str | None = None, file: int | None = None) -> None:
        self._labels = (*operations, _OTHER)
        self._places = {name: place for place, name in enumerate(self._labels)}
        self._statuses = {status: place for place, status in enumerate(STATUSES)}
        self._version = version
        self._in_flight = 0
        self._broken = self._in_flight + 1
        self._requests = self._broken + len(OUTCOMES)
        self._buckets = self._requests + len(self._labels) * len(_STATUS_LABELS)
        self._seconds = self._buckets + len(self._labels) * (len(BOUNDS) + 1)
        self._rows = self._seconds + len(self._labels)
        self._bytes = self._rows + len(self._labels)
        self._width = self._bytes + len(self._labels)
        self._file = os.memfd_create("mapsos-metrics") if file is None else file
        size = 8 * (1 + MOST_PROCESSES * self._width)
        if os.fstat(self._file).st_size < size:
            os.ftruncate(self._file, size)
        # The numbers are doubles: whole ones are exact up to 2^53, and each is stored at once.
        self._cells = memoryview(mmap.mmap(self._file, size)).cast("B").cast("d")
        self._lock = threading.Lock()
        self._owner = 0
        self._slot = -1
        with self._lock:
            if not self._cells[0]:
                self._cells[0] = time.time()

    def begin(self) -> None:
        """Count a request that has come in."""
        with self._lock:
            if (base := self._find_slot()) >= 0:
                self._cells[base + self._in_flight] += 1

    def finish(self, operation: str, status: int, seconds: float, rows: int, sent: int, outcome: str) -> None:
        """Count what became of a request that `begin` counted: ``sent`` is in bytes, ``outcome`` one of `OUTCOMES`."""
        place = self._places.get(operation, len(self._labels) - 1)
        of_status = self._statuses.get(status, len(STATUSES))
        bucket = bisect.bisect_left(BOUNDS, seconds)
        with self._lock:
            if (base := self._find_slot()) < 0:
                return
            cells = self._cells
            cells[base + self._broken + OUTCOMES.index(outcome)] += 1
            cells[base + self._requests + place * len(_STATUS_LABELS) + of_status] += 1
            cells[base + self._buckets + place * (len(BOUNDS) + 1) + bucket] += 1
            cells[base + self._seconds + place] += seconds
            cells[base + self._rows + place] += rows
            cells[base + self._bytes + place] += sent
            # Last: what no longer is in flight is counted, whichever process looks.
            cells[base + self._in_flight] -= 1

    def write(self) -> str:
        """The page of metrics, in Prometheus's text format 0.0.4, of all processes of the server."""
        with self._lock:
            self._find_slot()
            sums = [0.0] * self._width
            processes = 0
            for slot in range(MOST_PROCESSES):
                base = self._base(slot)
                cells = list(map(float, self._cells[base : base + self._width]))
                if slot == self._slot:
                    processes += 1
                elif not any(cells):
                    # A process that has answered nothing yet may hold it: nobody needs to know.
                    continue
                elif self._take(slot):
                    # Nobody holds it: what was under way there has ended with its process.
                    cells[self._in_flight] = 0.0
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, slot)
                else:
                    processes += 1
                sums = list(map(float.__add__, sums, cells))
        return "\n".join(self._write_lines(sums, processes)) + "\n"

    def _write_lines(self, sums: Sequence[float], processes: int) -> Iterator[str]:
        by_operation = list(enumerate(self._labels))
        yield from _head("mapsos_requests_total", "counter", "Requests by operation and HTTP status.")
        for place, operation in by_operation:
            for of_status, status in enumerate(_STATUS_LABELS):
                count = sums[self._requests + place * len(_STATUS_LABELS) + of_status]
                if count:
                    yield f'mapsos_requests_total{{operation="{operation}",status="{status}"}} {count:.0f}'
        yield from _head("mapsos_answers_total", "counter", "Answers by whether the client got all of them.")
        for place, outcome in enumerate(OUTCOMES):
            yield f'mapsos_answers_total{{outcome="{outcome}"}} {sums[self._broken + place]:.0f}'
        yield from _head("mapsos_request_seconds", "histogram", "Seconds from a request to the end of its answer.")
        for place, operation in by_operation:
            first = self._buckets + place * (len(BOUNDS) + 1)
            count = 0.0
            for bound, cell in zip((*BOUNDS, "+Inf"), sums[first : first + len(BOUNDS) + 1], strict=True):
                count += cell
                yield f'mapsos_request_seconds_bucket{{operation="{operation}",le="{bound}"}} {count:.0f}'
            yield f'mapsos_request_seconds_sum{{operation="{operation}"}} {sums[self._seconds + place]!r}'
            yield f'mapsos_request_seconds_count{{operation="{operation}"}} {count:.0f}'
        yield from _head("mapsos_rows_total", "counter", "Observations in answers.")
        for place, operation in by_operation:
            yield f'mapsos_rows_total{{operation="{operation}"}} {sums[self._rows + place]:.0f}'
        yield from _head("mapsos_response_bytes_total", "counter", "Bytes of answers, as sent, without headers.")
        for place, operation in by_operation:
            yield f'mapsos_response_bytes_total{{operation="{operation}"}} {sums[self._bytes + place]:.0f}'
        yield from _head("mapsos_requests_in_flight", "gauge", "Requests that are being answered.")
        yield f"mapsos_requests_in_flight {sums[self._in_flight]:.0f}"
        yield from _head("mapsos_processes", "gauge", "Processes that have answered requests and live.")
        yield f"mapsos_processes {processes}"
        yield from _head("mapsos_start_time_seconds", "gauge", "When counting began, in seconds since 1970 UTC.")
        yield f"mapsos_start_time_seconds {self._cells[0]:.3f}"
        if self._version is not None:
            yield from _head("mapsos_info", "gauge", "The version of the program.")
            yield f'mapsos_info{{version="{self._version}"}} 1'

    def _find_slot(self) -> int:
        """Where the cells of this process begin, -1 if there is no place for it. Called with the lock held."""
        if self._owner != os.getpid():
            self._owner = os.getpid()
            self._slot = next((slot for slot in range(MOST_PROCESSES) if self._take(slot)), -1)
            if self._slot < 0:
                log.error("metrics: %d processes count already: this one does not", MOST_PROCESSES)
            else:
                self._cells[self._base(self._slot) + self._in_flight] = 0.0
        return self._base(self._slot) if self._slot >= 0 else -1

    def _take(self, slot: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        except OSError:
            return False
        return True

    def _base(self, slot: int) -> int:
        return 1 + slot * self._width


def _head(name: str, kind: str, meaning: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"
