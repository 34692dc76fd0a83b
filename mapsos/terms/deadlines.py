"""How long a request may take: asked wherever rows are read or written, so that no request goes on for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class DeadlineError(Exception):
    """The time that a request may take is over; ``seconds`` is how much it was."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request has taken its {seconds:g} seconds")
        self.seconds = seconds


class Deadline:
    """A moment that a request must not outlast, ``seconds`` from now; None is never."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """Seconds that are left, 0 after the end; None where there is no end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise DeadlineError after the end. Costs a look at the clock."""
        if self._end is not None and time.monotonic() >= self._end:
            assert self.seconds is not None
            raise DeadlineError(self.seconds)


_NEVER = Deadline()
_current: ContextVar[Deadline] = ContextVar("current_deadline", default=_NEVER)


def current_deadline() -> Deadline:
    """Return the deadline of the request that this thread works for; threads that read for it copy its context."""
    return _current.get()


@contextmanager
def limit_seconds(seconds: float | None) -> Iterator[Deadline]:
    """Have what runs inside find a deadline of so many seconds from now, None for no end."""
    deadline = Deadline(seconds)
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)
