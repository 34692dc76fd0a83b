"""``mapsos serve``: mapfiles over HTTP by uvicorn, each under its own path."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from mapsos.config.settings import Settings
from mapsos.servers.asynchronous.run_server import WorkerApplication, run_server
from mapsos.servers.cgi import discard_output
from mapsos.servers.listening import (
    Listener,
    ListeningError,
    is_handed_over,
    listen_on_path,
    listen_on_port,
    notify_systemd,
    take_over,
)
from mapsos.servers.routes import ServingError, name_mapfiles, serve_only
from mapsos.servers.status import HEALTH, METRICS
from mapsos.terms.values import dataclass
from mapsos.web.metrics_folder import create_folder, list_roots


@dataclass(frozen=True)
class ServerOptions:
    """Options of the server.

    ``port`` 0 means any free port. ``path`` is a Unix socket, used instead of host and port. ``threads`` of each worker
    make answers, None for the number in the settings. ``requests`` is a file of paths to print as URLs, one per line.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    path: str | None = None
    workers: int = 2
    threads: int | None = None
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

    def announce() -> None:
        notify_systemd(os.environ)
        try:
            sys.stdout.write(announcement)
            sys.stdout.flush()
        except BrokenPipeError:
            # `mapsos serve ... | head -1`: the reader has seen enough.
            discard_output(sys.stdout.buffer)

    try:
        application = WorkerApplication(settings, mapfiles, options.threads)
        run_server(listener.sockets, application, options.workers, announce)
    finally:
        if not is_handed_over(os.environ) and options.path is not None:
            with suppress(FileNotFoundError):
                os.unlink(options.path)
        if counts is not None:
            shutil.rmtree(counts, ignore_errors=True)


def _create_metrics_folder(settings: Settings) -> Path | None:
    """Create the folder of the workers' counters, None without metrics. Raises ServingError."""
    if not settings.metrics:
        return None
    try:
        return create_folder(os.getpid(), list_roots(os.environb))
    except OSError as error:
        raise ServingError(f"cannot create a folder for metrics: {error}") from error


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
