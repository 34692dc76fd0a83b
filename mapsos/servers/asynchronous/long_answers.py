"""Long answers: how many may be under way at once, and which of them makes room for others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

from mapsos.terms.deadlines import BusyError

log = logging.getLogger("mapsos")

_PERIOD = 60.0
"""Seconds over which the rate of a client is measured."""

_RETRY = 10
_MOST_KNOWN = 4096


class LongAnswer:
    """A long answer under way; ``end`` breaks it off."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end
        self._taken: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self.begun = time.monotonic()

    def count(self, size: int) -> None:
        """Note bytes that the client's socket has taken."""
        now = time.monotonic()
        if self._taken and now - self._taken[-1][0] < 1:
            self._taken[-1] = (self._taken[-1][0], self._taken[-1][1] + size)
        else:
            self._taken.append((now, size))

    def find_rate(self) -> float:
        """Return the bytes a second that the client took in the last minute."""
        since = time.monotonic() - _PERIOD
        while self._taken and self._taken[0][0] < since:
            self._taken.popleft()
        return sum(size for _, size in self._taken) / _PERIOD


class LongAnswers:
    """Bounds the long answers of a process.

    Parameters
    ----------
    most
        Maximum number of them: each holds an open data source and the piece that it is sending.
    least_rate
        Bytes a second below which an answer makes room for another that waits, over the last minute.
    most_wait
        Seconds that a further one waits, which should hold nothing meanwhile; then `BusyError`.
    """

    def __init__(self, most: int, least_rate: float, most_wait: float) -> None:
        self._most = most
        self._least_rate = least_rate
        self._most_wait = most_wait
        self._under_way: set[LongAnswer] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._look: asyncio.TimerHandle | None = None
        self._known: OrderedDict[int, None] = OrderedDict()

    def expects(self, question: Hashable) -> bool:
        """Return whether the last answer to the same question was a long one."""
        return hash(question) in self._known

    def note(self, question: Hashable, *, is_long: bool) -> None:
        """Note what the answer to a question was."""
        key = hash(question)
        self._known.pop(key, None)
        if is_long:
            self._known[key] = None
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)

    @property
    def is_full(self) -> bool:
        """Whether a further answer has to wait."""
        return len(self._under_way) >= self._most

    @asynccontextmanager
    async def take(self, end: Callable[[], None]) -> AsyncIterator[LongAnswer]:
        """Wait for a place, and hold it. ``end`` is called to break the answer off. Raises `BusyError`."""
        if self.is_full:
            await self._wait()
        answer = LongAnswer(end)
        self._under_way.add(answer)
        try:
            yield answer
        finally:
            self._under_way.discard(answer)
            self._wake()

    def _wake(self) -> None:
        free = self._most - len(self._under_way)
        for waiting in self._waiting:
            if free <= 0:
                break
            if not waiting.done():
                waiting.set_result(None)
                free -= 1

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._most_wait
        self._make_room()
        while self.is_full:
            place = loop.create_future()
            self._waiting.append(place)
            try:
                async with asyncio.timeout_at(end):
                    await place
            except TimeoutError:
                raise BusyError(_RETRY) from None
            finally:
                self._waiting.remove(place)

    def _make_room(self) -> None:
        """Break off the answers whose clients read too slowly, now and each second while others wait."""
        now = time.monotonic()
        for answer in list(self._under_way):
            if now - answer.begun >= _PERIOD and answer.find_rate() < self._least_rate:
                log.warning(
                    "a response is broken off: its client read less than %g bytes a second, and others wait",
                    self._least_rate,
                )
                answer.end()
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(1, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        if self._waiting:
            self._make_room()
