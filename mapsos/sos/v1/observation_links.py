"""Links to observations: the GetObservation requests that other answers name for a sensor or a feature."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import quote

from mapsos.encodings.registry import OM_XML
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.own_url import find_online_resource


class ObservationLinks:
    """The GetObservation requests that the client of a request may send."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def write(self, layer: ObservationLayer, parameter: str, value: str) -> str | None:
        """The URL of a layer's observations with a value of a parameter; None where the client may not have them.

        Raises OwsException as `find_online_resource`.
        """
        observed = layer.observed_property
        if observed is None or id(layer) not in self._admitted:
            return None
        parameters = (
            ("service", "SOS"),
            ("version", "1.0.0"),
            ("request", "GetObservation"),
            ("offering", layer.offering_id),
            ("observedProperty", observed.id),
            (parameter, value),
            ("responseFormat", OM_XML),
        )
        query = "&".join(f"{name}={quote(text, safe=':/')}" for name, text in parameters)
        return f"{self._online_resource}{query}"

    @cached_property
    def _admitted(self) -> frozenset[int]:
        return frozenset(map(id, self._context.enabled("GetObservation")))

    @cached_property
    def _online_resource(self) -> str:
        return find_online_resource(self._context)
