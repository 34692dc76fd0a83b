"""End the statements of clients that have disconnected, from a thread that looks after all that run.

libpq's own request to cancel needs a connection handle, which GDAL does not show. So another connection with the same
rights asks the server to cancel what a session runs. The session is named by its process and the time when it began:
another one, or the same process on another server, is never meant. A session that was told to is not used again, since
the request may arrive late.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from types import TracebackType

from mapsos.sources.drivers.opening import guarded, open_dataset
from mapsos.sources.drivers.postgres.time_limits import TimeLimits
from mapsos.sources.errors import SourceError
from mapsos.terms.deadlines import Deadline, current_deadline
from mapsos.terms.layer_source import LayerSource

log = logging.getLogger("mapsos")

_LOOK = 0.25
"""Seconds between two looks at the clients."""


@dataclass(eq=False)
class Session:
    """A session of the server. Statements run within it: with the time limit of the request, and as long as its client.

    Attributes
    ----------
    source
        What was opened.
    process
        The server's process, and the time when it began in microseconds since 1970; None if unknown.
    limits
        The time limits of its statements.
    is_spoiled
        Whether the server was asked to cancel what it runs.
    """

    source: LayerSource
    process: tuple[int, int] | None
    limits: TimeLimits
    is_spoiled: bool = False
    _deadline: Deadline | None = None

    def __enter__(self) -> None:
        """Begin a statement. What the driver raises is raised."""
        self.limits.renew()
        deadline = current_deadline()
        if self._deadline is None and deadline.watches_client and self.process is not None:
            self._deadline = deadline
            _watch.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deadline is not None:
            _watch.remove(self)
            self._deadline = None

    @property
    def is_abandoned(self) -> bool:
        """Whether it runs for a client that has disconnected."""
        deadline = self._deadline
        return deadline is not None and deadline.is_client_gone

    def cancel(self) -> None:
        """Ask the server to cancel what it runs. Raises `SourceError`."""
        assert self.process is not None
        process, begun = self.process
        dataset = open_dataset(self.source)
        with guarded(self.source):
            # The result is read: the statement runs with it.
            result = dataset.ExecuteSQL(
                f"SELECT pg_cancel_backend(pid) AS told FROM pg_stat_activity WHERE pid = {process:d} "
                f"AND usename = current_user AND {BEGUN} = {begun:d}"
            )
            if result is not None:
                result.GetNextFeature()
                dataset.ReleaseResultSet(result)


BEGUN = "(extract(epoch FROM backend_start) * 1000000)::bigint"
"""SQL for the time at which a session of pg_stat_activity began."""


class _Watch:
    """The sessions that run statements for clients, and the thread that looks after them while there are any."""

    def __init__(self) -> None:
        self.forget_parent()

    def forget_parent(self) -> None:
        """Forget the sessions and the thread of the parent in a child process."""
        self._condition = threading.Condition()
        self._running: set[Session] = set()
        self._thread: threading.Thread | None = None

    def add(self, session: Session) -> None:
        with self._condition:
            self._running.add(session)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="cancelling", daemon=True)
                self._thread.start()
            elif len(self._running) == 1:
                self._condition.notify()

    def remove(self, session: Session) -> None:
        with self._condition:
            self._running.discard(session)

    def _look(self) -> None:
        while True:
            with self._condition:
                while not self._running:
                    self._condition.wait()
                # Most statements end before.
                self._condition.wait(_LOOK)
                abandoned = [session for session in self._running if session.is_abandoned and not session.is_spoiled]
                for session in abandoned:
                    session.is_spoiled = True
            for session in abandoned:
                try:
                    session.cancel()
                except SourceError as error:
                    log.warning("a statement cannot be cancelled: %s", error.detail)


_watch = _Watch()
os.register_at_fork(after_in_child=_watch.forget_parent)
