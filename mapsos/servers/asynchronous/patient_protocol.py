"""HTTP/1.1 by uvicorn, with limits for the heads of requests, which uvicorn does not have."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
"""Time limit for the head of a request."""
LONGEST_LINE = 8190
"""Bytes of a request line without its method and version, and of a header."""
MOST_HEADERS = 100
_GONE_SECONDS = 5.0
"""Seconds after which a client that has ended its side of the connection counts as gone."""
_UNREAD_SECONDS = 120.0
"""Time limit for reading the end of an answer, which the server has written into its buffer."""
_LARGEST_HEAD = 1 << 17
"""Bytes after which an unfinished head is rejected."""

_TOO_LONG = {414: b"URI Too Long", 431: b"Request Header Fields Too Large"}


class PatientProtocol(HttpToolsProtocol):
    """One connection: heads must be complete in time and not too long; an application can end the connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._answer = self.app
        self.app = self._offer_abort
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_in_head = False
        self._head_bytes = 0
        self._is_half_closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Note that the client sends nothing more: it has gone, or waits for an answer that comes soon."""
        self._is_half_closed = True
        if self.cycle is None or self.cycle.response_complete:
            return False
        self._head_timer = self.loop.call_later(_GONE_SECONDS, self._leave)
        return True

    def on_response_complete(self) -> None:
        """Expect the next request, or end the connection."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(_UNREAD_SECONDS, self._drop_unread)
        if self._is_half_closed and not self.pipeline and not self.transport.is_closing():
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request."""
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self._head_timer is None:
            self._expect_head()
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _LARGEST_HEAD:
                self._reject_head()

    def on_message_begin(self) -> None:
        """Note that a head begins, also behind a request that is being answered."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer a request whose head is complete, unless that is too long."""
        self._stop_timer()
        self._is_in_head = False
        too_long = len(self.url) > LONGEST_LINE
        is_large = len(self.headers) > MOST_HEADERS or any(
            len(name) + len(value) > LONGEST_LINE for name, value in self.headers
        )
        self.app = _Refusal(414 if too_long else 431) if too_long or is_large else self._offer_abort
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end(self) -> None:
        """Disconnect a client whose request has not come in time."""
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.abort()

    def _leave(self) -> None:
        """Disconnect a client that sends nothing more, unless its answer is on its way: then writing shows it."""
        if not self.cycle.response_started:
            self._end()

    def _drop_unread(self) -> None:
        """Disconnect a client that has not read the end of its answer."""
        if self.transport.get_write_buffer_size() and (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()

    def _end_by_closing(self) -> None:
        """Send a body whose end is that of the connection: clients of HTTP/1.0 do not know chunks."""
        self.cycle.chunked_encoding = False
        self.cycle.expected_content_length = sys.maxsize

    def _reject_head(self) -> None:
        """Disconnect a client whose head does not end; with a reason, unless another answer is being sent."""
        if self.cycle is None or self.cycle.response_complete:
            reason = _TOO_LONG[431]
            self.transport.write(b"HTTP/1.1 431 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % reason)
            self.transport.close()
        else:
            self.transport.abort()

    async def _offer_abort(self, scope: Any, receive: Any, send: Any) -> None:
        extensions = scope.setdefault("extensions", {})
        extensions["mapsos.abort"] = self.transport.abort
        extensions["mapsos.end_by_closing"] = self._end_by_closing
        await self._answer(scope, receive, send)


class _Refusal:
    """An application that rejects a request for its size, and closes the connection."""

    def __init__(self, status: int) -> None:
        self._status = status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = _TOO_LONG[self._status]
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
