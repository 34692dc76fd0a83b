"""Places for connections to PostgreSQL: how many requests of a process use one at once, and who waits for one.

A request that has no connection waits for its turn. One that has some and needs more comes before all others, and waits
only while another request that has some does not wait: otherwise all might wait for each other. It is busy then, and
may go on with what it has.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mapsos.terms.deadlines import (
    NEVER,
    BusyError,
    ConnectionLimits,
    connection_limits,
    current_deadline,
    wait_aside,
)

_MOST_WAITING = 256
"""Requests that wait at once: more are busy at once."""

_LOOK = 0.2
"""Seconds between two looks at whether the client of a request that waits is still there."""


class ConnectionPlaces:
    """Places for the connections of a process that are in use. Safe for threads.

    Parameters
    ----------
    limits
        The number of places, and the seconds that a request waits for one, at most until its deadline.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._condition = threading.Condition()
        self._used: Counter[Hashable] = Counter()
        # Requests that wait for their first place, in order, and those that wait for a further one.
        self._first: list[object] = []
        self._further: dict[object, Hashable] = {}

    @property
    def used(self) -> int:
        """The number of places that are taken."""
        return self._used.total()

    def take(self, count: int) -> tuple[Hashable, int]:
        """Take places for the current request, wait for them if need be, and return them for `give_back`.

        A source that needs more places than exist gets all of them. Raises BusyError if none is free in time, and
        ClientGoneError when the client has disconnected meanwhile.
        """
        deadline = current_deadline()
        holder: Hashable = object() if deadline is NEVER else deadline
        count = min(count, self.limits.most)
        with self._condition:
            if not self._is_free(count, holder):
                self._wait(count, holder)
            self._used[holder] += count
        return holder, count

    def give_back(self, taken: tuple[Hashable, int]) -> None:
        """Give places back."""
        holder, count = taken
        with self._condition:
            self._used[holder] -= count
            if not self._used[holder]:
                del self._used[holder]
            self._condition.notify_all()

    def forget_parent(self) -> None:
        """Free all places in a child process, which uses none of the parent's connections."""
        self._condition = threading.Condition()
        self._used.clear()
        self._first.clear()
        self._further.clear()

    def _is_free(self, count: int, holder: Hashable, ticket: object = None) -> bool:
        """Return whether places are free for a request and no other waits before it; called with the lock held."""
        if self._used.total() + count > self.limits.most:
            return False
        if holder in self._used:
            return True
        return not self._further and (not self._first or self._first[0] is ticket)

    def _wait(self, count: int, holder: Hashable) -> None:
        """Wait until places are free; called with the lock held."""
        if len(self._first) + len(self._further) >= _MOST_WAITING:
            raise self._be_busy()
        deadline = current_deadline()
        most_wait = self.limits.most_wait
        left = most_wait if deadline.left is None else min(most_wait, deadline.left)
        end = time.monotonic() + left
        ticket = object()
        is_further = holder in self._used
        if is_further:
            if not _is_patient.get() or self._is_stuck(holder):
                raise self._be_busy()
            self._further[ticket] = holder
        else:
            self._first.append(ticket)
        try:
            with wait_aside():
                while not self._is_free(count, holder, ticket):
                    left = end - time.monotonic()
                    # The last that did not wait may have ended, with fewer places than this one needs.
                    if left <= 0 or (is_further and self._is_stuck(holder)):
                        raise self._be_busy()
                    self._condition.wait(min(left, _LOOK))
                    if deadline.is_client_gone:
                        deadline.check()
        finally:
            if is_further:
                del self._further[ticket]
            else:
                self._first.remove(ticket)
            # The next one may go on as well, or must not wait any more for this one.
            self._condition.notify_all()

    def _is_stuck(self, holder: Hashable) -> bool:
        """Return whether, with this one, all that have places wait for further ones; called with the lock held."""
        return {holder, *self._further.values()} >= self._used.keys()

    def _be_busy(self) -> BusyError:
        return BusyError(max(1, round(self.limits.most_wait)))


_is_patient: ContextVar[bool] = ContextVar("_is_patient", default=True)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Open what the code within opens without waiting for further connections: BusyError is raised at once."""
    token = _is_patient.set(False)
    try:
        yield
    finally:
        _is_patient.reset(token)


places = ConnectionPlaces(connection_limits)
"""The places of this process."""

os.register_at_fork(after_in_child=places.forget_parent)
