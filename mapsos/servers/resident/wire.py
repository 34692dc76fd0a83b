"""The protocol between a CGI process and its worker: one request per connection, framed, over a Unix socket.

The CGI process sends `GREETING`, then its whole environment. After that the worker sends frames: one byte for the
kind, four bytes for the length, and the content. The CGI process only sends pieces of the request's body when the
worker requests them (four bytes of length and the content; length 0 at the end), or `GONE`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterator, Mapping

GREETING = b"mapsos1\n"
ACCEPTED = b"A"
"""The worker answers this request; after the first output, a failure must not be retried."""
OUTPUT = b"O"
ERRORS = b"E"
"""Text for standard error."""
BODY_WANTED = b"B"
"""Content: the size of the largest piece wanted, in four bytes."""
EXIT = b"X"
"""The end. Content: the exit code in one byte."""
GONE = 0xFFFFFFFF
"""Instead of a length: the output is closed."""
LARGEST_ENVIRON = 4 * 1024 * 1024
_PIECE = 256 * 1024


class Receiver:
    """Reads a connection. Raises ConnectionError if it ends early, and TimeoutError."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._held = b""

    def take(self, size: int) -> bytes:
        """Read exactly ``size`` bytes."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield ``size`` bytes in pieces, as they arrive."""
        while size:
            piece = self._held or self._connection.recv(_PIECE)
            if not piece:
                raise ConnectionError("the other side has gone")
            piece, self._held = piece[:size], piece[size:]
            size -= len(piece)
            yield piece

    def take_number(self) -> int:
        """Read a length."""
        return int.from_bytes(self.take(4), "big")

    def take_frame(self) -> tuple[bytes, int]:
        """Read the kind of the next frame and the length of its content, which follows."""
        head = self.take(5)
        return head[:1], int.from_bytes(head[1:], "big")


def write_frame(kind: bytes, content: bytes = b"") -> bytes:
    """Encode a frame of the worker."""
    return kind + write_piece(content)


def write_piece(content: bytes) -> bytes:
    """Encode content, preceded by its length."""
    return write_number(len(content)) + content


def write_number(number: int) -> bytes:
    """Encode a length, or `GONE`."""
    return number.to_bytes(4, "big")


def write_request(environ: Mapping[bytes, bytes]) -> bytes:
    """Encode the first message of a CGI process."""
    return GREETING + write_piece(b"\0".join(name + b"=" + value for name, value in environ.items()))


def read_request(receiver: Receiver) -> dict[bytes, bytes]:
    """Read the environment of a CGI process. Raises ConnectionError for anything else."""
    if receiver.take(len(GREETING)) != GREETING:
        raise ConnectionError("not a CGI process of this release")
    size = receiver.take_number()
    if size > LARGEST_ENVIRON:
        raise ConnectionError("the environment is too large")
    environ = {}
    for pair in receiver.take(size).split(b"\0"):
        name, _, value = pair.partition(b"=")
        environ[name] = value
    return environ
