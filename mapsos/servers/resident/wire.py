"""How a CGI process and its worker talk: one request a connection, framed, over a Unix socket.

The CGI process sends `GREETING`, then its whole environment. From then on only the worker begins: it sends frames of
one byte that says what it is, four bytes of length, and so much content. The CGI process speaks when it is asked for
a piece of the request's body (four bytes of length, content, nothing at the end), or to say `GONE`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterator, Mapping

GREETING = b"mapsos1\n"
ACCEPTED = b"A"
"""The worker answers this request; what fails from now on may not be tried again once there was output."""
OUTPUT = b"O"
ERRORS = b"E"
"""Text for standard error."""
BODY_WANTED = b"B"
"""Content: the largest piece that is wanted, in four bytes."""
EXIT = b"X"
"""The end. Content: the exit code in one byte."""
GONE = 0xFFFFFFFF
"""Instead of a length: nobody reads the output any more."""
LARGEST_ENVIRON = 4 * 1024 * 1024
_PIECE = 256 * 1024


class Receiver:
    """Reads a connection. Raises ConnectionError where it ends too early, TimeoutError as the connection does."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._held = b""

    def take(self, size: int) -> bytes:
        """Give exactly so many bytes."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Give so many bytes in pieces, as they come."""
        while size:
            piece = self._held or self._connection.recv(_PIECE)
            if not piece:
                raise ConnectionError("the other side has gone")
            piece, self._held = piece[:size], piece[size:]
            size -= len(piece)
            yield piece

    def take_number(self) -> int:
        """Give a length."""
        return int.from_bytes(self.take(4), "big")

    def take_frame(self) -> tuple[bytes, int]:
        """Give what the next frame is, and the length of the content that follows."""
        head = self.take(5)
        return head[:1], int.from_bytes(head[1:], "big")


def write_frame(kind: bytes, content: bytes = b"") -> bytes:
    """Write a frame of the worker."""
    return kind + write_piece(content)


def write_piece(content: bytes) -> bytes:
    """Write content with its length before it."""
    return write_number(len(content)) + content


def write_number(number: int) -> bytes:
    """Write a length, or what is said instead."""
    return number.to_bytes(4, "big")


def write_request(environ: Mapping[bytes, bytes]) -> bytes:
    """Write the first message of a CGI process."""
    return GREETING + write_piece(b"\0".join(name + b"=" + value for name, value in environ.items()))


def read_request(receiver: Receiver) -> dict[bytes, bytes]:
    """Read the environment of a CGI process. Raises ConnectionError for anything else."""
    if receiver.take(len(GREETING)) != GREETING:
        raise ConnectionError("this is no CGI process of this release")
    size = receiver.take_number()
    if size > LARGEST_ENVIRON:
        raise ConnectionError("the environment is too large")
    environ = {}
    for pair in receiver.take(size).split(b"\0"):
        name, _, value = pair.partition(b"=")
        environ[name] = value
    return environ
