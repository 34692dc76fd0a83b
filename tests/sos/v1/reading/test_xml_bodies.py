"""XML bodies: every operation, the lax forms that clients send, and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.exceptions import OwsException
from mapsos.ows.operation import Parameter
from mapsos.sos.v1.interface import read_body
from mapsos.sos.v1.operations import OPERATIONS

SOS = "http://www.opengis.net/sos/1.0"
OBSERVATION = f"""<?xml version="1.0" encoding="UTF-8"?>
<s:GetObservation xmlns:s="{SOS}" xmlns:gml="http://www.opengis.net/gml" xmlns:ogc="http://www.opengis.net/ogc"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" xml:lang="en"
    service="SOS" version="1.0.0" srsName="EPSG:4326">
  <s:offering> WATER <!-- the water --></s:offering>
  <s:eventTime><gml:TimeInstant/></s:eventTime>
  <s:eventTime>
    <ogc:TM_During><gml:TimePeriod/></ogc:TM_During>
  </s:eventTime>
  <s:procedure>S1</s:procedure>
  <s:procedure><![CDATA[S&2]]></s:procedure>
  <s:observedProperty>p1</s:observedProperty>
  <s:observedProperty>p2</s:observedProperty>
  <s:featureOfInterest><s:ObjectID>a</s:ObjectID><s:ObjectID>b</s:ObjectID></s:featureOfInterest>
  <s:result><ogc:PropertyIsNull/><ogc:And/></s:result>
  <s:responseFormat>text/xml; subtype="om/1.0.0"</s:responseFormat>
  <s:resultModel>om:Observation</s:resultModel>
  <s:responseMode/>
</s:GetObservation>"""


def body(name: str, inside: str = "", attributes: str = 'service="SOS" version="1.0.0"') -> bytes:
    return f'<{name} xmlns="{SOS}" xmlns:ows="http://www.opengis.net/ows/1.1" {attributes}>{inside}</{name}>'.encode()


def refuse(data: bytes) -> tuple[str, str, str]:
    with pytest.raises(OwsException) as refusal:
        read_body(data)
    return refusal.value.code, refusal.value.locator, refusal.value.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_observation_request_is_read_whole(encoding: str) -> None:
    raw = read_body(OBSERVATION.replace("UTF-8", encoding).encode(encoding))
    assert (raw.root, raw.from_xml) == ("GetObservation", True)
    values = {name: raw.all(name) for name in raw.values}
    times, features, result = values.pop("eventtime"), values.pop("featureofinterest"), values.pop("result")
    assert values == {
        "request": ("GetObservation",),
        "service": ("SOS",),
        "version": ("1.0.0",),
        "srsname": ("EPSG:4326",),
        "offering": ("WATER",),
        "procedure": ("S1", "S&2"),
        "observedproperty": ("p1", "p2"),
        "responseformat": ('text/xml; subtype="om/1.0.0"',),
        "resultmodel": ("om:Observation",),
    }
    assert times == ("<gml:TimeInstant/>", "<ogc:TM_During><gml:TimePeriod/></ogc:TM_During>")
    assert features == ("<s:ObjectID>a</s:ObjectID>", "<s:ObjectID>b</s:ObjectID>")
    assert result == ("<ogc:Filter><ogc:PropertyIsNull/><ogc:And/></ogc:Filter>",)


def test_capabilities_carry_lists_of_ows() -> None:
    inside = (
        "<ows:AcceptVersions><ows:Version>2.0.0</ows:Version><ows:Version>1.0.0</ows:Version></ows:AcceptVersions>"
        "<ows:Sections><ows:Section>Contents</ows:Section><ows:Section>All</ows:Section></ows:Sections>"
        "<ows:AcceptFormats><ows:OutputFormat>text/xml</ows:OutputFormat></ows:AcceptFormats>"
    )
    raw = read_body(body("GetCapabilities", inside, 'service="SOS" updateSequence="7"'))
    assert raw.values == {
        "request": ("GetCapabilities",),
        "service": ("SOS",),
        "updatesequence": ("7",),
        "acceptversions": ("2.0.0,1.0.0",),
        "sections": ("Contents,All",),
        "acceptformats": ("text/xml",),
    }


def test_the_other_operations() -> None:
    sensor = read_body(body("DescribeSensor", "<procedure>S1</procedure>", 'service="SOS" outputFormat="f"'))
    assert (sensor.last("procedure"), sensor.last("outputFormat")) == ("S1", "f")
    observation_type = read_body(body("DescribeObservationType", "<observedProperty>p</observedProperty>"))
    assert observation_type.last("observedProperty") == "p"


@pytest.mark.parametrize(
    "data",
    [
        body("getobservation", "<Offering>o</Offering>"),
        f'<s:GetObservation xmlns:s="{SOS}"><offering>o</offering></s:GetObservation>'.encode(),
        b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Header/><e:Body>"
        + body("GetObservation", "<offering>o</offering>")
        + b"</e:Body></e:Envelope>",
        b"<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body>"
        + body("GetObservation", "<offering>o</offering>")
        + b"</e:Body></e:Envelope>",
        b"\xef\xbb\xbf" + body("GetObservation", "<offering>o</offering>"),
    ],
    ids=["letter case", "children without namespace", "SOAP 1.1", "SOAP 1.2", "byte order mark"],
)
def test_lax_forms_are_read(data: bytes) -> None:
    raw = read_body(data)
    assert (raw.root, raw.last("request"), raw.last("offering")) == ("GetObservation", "GetObservation", "o")


def test_a_root_of_another_namespace_is_no_request_of_sos() -> None:
    raw = read_body(b'<GetObservation service="SOS" version="1.0.0"><x/></GetObservation>')
    assert raw.values == {"service": ("SOS",), "version": ("1.0.0",)}
    assert raw.root == "{}GetObservation"


def test_an_unknown_operation_of_sos_is_a_missing_request() -> None:
    raw = read_body(body("GetSandwich", "<x/>"))
    assert (raw.root, raw.last("service"), raw.last("request")) == ("GetSandwich", "SOS", None)


def test_a_filter_of_the_clients_own_is_kept() -> None:
    inside = '<result><f:Filter xmlns:f="urn:f"><f:Not/></f:Filter></result>'
    assert read_body(body("GetObservation", inside)).last("result") == '<f:Filter xmlns:f="urn:f"><f:Not/></f:Filter>'


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [(row.name, own) for row in OPERATIONS for own in row.parameters if own.xml in ("text", "list", "markup")],
)
@pytest.mark.parametrize("content", ["", " \n", "<!-- nothing -->"])
def test_empty_elements_are_as_if_absent(operation: str, parameter: Parameter, content: str) -> None:
    namespace = ' xmlns="http://www.opengis.net/wfs"' if parameter.name == "typename" else ""
    raw = read_body(body(operation, f"<{parameter.name}{namespace}>{content}</{parameter.name}>"))
    assert raw.values == read_body(body(operation)).values


def test_empty_members_of_lists_are_as_if_absent() -> None:
    inside = (
        "<ows:Sections><ows:Section/><ows:Section>Contents</ows:Section></ows:Sections>"
        "<ows:AcceptVersions><ows:Version/></ows:AcceptVersions>"
    )
    raw = read_body(body("GetCapabilities", inside))
    assert (raw.last("sections"), raw.last("acceptversions")) == ("Contents", None)


def test_unknown_elements_and_attributes_are_ignored_by_name() -> None:
    attributes = 'service="SOS" flavour="x" xmlns:y="urn:y" y:token="1"'
    raw = read_body(body("GetObservation", "<sandwich><x/></sandwich><Sections>All</Sections>", attributes))
    assert raw.ignored == ("flavour", "token", "sandwich", "Sections")
    assert dict(raw.values) == {"request": ("GetObservation",), "service": ("SOS",)}


def test_the_number_of_unknown_elements_is_limited() -> None:
    code, locator, text = refuse(body("GetObservation", "".join(f"<x{i}/>" for i in range(101))))
    assert (code, locator) == ("InvalidParameterValue", "request")
    assert "More than 100 unknown parameters" in text


@pytest.mark.parametrize(
    ("data", "locator", "meant"),
    [
        (body("GetObservation", "<evenTime/>"), "evenTime", "eventTime"),
        (body("GetObservation", '<z:procedures xmlns:z="urn:z"/>'), "procedures", "procedure"),
        (body("GetObservation", attributes='srs_name="EPSG:4326"'), "srs_name", "srsName"),
        (body("GetObservation", attributes='offerings="x"'), "offerings", "offering"),
    ],
)
def test_near_misses_are_refused(data: bytes, locator: str, meant: str) -> None:
    code, found, text = refuse(data)
    assert (code, found) == ("InvalidParameterValue", locator)
    assert text.endswith(f"{locator} in GetObservation. Did you mean {meant}?")


def test_plain_text_in_a_selection_is_kept() -> None:
    assert read_body(body("GetObservation", "<eventTime>2001/2002</eventTime>")).last("eventTime") == "2001/2002"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"test", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b"<a>&b;</a>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "the encoding no-such is not accepted"),
        (b"<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'/>", "not well-formed"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "document type"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16"), "document type"),
        (b"<a>" * 200 + b"</a>" * 200, "deep"),
        (b"<a>" * 100_000, "not well-formed"),
    ],
)
def test_unreadable_bodies(data: bytes, said: str) -> None:
    code, locator, text = refuse(data)
    assert (code, locator) == ("MissingParameterValue", "request")
    assert said in text
    assert "passwd" not in text


@pytest.mark.parametrize(
    ("data", "locator"),
    [
        (body("GetObservation", "<bbox>1,2,3,4</bbox>"), "bbox"),
        (body("GetObservation", "<offering>o</offering>sandwich"), "GetObservation"),
        (body("GetObservation", '<x:offering xmlns:x="urn:x">o</x:offering>'), "offering"),
        (body("GetObservation", attributes='service="SOS" offering="x"'), "offering"),
        (body("GetObservation", attributes='service="SOS" xmlns:x="urn:x" x:srsName="x"'), "srsName"),
        (body("GetObservation", '<offering id="x">o</offering>'), "id"),
        (body("GetObservation", '<procedure xmlns:x="urn:x" x:href="o"/>'), "href"),
        (body("GetObservation", "<offering><b/></offering>"), "b"),
        (body("GetObservation", "<eventTime><a/>text</eventTime>"), "eventTime"),
        (body("GetCapabilities", "<ows:Sections><ows:Part/></ows:Sections>"), "Part"),
    ],
)
def test_what_an_operation_does_not_have_is_refused_by_name(data: bytes, locator: str) -> None:
    code, found, text = refuse(data)
    assert (code, found) == ("InvalidParameterValue", locator)
    assert locator in text


@given(st.binary(max_size=300) | st.text("<>/sSGetObservation ='\"&;!-[]", max_size=200).map(str.encode))
def test_any_body_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(OwsException):
        assert read_body(data).from_xml
