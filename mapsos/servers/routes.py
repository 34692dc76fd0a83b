"""The maps of one server, each under its own path."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mapsos.app import Application
from mapsos.config.map_selection import MapSelectionError, select_map
from mapsos.config.settings import Settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.pages.paths import PAGE_PATHS
from mapsos.rest.paths import parse_rest_path
from mapsos.servers.status import STATUS_PATHS
from mapsos.servers.wsgi_adapter import answer, answer_watcher, name_server
from mapsos.web.messages import add_vary

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from mapsos.web.metrics import Metrics


class ServingError(Exception):
    """The server cannot start; the message is for the admin."""


class MapRoutes:
    """A WSGI application with one map a path: ``/NAME`` is SCRIPT_NAME, and the map of requests without ``map=``.

    With one map, ``/`` is that map too; with several, ``/`` lists them. Browsers get the page that lists the services
    at ``/`` without a query.

    Parameters
    ----------
    settings
        All settings; only the choice of maps is replaced.
    mapfiles
        Absolute paths by name.
    metrics
        Counters of requests, None without metrics.
    """

    def __init__(self, settings: Settings, mapfiles: Mapping[str, str], metrics: Metrics | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        catalog = ServiceCatalog(settings)
        self._applications = {
            name: Application(serve_only(settings, mapfiles, name), catalog, has_map_paths=True) for name in mapfiles
        }
        self._all = Application(serve_all(settings, mapfiles), catalog, has_map_paths=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request by the map of its path."""
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
        script = environ.get("SCRIPT_NAME", "")
        name, slash, rest = path.lstrip("/").partition("/")
        application = self._applications.get(name)
        if application is not None:
            environ["SCRIPT_NAME"] = f"{script}/{name}"
            environ["PATH_INFO"] = slash + rest
        elif not name and len(self._applications) == 1:
            (application,) = self._applications.values()
            environ["PATH_INFO"] = ""
        if application is not None and environ["PATH_INFO"] in ("", "/"):
            return answer(application, environ, start_response, started, self._metrics)
        if name and self._settings.rest and "text/html" in environ.get("HTTP_ACCEPT", ""):
            # The page of what does not exist, with a link to the services that do.
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = script, PAGE_PATHS
            return answer(self._all, environ, _vary_by_accept(start_response), started, self._metrics)
        status = "404 Not Found" if name else "200 OK"
        text = "".join(f"/{quote(known)}?service=SOS&request=GetCapabilities\n" for known in self._applications)
        page = ("" if not name else "Map not found. Available maps:\n") + text
        body = page.encode()
        start_response(status, [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _is_start(environ: WSGIEnvironment) -> bool:
    """Return whether the request is for the bare address of the server, where browsers get a page."""
    bare = environ.get("PATH_INFO", "") in ("", "/") and not environ.get("QUERY_STRING")
    return bare and environ["REQUEST_METHOD"] in ("GET", "HEAD")


def _vary_by_accept(start_response: StartResponse) -> StartResponse:
    """Add ``Vary: Accept``: the bare address of the server answers browsers and programs differently."""
    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        return start_response(status, list(add_vary(headers, "Accept")), *more)

    return start


def name_mapfiles(paths: Sequence[str]) -> dict[str, str]:
    """Return absolute paths by file stem. Raises ServingError for a missing file and for duplicate names."""
    named: dict[str, str] = {}
    for path in paths:
        name = Path(path).stem
        if not Path(path).is_file():
            raise ServingError(f"mapfile not found: {path}")
        if name.lower() in (known.lower() for known in named):
            raise ServingError(f"two mapfiles have the name {name}: {named.get(name, path)} and {path}")
        named[name] = str(Path(path).resolve())
    return named


def serve_all(settings: Settings, mapfiles: Mapping[str, str]) -> Settings:
    """Return settings in which ``map=`` may only name these maps; it may be omitted if there is only one."""
    only = next(iter(mapfiles.values())) if len(mapfiles) == 1 else None
    maps = {known.lower(): path for known, path in mapfiles.items()}
    return replace(settings, maps=maps, mapfile=only, map_no_path=True)


def serve_only(settings: Settings, mapfiles: Mapping[str, str], name: str) -> Settings:
    """Return settings in which ``map=`` may only name these maps, and may be omitted for one of them.

    Raises ServingError for a mapfile that MS_MAPFILE_PATTERN does not allow.
    """
    only = replace(serve_all(settings, mapfiles), mapfile=mapfiles[name])
    try:
        select_map(only, None)
    except MapSelectionError as error:
        pattern = settings.mapfile_pattern
        raise ServingError(f"{mapfiles[name]} does not match {pattern} (MS_MAPFILE_PATTERN)") from error
    return only
