"""The context of a request, which every operation gets: the service, the client, and the time."""

from __future__ import annotations

from mapsos.mapfile.access import enabled_layers, is_operation_enabled
from mapsos.mapfile.model import ObservationLayer, Service, read_max_rows
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.host import Host
from mapsos.operations.permissions import is_layer_closed
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Context:
    """A request of one client to one service.

    Attributes
    ----------
    host
        The state of the application, and the admin's settings.
    service
        The mapfile as values.
    address
        The client's IP address, empty if it is unknown; None on the command line, where lists of addresses do not
        apply.
    now
        The time of the request in microseconds since 1970 UTC. Everything relative to the current time uses it.
    asked_url
        The URL of the service that the client used, ending in ``?`` or ``&``; None if it is unknown.
    has_key
        Whether the client may use layers that need a key. On the command line they do not.
    is_open
        Whether the request needs no key for what only WEB closes.
    """

    host: Host
    service: Service
    address: str | None
    now: int
    asked_url: str | None = None
    has_key: bool = False
    is_open: bool = False

    @property
    def row_limit(self) -> int | None:
        """Return the maximum number of observations in an answer: the lower of the setting and sos_maxrows.

        None means no limit.

        Raises
        ------
        ServiceError
            sos_maxrows is not an integer above 0. It is not ignored, since the admin meant to set a limit.
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
        found = enabled_layers(self.service, request_name, self.address, writes=writes)
        if self.has_key or self.address is None:
            return found
        return tuple(layer for layer in found if not self._is_closed(layer, writes=writes))

    @property
    def open_layers(self) -> tuple[ObservationLayer, ...]:
        """Return the layers, enabled or not, that need no key or that the client has the key for."""
        if self.has_key or self.address is None:
            return self.service.layers
        return tuple(layer for layer in self.service.layers if not self._is_closed(layer, writes=False))

    def closed(self, request_name: str, *, writes: bool = False) -> tuple[ObservationLayer, ...]:
        """Return the layers that this client could use with an operation if it had a key, in map order."""
        if self.has_key or self.address is None:
            return ()
        closed = {id(layer) for layer in self.service.layers if self._is_closed(layer, writes=writes)}
        if not closed:
            return ()
        found = enabled_layers(self.service, request_name, self.address, writes=writes)
        return tuple(layer for layer in found if id(layer) in closed)

    def _is_closed(self, layer: ObservationLayer, *, writes: bool) -> bool:
        return is_layer_closed(self.service, layer, writes=writes, is_open=self.is_open)

    def is_enabled(self, request_name: str, *, writes: bool = False) -> bool:
        """Return whether this client may use an operation: whether any LAYER of the map enables it."""
        if not is_operation_enabled(self.service, request_name, self.address, writes=writes):
            return False
        # With layers that are closed alone, the operation is too.
        return not self.closed(request_name, writes=writes) or bool(self.enabled(request_name, writes=writes))
