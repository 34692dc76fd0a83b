"""Time limits of requests, checked wherever rows are read or written, so that every request ends; and their waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_PIECES = 1000
"""Pieces of a document between two looks at the clock."""


class DeadlineError(Exception):
    """The time limit of the request, ``seconds``, was exceeded."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request exceeded its time limit of {seconds:g} seconds")
        self.seconds = seconds


class ClientGoneError(DeadlineError):
    """The client has disconnected: its request is not worth more work."""

    def __init__(self) -> None:
        Exception.__init__(self, "the client has disconnected")
        self.seconds = 0.0


class BusyError(Exception):
    """The server has more work than it can do in time; the client may repeat the request after ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the server is busy. Repeat the request after {seconds} seconds")
        self.seconds = seconds


class Deadline:
    """The moment ``seconds`` from now at which a request must have ended; None is never.

    ``is_gone`` returns whether its client has disconnected, which ends it too.
    """

    def __init__(self, seconds: float | None = None, is_gone: Callable[[], bool] | None = None) -> None:
        self.seconds = seconds
        self._is_gone = is_gone
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """Remaining seconds, 0 after the end; None without a limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def is_client_gone(self) -> bool:
        """Whether the client of the request is known to have disconnected."""
        return self._is_gone is not None and self._is_gone()

    @property
    def watches_client(self) -> bool:
        """Whether it is noticed that the client disconnects."""
        return self._is_gone is not None

    def check(self) -> None:
        """Raise DeadlineError after the end. Costs one reading of the clock."""
        if self.is_client_gone:
            raise ClientGoneError
        if self._end is not None and time.monotonic() >= self._end:
            assert self.seconds is not None
            raise DeadlineError(self.seconds)


NEVER = Deadline()
"""No limit."""
_current: ContextVar[Deadline] = ContextVar("current_deadline", default=NEVER)


_client: ContextVar[Callable[[], bool] | None] = ContextVar("is_client_gone", default=None)


def current_deadline() -> Deadline:
    """Return the deadline of the request that this thread works for; threads that read for it copy its context."""
    return _current.get()


def watch_client(is_gone: Callable[[], bool]) -> None:
    """Let deadlines that this context sets from now on end once the client has disconnected."""
    _client.set(is_gone)


@contextmanager
def limit_seconds(seconds: float | None) -> Iterator[Deadline]:
    """Set the deadline of the code within to ``seconds`` from now, None for no limit."""
    deadline = Deadline(seconds, _client.get())
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)


def check_often(pieces: Iterable[T]) -> Iterator[T]:
    """Yield the same pieces, and raise DeadlineError between two of them: for documents made whole, in memory."""
    deadline = current_deadline()
    for number, piece in enumerate(pieces):
        if number % _PIECES == 0:
            deadline.check()
        yield piece


Aside = Callable[[], AbstractContextManager[None]]
"""Makes what surrounds a wait for other requests, during which a thread does nothing: a server may run another one."""

_aside: ContextVar[Aside] = ContextVar("_aside", default=nullcontext)


def let_wait_aside(aside: Aside) -> None:
    """Enter the context manager that ``aside`` returns around each wait of this context from now on."""
    _aside.set(aside)


def wait_aside() -> AbstractContextManager[None]:
    """Return what the server of the current request does while it waits: by default nothing."""
    return _aside.get()()


class ConnectionLimits:
    """Limits of what requests share in a process.

    They stand here, and not where connections are opened, so that a process that opens none does not import that.

    Attributes
    ----------
    most
        Maximum number of connections to PostgreSQL that are in use at once.
    most_wait
        Seconds that a request waits for one.
    """

    def __init__(self, most: int = 32, most_wait: float = 10.0) -> None:
        self.most = most
        self.most_wait = most_wait


connection_limits = ConnectionLimits()
"""The limits of this process."""


def limit_connections(most: int, most_wait: float) -> None:
    """Set the limits of this process."""
    connection_limits.most, connection_limits.most_wait = most, most_wait
