"""Where `mapsos serve` listens: an address and port, a Unix socket, or the sockets that systemd hands over."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

_BACKLOG = 2048
_FIRST_HANDED_OVER = 3


class ListeningError(Exception):
    """Why nobody can listen there, in words for whoever started the server."""


@dataclass(frozen=True)
class Listener:
    """Where a server listens.

    Attributes
    ----------
    place
        What to tell whoever started it.
    base
        What URLs begin with, without a slash at the end; empty for a Unix socket, which has none.
    socket
        What to accept connections from; None for those that systemd hands over, which gunicorn finds by itself.
    """

    place: str
    base: str
    socket: socket.socket | None


def is_handed_over(environ: Mapping[str, str]) -> bool:
    """Tell whether systemd has started this very process with sockets that it listens on already."""
    return environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS", "0") != "0"


def take_over() -> Listener:
    """Name the first of the sockets that systemd hands over. Raises ListeningError if it is none."""
    try:
        with socket.socket(fileno=os.dup(_FIRST_HANDED_OVER)) as first:
            name = first.getsockname()
    except OSError as error:
        raise ListeningError(f"what systemd hands over is no socket: {error.strerror}") from error
    if isinstance(name, tuple):
        base = _write_base(name[0], name[1])
        return Listener(base, base, None)
    return Listener(f"unix:{name}", "", None)


def listen_on_port(host: str, port: int) -> Listener:
    """Listen on an address or a host's name; port 0 is any that is free. Raises ListeningError."""
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
    return Listener(base, base, listener)


def listen_on_path(path: str) -> Listener:
    """Listen on a Unix socket that is made there; the umask says who may connect.

    One that was left behind and that nobody listens on is replaced. Raises ListeningError.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_left_behind(path)
        listener.bind(path)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListeningError(f"cannot listen on unix:{path}: {error.strerror or error}") from error
    return Listener(f"unix:{path}", "", listener)


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
