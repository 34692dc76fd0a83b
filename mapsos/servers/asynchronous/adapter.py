"""The ASGI adapter: takes a request in, has its answer made piece by piece, and sends each when the socket is ready."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from mapsos.config.settings import Settings
from mapsos.servers.asynchronous.answering import Answering
from mapsos.servers.asynchronous.environ import write_environ
from mapsos.servers.asynchronous.long_answers import LongAnswer, LongAnswers
from mapsos.servers.asynchronous.work import FIRST, LATER, RELEASE, SOON, WorkThreads
from mapsos.servers.status import STATUS_PATHS
from mapsos.terms.deadlines import BusyError, ClientGoneError
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

COMPLETE_BYTES = 1 << 20
"""An answer of at most so many bytes is complete before it is sent: it holds no data source meanwhile."""
_PIECE_BYTES = 1 << 18
_SENT_BYTES = 1 << 16
_BODY_SECONDS = 60.0
_IN_MEMORY = 1 << 16
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
class Bounds:
    """The bounds of the asynchronous server in one process.

    Attributes
    ----------
    work
        Maximum number of pieces of answers that are made at once.
    long_answers
        Maximum number of answers of more than `COMPLETE_BYTES` under way.
    least_rate
        Bytes a second; see `LongAnswers`.
    most_wait
        Seconds that a request may have to wait for a thread, or a long answer for its place.
    max_body
        Bytes of a request's body that are received.
    """

    work: int
    long_answers: int
    least_rate: float
    most_wait: float
    max_body: int


def read_bounds(settings: Settings, threads: int | None = None) -> Bounds:
    """Return the bounds that the settings state; ``threads`` replaces those of work."""
    return Bounds(
        work=threads or settings.work_at_once or 2 * len(os.sched_getaffinity(0)),
        long_answers=settings.long_answers,
        least_rate=settings.min_rate,
        most_wait=settings.max_wait,
        max_body=settings.max_body,
    )


class AsgiAdapter:
    """An ASGI 3 application of a WSGI application that can report a failure of the server (``mapsos.failure``).

    Parameters
    ----------
    application
        Answers requests. It runs in the threads of the adapter.
    bounds
        What may be under way at once.
    """

    def __init__(self, application: WSGIApplication, bounds: Bounds) -> None:
        self._application = application
        self._bounds = bounds
        self._work = WorkThreads(bounds.work)
        # Reports and status pages wait for no data.
        self._quick = WorkThreads(1, "quick")
        self._long = LongAnswers(bounds.long_answers, bounds.least_rate, bounds.most_wait)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI 3)."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            raise UnfinishedError(f"{scope['type']} is not supported")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(_IN_MEMORY) as body:
            is_whole = await self._receive_body(scope, receive, body)
            if is_whole is None:
                return
            body.seek(0)
            environ = write_environ(scope, body)
            exchange = _Exchange(self, scope, send, environ, keep=is_whole)
            watching = asyncio.create_task(_watch(receive, exchange)) if is_whole else None
            try:
                await exchange.run()
            finally:
                if watching is not None:
                    watching.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await watching

    async def _receive_body(self, scope: Scope, receive: Receive, body: IO[bytes]) -> bool | None:
        """Receive the body; return whether it is whole, None if the client has disconnected.

        One that is announced as too large is not received, nor the rest of one that does not come in time: the
        application reports both.
        """
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if announced.isdigit() and int(announced[:20]) > self._bounds.max_body:
            return False
        size = 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    data = message.get("body", b"")
                    size += len(data)
                    body.write(data)
                    if not message.get("more_body", False):
                        return True
                    if size > self._bounds.max_body:
                        return False
        except TimeoutError:
            return False

    def find_threads(self, environ: MutableMapping[str, Any]) -> WorkThreads:
        """Return the threads for a request; those for requests without data have no queue."""
        return self._quick if environ["PATH_INFO"] in STATUS_PATHS or "mapsos.failure" in environ else self._work

    @property
    def application(self) -> WSGIApplication:
        """The application that answers."""
        return self._application

    @property
    def long_answers(self) -> LongAnswers:
        """The long answers under way."""
        return self._long

    def check_load(self) -> None:
        """Raise `BusyError` where a request would wait too long for a thread."""
        wait = self._work.estimate_wait()
        if wait > self._bounds.most_wait:
            raise BusyError(max(1, round(wait)))


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's events of start and end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _watch(receive: Receive, exchange: _Exchange) -> None:
    """Wait until the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.leave()


class _Exchange:
    """One request and its answer, in the event loop."""

    def __init__(
        self, adapter: AsgiAdapter, scope: Scope, send: Send, environ: dict[str, Any], *, keep: bool
    ) -> None:
        self._adapter = adapter
        self._send = send
        self._environ = environ
        self._keep = keep
        extensions = scope.get("extensions", {})
        self._abort: Callable[[], None] = extensions.get("mapsos.abort", lambda: None)
        self._end_by_closing: Callable[[], None] | None = None
        if scope.get("http_version") == "1.0":
            self._end_by_closing = extensions.get("mapsos.end_by_closing")
        self._answering = Answering(adapter.application, environ)
        self._threads = adapter.find_threads(environ)
        self._is_broken_off = False
        self._is_begun = False

    def leave(self) -> None:
        """Note that the client has disconnected."""
        self._answering.leave()

    async def run(self) -> None:
        """Make the answer and send it."""
        try:
            try:
                if self._threads is not self._adapter.find_threads({"PATH_INFO": "/healthz"}):
                    self._adapter.check_load()
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
        longs = self._adapter.long_answers
        question = tuple(self._environ[name] for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING"))

        def must_wait() -> bool:
            # An answer that waits holds neither a data source nor a piece.
            return longs.is_full and longs.expects(question)

        pieces: list[bytes] = []
        waits = must_wait()
        if not waits:
            try:
                pieces = await self._make_first(FIRST, must_wait)
            except _MustWaitError:
                waits = True
        if not waits:
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
                self._answering = Answering(self._adapter.application, self._environ)
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
        self._threads = self._adapter.find_threads(self._environ)
        self._answering = Answering(self._adapter.application, self._environ)
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
