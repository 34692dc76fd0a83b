"""The threads that read, convert and encode: as many as the settings allow, the most urgent piece first."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
_Piece: TypeAlias = tuple[Future[Any], Callable[[], Any]]

RELEASE, SOON, FIRST, LATER = range(4)
"""Priorities: closing an answer, further pieces of one that may be short, first pieces, pieces of a long one.

What has begun comes before what has not: it holds a data source.
"""

_IMPATIENT = 0.5
"""Seconds of waiting from which on every second first piece is the newest one."""

_MOST_LENT = 64
"""Threads that may work beside the allowed ones while as many of these wait."""

_SHARE = 0.1
"""Share of the newest piece in the mean time of a piece."""


class WorkThreads:
    """Runs functions in at most ``most`` threads, which are started when they are needed.

    Among functions of one priority, the one that was submitted first comes first. Where first pieces wait for long,
    the oldest and the newest take turns: many costly requests at once do not delay all that come after them.
    """

    def __init__(self, most: int, name: str = "work") -> None:
        self._most = most
        self._name = name
        self._condition = threading.Condition()
        self._waiting: tuple[deque[_Piece], ...] = tuple(deque() for _ in range(4))
        self._threads = 0
        self._lent = 0
        self._waits = threading.local()
        self._idle = 0
        self._seconds = 0.0
        self._takes_newest = False

    def submit(self, priority: int, function: Callable[[], T]) -> Future[T]:
        """Run a function as soon as a thread is free. Its future can be cancelled until then."""
        future: Future[T] = Future()
        with self._condition:
            self._waiting[priority].append((future, function))
            if self._idle:
                self._condition.notify()
            elif self._threads < self._most:
                self._start()
        return future

    def _start(self) -> None:
        """Start a thread; called with the lock held."""
        self._threads += 1
        threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Let another thread work while the one within waits for what others hold, which they may need threads for.

        Afterwards there is one thread more than allowed, until one of them has ended its piece.
        """
        with self._condition:
            lent = self._lent < _MOST_LENT
            self._lent += lent
            self._most += lent
            if any(self._waiting) and not self._idle and self._threads < self._most:
                self._start()
        begun = time.monotonic()
        try:
            yield
        finally:
            self._waits.seconds = getattr(self._waits, "seconds", 0.0) + time.monotonic() - begun
            with self._condition:
                self._lent -= lent
                self._most -= lent
                self._condition.notify_all()

    def estimate_wait(self) -> float:
        """Return the seconds that the first piece of another answer would wait for a thread at the present pace."""
        return len(self._waiting[FIRST]) * self._seconds / self._most

    def _take(self) -> tuple[int, _Piece]:
        priority, waiting = next((place, some) for place, some in enumerate(self._waiting) if some)
        if priority == FIRST and self.estimate_wait() > _IMPATIENT:
            self._takes_newest = not self._takes_newest
            return priority, waiting.pop() if self._takes_newest else waiting.popleft()
        return priority, waiting.popleft()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._idle += 1
                while not any(self._waiting) and self._threads <= self._most:
                    self._condition.wait()
                self._idle -= 1
                if self._threads > self._most:
                    self._threads -= 1
                    return
                priority, (future, function) = self._take()
            if not future.set_running_or_notify_cancel():
                continue
            started = time.monotonic()
            self._waits.seconds = 0.0
            try:
                result = function()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
                del result
            # Neither may outlive the piece: they hold the answer.
            del future, function
            if priority == FIRST:
                with self._condition:
                    # What it waited aside kept no other from its turn.
                    taken = time.monotonic() - started - self._waits.seconds
                    self._seconds += _SHARE * (taken - self._seconds)
