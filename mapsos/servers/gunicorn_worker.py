"""The worker of `mapsos serve`: no thread waits for the head of a request, or without a limit for its body.

gunicorn's own worker with threads hands a connection over when its first byte arrives, and the thread waits for the
rest: as many clients as threads, each with half a line, would block all others.
"""

from __future__ import annotations

import contextlib
import io
import selectors
import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

HEAD_SECONDS = 20.0
"""Time limit for the head of a request."""
BODY_SECONDS = 60.0
"""Time limit for the body, from the end of the head; an answer has no limit here."""
_LARGEST_HEAD = 1 << 17
"""Bytes after which a head is passed to the parser, which rejects it: its limit is half of that."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Heads are received by the main loop, for all connections at once."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._heads: dict[Any, float] = {}
        self._bodies: dict[Any, tuple[float, Any]] = {}

    def enqueue_req(self, conn: Any) -> None:
        """Accept a connection for its next request; a thread gets it once the head is complete."""
        if conn.parser is None:
            conn.init()
        conn.sock.setblocking(False)
        if _receive(conn):
            self._hand_over(conn)
        else:
            self._heads[conn] = time.monotonic() + HEAD_SECONDS
            self.poller.register(conn.sock, selectors.EVENT_READ, lambda _: self._go_on(conn))

    def handle(self, conn: Any) -> Any:
        """Read and answer a request in a thread; the rest of the body must arrive in time."""
        self._bodies[conn] = time.monotonic() + BODY_SECONDS, None
        try:
            return super().handle(conn)
        finally:
            self._bodies.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has been read."""
        self._bodies[conn] = time.monotonic() + BODY_SECONDS, req.body.reader
        return super().handle_request(req, conn)

    def murder_keepalived(self, *arguments: Any, **named: Any) -> None:
        """Close connections that exceeded their time limit; the main loop calls this at least once a second."""
        now = time.monotonic()
        for conn in [conn for conn, end in self._heads.items() if end < now or not self.alive]:
            self._forget(conn)
            self.nr_conns -= 1
            conn.close()
        for conn, (end, reader) in list(self._bodies.items()):
            if end < now:
                self._bodies.pop(conn, None)
                if not _is_read(reader):
                    # The thread that waits for more sees the end of the body, and can still answer.
                    with contextlib.suppress(OSError):
                        conn.sock.shutdown(socket.SHUT_RD)
        super().murder_keepalived(*arguments, **named)

    def _go_on(self, conn: Any) -> None:
        if _receive(conn):
            self._forget(conn)
            self._hand_over(conn)

    def _forget(self, conn: Any) -> None:
        del self._heads[conn]
        self.poller.unregister(conn.sock)

    def _hand_over(self, conn: Any) -> None:
        conn.data_ready = True
        super().enqueue_req(conn)


def _receive(conn: Any) -> bool:
    """Receive available data. Return whether a thread can continue: the head is complete, or the connection ended."""
    held: io.BytesIO = conn.parser.unreader.buf
    while not _is_head(held.getvalue()):
        try:
            data = conn.sock.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            return True
        if not data:
            return True
        held.seek(0, io.SEEK_END)
        held.write(data)
    return True


def _is_head(data: bytes) -> bool:
    # Empty lines before a request are skipped.
    return len(data) > _LARGEST_HEAD or b"\r\n\r\n" in data.lstrip(b"\r\n")


def _is_read(reader: Any) -> bool:
    """Return whether gunicorn's reader of a body, by length or in chunks, has reached the end."""
    return getattr(reader, "length", None) == 0 or getattr(reader, "parser", reader) is None
