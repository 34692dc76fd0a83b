"""One request of the suite, and the short ways of writing one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from .comparison import Side

FORMAT = 'text/xml; subtype="om/1.0.0"'
SENSORML = 'text/xml; subtype="sensorML/1.0.0"'
FORM = "application/x-www-form-urlencoded"

Expectation = Callable[[Side], None]


@dataclass(frozen=True)
class Case:
    """A request to one map.

    Attributes
    ----------
    id
        Names the case.
    map
        A name in the table of maps, None for a query that says (or leaves out) its own map.
    query
        The query string after ``map=...``; None for no QUERY_STRING at all. ``{root}`` is the folder of the suite.
    method, body, content_type
        As HTTP has them; ``content_type`` None leaves it out.
    environ
        CGI variables besides the usual ones, None to take one away.
    config
        A name in the table of configuration files.
    differs
        Names of the differences that are allowed, and must be met: a case whose answers are equal without them fails.
    expects
        What must be true of mapsos's answer where mapserv has no answer worth comparing with; the answers are then
        only checked to be different.
    """

    id: str
    map: str | None
    query: str | None
    method: str = "GET"
    body: bytes = b""
    content_type: str | None = None
    environ: dict[str, str | None] = field(default_factory=dict)
    config: str = "plain"
    differs: tuple[str, ...] = ()
    expects: tuple[Expectation, ...] = ()
    arguments: tuple[str, ...] = ()


def kvp(**parameters: str | None) -> str:
    """A query string of the parameters that are not None."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items() if value is not None)


def capabilities(**parameters: str | None) -> str:
    """A GetCapabilities query."""
    return kvp(**{"service": "SOS", "request": "GetCapabilities", **parameters})


def observations(**parameters: str | None) -> str:
    """A GetObservation query of the offering and property of the skeleton, with changes (None drops one)."""
    base = {
        "service": "SOS",
        "version": "1.0.0",
        "request": "GetObservation",
        "offering": "off",
        "observedProperty": "op",
        "responseFormat": FORMAT,
    }
    return kvp(**{**base, **parameters})


def data_block(**parameters: str | None) -> str:
    """The same as om:Observation."""
    return observations(**{"resultModel": "om:Observation", **parameters})


def sensor(**parameters: str | None) -> str:
    """A DescribeSensor query."""
    base = {"service": "SOS", "version": "1.0.0", "request": "DescribeSensor", "outputFormat": SENSORML}
    return kvp(**{**base, **parameters})


def observation_type(**parameters: str | None) -> str:
    """A DescribeObservationType query."""
    return kvp(**{"service": "SOS", "version": "1.0.0", "request": "DescribeObservationType", **parameters})


def period(begin: str, end: str) -> str:
    """An eventTime in the one form that mapserv understands."""
    return (
        f"<gml:TimePeriod><gml:beginPosition>{begin}</gml:beginPosition>"
        f"<gml:endPosition>{end}</gml:endPosition></gml:TimePeriod>"
    )


def compare(operator: str, name: str, literal: str, attributes: str = "") -> str:
    """A comparison of Filter Encoding."""
    return (
        f"<ogc:{operator}{attributes}><ogc:PropertyName>{name}</ogc:PropertyName>"
        f"<ogc:Literal>{literal}</ogc:Literal></ogc:{operator}>"
    )


def within_filter(inner: str) -> str:
    """A filter document around operators."""
    return f'<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml">{inner}</ogc:Filter>'


def post_observations(inner: str = "", attributes: str = "", **changes: str | None) -> bytes:
    """An XML GetObservation; ``inner`` goes after observedProperty and procedure, changes replace element texts."""
    texts: dict[str, str | None] = {"offering": "off", "observedProperty": "op", **changes}
    response_format = texts.pop("responseFormat", FORMAT.replace('"', "&quot;"))
    result_model = texts.pop("resultModel", None)
    parts = [f"<{name}>{value}</{name}>" for name, value in texts.items() if value is not None]
    tail = f"<responseFormat>{response_format}</responseFormat>" if response_format is not None else ""
    tail += f"<resultModel>{result_model}</resultModel>" if result_model is not None else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<GetObservation xmlns="http://www.opengis.net/sos/1.0" xmlns:ogc="http://www.opengis.net/ogc"'
        ' xmlns:gml="http://www.opengis.net/gml" service="SOS" version="1.0.0"'
        f"{attributes}>{parts[0] if parts else ''}{''.join(parts[1:])}{inner}{tail}</GetObservation>"
    ).encode()
