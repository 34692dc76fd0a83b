"""One answer of a WSGI application, made piece by piece by the threads of a pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from mapsos.servers.wsgi_adapter import WsgiBody
from mapsos.terms.deadlines import Aside, let_wait_aside, watch_client

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_SECONDS = 0.02
"""Seconds after which a piece is handed over, however small it is: others wait for the thread."""


class Answering:
    """The answer to one request. Its methods run in any thread, one at a time; `leave` may be called at any time.

    ``aside`` is what surrounds the waits of the answer for others (`mapsos.terms.deadlines.Aside`).

    Attributes
    ----------
    status, headers
        Those of the response, after `begin`.
    ended
        Whether the last piece is the end of the answer.
    time_limit
        The `time.monotonic` at which the client is disconnected, None for no limit.
    """

    def __init__(self, application: WSGIApplication, environ: WSGIEnvironment, aside: Aside = nullcontext) -> None:
        self._application = application
        self._aside = aside
        self._environ = environ
        self._lock = threading.Lock()
        self._gone = False
        self._body: Iterable[bytes] | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._context: Context = copy_context()
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.ended = False
        self.time_limit: float | None = None

    def leave(self) -> None:
        """Note that the client has disconnected: what is under way ends soon."""
        self._gone = True

    def begin(self, size: int) -> list[bytes]:
        """Ask the application, and return the first piece, as `make` does."""
        with self._lock:
            if self._gone:
                self.ended = True
                return []
            self._context.run(self._ask)
            return self._context.run(self._gather, size)

    def make(self, size: int) -> list[bytes]:
        """Return the next chunks, of about ``size`` bytes in all. Raises whatever breaks the answer off."""
        with self._lock:
            return self._context.run(self._gather, size)

    def close(self) -> None:
        """Release what the answer holds."""
        with self._lock:
            self._gone = self.ended = True
            self._context.run(self._close)

    def discard(self) -> None:
        """Release what the answer holds without a line in the log: it is made anew later."""
        with self._lock:
            if isinstance(self._body, WsgiBody):
                self._context.run(self._body.discard)
            self._gone = self.ended = True
            self._context.run(self._close)

    def _ask(self) -> None:
        watch_client(lambda: self._gone)
        let_wait_aside(self._aside)
        self._body = self._application(self._environ, self._start)
        if isinstance(self._body, WsgiBody):
            self.time_limit = self._body.end
        self._chunks = iter(self._body)

    def _start(self, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        self.status, self.headers = int(status.split(" ", 1)[0]), headers
        return lambda data: None

    def _gather(self, size: int) -> list[bytes]:
        found: list[bytes] = []
        left = size
        end = time.monotonic() + _SECONDS
        while left > 0 and not self.ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
                self._close()
                break
            if chunk:
                found.append(chunk)
                left -= len(chunk)
            if time.monotonic() >= end:
                break
        return found

    def _close(self) -> None:
        body, self._body = self._body, None
        close = getattr(body, "close", None)
        if close is not None:
            close()
