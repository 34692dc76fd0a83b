"""Parameters with plain values, versions, sections and update sequences: answers, and exceptions to the letter."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.exceptions import OwsException
from mapsos.ows.kvp import decode_kvp
from mapsos.ows.operation import Operation, find_operation_row
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.operations import OPERATIONS
from mapsos.sos.v1.reading import parameters
from mapsos.sos.v1.reading.negotiation import (
    check_update_sequence,
    check_version,
    negotiate_version,
    parse_sections,
)
from mapsos.sos.v1.reading.parameters import check_parameters
from mapsos.sos.v1.request import Handler
from mapsos.terms.crs import SrsName

Parser = Callable[[RawRequest], object]


def find(name: str) -> Operation[Handler]:
    operation = find_operation_row(OPERATIONS, name)
    assert operation is not None
    return operation


FORMAT = 'text/xml; subtype="om/1.0.0"'
SENSOR_FORMAT = 'text/xml; subtype="sensorML/1.0.0"'

PARSERS: dict[str, Parser] = {
    "response_format": partial(parameters.parse_response_format, allowed=(FORMAT,)),
    "output_format": parameters.parse_output_format,
    "response_mode": parameters.check_response_mode,
    "result_model": partial(parameters.parse_result_model, allowed=("om:Measurement", "om:Observation")),
    "sensor": parameters.parse_sensor,
    "observation_type": parameters.parse_observation_type,
    "offering": parameters.parse_offering,
    "observed_properties": parameters.parse_observed_properties,
    "observed_properties_required": parameters.require_observed_properties,
    "procedures": parameters.parse_procedures,
    "srs_name": parameters.parse_srs_name_parameter,
    "version": check_version,
    "accept_versions": negotiate_version,
    "sections": parse_sections,
}

BAD_VERSION = (
    "msOWSParseVersionString(): OWS error. Invalid version ({}). Version must be in the format 'x.y' or 'x.y.z'"
)


@pytest.mark.parametrize(
    ("parser", "query", "expected"),
    [
        *(
            ("response_format", f"responseFormat={value}", FORMAT)
            for value in (
                FORMAT,
                'TEXT/XML;SUBTYPE="OM/1.0.0"',
                "text/xml; subtype=om/1.0.0",
                "text/xml;subtype='om/1.0.0'",
                ' text/xml ; subtype = "om/1.0.0" ',
            )
        ),
        ("output_format", f"outputFormat={SENSOR_FORMAT}", "1.0.0"),
        ("output_format", "outputFormat=TEXT/xml;subtype=sensorml/1.0.1", "1.0.1"),
        ("response_mode", "", None),
        ("response_mode", "responseMode=INLINE", None),
        ("result_model", "", "om:Measurement"),
        ("result_model", "resultModel=OM:observation", "om:Observation"),
        ("result_model", "resultModel=Observation", "om:Observation"),
        ("result_model", "resultModel=Measurement", "om:Measurement"),
        ("sensor", "procedure=S1", "S1"),
        ("sensor", "sensorid=S1", "S1"),
        ("sensor", "sensorid=S1&procedure=S1", "S1"),
        ("sensor", "procedure=", ""),
        ("observation_type", "observedProperty=p", "p"),
        ("offering", "offering=o", "o"),
        ("offering", "offering=", ""),
        ("observed_properties", "observedProperty=a,b&observedProperty=b, c", ("a", "b", "c")),
        ("observed_properties", "observedProperty=", ("",)),
        ("procedures", "", None),
        ("procedures", "procedure=URN:OGC:def:procedure:S1,S2,,S1", ("S1", "S2")),
        ("procedures", "procedure=", ("",)),
        ("srs_name", "", None),
        ("srs_name", "srsName=urn:ogc:def:crs:EPSG::4326", SrsName("EPSG:4326", True)),
        ("srs_name", "srsName=epsg:3857", SrsName("EPSG:3857")),
        ("version", "version=1.0.0", None),
        ("version", "version=1.0", None),
        ("accept_versions", "", "1.0.0"),
        ("accept_versions", "version=7", "1.0.0"),
        ("accept_versions", "acceptVersions=2.0.0,x,1.0", "1.0.0"),
        ("sections", "", None),
        ("sections", "sections=", frozenset()),
        ("sections", "sections=All,Contents", None),
        ("sections", "sections=contents, ServiceProvider", frozenset({"Contents", "ServiceProvider"})),
    ],
)
def test_values_that_are_taken(parser: str, query: str, expected: object) -> None:
    assert PARSERS[parser](decode_kvp(query)) == expected


GET, SENSOR = "msSOSGetObservation", "msSOSDescribeSensor"
DISPATCH, CAPABILITIES = "msSOSDispatch", "msSOSGetCapabilities"


@pytest.mark.parametrize(
    ("parser", "query", "code", "locator", "text"),
    [
        ("version", "", "Missing", "version", f"{DISPATCH}(): SOS server error. Missing VERSION parameter"),
        *(
            (
                "version",
                f"version={version}",
                "Invalid",
                "version",
                f"{DISPATCH}(): SOS server error. VERSION {version} not supported.  Supported versions are: 1.0.0."
                + (f"\n{BAD_VERSION.format(version)}" if malformed else ""),
            )
            for version, malformed in (
                ("2.0.0", False),
                ("a.b", False),
                ("1.0.0x", False),
                ("1", True),
                ("", True),
                ("1.0.0.0", True),
            )
        ),
        *(
            (
                "accept_versions",
                f"acceptversions={versions}",
                "VersionNegotiationFailed",
                "acceptversions",
                f"{CAPABILITIES}(): SOS server error. ACCEPTVERSIONS list ({versions}) does not match supported "
                "versions (1.0.0)" + "".join(f"\n{line}" for line in lines),
            )
            for versions, lines in (
                ("2000-01-01", [BAD_VERSION.format("2000-01-01")]),
                ("2.0.0,7.0", []),
                ("", [BAD_VERSION.format("")]),
                ("2.0.0,x,y", [BAD_VERSION.format("y"), BAD_VERSION.format("x")]),
                ("x,x", [BAD_VERSION.format("x") + " (message repeated 1 times)"]),
                ("2.0.0,,3", [BAD_VERSION.format("3")]),
            )
        ),
        ("output_format", "", "Missing", "outputformat",
         f"{SENSOR}(): SOS server error. Missing mandatory parameter outputFormat."),
        ("output_format", "outputFormat=x", "Invalid", "outputformat",
         f"{SENSOR}(): SOS server error. Invalid outputformat parameter x.  Allowable values are: {SENSOR_FORMAT}, "
         'text/xml; subtype="sensorML/1.0.1"'),
        ("sensor", "", "Missing", "procedure", f"{SENSOR}(): SOS server error. Missing mandatory parameter procedure"),
        ("sensor", "procedure=a&sensorid=b", "Invalid", "procedure",
         f"{SENSOR}(): SOS server error. Parameter procedure is given more than once, with different values."),
        ("observation_type", "", "Missing", "observedproperty",
         "msSOSDescribeObservationType(): SOS server error. Missing mandatory parameter observedproperty"),
        ("observation_type", "observedProperty=a&observedProperty=b", "Invalid", "observedproperty",
         "msSOSDescribeObservationType(): SOS server error. "
         "Parameter observedproperty is given more than once, with different values."),
        ("offering", "", "Missing", "offering", f"{GET}(): SOS server error. Missing OFFERING parameter."),
        ("observed_properties_required", "", "Missing", "observedproperty",
         f"{GET}(): SOS server error. Missing OBSERVEDPROPERTY parameter."),
        ("response_format", "", "Missing", "responseformat",
         f"{GET}(): SOS server error. Missing RESPONSEFORMAT parameter."),
        ("response_format", "responseFormat=text/xml", "Invalid", "responseformat",
         f"{GET}(): SOS server error. Invalid RESPONSEFORMAT parameter text/xml.  Allowable values are: {FORMAT}"),
        ("response_mode", "responseMode=", "Invalid", "responsemode",
         f'{GET}(): SOS server error. Invalid RESPONSEMODE parameter .  Allowable values are: "inline"'),
        ("result_model", "resultModel=", "Invalid", "resultModel",
         f"{GET}(): SOS server error. resultModel should be om:Measurement or om:Observation"),
        ("srs_name", "srsName=x", "Invalid", "srsName",
         f'{GET}(): SOS server error. srsName value "x" unsupported / invalid'),
        ("sections", "sections=Contents,Dessert", "Invalid", "sections",
         f"{CAPABILITIES}(): SOS server error. Invalid sections parameter Dessert.  Allowable values are: "
         "ServiceIdentification, ServiceProvider, OperationsMetadata, Filter_Capabilities, Contents, All"),
    ],
)  # fmt: skip
def test_values_that_are_refused(parser: str, query: str, code: str, locator: str, text: str) -> None:
    with pytest.raises(OwsException) as refusal:
        PARSERS[parser](decode_kvp(query))
    expected = f"{code}ParameterValue" if code in ("Missing", "Invalid") else code
    assert (refusal.value.code, refusal.value.locator, refusal.value.text) == (expected, locator, text)


@pytest.mark.parametrize(
    ("query", "operation", "locator"),
    [
        ("evenTime=2001", "GetObservation", "eventime"),
        ("observed_property=a", "GetObservation", "observed_property"),
        ("procedures=a", "GetObservation", "procedures"),
        ("amp;procedure=a", "GetObservation", "amp;procedure"),
        ("section=Contents", "GetCapabilities", "section"),
        ("maps=a", "GetCapabilities", "maps"),
        ("offering=a&offering=b", "GetObservation", "offering"),
        ("offering=a&OFFERING=b", "GetObservation", "offering"),
        ("version=1.0.0&version=2.0.0", "GetObservation", "version"),
        ("acceptFormats=image/png", "GetCapabilities", "acceptformats"),
    ],
)
def test_near_misses_and_contradictions_are_refused(query: str, operation: str, locator: str) -> None:
    with pytest.raises(OwsException) as refusal:
        check_parameters(decode_kvp(query), find(operation), OPERATIONS, ("Token",))
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", locator)
    assert locator in refusal.value.text


@pytest.mark.parametrize(
    ("query", "operation", "ignored"),
    [
        ("map=a&map=b&mode=ows&service=SOS&request=GetCapabilities&version=1.0.0&sections=All", "GetCapabilities", ()),
        ("acceptFormats=image/png,text/xml", "GetCapabilities", ()),
        ("offering=a&offering=a&procedure=a&procedure=b&eventTime=a&eventTime=b", "GetObservation", ()),
        ("sensorid=a&bbox=1,2,3,4", "DescribeSensor", ("bbox",)),
        ("token=a", "GetCapabilities", ()),
        ("tokens=a&conformance=a", "GetCapabilities", ("tokens",)),
        ("service=SOS&flavour=x&_=17&flavour=y", "GetCapabilities", ("flavour", "_")),
        ("resultTime=2001&Sections=All&sections=Contents", "GetObservation", ("resulttime", "sections")),
        (
            "procedure=nosuch&eventTime=garbage&offering=a&offering=b",
            "GetObservationById",
            ("procedure", "eventtime", "offering"),
        ),
        # Of another operation, though near to one of this.
        ("FeatureOfInterestId=a", "GetObservation", ("featureofinterestid",)),
        ("responseMode=x", "GetDataAvailability", ("responsemode",)),
    ],
)
def test_parameters_that_pass(query: str, operation: str, ignored: tuple[str, ...]) -> None:
    assert check_parameters(decode_kvp(query), find(operation), OPERATIONS, ("Token",)) == ignored


def test_the_operation_and_the_parameter_that_was_meant_are_named() -> None:
    with pytest.raises(OwsException) as refusal:
        check_parameters(decode_kvp("evenTime=1"), find("GetObservation"), OPERATIONS)
    assert str(refusal.value) == "Unknown parameter eventime in GetObservation. Did you mean eventTime?"


def test_the_number_of_unknown_parameters_is_limited() -> None:
    with pytest.raises(OwsException, match="More than 100 unknown parameters"):
        check_parameters(decode_kvp("&".join(f"x{i}=" for i in range(101))), find("GetObservation"), OPERATIONS)


@pytest.mark.parametrize(
    ("client", "server", "code"),
    [
        ("foo", "foo", "CurrentUpdateSequence"),
        ("FOO", "foo", "CurrentUpdateSequence"),
        ("zoo", "foo", "InvalidUpdateSequence"),
        ("f", "foo", None),
        ("9", "10", None),
        ("10", "10", "CurrentUpdateSequence"),
        ("11", "10", "InvalidUpdateSequence"),
        ("9999999999", "foo", None),
        ("2007-01-01", "2007-01-01", "CurrentUpdateSequence"),
        ("2007-01-01T00:00:00", "2007-01-01", "CurrentUpdateSequence"),
        ("2007-01-02T00:00:00Z", "2007-01-01", "InvalidUpdateSequence"),
        ("2006-01-01", "2007-01-01", None),
        ("2008", "2007-01-01", None),
        ("", "2007-01-01", None),
        ("foo", None, None),
        (None, "foo", None),
    ],
)
def test_update_sequences(client: str | None, server: str | None, code: str | None) -> None:
    raw = RawRequest({} if client is None else {"updatesequence": (client,)})
    if code is None:
        check_update_sequence(raw, server)
        return
    with pytest.raises(OwsException) as refusal:
        check_update_sequence(raw, server)
    word = "equal to" if code.startswith("Current") else "higher than"
    assert (refusal.value.code, refusal.value.locator) == (code, "updatesequence")
    assert refusal.value.text == (
        f"msSOSGetCapabilities(): SOS server error. UPDATESEQUENCE parameter ({client}) is {word} server ({server})"
    )


NAMES = sorted({own.key for row in OPERATIONS for own in row.parameters})


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), st.tuples(st.text()), max_size=4))
def test_any_value_is_taken_or_refused(values: dict[str, tuple[str, ...]]) -> None:
    raw = RawRequest(values)
    for parse in PARSERS.values():
        with contextlib.suppress(OwsException):
            parse(raw)
    with contextlib.suppress(OwsException):
        check_parameters(raw, find("GetObservation"))
    with contextlib.suppress(OwsException):
        check_update_sequence(raw, "2007-01-01")
