"""What every operation is given: the service, the question as it came in, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mapsos.config.settings import Settings
from mapsos.mapfile.access import enabled_layers
from mapsos.mapfile.model import ObservationLayer, Service, read_max_rows
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.terms.times import current_time
from mapsos.web.messages import Request


@dataclass(frozen=True)
class Context:
    """A request to one service.

    Attributes
    ----------
    service
        What the mapfile says.
    raw
        The request's parameters.
    environ
        CGI variables, already corrected for trusted proxies.
    method
        GET, HEAD or POST: the online resource of a GET keeps its ``map`` parameter (reference section 5.4), and HEAD
        reads no observation.
    now
        The time of the request in microseconds since 1970 UTC: one value for all that is relative to it.
    online_resource
        The server's own setting MS_ONLINERESOURCE, for maps whose metadata do not say it.
    max_rows
        The server's own setting MAPSOS_MAX_ROWS: more observations than that are not sent, None for any number.
    cache
        The server's own setting MAPSOS_CACHE: the folder for what is kept for other processes, None for none.
    """

    service: Service
    raw: RawRequest
    environ: Mapping[str, str]
    method: str
    now: int
    online_resource: str | None = None
    max_rows: int | None = None
    cache: str | None = None

    @property
    def row_limit(self) -> int | None:
        """How many observations an answer may have: the lower of the setting and of sos_maxrows, None for any number.

        Raises OwsException where sos_maxrows is no whole number above 0: a limit that was meant is not left out.
        """
        try:
            own = read_max_rows(self.service)
        except ValueError:
            message = "The metadata sos_maxrows is not a whole number above 0."
            raise OwsException("NoApplicableCode", "sos_maxrows", "msSOSDispatch", message, status=500) from None
        limits = [limit for limit in (own, self.max_rows) if limit is not None]
        return min(limits, default=None)

    def enabled(self, request_name: str) -> tuple[ObservationLayer, ...]:
        """The layers that this client may use with ``request_name``, in map order (reference section 4)."""
        return enabled_layers(self.service, request_name, self.environ.get("REMOTE_ADDR"))


def open_context(service: Service, raw: RawRequest, request: Request, settings: Settings) -> Context:
    """The context of a request whose parameters are ``raw``; its time is now."""
    return Context(
        service,
        raw,
        request.environ,
        request.method,
        current_time(),
        settings.online_resource,
        settings.max_rows,
        settings.cache,
    )
