"""Hand the request of a CGI process over to the worker, and relay the answer."""

from __future__ import annotations

import _socket
import os
import sys

from mapsos.files.private_folder import open_folder
from mapsos.servers.resident.wire import (
    ACCEPTED,
    BODY_WANTED,
    ERRORS,
    EXIT,
    GONE,
    OUTPUT,
    Receiver,
    write_number,
    write_piece,
    write_request,
)
from mapsos.servers.resident.worker_name import address_socket, name_worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 1.0
"""Seconds that a worker may take to accept a request. After this the process answers the request itself."""


def hand_over(environ: Mapping[bytes, bytes]) -> tuple[int | None, bytes]:
    """Have the worker answer a request; standard input, output and error are those of this process.

    Takes a millisecond if no worker runs.

    Parameters
    ----------
    environ
        The environment of this process.

    Returns
    -------
    int or None
        The exit code: the worker's; 1 if the connection was lost in the middle of the response, which stays
        unfinished. None if nothing was written: the process must answer the request itself.
    bytes
        The part of the body that was read, if the request was not answered.
    """
    connection = connect(environ)
    if connection is None:
        return None, b""
    try:
        return Relay(connection, environ).run()
    finally:
        connection.close()


def connect(environ: Mapping[bytes, bytes]) -> _socket.socket | None:
    """Connect to the worker of this user. Return None if it does not run or cannot be trusted."""
    if not hasattr(_socket, "SO_PEERCRED"):
        return None
    try:
        folder = open_folder(environ)
        try:
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
            try:
                connection.settimeout(PATIENCE)
                connection.connect(address_socket(folder, name_worker(environ)))
                if is_own(connection):
                    return connection
            except BaseException:
                connection.close()
                raise
            connection.close()
        finally:
            os.close(folder)
    except OSError:
        pass
    return None


def is_own(connection: _socket.socket) -> bool:
    """Return whether user and group of the other side are those of this process (SO_PEERCRED)."""
    credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    user, group = (int.from_bytes(credentials[start : start + 4], sys.byteorder) for start in (4, 8))
    return user == os.geteuid() and group == os.getegid()


class Relay:
    """One request on its way: see `hand_over`."""

    def __init__(self, connection: _socket.socket, environ: Mapping[bytes, bytes]) -> None:
        self._connection = connection
        self._environ = environ
        self._receiver = Receiver(connection)
        self._body: list[bytes] = []
        self._begun = False
        self._gone = False

    def run(self) -> tuple[int | None, bytes]:
        """Return the result of `hand_over`."""
        try:
            self._connection.sendall(write_request(self._environ))
            if self._receiver.take_frame() != (ACCEPTED, 0):
                return None, b""
            self._connection.settimeout(None)
            return self._follow(), b""
        except OSError:
            # The worker was lost.
            code = 1 if self._begun else None
            return 0 if self._gone else code, b"".join(self._body)

    def _follow(self) -> int:
        while True:
            kind, size = self._receiver.take_frame()
            if kind == OUTPUT:
                for piece in self._receiver.pieces(size):
                    self._begun = True
                    if not self._gone and not self._write_out(piece):
                        return 1
            elif kind == ERRORS:
                _write_error(self._receiver.take(size))
            elif kind == BODY_WANTED:
                piece = _read_in(int.from_bytes(self._receiver.take(size), "big"))
                self._body.append(piece)
                self._connection.sendall(write_piece(piece))
            elif kind == EXIT:
                return self._receiver.take(size)[0]
            else:
                raise ConnectionError("unknown frame from the worker")

    def _write_out(self, piece: bytes) -> bool:
        """Write to standard output. Return False if that fails for another reason than a closed pipe."""
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[os.write(1, rest) :]
        except BrokenPipeError:
            # The worker stops reading its data, and logs the request.
            self._gone = True
            self._connection.sendall(write_number(GONE))
        except OSError as error:
            _write_error(os.fsencode(f"mapsos: the response was broken off: {error.strerror}\n"))
            return False
        return True


def _read_in(most: int) -> bytes:
    try:
        return os.read(0, most)
    except OSError:
        return b""


def _write_error(text: bytes) -> None:
    try:
        while text:
            text = text[os.write(2, text) :]
    except OSError:
        pass
