"""The threads that read, convert and encode: as many as the settings allow, the most urgent piece first."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

RELEASE, FIRST, SOON, LATER = range(4)
"""Priorities: closing an answer, the first piece of one, further pieces of a short one, those of a long one."""

_SHARE = 0.1
"""Share of the newest piece in the mean time of a piece."""


class WorkThreads:
    """Runs functions in at most ``most`` threads, which are started when they are needed.

    Among functions of one priority, the one that was submitted first comes first.
    """

    def __init__(self, most: int, name: str = "work") -> None:
        self._most = most
        self._name = name
        self._condition = threading.Condition()
        self._waiting: list[tuple[int, int, Future[Any], Callable[[], Any]]] = []
        self._order = itertools.count()
        self._threads = 0
        self._idle = 0
        self._seconds = 0.0

    def submit(self, priority: int, function: Callable[[], T]) -> Future[T]:
        """Run a function as soon as a thread is free. Its future can be cancelled until then."""
        future: Future[T] = Future()
        with self._condition:
            heapq.heappush(self._waiting, (priority, next(self._order), future, function))
            if self._idle:
                self._condition.notify()
            elif self._threads < self._most:
                self._threads += 1
                number = self._threads
                threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()
        return future

    def estimate_wait(self) -> float:
        """Return the seconds that the first piece of another answer would wait for a thread at the present pace."""
        with self._condition:
            before = sum(1 for priority, _, future, _ in self._waiting if priority <= FIRST and not future.cancelled())
            return before * self._seconds / self._most

    def _work(self) -> None:
        while True:
            with self._condition:
                self._idle += 1
                while not self._waiting:
                    self._condition.wait()
                self._idle -= 1
                priority, _, future, function = heapq.heappop(self._waiting)
            if not future.set_running_or_notify_cancel():
                continue
            started = time.monotonic()
            try:
                result = function()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            # Neither may outlive the piece: they hold the answer.
            del future, function
            if priority == FIRST:
                with self._condition:
                    self._seconds += _SHARE * (time.monotonic() - started - self._seconds)
