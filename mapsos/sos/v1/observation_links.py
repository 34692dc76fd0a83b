"""Links to observations: GetObservation requests in descriptions of sensors and features."""

from __future__ import annotations

from functools import cached_property
from typing import Literal
from urllib.parse import quote

from mapsos.encodings.registry import OM_XML
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.own_url import find_own_url

_PARAMETERS = {"procedure": "procedure", "feature": "featureOfInterest"}


class ObservationLinks:
    """The GetObservation requests that are allowed to a client."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def write(self, layer: ObservationLayer, subject: Literal["procedure", "feature"], value: str) -> str | None:
        """Return the URL of a layer's observations of a procedure or feature; None if the client is not allowed them.

        Raises ServiceError as `find_own_url`.
        """
        observed = layer.observed_property
        if observed is None or id(layer) not in self._usable:
            return None
        parameters = (
            ("service", "SOS"),
            ("version", "1.0.0"),
            ("request", "GetObservation"),
            ("offering", layer.offering_id),
            ("observedProperty", observed.id),
            (_PARAMETERS[subject], value),
            ("responseFormat", OM_XML),
        )
        query = "&".join(f"{name}={quote(text, safe=':/')}" for name, text in parameters)
        return f"{self._own_url}{query}"

    @cached_property
    def _usable(self) -> frozenset[int]:
        return frozenset(map(id, self._context.enabled("GetObservation")))

    @cached_property
    def _own_url(self) -> str:
        return find_own_url(self._context)
