"""The ASGI adapter: takes a request in, has its answer made piece by piece, and sends each when the socket is ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from mapsos.config.settings import Settings
from mapsos.servers.asynchronous.environ import write_environ
from mapsos.servers.asynchronous.exchange import Exchange, Scope, Send, ServerState, UnfinishedError
from mapsos.servers.asynchronous.long_answers import LongAnswers
from mapsos.servers.asynchronous.work import WorkThreads
from mapsos.terms.values import dataclass
from mapsos.web.messages import read_content_length

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_BODY_SECONDS = 60.0
_IN_MEMORY = 1 << 16


@dataclass(frozen=True)
class Bounds:
    """The bounds of the asynchronous server in one process.

    Attributes
    ----------
    work
        Maximum number of pieces of answers that are made at once.
    long_answers
        Maximum number of answers of more than 1 MiB under way.
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
        self._max_body = bounds.max_body
        self.state = ServerState(
            application=application,
            work=WorkThreads(bounds.work),
            quick=WorkThreads(1, "quick"),
            longs=LongAnswers(bounds.long_answers, bounds.least_rate, bounds.most_wait),
            most_wait=bounds.most_wait,
        )

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
            exchange = Exchange(self.state, scope, send, environ, keep=is_whole)
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
        if (read_content_length(announced.decode("latin-1")) or 0) > self._max_body:
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
                    if size > self._max_body:
                        return False
        except TimeoutError:
            return False


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's events of start and end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _watch(receive: Receive, exchange: Exchange) -> None:
    """Wait until the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.leave()
