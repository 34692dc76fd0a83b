"""``mapsos serve``: mapfiles over HTTP by gunicorn, each under its own path."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mapsos.config.settings import Settings
    from mapsos.servers.listening import Listener
    from mapsos.web.metrics import Metrics

_SHARED_MEMORY = "/dev/shm"


class ServingError(Exception):
    """Why there is nothing to serve, or nowhere, in words for whoever started the server."""


@dataclass(frozen=True)
class ServerOptions:
    """How to serve.

    ``port`` 0 is any free one. ``path`` is a Unix socket instead of host and port. ``requests`` is a file of paths to
    print as URLs, one a line.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    path: str | None = None
    workers: int = 2
    threads: int = 4
    requests: str | None = None


class MapRoutes:
    """A WSGI application with one map a path: ``/NAME`` is SCRIPT_NAME, and the map of requests without ``map=``.

    With one map, ``/`` is that map too; with several, ``/`` lists them. A browser that asks for ``/`` without a query
    gets the page of the list of services.

    Parameters
    ----------
    settings
        What everything but the choice of maps comes from.
    mapfiles
        Absolute paths by name.
    metrics
        What counts requests, None for nothing.
    """

    def __init__(self, settings: Settings, mapfiles: Mapping[str, str], metrics: Metrics | None = None) -> None:
        from mapsos.app import Application
        from mapsos.mapfile.catalog import ServiceCatalog

        self._settings = settings
        self._metrics = metrics
        catalog = ServiceCatalog(settings)
        self._applications = {
            name: Application(serve_only(settings, mapfiles, name), catalog, has_map_paths=True) for name in mapfiles
        }
        self._all = Application(serve_all(settings, mapfiles), catalog, has_map_paths=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request by the map of its path."""
        from mapsos.pages.paths import PAGE_PATHS
        from mapsos.rest.paths import parse_rest_path
        from mapsos.wsgi import STATUS_PATHS, answer, answer_watcher, name_server

        started = time.monotonic()
        name_server(environ)
        path = environ.get("PATH_INFO", "")
        if path in STATUS_PATHS and path[1:] not in self._applications:
            applications = self._applications.values()
            return answer_watcher(path, environ, start_response, self._settings, applications, self._metrics)
        if self._settings.rest and _is_start(environ):
            start_response = _vary_by_accept(start_response)
            if "text/html" in environ.get("HTTP_ACCEPT", ""):
                path = environ["PATH_INFO"] = "/arcgis/rest/services"
        if self._settings.rest and (path.startswith(PAGE_PATHS) or parse_rest_path(path) is not None):
            return answer(self._all, environ, start_response, started, self._metrics)
        name, slash, rest = path.lstrip("/").partition("/")
        application = self._applications.get(name)
        if application is not None:
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/" + name
            environ["PATH_INFO"] = slash + rest
        elif not name and len(self._applications) == 1:
            (application,) = self._applications.values()
            environ["PATH_INFO"] = ""
        if application is not None and environ["PATH_INFO"] in ("", "/"):
            return answer(application, environ, start_response, started, self._metrics)
        status = "404 Not Found" if name else "200 OK"
        text = "".join(f"/{quote(known)}?service=SOS&request=GetCapabilities\n" for known in self._applications)
        page = ("" if not name else "There is no such map here. These are:\n") + text
        body = page.encode()
        start_response(status, [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _is_start(environ: WSGIEnvironment) -> bool:
    """Whether somebody opens the server's address: browsers get a page, which programs do not ask for."""
    bare = environ.get("PATH_INFO", "") in ("", "/") and not environ.get("QUERY_STRING")
    return bare and environ["REQUEST_METHOD"] in ("GET", "HEAD")


def _vary_by_accept(start_response: StartResponse) -> StartResponse:
    """Tell caches that what the server's address answers is not the same for browsers and programs."""
    from mapsos.web.messages import add_vary

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        return start_response(status, list(add_vary(headers, "Accept")), *more)

    return start


def name_mapfiles(paths: Sequence[str]) -> dict[str, str]:
    """Give absolute paths by file stem. Raises ServingError for what is no file, and for two of one name."""
    named: dict[str, str] = {}
    for path in paths:
        name = Path(path).stem
        if not Path(path).is_file():
            raise ServingError(f"there is no mapfile {path}")
        if name.lower() in (known.lower() for known in named):
            raise ServingError(f"two mapfiles are called {name}: {named.get(name, path)} and {path}")
        named[name] = str(Path(path).resolve())
    return named


def serve_all(settings: Settings, mapfiles: Mapping[str, str]) -> Settings:
    """Return settings in which ``map=`` may name these maps, nothing else; it may be left out for the only one."""
    only = next(iter(mapfiles.values())) if len(mapfiles) == 1 else None
    maps = {known.lower(): path for known, path in mapfiles.items()}
    return replace(settings, maps=maps, mapfile=only, map_no_path=True)


def serve_only(settings: Settings, mapfiles: Mapping[str, str], name: str) -> Settings:
    """Give settings in which ``map=`` may name these maps, nothing else, and may be left out for one of them.

    Raises ServingError for a mapfile that MS_MAPFILE_PATTERN does not admit.
    """
    from mapsos.config.map_selection import MapSelectionError, select_map

    only = replace(serve_all(settings, mapfiles), mapfile=mapfiles[name])
    try:
        select_map(only, None)
    except MapSelectionError as error:
        pattern = settings.mapfile_pattern
        raise ServingError(f"{mapfiles[name]} does not match {pattern} (MS_MAPFILE_PATTERN)") from error
    return only


def serve(settings: Settings, paths: Sequence[str], options: ServerOptions) -> None:
    """Serve mapfiles until a signal ends it: SIGTERM lets answers finish first, SIGINT does not wait.

    Sockets that systemd hands over are taken instead of what the options say. Raises ServingError if it cannot start.
    """
    mapfiles = name_mapfiles(paths)
    for switched_on, name in ((settings.health, "healthz"), (settings.metrics, "metrics")):
        if switched_on and name in mapfiles:
            raise ServingError(f"{mapfiles[name]} would be at the path of the server's own page /{name}")
    for name in mapfiles:
        serve_only(settings, mapfiles, name)
    listener = _listen(options)
    announcement = _announce(listener, mapfiles, options.requests)
    counts = _create_metrics_folder(settings)

    def load() -> WSGIApplication:
        from mapsos.servers.status import open_metrics

        return MapRoutes(settings, mapfiles, open_metrics(settings))

    def when_ready(server: object) -> None:
        sys.stdout.write(announcement)
        sys.stdout.flush()

    def on_exit(server: object) -> None:
        if counts is not None:
            shutil.rmtree(counts, ignore_errors=True)

    _run_gunicorn(
        load,
        {
            **({} if listener.socket is None else {"bind": f"fd://{listener.socket.fileno()}"}),
            "workers": options.workers,
            "threads": options.threads,
            # Threads also keep a worker's heartbeat going while a long answer is under way.
            "worker_class": "mapsos.servers.gunicorn_worker.PatientWorker",
            "when_ready": when_ready,
            "on_exit": on_exit,
            # Whom to believe is the settings' matter, for each kind of server alike.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "control_socket_disable": True,
            # A file that is touched as a sign of life: in memory, which a system without writable folders has too.
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None,
            "limit_request_line": 8190,
            "loglevel": "warning",
            "proc_name": "mapsos",
        },
    )


def _create_metrics_folder(settings: Settings) -> Path | None:
    """Create the folder that the workers count in. Raises ServingError if that is impossible."""
    if not settings.metrics:
        return None
    from mapsos.web.metrics_folder import create_folder, list_roots

    try:
        return create_folder(os.getpid(), list_roots(os.environb))
    except OSError as error:
        raise ServingError(f"cannot create a folder for metrics: {error}") from error


def _run_gunicorn(load: Callable[[], WSGIApplication], options: Mapping[str, Any]) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in options.items():
                # Releases differ in what there is to switch off.
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> WSGIApplication:
            return load()

    Server().run()


def _listen(options: ServerOptions) -> Listener:
    from mapsos.servers.listening import ListeningError, is_handed_over, listen_on_path, listen_on_port, take_over

    try:
        if is_handed_over(os.environ):
            return take_over()
        if options.path is not None:
            return listen_on_path(options.path)
        return listen_on_port(options.host, options.port)
    except ListeningError as error:
        raise ServingError(str(error)) from error


def _announce(listener: Listener, mapfiles: Mapping[str, str], requests: str | None) -> str:
    """Say what there is to try. Raises ServingError if the file of requests cannot be read."""
    base = listener.base
    lines = [f"mapsos serves {', '.join(mapfiles)} at {listener.place}"]
    if requests is None:
        lines += [f"{base}/{quote(name)}?service=SOS&request=GetCapabilities" for name in mapfiles]
    else:
        try:
            listed = Path(requests).read_text("utf-8").splitlines()
        except OSError as error:
            raise ServingError(f"cannot read {requests}: {error.strerror}") from error
        lines += [base + line if line.startswith("/") else line for line in listed if line]
    return "\n".join(lines) + "\n"
