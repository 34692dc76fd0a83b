"""One request of the asynchronous server: its answer is made by threads, and sent when the socket is ready."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from mapsos.servers.asynchronous.answering import Answering
from mapsos.servers.asynchronous.long_answers import LongAnswer, LongAnswers
from mapsos.servers.asynchronous.work import FIRST, LATER, RELEASE, SOON, WorkThreads
from mapsos.servers.status import STATUS_PATHS
from mapsos.terms.deadlines import BusyError, ClientGoneError
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

COMPLETE_BYTES = 1 << 20
"""An answer of at most so many bytes is complete before it is sent: it holds no data source meanwhile."""
_PIECE_BYTES = 1 << 18
_SENT_BYTES = 1 << 16
_SMALL_SECONDS = 120.0
"""Time limit for sending a complete answer."""

log = logging.getLogger("mapsos")


class UnfinishedError(Exception):
    """The server must close the connection: the answer ends there, before its document does or with it.

    Whatever is to be logged has been logged.
    """


class _MustWaitError(Exception):
    """All places for long answers are taken."""


@dataclass(frozen=True)
class ServerState:
    """The application, threads and places that all requests of a process share.

    Attributes
    ----------
    application
        Answers requests, in the threads.
    work, quick
        The threads that make answers, and the one for reports and status pages, which wait for no data.
    longs
        The long answers under way.
    most_wait
        Seconds that a request may have to wait for a thread.
    """

    application: WSGIApplication
    work: WorkThreads
    quick: WorkThreads
    longs: LongAnswers
    most_wait: float

    def check_load(self) -> None:
        """Raise `BusyError` where a request would wait too long for a thread."""
        wait = self.work.estimate_wait()
        if wait > self.most_wait:
            raise BusyError(max(1, round(wait)))


class Exchange:
    """One request and its answer, in the event loop.

    Parameters
    ----------
    state
        Shared by all requests of the process.
    scope, send
        Those of ASGI. The scope may offer ``mapsos.abort`` and ``mapsos.end_by_closing`` as extensions.
    environ
        The request for the application.
    keep
        Whether the connection may be used again: not after a body that was not received.
    """

    def __init__(self, state: ServerState, scope: Scope, send: Send, environ: dict[str, Any], *, keep: bool) -> None:
        self._state = state
        self._send = send
        self._environ = environ
        self._keep = keep
        extensions = scope.get("extensions", {})
        self._abort: Callable[[], None] = extensions.get("mapsos.abort", lambda: None)
        self._end_by_closing: Callable[[], None] | None = None
        if scope.get("http_version") == "1.0":
            self._end_by_closing = extensions.get("mapsos.end_by_closing")
        # Status pages wait for no data.
        self._threads = state.quick if environ["PATH_INFO"] in STATUS_PATHS else state.work
        self._answering = Answering(state.application, environ, self._threads.lend)
        self._is_broken_off = False
        self._is_begun = False

    def leave(self) -> None:
        """Note that the client has disconnected."""
        self._answering.leave()

    async def run(self) -> None:
        """Make the answer and send it."""
        try:
            try:
                if self._threads is self._state.work:
                    self._state.check_load()
                await self._make_and_send()
            except ClientGoneError:
                return
            except Exception as error:
                if self._is_begun:
                    raise
                # Nothing has been sent: the failure can still be reported.
                await self._report(error)
        finally:
            # Not awaited: neither this task nor the loop waits for a thread that reads.
            if not self._answering.ended:
                self._answering.leave()
                self._threads.submit(RELEASE, self._answering.close)

    async def _make_and_send(self) -> None:
        longs = self._state.longs
        # What a body asks is not known here.
        asks_by_query = self._environ["REQUEST_METHOD"] in ("GET", "HEAD")
        question = (self._environ["PATH_INFO"], self._environ["QUERY_STRING"]) if asks_by_query else None

        def must_wait() -> bool:
            # An answer that waits holds neither a data source nor a piece.
            return longs.is_full and question is not None and longs.expects(question)

        pieces: list[bytes] = []
        waits = must_wait()
        if not waits:
            try:
                pieces = await self._make_first(FIRST, must_wait)
            except _MustWaitError:
                waits = True
        if not waits:
            if question is not None:
                longs.note(question, is_long=not self._answering.ended)
            if self._answering.ended:
                await self._send_complete(b"".join(pieces))
                return
            waits = longs.is_full
            if waits:
                pieces = []
                self._answering.leave()
                self._threads.submit(RELEASE, self._answering.discard)
        async with longs.take(self._end) as long:
            if waits:
                self._answering = Answering(self._state.application, self._environ, self._threads.lend)
                self._environ["wsgi.input"].seek(0)
                pieces = await self._make_first(SOON)
                if self._answering.ended:
                    await self._send_complete(b"".join(pieces))
                    return
            await self._send_long(pieces, long)

    async def _make_first(self, priority: int, must_wait: Callable[[], bool] = lambda: False) -> list[bytes]:
        """Make an answer of at most `COMPLETE_BYTES`, or the beginning of a longer one.

        Raises _MustWaitError where ``must_wait`` returns so when a thread is free.
        """
        answering = self._answering

        def begin(size: int) -> list[bytes]:
            if must_wait():
                raise _MustWaitError
            return answering.begin(size)

        pieces = await self._run(priority, begin)
        size = sum(map(len, pieces))
        while not answering.ended and size <= COMPLETE_BYTES:
            more = await self._run(SOON, answering.make)
            pieces += more
            size += sum(map(len, more))
        return pieces

    async def _run(self, priority: int, make: Callable[[int], list[bytes]]) -> list[bytes]:
        return await asyncio.wrap_future(self._threads.submit(priority, lambda: make(_PIECE_BYTES)))

    async def _report(self, error: Exception) -> None:
        """Answer with a report of a failure in the form of the interface."""
        if not self._answering.ended:
            self._answering.leave()
            self._threads.submit(RELEASE, self._answering.close)
        self._environ["mapsos.failure"] = error
        self._environ["wsgi.input"].seek(0)
        self._threads = self._state.quick
        self._answering = Answering(self._state.application, self._environ, self._threads.lend)
        pieces = await self._run(FIRST, self._answering.begin)
        while not self._answering.ended:
            pieces += await self._run(SOON, self._answering.make)
        await self._send_complete(b"".join(pieces))

    async def _send_complete(self, body: bytes) -> None:
        answering = self._answering
        names = {name.lower() for name, _ in answering.headers}
        bodiless = self._environ["REQUEST_METHOD"] == "HEAD" or answering.status in (204, 304)
        if not bodiless and "content-length" not in names:
            answering.headers.append(("Content-Length", str(len(body))))
        async with self._limit_time(time.monotonic() + _SMALL_SECONDS):
            await self._start()
            for start in range(0, len(body), _SENT_BYTES):
                last = start + _SENT_BYTES >= len(body)
                await self._write(body[start : start + _SENT_BYTES], more=not last)
            if not body:
                await self._write(b"", more=False)

    async def _send_long(self, pieces: list[bytes], long: LongAnswer) -> None:
        answering = self._answering
        async with self._limit_time(answering.time_limit):
            if self._end_by_closing is not None:
                self._end_by_closing()
            await self._start()
            while True:
                for piece in pieces:
                    for start in range(0, len(piece), _SENT_BYTES):
                        part = piece[start : start + _SENT_BYTES]
                        await self._write(part, more=True)
                        long.count(len(part))
                if answering.ended:
                    break
                pieces = []
                try:
                    pieces = await self._run(LATER, answering.make)
                except Exception as error:
                    if self._end_by_closing is not None:
                        # Only a reset connection shows that the end is not one.
                        self._abort()
                    raise UnfinishedError from error
            if self._end_by_closing is not None:
                raise UnfinishedError
            await self._write(b"", more=False)

    @contextlib.asynccontextmanager
    async def _limit_time(self, end: float | None) -> Any:
        """Disconnect the client where it has not taken its answer by then (a `time.monotonic`)."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(None if end is None else loop.time() + end - time.monotonic()):
                yield
        except TimeoutError:
            log.warning("a response is broken off: its client has not read it within the time limit")
            self._end()
            raise UnfinishedError from None

    def _end(self) -> None:
        """Disconnect the client at once, whatever it has still to read."""
        self._is_broken_off = True
        self._answering.leave()
        self._abort()

    async def _start(self) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self._answering.headers]
        if not self._keep:
            headers.append((b"connection", b"close"))
        self._is_begun = True
        await self._send({"type": "http.response.start", "status": self._answering.status, "headers": headers})

    async def _write(self, data: bytes, *, more: bool) -> None:
        if self._is_broken_off:
            raise UnfinishedError
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
