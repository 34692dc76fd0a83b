"""Time limits of a session: each statement has what is left of its request, and so have the pauses between them."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable

from mapsos.terms.deadlines import Deadline, current_deadline

STATEMENT_SECONDS = 120.0
"""Time limit of a statement where requests have none."""

IDLE_SECONDS = 300.0
"""Time limit of the pause between two fetches of a cursor: how long a client that does not read holds its tables."""

_RENEWED_SECONDS = 0.1
"""Seconds after which the limits are set again for the next statement: by so much a request may exceed its own."""

NAMES = ("statement_timeout", "idle_in_transaction_session_timeout")


class TimeLimits:
    """The limits of one session.

    A limit in the connection string has priority; one of the server, database or role counts where it is less.

    Parameters
    ----------
    stated
        By name, in milliseconds: 0 for no limit, None for what the connection string states, which is left as it is.
    execute
        Runs SQL without a result.
    """

    def __init__(self, stated: dict[str, int | None], execute: Callable[[str], object]) -> None:
        self._stated = {name: limit for name, limit in stated.items() if limit is not None}
        self._execute = execute
        # Not the deadline itself, which holds its request: the session outlives it.
        self._deadline: Callable[[], Deadline | None] = lambda: None
        self._set_at = 0.0

    def renew(self, *, always: bool = False) -> None:
        """Set the limits for the next statement, unless they have just been set for the same request.

        With ``always`` a statement is sent in any case. What the driver raises is raised.
        """
        deadline = current_deadline()
        now = time.monotonic()
        is_new = deadline is not self._deadline()
        if not (is_new or always or (deadline.left is not None and now - self._set_at >= _RENEWED_SECONDS)):
            return
        left = deadline.left
        seconds = {
            "statement_timeout": STATEMENT_SECONDS if left is None else left,
            "idle_in_transaction_session_timeout": IDLE_SECONDS if left is None else min(left, IDLE_SECONDS),
        }
        settings = []
        for name, stated in self._stated.items():
            limit = max(1, int(seconds[name] * 1000))
            settings.append(f"SET {name} = {min(limit, stated or limit):d}")
        self._execute("; ".join(settings) or "SET jit = off")
        self._deadline, self._set_at = weakref.ref(deadline), now
