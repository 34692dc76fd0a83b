"""URLs of SOS requests that say the same as a page."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

CSV = "text/csv"
OBSERVATIONS = 'text/xml; subtype="om/1.0.0"'


def write_request(sos: str, request: str, parameters: Iterable[tuple[str, str | None]] = ()) -> str:
    """The URL of a request; ``sos`` ends in ``?`` or ``&``. Parameters without a value are left out."""
    said = [("service", "SOS"), ("version", "1.0.0"), ("request", request)]
    said += [(name, value) for name, value in parameters if value]
    return sos + urlencode(said, quote_via=quote, safe=":/,")


def write_get_observation(
    sos: str, offering: str, observed_property: str, format: str, procedure: str | None = None
) -> str:
    """The URL of all observations of a property of an offering, or of one procedure's."""
    return write_request(
        sos,
        "GetObservation",
        (
            ("offering", offering),
            ("observedProperty", observed_property),
            ("procedure", procedure),
            ("responseFormat", format),
        ),
    )


def write_describe_sensor(sos: str, procedure: str) -> str:
    """The URL of the description of a sensor."""
    return write_request(
        sos,
        "DescribeSensor",
        (
            ("procedure", f"urn:ogc:def:procedure:{procedure}"),
            ("outputFormat", 'text/xml; subtype="sensorML/1.0.0"'),
        ),
    )
