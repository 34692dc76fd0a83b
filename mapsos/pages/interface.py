"""Pages as an interface of the application: take the requests of people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from mapsos.pages.paths import PAGE_PATHS
from mapsos.rest.paths import RestPath, parse_rest_path, read_path
from mapsos.web.messages import Request

if TYPE_CHECKING:
    from mapsos.operations.host import Host
    from mapsos.pages.answer import PageExchange
    from mapsos.rest.answer import RestExchange


def open_exchange(request: Request, host: Host) -> PageExchange | RestExchange | None:
    """Take a request for a page, if pages are enabled.

    It is for a file of the pages, for the request builder, or for a resource of the REST interface without another
    format.
    """
    path_info = request.environ.get("PATH_INFO", "")
    if not host.settings.rest or len(path_info) < 2:
        return None
    path = None if path_info.startswith(PAGE_PATHS) else parse_rest_path(read_path(request.environ))
    if not path_info.startswith(PAGE_PATHS) and (path is None or not _may_want_page(request, path)):
        return None
    from mapsos.pages import answer

    if path is None:
        return answer.PageExchange(request, host)
    return answer.open_rest_exchange(request, path, host)


def _may_want_page(request: Request, path: RestPath) -> bool:
    """Return whether the resource has pages, and the format is html, or missing in the query: a form may have it."""
    if path.resource == "openapi":
        return False
    named = [value for name, value in parse_qsl(request.query or "", errors="replace") if name.lower() == "f"]
    return not named or any(value.strip().lower() in ("", "html") for value in named)
