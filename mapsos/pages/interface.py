"""Pages as an interface of the application: take the requests of people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from mapsos.pages.paths import KEYS_PATH, PAGE_OPERATION, PAGE_PATHS
from mapsos.rest.paths import RestPath, parse_rest_path, read_path
from mapsos.web.messages import Request, Response

if TYPE_CHECKING:
    from mapsos.access.gate import Requester
    from mapsos.operations.host import Host
    from mapsos.pages.answer import PageExchange
    from mapsos.pages.key_page import KeysExchange
    from mapsos.rest.answer import RestExchange
    from mapsos.terms.failures import Failure


class EntryExchange:
    """A request of a browser for the bare address of a service, which is a request for its pages.

    Parameters
    ----------
    location
        The URL of the page, relative to that of the request.
    """

    def __init__(self, location: str) -> None:
        self._location = location

    def answer(self) -> Response:
        """Redirect to the page."""
        # Other clients get MapServer's answer under the same URL.
        headers = (("Location", self._location), ("Vary", "Accept"))
        return Response(status=302, headers=headers, operation=PAGE_OPERATION)

    def report(self, failure: Failure) -> Response:
        """Report a failure."""
        return Response(status=500, error=True, operation=PAGE_OPERATION)


def open_exchange(
    request: Request, host: Host, requester: Requester | None
) -> PageExchange | KeysExchange | RestExchange | EntryExchange | None:
    """Take a request for a page, if pages are enabled.

    It is for a file of the pages, for the page of keys, for the request builder, for a resource of the REST interface
    without another format, or of a browser for the bare address of the service.
    """
    path_info = request.environ.get("PATH_INFO", "")
    if not host.settings.rest:
        return None
    if len(path_info) < 2:
        location = _find_entry(request, host)
        return EntryExchange(location) if location is not None else None
    if path_info == KEYS_PATH and host.settings.keys_page:
        from mapsos.pages.key_page import KeysExchange

        return KeysExchange(request, host, requester)
    path = None if path_info.startswith(PAGE_PATHS) else parse_rest_path(read_path(request.environ))
    if not path_info.startswith(PAGE_PATHS) and (path is None or not _may_want_page(request, path)):
        return None
    from mapsos.pages import answer

    if path is None:
        return answer.PageExchange(request, host, requester)
    return answer.open_rest_exchange(request, path, host, requester)


def _find_entry(request: Request, host: Host) -> str | None:
    """Return the URL of the page that a browser wants which asks for the bare address; None for other requests.

    It is that of the default map, else the list of services. It is relative to the address, so that neither the host
    nor what a proxy makes of the path matters.
    """
    if request.query or request.method not in ("GET", "HEAD"):
        return None
    if "text/html" not in request.environ.get("HTTP_ACCEPT", ""):
        return None
    settings = host.settings
    page = "/exts/SosSOE" if settings.mapfile is not None else "/arcgis/rest/services" if settings.maps else None
    if page is None:
        return None
    last = "" if request.environ.get("PATH_INFO") else request.environ.get("SCRIPT_NAME", "").rpartition("/")[2]
    # What begins with ./ is never taken for a scheme.
    return f"./{quote(last, errors='surrogateescape')}{page if last else page[1:]}"


def _may_want_page(request: Request, path: RestPath) -> bool:
    """Return whether the resource has pages, and the format is html, or missing in the query: a form may have it."""
    if path.resource == "openapi":
        return False
    named = [value for name, value in parse_qsl(request.query or "", errors="replace") if name.lower() == "f"]
    return not named or any(value.strip().lower() in ("", "html") for value in named)
