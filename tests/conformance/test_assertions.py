"""The assertions of OGC's test-suite for SOS 1.0.0, each by its name, over HTTP.

Where the suite passes over an assertion, because capabilities do not advertise what it is about, so does the test; the
last test of the file shows that strict answers advertise it all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from lxml import etree

from .client import HREF, NIL, NS, SENSOR_ML, Offering, Service, during, equals

URIS = ("urn:ogc:", "urn:ioos:")
PROPERTY_URIS = (*URIS, "http:", "https:", "ftp:", "file:")
MODELS = {
    *("Observation", "Measurement", "CategoryObservation", "CountObservation", "TruthObservation"),
    *("GeometryObservation", "TemporalObservation", "ComplexObservation", "PointCoverageObservation"),
    *("DiscreteCoverageObservation", "TimeSeriesObservation", "ElementCoverageObservation", "PointCoverageObs"),
    *("DiscreteCoverageObs", "TimeSeriesObs"),
}
OPERATIONS = {
    *("GetCapabilities", "DescribeSensor", "GetObservation", "RegisterSensor", "InsertObservation", "GetResult"),
    *("GetObservationById", "GetFeatureOfInterest", "GetFeatureOfInterestTime", "DescribeFeatureType"),
    *("DescribeObservationType", "DescribeResultModel"),
}


def skip_unless(advertised: object, what: str) -> None:
    if not advertised:
        pytest.skip(f"capabilities do not advertise {what}")


# OWS Common


def test_ows_GetCapabilities_1(service: Service) -> None:
    service.get_capabilities().read("sos-1.0", "Capabilities")


def test_ows_ContentType_1(service: Service) -> None:
    assert service.get_capabilities().content_type.startswith("text/xml")


@pytest.mark.parametrize("names", [("SERVICE", "REQUEST"), ("SeRvIcE", "RequesT"), ("service", "request")])
def test_ows_CaseInsensitiveKvpNames_1(service: Service, names: tuple[str, str]) -> None:
    answer = service.get({names[0]: "SOS", names[1]: "GetCapabilities", "AcceptVersions": "1.0.0"})
    answer.read("sos-1.0", "Capabilities")


def test_ows_Exceptions_1(service: Service) -> None:
    report = service.get({"request": "GetCapabilities", "AcceptVersions": "1.0.0"}).read_report()
    assert report == ("MissingParameterValue", "service")


def test_ows_Exceptions_2(service: Service) -> None:
    assert service.get_capabilities(service="ASDF").read_report() == ("InvalidParameterValue", "service")


def test_ows_Exceptions_3_AcceptVersions_3(service: Service) -> None:
    assert service.get_capabilities(AcceptVersions="2000-01-01").read_report()[0] == "VersionNegotiationFailed"


def test_ows_UpdateSequence_1(service: Service) -> None:
    skip_unless(service.capabilities.get("updateSequence"), "an updateSequence")
    assert service.get_capabilities(updatesequence="9999999999").read_report()[0] == "InvalidUpdateSequence"


def test_ows_Exceptions_5(service: Service) -> None:
    code, locator = service.get("request~GetCapabilities!service~!SOS").read_report()
    assert code == "MissingParameterValue"
    assert locator in ("service", "request")


def test_ows_AcceptVersions_1_and_2(service: Service) -> None:
    root = service.get_capabilities(AcceptVersions="1.0.0").read("sos-1.0", "Capabilities")
    assert root.get("version") == "1.0.0"


def test_ows_Sections_1(service: Service) -> None:
    allowed = service.allowed("GetCapabilities", "Sections")
    skip_unless(allowed, "Sections")
    root = service.get_capabilities(sections="").read("sos-1.0", "Capabilities")
    assert not {etree.QName(child).localname for child in root} & set(allowed or ())


def test_ows_Sections_2(service: Service) -> None:
    skip_unless(service.allowed("GetCapabilities", "Sections"), "Sections")
    root = service.get_capabilities(sections="ServiceIdentification,OperationsMetadata").read("sos-1.0", "Capabilities")
    assert [etree.QName(child).localname for child in root] == ["ServiceIdentification", "OperationsMetadata"]


def test_ows_AcceptFormats_1(service: Service) -> None:
    allowed = service.allowed("GetCapabilities", "AcceptFormats")
    skip_unless(allowed, "AcceptFormats")
    for name in allowed or ():
        assert service.get_capabilities(acceptformats=name).content_type.startswith(name)


# General


def test_General_InvalidRequest(service: Service) -> None:
    assert service.post("test").read_report()[0] == "MissingParameterValue"


# GetCapabilities


def test_KVPRequestParameterHandling(service: Service) -> None:
    test_ows_Exceptions_1(service)


def test_KVPRequestServiceParameterHandling(service: Service) -> None:
    assert service.get_capabilities(service="XYZ").read_report() == ("InvalidParameterValue", "service")


def test_KVPRequestRequestParameterHandling(service: Service) -> None:
    assert service.get_capabilities(request="GetMeASandwich").read_report() == ("InvalidParameterValue", "request")


def test_OperationsMetadataMandatoryOperations(service: Service) -> None:
    assert {"GetCapabilities", "DescribeSensor", "GetObservation"} <= set(read_operations(service))


def test_OperationsMetadaOptionalOperations(service: Service) -> None:
    assert set(read_operations(service)) <= OPERATIONS


def read_operations(service: Service) -> list[str]:
    return [operation.get("name", "") for operation in service.capabilities.iterfind(".//ows:Operation", NS)]


def test_ResponseContentsValidTime(service: Service) -> None:
    periods = service.capabilities.findall(".//sos:time/gml:TimePeriod", NS)
    assert len(periods) == len(service.offerings)
    for period in periods:
        times = []
        for name in ("beginPosition", "endPosition"):
            position = period.find(f"gml:{name}", NS)
            assert position is not None
            if position.text:
                times.append(read_time(position.text))
            else:
                assert position.get("indeterminatePosition") in ("now", "unknown")
        assert times == sorted(times)


def test_ResponseContentsValidProcedure(service: Service) -> None:
    for offering in service.offerings:
        assert offering.procedures
        assert all(procedure.startswith(URIS) for procedure in offering.procedures)


def test_ResponseContentsValidObservedProperty(service: Service) -> None:
    for element in service.capabilities.iterfind(".//sos:observedProperty", NS):
        links = [each.get(HREF) for each in element.iter() if each.get(HREF) is not None]
        assert links
        assert all(str(link).startswith(PROPERTY_URIS) for link in links), links


def test_ResponseContentsValidResponseFormat(service: Service) -> None:
    formats = [name for offering in service.offerings for name in offering.formats]
    assert all(offering.formats for offering in service.offerings)
    formats += service.allowed("DescribeSensor", "outputFormat") or []
    for name in formats:
        kind, _, rest = name.partition("/")
        assert kind.isalpha(), name
        assert rest[:1] not in ("", " ", ";"), name


def test_ResponseContentsValidResultModel(service: Service) -> None:
    for element in service.capabilities.iterfind(".//sos:resultModel", NS):
        prefix, _, name = (element.text or "").partition(":")
        assert prefix
        assert name in MODELS


def test_ResponseContentsValidResponseMode(service: Service) -> None:
    for element in service.capabilities.iterfind(".//sos:responseMode", NS):
        assert element.text in ("inline", "out-of-band", "attached", "resultTemplate")


# DescribeSensor


def output_format(service: Service) -> str:
    return (service.allowed("DescribeSensor", "outputFormat") or [SENSOR_ML])[0]


def test_DescribeSensor_RequestInvalidMIMEType(service: Service) -> None:
    procedure = service.offerings[0].procedures[0]
    missing = service.describe_sensor(procedure, None).read_report()
    assert missing == ("MissingParameterValue", "outputformat")
    wrong = service.describe_sensor(procedure, 'text/xml;subtype="sensorML/A.B.C"').read_report()
    assert wrong == ("InvalidParameterValue", "outputformat")


def test_DescribeSensor_RequestInvalidProcedure(service: Service) -> None:
    missing = service.describe_sensor(None, output_format(service)).read_report()
    assert missing == ("MissingParameterValue", "procedure")
    wrong = service.describe_sensor("urn:ogc:object:procedure:CITE:NFL:AstroDome", output_format(service))
    assert wrong.read_report() == ("InvalidParameterValue", "procedure")


def test_DescribeSensor_ResponseMatchingResponseFormat(service: Service) -> None:
    for procedure in list_procedures(service):
        service.describe_sensor(procedure, output_format(service)).read("sos-1.0", "SensorML")


def test_DescribeSensor_ResponseMatchingProcedure(service: Service) -> None:
    path = "sml:member/sml:System/sml:identification/sml:IdentifierList/sml:identifier/sml:Term/sml:value"
    for procedure in list_procedures(service):
        root = service.describe_sensor(procedure, output_format(service)).root
        assert procedure in [value.text for value in root.iterfind(path, NS)]


def list_procedures(service: Service) -> list[str]:
    return list(dict.fromkeys(name for offering in service.offerings for name in offering.procedures))


# GetObservation: errors


def test_GetObservation_RequestInvalidSRSName(service: Service) -> None:
    offering = service.first
    answer = service.get_observation(offering.id, first_property(offering), srs_name="urn:ogc:def:crs:EPSG:9999")
    assert answer.read_report() == ("InvalidParameterValue", "srsname")


def test_GetObservation_RequestInvalidOffering(service: Service) -> None:
    answer = service.get_observation("softliness_of_jello", first_property(service.first))
    assert answer.read_report() == ("InvalidParameterValue", "offering")


def test_GetObservation_RequestInvalidEventTime(service: Service) -> None:
    operators = service.operators("Temporal")
    skip_unless({"TM_During", "TM_Equals"} & set(operators), "TM_During or TM_Equals")
    time = equals("scooby") if "TM_Equals" in operators else during("scooby", "2020-01-01")
    answer = service.get_observation(service.first.id, first_property(service.first), time=time)
    assert answer.read_report() == ("InvalidParameterValue", "eventtime")


@pytest.mark.parametrize(
    ("locator", "wrong"),
    [
        pytest.param(
            "procedure",
            {"procedure": "urn:ogc:object:procedure:CITE:WeatherService:ThisIsInvalid"},
            id="RequestInvalidProcedure",
        ),
        pytest.param("responseformat", {"response_format": 'text/xml;subtype="XX"'}, id="RequestInvalidResponseFormat"),
        pytest.param("resultmodel", {"result_model": "TheBogusOne"}, id="RequestInvalidResultModel"),
        pytest.param("responsemode", {"response_mode": "NotValid"}, id="RequestInvalidResponseMode"),
    ],
)
def test_GetObservation_errors(service: Service, locator: str, wrong: dict[str, str]) -> None:
    answer = service.get_observation(service.first.id, first_property(service.first), **wrong)  # type: ignore[arg-type]
    assert answer.read_report() == ("InvalidParameterValue", locator)


def test_GetObservation_RequestInvalidFeatureOfInterest(service: Service) -> None:
    feature = "<ObjectID>urn:ogc:def:object:feature:TheInvalidFeature</ObjectID>"
    answer = service.get_observation(service.first.id, first_property(service.first), feature=feature)
    assert answer.read_report() == ("InvalidParameterValue", "featureofinterest")


def test_GetObservation_RequestInvalidObservedProperty(service: Service) -> None:
    answer = service.get_observation(service.first.id, "urn:ogc:def:phenomenon:OGC:TheInvalidObservedProperty")
    assert answer.read_report() == ("InvalidParameterValue", "observedproperty")


def test_GetObservation_RequestInvalidResult(service: Service) -> None:
    name = first_comparison(service)
    result = f"<ogc:{name}><ogc:PropertyName/><ogc:Literal/></ogc:{name}>"
    answer = service.get_observation(service.first.id, first_property(service.first), result=result)
    assert answer.read_report()[0] == "InvalidParameterValue"


def first_comparison(service: Service) -> str:
    names = [name for name in service.operators("Comparison") if name not in ("Between", "NullCheck")]
    skip_unless(names, "a comparison operator")
    return f"PropertyIs{names[0]}"


def first_property(offering: Offering) -> str:
    return (offering.properties or offering.phenomena)[0]


# GetObservation: answers


def timed(service: Service) -> list[Offering]:
    found = [offering for offering in service.offerings if offering.has_period]
    assert found
    return found


def choose_property(service: Service, offering: Offering) -> str:
    """The first property for which the offering, by its gml:name, has observations; else the first of all."""
    if offering.id not in service.chosen:
        service.chosen[offering.id] = first_property(offering)
        for name in offering.properties if len(offering.properties) > 1 else ():
            if service.get_observation(offering.name, name).root.find("om:member/*", NS) is not None:
                service.chosen[offering.id] = name
                break
    return service.chosen[offering.id]


def test_GetObservation_ResponseMatchingSRSData(service: Service) -> None:
    for offering in timed(service):
        for srs_name in offering.srs_names:
            answer = service.get_observation(offering.id, first_property(offering), srs_name=srs_name)
            found = {element.get("srsName") for element in answer.read_observations().iter() if element.get("srsName")}
            assert found <= {srs_name}


def test_GetObservation_ResponseMatchingProcedureData(service: Service) -> None:
    for offering in timed(service):
        property_ = choose_property(service, offering)
        for procedure in offering.procedures:
            root = service.get_observation(offering.id, property_, procedure=procedure).read_observations()
            found = [element.get(HREF) for element in root.iterfind(".//om:procedure", NS)]
            assert is_nil(root) or (found and set(found) == {procedure})


def test_GetObservation_ResponseMatchingObservedPropertyData(service: Service) -> None:
    for offering in timed(service):
        for property_ in offering.properties:
            root = service.get_observation(offering.id, property_).read_observations()
            named = {
                value
                for observed in root.iterfind(".//om:observedProperty", NS)
                for element in observed.iter()
                for value in (element.get(HREF), element.findtext("gml:name", None, NS))
            }
            assert property_ in named


def test_GetObservation_ResponseAdvertisedEventTimeData(service: Service) -> None:
    skip_unless("TM_During" in service.operators("Temporal"), "TM_During")
    for offering in timed(service):
        time = during(offering.begin, offering.end or "now")
        root = service.get_observation(offering.id, choose_property(service, offering), time=time).read_observations()
        assert root.find("om:member//om:observedProperty", NS) is not None


@pytest.mark.parametrize("model", [None, "om:Observation"])
def test_GetObservation_ResponseMatchingEventTimeData(service: Service, model: str | None) -> None:
    skip_unless("TM_During" in service.operators("Temporal"), "TM_During")
    for offering in timed(service):
        property_ = choose_property(service, offering)
        begin = read_time(offering.begin)
        end = read_time(offering.end) if offering.end else datetime.now(UTC)
        before = during(write_time(begin - timedelta(366)), write_time(begin - timedelta(365)))
        root = service.get_observation(offering.id, property_, time=before, result_model=model).read_observations()
        assert {member.get(HREF) for member in root.iterfind("om:member", NS) if member.get(HREF)} <= {NIL}
        third = (end - begin) / 3
        bounds = [begin - timedelta(30), begin + third, begin + 2 * third, end + timedelta(30)]
        members = 0
        for first, last in pairwise(bounds):
            time = during(write_time(first), write_time(last))
            root = service.get_observation(offering.id, property_, time=time, result_model=model).read_observations()
            members += 0 if is_nil(root) else len(root.findall("om:member", NS))
            for period in root.iterfind(".//om:samplingTime/gml:TimePeriod", NS):
                asked = [read_time(period.findtext(f"gml:{side}Position", "", NS)) for side in ("begin", "end")]
                assert first <= asked[0] <= asked[1] <= last
        assert members


def test_GetObservation_ResponseMatchingFeatureOfInterestData(service: Service) -> None:
    for offering in timed(service):
        assert offering.features
        for feature in offering.features:
            escaped = etree.Element("ObjectID")
            escaped.text = feature
            asked = etree.tostring(escaped, encoding="unicode")
            answer = service.get_observation(offering.id, choose_property(service, offering), feature=asked)
            found = answer.read_observations().iterfind(".//om:featureOfInterest", NS)
            assert feature in {value for element in found for each in element.iter() for value in each.attrib.values()}


def test_GetObservation_ResponseMatchingResultData(service: Service) -> None:
    name = first_comparison(service)
    for offering in timed(service):
        property_ = choose_property(service, offering)
        names = etree.Element("name")
        names.text = property_
        result = (
            f"<ogc:{name}>{etree.tostring(names, encoding='unicode').replace('name>', 'ogc:PropertyName>')}"
            f"<ogc:Literal>700</ogc:Literal></ogc:{name}>"
        )
        service.get_observation(offering.id, property_, result=result).read_observations()


def test_GetObservation_ResponseMatchingResponseFormatData(service: Service) -> None:
    for offering in timed(service):
        for name in offering.formats:
            if name.startswith("text/xml"):
                property_ = choose_property(service, offering)
                service.get_observation(offering.id, property_, response_format=name).read_observations()


def is_nil(root: etree._Element) -> bool:
    members = root.findall("om:member", NS)
    return len(members) == 1 and members[0].get(HREF) == NIL and len(members[0]) == 0


def read_time(text: str) -> datetime:
    """A date or a date-time; anything shorter is refused, as by the suite."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def write_time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_strict_answers_advertise_what_the_assertions_are_about(service: Service) -> None:
    skip_unless(service.strict, "strict answers")
    assert service.allowed("GetCapabilities", "Sections")
    assert service.allowed("GetCapabilities", "AcceptFormats") == ["text/xml"]
    assert {"TM_During", "TM_Equals", "TM_After", "TM_Before"} <= set(service.operators("Temporal"))
    assert service.operators("Comparison")[0] == "EqualTo"
    assert service.capabilities.find(".//ogc:LogicalOperators", NS) is not None
    assert all(link.get(HREF) for link in service.capabilities.iterfind(".//ows:Post", NS))
