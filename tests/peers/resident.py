"""mapserv kept running as a FastCGI program: the same answers as by CGI, without a process start for each."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from .answers import MAPSERV, Answer, Call, read_reply

_HEADER = struct.Struct(">BBHHBx")
_BEGIN, _END, _PARAMS, _STDIN, _STDOUT, _STDERR = 1, 3, 4, 5, 6, 7
_RESPONDER = struct.pack(">HB5x", 1, 0)
_PATIENCE = 3.0  # seconds; a request takes milliseconds


class ResidentMapserv:
    """One process of mapserv on a Unix socket; started again after a crash or a hang (D-15 hangs it)."""

    def __init__(self, socket_path: Path, environ: dict[str, str], folder: Path) -> None:
        self._socket_path = socket_path
        self._environ = environ
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, call: Call) -> Answer | None:
        """The answer to a call; None if the process ended or hung over it (then ask by CGI)."""
        with self._lock:
            self._start()
            try:
                return self._exchange(call)
            except (EOFError, ConnectionError, TimeoutError):
                self.close()
                return None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket_path.unlink(missing_ok=True)

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(str(self._socket_path))
            listening.listen(8)
            # A FastCGI program is told by its standard input being the listening socket.
            self._process = subprocess.Popen(
                [MAPSERV],
                stdin=listening.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath, **self._environ},
                cwd=self._folder,
            )

    def _exchange(self, call: Call) -> Answer:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(str(self._socket_path))
            parameters = b"".join(_pair(name.encode(), value.encode()) for name, value in call.environ.items())
            sent = _record(_BEGIN, _RESPONDER) + _stream(_PARAMS, parameters) + _stream(_STDIN, call.body)
            connection.sendall(sent)
            output = bytearray()
            complaint = bytearray()
            with connection.makefile("rb") as received:
                while True:
                    kind, content = _read_record(received.read)
                    if kind == _STDOUT:
                        output += content
                    elif kind == _STDERR:
                        complaint += content
                    elif kind == _END:
                        return read_reply(bytes(output), 0, complaint.decode("utf-8", "replace"))


def _read_record(read: Callable[[int], bytes]) -> tuple[int, bytes]:
    header = read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError
    _, kind, _, length, padding = _HEADER.unpack(header)
    content = read(length + padding)
    return kind, content[:length]


def _record(kind: int, content: bytes) -> bytes:
    return _HEADER.pack(1, kind, 1, len(content), 0) + content


def _stream(kind: int, content: bytes) -> bytes:
    pieces = [content[start : start + 65535] for start in range(0, len(content), 65535)]
    return b"".join(_record(kind, piece) for piece in [*pieces, b""])


def _pair(name: bytes, value: bytes) -> bytes:
    return _size(len(name)) + _size(len(value)) + name + value


def _size(length: int) -> bytes:
    return bytes([length]) if length < 128 else struct.pack(">I", length | 0x80000000)
