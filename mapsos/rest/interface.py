"""The REST interface as an interface of the application: take its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.rest.paths import parse_rest_path, read_path
from mapsos.web.messages import Request

if TYPE_CHECKING:
    from mapsos.access.gate import Requester
    from mapsos.operations.host import Host
    from mapsos.rest.answer import RestExchange


def open_exchange(request: Request, host: Host, requester: Requester | None) -> RestExchange | None:
    """Take a request with a path of the REST interface, if that is enabled."""
    if not host.settings.rest or len(request.environ.get("PATH_INFO", "")) < 2:
        return None
    path = parse_rest_path(read_path(request.environ))
    if path is None:
        return None
    from mapsos.rest.answer import RestExchange

    return RestExchange(request, path, host, requester)
