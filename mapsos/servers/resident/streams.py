"""Standard input, output and error of a CGI process in its worker."""

from __future__ import annotations

import io
import socket
import sys
import threading
from typing import TYPE_CHECKING

from mapsos.servers.resident.wire import BODY_WANTED, ERRORS, GONE, OUTPUT, Receiver, write_frame, write_number

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_LARGEST_OUTPUT = 1024 * 1024
_LARGEST_BODY = 64 * 1024
_MOST_ERRORS = 1024 * 1024


class BodyInput(io.RawIOBase):
    """The body of a request, read from the CGI process on demand."""

    def __init__(self, connection: socket.socket, receiver: Receiver) -> None:
        self._connection = connection
        self._receiver = receiver

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read available bytes into the buffer. Raises ConnectionError if the process has ended."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), _LARGEST_BODY)
        self._connection.sendall(write_frame(BODY_WANTED, write_number(wanted)))
        size = self._receiver.take_number()
        if size == GONE or size > wanted:
            raise ConnectionError("the CGI process has gone")
        view[:size] = self._receiver.take(size)
        return size


class AnswerOutput(io.RawIOBase):
    """The response, sent as it is written. Waits for a slow reader; only the socket's buffer is in flight.

    Raises BrokenPipeError once if the reader has gone; after that, writes are discarded.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lost = False

    def writable(self) -> bool:
        """Return true."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Send data. Return the number of bytes sent."""
        part = memoryview(data).cast("B")[:_LARGEST_OUTPUT]
        if self._lost or not part:
            return len(part)
        try:
            if self._is_gone():
                raise BrokenPipeError("the CGI process reads no more")
            head = OUTPUT + write_number(len(part))
            sent = self._connection.sendmsg([head, part]) - len(head)
            if sent < 0:
                self._connection.sendall(head[sent:])
                sent = 0
            self._connection.sendall(part[sent:])
        except OSError as error:
            self._lost = True
            raise BrokenPipeError(*error.args) from error
        return len(part)

    def _is_gone(self) -> bool:
        """Return whether the CGI process has ended or reported a closed output: it sends nothing else unasked."""
        try:
            self._connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        except BlockingIOError:
            return False
        return True


class ErrorOutput(io.TextIOBase):
    """Standard error of the worker: text is sent to the request of the thread that writes it, else discarded.

    It is sent at the end: a slow reader must not delay the log of other requests.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def writable(self) -> bool:
        """Return true."""
        return True

    def write(self, text: str, /) -> int:
        """Store text for the request of this thread, up to a megabyte."""
        kept: list[str] | None = getattr(self._of_thread, "kept", None)
        if kept is not None and self._of_thread.size < _MOST_ERRORS:
            kept.append(text)
            self._of_thread.size += len(text)
        return len(text)

    def begin(self) -> None:
        """Store text that this thread writes from now on."""
        self._of_thread.kept = []
        self._of_thread.size = 0

    def end(self) -> bytes:
        """Return the frame of the text stored since `begin`, empty without text."""
        text = "".join(self._of_thread.kept)
        self._of_thread.kept = None
        return write_frame(ERRORS, text.encode(sys.getfilesystemencoding(), "backslashreplace")) if text else b""
