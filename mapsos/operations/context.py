"""What every operation is given: the service, who asks, and when."""

from __future__ import annotations

from dataclasses import dataclass

from mapsos.mapfile.access import enabled_layers
from mapsos.mapfile.model import ObservationLayer, Service, read_max_rows
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.host import Host


@dataclass(frozen=True)
class Context:
    """A client's visit to one service.

    Attributes
    ----------
    host
        What is kept between requests, and the admin's settings.
    service
        The mapfile as values.
    address
        The client's IP address; None where there is none, and lists of addresses do not apply.
    now
        The time of the request in microseconds since 1970 UTC: one value for all that is relative to it.
    asked_url
        The URL that the client reached the service by, ending in ``?`` or ``&``; None where it cannot be known.
    """

    host: Host
    service: Service
    address: str | None
    now: int
    asked_url: str | None = None

    @property
    def row_limit(self) -> int | None:
        """The most observations of an answer: the lower of the setting and of sos_maxrows, None for no limit.

        Raises ServiceError where sos_maxrows is not an integer above 0: a limit that was meant is not left out.
        """
        try:
            own = read_max_rows(self.service)
        except ValueError:
            message = "The metadata sos_maxrows is not an integer above 0."
            raise ServiceError(Kind.MISCONFIGURED, "maximum rows", message) from None
        limits = [limit for limit in (own, self.host.settings.max_rows) if limit is not None]
        return min(limits, default=None)

    def enabled(self, request_name: str, *, writes: bool = False) -> tuple[ObservationLayer, ...]:
        """Return the layers that this client may use with an operation, in map order.

        An operation that ``writes`` must be enabled by its name: ``*`` is not enough.
        """
        return enabled_layers(self.service, request_name, self.address, writes=writes)
