"""``mapsos serve``: mapfiles over HTTP by gunicorn, each under its own path."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gunicorn.app.base import BaseApplication

from mapsos.config.settings import Settings
from mapsos.servers.cgi import discard_output
from mapsos.servers.gunicorn_worker import PatientWorker
from mapsos.servers.listening import (
    Listener,
    ListeningError,
    is_handed_over,
    listen_on_path,
    listen_on_port,
    take_over,
)
from mapsos.servers.routes import MapRoutes, ServingError, name_mapfiles, serve_only
from mapsos.servers.status import HEALTH, METRICS, open_metrics
from mapsos.terms.values import dataclass
from mapsos.web.metrics_folder import create_folder, list_roots

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_SHARED_MEMORY = "/dev/shm"


@dataclass(frozen=True)
class ServerOptions:
    """Options of the server.

    ``port`` 0 means any free port. ``path`` is a Unix socket, used instead of host and port. ``requests`` is a file of
    paths to print as URLs, one per line.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    path: str | None = None
    workers: int = 2
    threads: int = 4
    requests: str | None = None


def serve(settings: Settings, paths: Sequence[str], options: ServerOptions) -> None:
    """Serve mapfiles until a signal arrives: SIGTERM lets answers finish, SIGINT does not.

    Sockets passed by systemd take precedence over the options. Raises ServingError if the server cannot start.
    """
    mapfiles = name_mapfiles(paths)
    for switched_on, path in ((settings.health, HEALTH), (settings.metrics, METRICS)):
        if switched_on and path[1:] in mapfiles:
            raise ServingError(f"{mapfiles[path[1:]]} has the path of the status page {path}")
    for name in mapfiles:
        serve_only(settings, mapfiles, name)
    listener = _listen(options)
    announcement = _announce(listener, mapfiles, options.requests, has_pages=settings.rest)
    counts = _create_metrics_folder(settings)

    def load() -> WSGIApplication:
        return MapRoutes(settings, mapfiles, open_metrics(settings))

    def when_ready(server: object) -> None:
        try:
            sys.stdout.write(announcement)
            sys.stdout.flush()
        except BrokenPipeError:
            # `mapsos serve ... | head -1`: the reader has seen enough.
            discard_output(sys.stdout.buffer)

    def on_exit(server: object) -> None:
        if counts is not None:
            shutil.rmtree(counts, ignore_errors=True)

    _run_gunicorn(
        load,
        {
            **({} if listener.socket is None else {"bind": f"fd://{listener.socket.fileno()}"}),
            "workers": options.workers,
            "threads": options.threads,
            # Threads also send a worker's heartbeat while a long answer is under way.
            "worker_class": PatientWorker,
            "when_ready": when_ready,
            "on_exit": on_exit,
            # Trusted proxies are a matter of the settings, for all servers alike.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "control_socket_disable": True,
            # The heartbeat file: in memory, which a system without writable folders has too.
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None,
            "limit_request_line": 8190,
            "loglevel": "warning",
            "proc_name": "mapsos",
        },
    )


def _create_metrics_folder(settings: Settings) -> Path | None:
    """Create the folder of the workers' counters, None without metrics. Raises ServingError."""
    if not settings.metrics:
        return None
    try:
        return create_folder(os.getpid(), list_roots(os.environb))
    except OSError as error:
        raise ServingError(f"cannot create a folder for metrics: {error}") from error


def _run_gunicorn(load: Callable[[], WSGIApplication], options: Mapping[str, Any]) -> None:
    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in options.items():
                # Releases of gunicorn differ in their options.
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> WSGIApplication:
            return load()

    Server().run()


def _listen(options: ServerOptions) -> Listener:
    try:
        if is_handed_over(os.environ):
            return take_over()
        if options.path is not None:
            return listen_on_path(options.path)
        return listen_on_port(options.host, options.port)
    except ListeningError as error:
        raise ServingError(str(error)) from error


def _announce(listener: Listener, mapfiles: Mapping[str, str], requests: str | None, *, has_pages: bool) -> str:
    """Return the text to print once the server listens. Raises ServingError if the file of requests cannot be read."""
    base = listener.base
    lines = [f"mapsos serves {', '.join(mapfiles)} at {listener.place}"]
    if has_pages and base:
        lines.append(f"Pages: {base}/")
    if requests is None:
        lines += [f"{base}/{quote(name)}?service=SOS&request=GetCapabilities" for name in mapfiles]
    else:
        try:
            listed = Path(requests).read_text("utf-8").splitlines()
        except OSError as error:
            raise ServingError(f"cannot read {requests}: {error.strerror}") from error
        lines += [base + line if line.startswith("/") else line for line in listed if line]
    return "\n".join(lines) + "\n"
