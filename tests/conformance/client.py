"""What the test-suite of OGC does with a service: requests over HTTP, and what it reads out of capabilities."""

from __future__ import annotations

import functools
import importlib.util
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tests.support.ogc_schemas import find_validator

NS = {
    "sos": "http://www.opengis.net/sos/1.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "om": "http://www.opengis.net/om/1.0",
    "gml": "http://www.opengis.net/gml",
    "ogc": "http://www.opengis.net/ogc",
    "sml": "http://www.opengis.net/sensorML/1.0.1",
}
HREF = "{http://www.w3.org/1999/xlink}href"
NIL = "urn:ogc:def:nil:OGC:inapplicable"
OM = 'text/xml; subtype="om/1.0.0"'
SENSOR_ML = 'text/xml;subtype="sensorML/1.0.0"'


@dataclass(frozen=True)
class Answer:
    """A response: its Content-Type and its body."""

    content_type: str
    body: bytes

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.body)

    def read(self, family: str, name: str) -> etree._Element:
        """The root element, which must have a local name, of a document that is valid by a family of schemas."""
        try:
            root = self.root
        except etree.XMLSyntaxError:
            raise AssertionError(f"no XML: {self.body[:300]!r}") from None
        assert etree.QName(root).localname == name, self.body[:1500].decode()
        assert_valid(root, family)
        return root

    def read_report(self) -> tuple[str, str]:
        """Code and locator of a valid exception report, the locator in lower case."""
        exception = self.read("ows-1.1", "ExceptionReport").find("ows:Exception", NS)
        assert exception is not None
        return exception.get("exceptionCode", ""), exception.get("locator", "").lower()

    def read_observations(self) -> etree._Element:
        return self.read("sos-1.0-extended", "ObservationCollection")


@functools.cache
def _validator() -> ModuleType | None:
    path = find_validator()
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location("ogc_validator", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def _schema(family: str) -> Any:
    module = _validator()
    return None if module is None else module.lxml_schema(family)


def assert_valid(root: etree._Element, family: str) -> None:
    """The document is valid; where the schemas are not at hand, nothing is said."""
    schema = _schema(family)
    if schema is not None and not schema.validate(root):
        raise AssertionError("\n".join(str(error) for error in list(schema.error_log)[:5]))


@dataclass
class Offering:
    """An offering as capabilities describe it."""

    id: str
    name: str
    srs_names: list[str]
    begin: str
    end: str
    now: bool
    procedures: list[str]
    properties: list[str]
    features: list[str]
    formats: list[str]
    phenomena: list[str] = field(default_factory=list)

    @property
    def has_period(self) -> bool:
        return bool(self.begin and (self.end or self.now))


@dataclass
class Service:
    """A service by its address, as the suite asks it."""

    url: str
    strict: bool = True
    chosen: dict[str, str] = field(default_factory=dict, repr=False)
    _root: etree._Element | None = field(default=None, repr=False)

    def get(self, query: str | dict[str, str]) -> Answer:
        text = query if isinstance(query, str) else urllib.parse.urlencode(query)
        return self._open(urllib.request.Request(self.url + ("&" if "?" in self.url else "?") + text))

    def post(self, body: str | bytes) -> Answer:
        data = body if isinstance(body, bytes) else body.encode()
        return self._open(urllib.request.Request(self.url, data, {"Content-Type": "text/xml"}))

    def _open(self, request: urllib.request.Request) -> Answer:
        with urllib.request.urlopen(request, timeout=120) as response:
            return Answer(response.headers.get("Content-Type", ""), response.read())

    def get_capabilities(self, **parameters: str) -> Answer:
        return self.get({"service": "SOS", "request": "GetCapabilities", "AcceptVersions": "1.0.0", **parameters})

    @property
    def capabilities(self) -> etree._Element:
        if self._root is None:
            self._root = self.get_capabilities().root
        return self._root

    @property
    def offerings(self) -> list[Offering]:
        return [_read_offering(element) for element in self.capabilities.iterfind(".//sos:ObservationOffering", NS)]

    @property
    def first(self) -> Offering:
        """The offering of the tests of errors: the first whose period has a begin and an end."""
        return next(offering for offering in self.offerings if offering.has_period)

    def allowed(self, operation: str, parameter: str) -> list[str] | None:
        """The values of a parameter of an operation, None if it is not advertised."""
        path = f".//ows:Operation[@name='{operation}']/ows:Parameter[@name='{parameter}']"
        found = self.capabilities.find(path, NS)
        return None if found is None else [value.text or "" for value in found.iterfind(".//ows:Value", NS)]

    def operators(self, kind: str) -> list[str]:
        """The names of temporal or comparison operators, in the order of capabilities."""
        found = self.capabilities.iterfind(f".//ogc:{kind}Operator", NS)
        return [element.get("name") or element.text or "" for element in found]

    def describe_sensor(self, procedure: str | None, output_format: str | None) -> Answer:
        given = "" if output_format is None else f" outputFormat={quoteattr(output_format)}"
        child = "" if procedure is None else f"<procedure>{escape(procedure)}</procedure>"
        return self.post(
            f'<DescribeSensor xmlns="{NS["sos"]}" service="SOS" version="1.0.0"{given}>{child}</DescribeSensor>'
        )

    def get_observation(
        self,
        offering: str,
        property_: str,
        *,
        time: str = "",
        procedure: str | None = None,
        feature: str = "",
        result: str = "",
        response_format: str = OM,
        result_model: str | None = None,
        response_mode: str | None = None,
        srs_name: str | None = None,
    ) -> Answer:
        """Ask by POST; ``time``, ``feature`` and ``result`` are markup."""
        attribute = "" if srs_name is None else f" srsName={quoteattr(srs_name)}"
        parts = (
            ("offering", escape(offering)),
            ("eventTime", time),
            ("procedure", None if procedure is None else escape(procedure)),
            ("observedProperty", escape(property_)),
            ("featureOfInterest", feature),
            ("result", result),
            ("responseFormat", escape(response_format)),
            ("resultModel", result_model),
            ("responseMode", response_mode),
        )
        children = "".join(f"<{name}>{text}</{name}>" for name, text in parts if text)
        return self.post(
            f'<GetObservation xmlns="{NS["sos"]}" xmlns:ogc="{NS["ogc"]}" xmlns:gml="{NS["gml"]}" '
            f'xmlns:om="{NS["om"]}" service="SOS" version="1.0.0"{attribute}>{children}</GetObservation>'
        )


def _read_offering(element: etree._Element) -> Offering:
    def links(name: str) -> list[str]:
        return [found.get(HREF, "") for found in element.iterfind(f"sos:{name}", NS) if found.get(HREF)]

    end = element.find(".//gml:endPosition", NS)
    period = element.find("sos:time/gml:TimePeriod", NS)
    nows = [each.get("indeterminatePosition") for each in (end, period) if each is not None]
    return Offering(
        id=element.get(f"{{{NS['gml']}}}id", ""),
        name=element.findtext("gml:name", "", NS),
        srs_names=[found.text or "" for found in element.iterfind("gml:srsName", NS)],
        begin=element.findtext(".//gml:beginPosition", "", NS),
        end=(end.text or "") if end is not None else "",
        now="now" in nows,
        procedures=links("procedure"),
        properties=links("observedProperty"),
        features=links("featureOfInterest"),
        formats=[found.text or "" for found in element.iterfind("sos:responseFormat", NS)],
        phenomena=[found.get(f"{{{NS['gml']}}}id", "") for found in element.iterfind("sos:observedProperty/*", NS)],
    )


def during(begin: str, end: str) -> str:
    """A time filter as the suite sends it."""
    return (
        "<ogc:TM_During><ogc:PropertyName>urn:ogc:data:time:iso8601</ogc:PropertyName><gml:TimePeriod>"
        f"<gml:beginPosition>{begin}</gml:beginPosition><gml:endPosition>{end}</gml:endPosition></gml:TimePeriod>"
        "</ogc:TM_During>"
    )


def equals(instant: str) -> str:
    """A time filter for an instant."""
    return (
        "<ogc:TM_Equals><ogc:PropertyName>urn:ogc:data:time:iso8601</ogc:PropertyName><gml:TimeInstant>"
        f"<gml:timePosition>{instant}</gml:timePosition></gml:TimeInstant></ogc:TM_Equals>"
    )
