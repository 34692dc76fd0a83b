"""Open the socket of `mapsos serve`: an address and port, a Unix socket, or one passed by systemd."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress

from mapsos.terms.values import dataclass

_BACKLOG = 2048
_FIRST_HANDED_OVER = 3


class ListeningError(Exception):
    """The server cannot listen there; the message is for the admin."""


@dataclass(frozen=True)
class Listener:
    """Where a server listens.

    Attributes
    ----------
    place
        The address to show to the admin.
    base
        The beginning of URLs, without a trailing slash; empty for a Unix socket.
    sockets
        The listening sockets.
    """

    place: str
    base: str
    sockets: tuple[socket.socket, ...]


def is_handed_over(environ: Mapping[str, str]) -> bool:
    """Return whether systemd has passed listening sockets to this process."""
    return environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS", "0").strip("0").isdigit()


def take_over() -> Listener:
    """Return the sockets passed by systemd. Raises ListeningError if one is not a socket."""
    count = int(os.environ["LISTEN_FDS"])
    try:
        sockets = tuple(socket.socket(fileno=_FIRST_HANDED_OVER + number) for number in range(count))
        name = sockets[0].getsockname()
    except OSError as error:
        raise ListeningError(f"the file descriptor passed by systemd is not a socket: {error.strerror}") from error
    if isinstance(name, tuple):
        base = _write_base(name[0], name[1])
        return Listener(base, base, sockets)
    return Listener(f"unix:{name}", "", sockets)


def notify_systemd(environ: Mapping[str, str]) -> None:
    """Report to systemd that the server accepts connections (``Type=notify``), where systemd started it."""
    path = environ.get("NOTIFY_SOCKET", "")
    if path[:1] not in ("/", "@"):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"READY=1", path.replace("@", "\0", 1) if path[0] == "@" else path)


def listen_on_port(host: str, port: int) -> Listener:
    """Listen on an address or host name; port 0 means any free port. Raises ListeningError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise ListeningError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    base = _write_base(host, listener.getsockname()[1])
    return Listener(base, base, (listener,))


def listen_on_path(path: str) -> Listener:
    """Create a Unix socket and listen on it; the umask decides who may connect.

    A stale socket, on which no process listens, is replaced. Raises ListeningError.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_left_behind(path)
        listener.bind(path)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListeningError(f"cannot listen on unix:{path}: {error.strerror or error}") from error
    return Listener(f"unix:{path}", "", (listener,))


def _remove_left_behind(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                os.unlink(path)


def _write_base(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
