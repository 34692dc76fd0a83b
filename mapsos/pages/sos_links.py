"""URLs of SOS requests with the content of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from mapsos.encodings.registry import CSV, OM_XML
from mapsos.terms.urns import PROCEDURE_URN
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class SosLinks:
    """URLs of requests to a service whose own URL ``sos`` ends in ``?`` or ``&``.

    An entry is one of a page's catalog, with the ids ``offering`` and ``property``.
    """

    sos: str

    def capabilities(self) -> str:
        """Return the URL of GetCapabilities."""
        return self._write("GetCapabilities")

    def observations(self, entry: Mapping[str, Any], **filters: str | None) -> str:
        """Return the URL of GetObservation for an entry, narrowed by further parameters (procedure, eventTime ...)."""
        return self._get_observation(entry, filters, OM_XML)

    def csv(self, entry: Mapping[str, Any], **filters: str | None) -> str:
        """Return the same as a table to download."""
        return self._get_observation(entry, filters, CSV)

    def sensor(self, procedure: str) -> str:
        """Return the URL of DescribeSensor."""
        name = PROCEDURE_URN + procedure
        return self._write("DescribeSensor", procedure=name, outputFormat='text/xml; subtype="sensorML/1.0.0"')

    def _get_observation(self, entry: Mapping[str, Any], filters: Mapping[str, str | None], format: str) -> str:
        asked = {"offering": entry["offering"], "observedProperty": entry["property"], **filters}
        return self._write("GetObservation", **asked, responseFormat=format)

    def _write(self, request: str, **parameters: str | None) -> str:
        said = {"service": "SOS", "version": "1.0.0", "request": request, **parameters}
        known = {name: value for name, value in said.items() if value}
        return self.sos + urlencode(known, quote_via=quote, safe=":/,")
