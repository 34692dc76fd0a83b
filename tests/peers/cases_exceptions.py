"""The exceptions of docs/mapserver-sos.md, "Table of exceptions", one by one, and the order of checks."""

from __future__ import annotations

from .cases import Case, capabilities, data_block, kvp, observation_type, observations, period, sensor
from .expectations import attributes, exception, members, values
from .mapfiles import ITEM, layer, mapfile

MAPS: dict[str, str] = {
    "exc_no_resource": mapfile(layer(), web={"sos_onlineresource": None}),
    "exc_extent_3": mapfile(layer({"sos_offering_extent": "1,2,3"})),
    "exc_extent_5": mapfile(layer({"sos_offering_extent": "1,2,3,4,5"})),
    "exc_extent_empty": mapfile(layer({"sos_offering_extent": ""})),
    "exc_time_3": mapfile(layer({"sos_offering_timeextent": "2001/2002/2003"})),
    "exc_no_procedure": mapfile(layer({"sos_procedure": None})),
    "exc_item_no_column": mapfile(layer({"sos_procedure": None, "sos_procedure_item": "NOPE"})),
    "exc_item_empty": mapfile(layer(ITEM, source='DATA "empty"')),
    "exc_item_outside": mapfile(layer(ITEM), extent="100 80 110 85"),
    "exc_item_off": mapfile(layer(ITEM, status="OFF")),
    "exc_no_url": mapfile(layer({"sos_describesensor_url": None})),
    "exc_no_url_item": mapfile(layer({**ITEM, "sos_describesensor_url": None})),
    "exc_redirect": mapfile(layer({"sos_describesensor_url": None, "sos_describesensor": "redirect"})),
    "exc_redirect_item": mapfile(layer({**ITEM, "sos_describesensor_url": None, "sos_describesensor": "redirect"})),
    "exc_no_srs": mapfile(layer(), web={"sos_srs": None}),
    "exc_srs_unknown": mapfile(layer(), web={"sos_srs": "EPSG:4326 EPSG:999999"}),
    "exc_schemas": mapfile(layer(), web={"ows_schemas_location": "http://schemas.test"}),
    "exc_language": mapfile(layer(), web={"sos_language": "fr-CA", "ows_language": "fr-CA"}),
    "exc_two": mapfile(
        layer(),
        layer({"sos_offering_id": "off2", "sos_observedproperty_id": "op2", "sos_procedure": "S7"}, name="l2"),
    ),
    "exc_integer": mapfile(layer(), web={"sos_updatesequence": "17"}),
    "exc_text": mapfile(layer(), web={"sos_updatesequence": "foo"}),
    "exc_stamp": mapfile(layer(), web={"sos_updatesequence": "2007-10-30T12:00:00Z"}),
    "exc_markup": mapfile(layer(name="a<&>b")),
    "exc_layer_markup": mapfile(layer({"sos_procedure": None}, name="a&b")),
}


def ordered(*names: str) -> str:
    """A GetObservation with only some parameters right: which exception comes first."""
    return kvp(service="SOS", version="1.0.0", request="GetObservation", **dict.fromkeys(names, "x"))


describes = values("sml:value", ["urn:ogc:def:procedure:S1", "S1", "S1", "tests"])

CASES: list[Case] = [
    Case("exc-01-no-request", "shp", kvp(service="SOS")),
    Case("exc-01-empty-request", "shp", kvp(service="SOS", request="")),
    Case("exc-02-unknown-request-all-off", "exc_two", kvp(service="SOS", request="Nonsense", version="1.0.0")),
    Case("exc-03-unknown-request", "shp", kvp(service="SOS", request="Nonsense", version="1.0.0")),
    Case(
        "exc-03-optional-operation",
        "shp",
        kvp(service="SOS", request="GetResult", version="1.0.0"),
        differs=("B-28",),
        expects=(exception("OperationNotSupported", "GetResult", "not supported"),),
    ),
    Case("exc-03-unknown-markup", "shp", kvp(service="SOS", request="<a>&'\"", version="1.0.0")),
    Case("exc-04-no-version", "shp", observations(version=None)),
    Case("exc-04-no-version-sensor", "shp", sensor(version=None)),
    Case("exc-04-no-version-type", "shp", observation_type(version=None)),
    Case("exc-04-no-version-unknown", "shp", kvp(service="SOS", request="Nonsense")),
    Case("exc-04-empty-version", "shp", observations(version="")),
    *(
        Case(f"exc-05-version-{number}", "shp", observations(version=version))
        for number, version in enumerate(("2.0.0", "1.0.1", "1", "x", "1.0.0.0", "2.0", "-1.0"))
    ),
    *(
        Case(
            f"exc-05-version-more-{number}",
            "shp",
            observations(version=version),
            differs=("B-08",),
            expects=(exception("InvalidParameterValue", "version", version),),
        )
        for number, version in enumerate(("1.0.", "1.0.0-beta"))
    ),
    Case("exc-05-version-short", "shp", observations(version="1.0")),
    *(
        Case(f"exc-06-accept-{number}", "shp", capabilities(acceptVersions=versions))
        for number, versions in enumerate(("2.0.0", "2.0.0,3.0.0", "x", "2.0.0,x,y", "", "9"))
    ),
    Case("exc-06-accept-space", "shp", capabilities(acceptVersions="2.0.0, 1.0.0"), differs=("B-06",)),
    Case("exc-07-equal-integer", "exc_integer", capabilities(updateSequence="17")),
    Case("exc-08-higher-integer", "exc_integer", capabilities(updateSequence="18")),
    Case("exc-07-lower-integer", "exc_integer", capabilities(updateSequence="3"), differs=("B-06",)),
    Case("exc-07-equal-text", "exc_text", capabilities(updateSequence="foo")),
    Case("exc-07-equal-text-case", "exc_text", capabilities(updateSequence="FOO")),
    Case("exc-08-higher-text", "exc_text", capabilities(updateSequence="zoo")),
    Case("exc-07-lower-text", "exc_text", capabilities(updateSequence="f"), differs=("B-06",)),
    Case("exc-07-equal-time", "exc_stamp", capabilities(updateSequence="2007-10-30T12:00:00Z")),
    Case("exc-08-higher-time", "exc_stamp", capabilities(updateSequence="2007-10-30T12:00:01Z")),
    Case("exc-07-lower-time", "exc_stamp", capabilities(updateSequence="2006"), differs=("B-06",)),
    Case("exc-07-lower-day", "exc_stamp", capabilities(updateSequence="2007-10-29"), differs=("B-06",)),
    *(
        Case(f"exc-09-no-resource-{number}", "exc_no_resource", query, environ={"SERVER_NAME": None})
        for number, query in enumerate(
            (capabilities(), observations(), data_block(), observation_type(observedProperty="op"))
        )
    ),
    Case("exc-10-extent-3", "exc_extent_3", capabilities()),
    Case("exc-10-extent-3-observation", "exc_extent_3", observations()),
    Case("exc-10-extent-5", "exc_extent_5", capabilities()),
    Case("exc-10-extent-5-block", "exc_extent_5", data_block()),
    Case("exc-10-extent-empty", "exc_extent_empty", capabilities()),
    Case("exc-11-time-3", "exc_time_3", capabilities()),
    Case(
        "exc-12-time-3-block",
        "exc_time_3",
        data_block(),
        differs=("D-15",),
        expects=(
            exception(
                "InvalidParameterValue",
                "sos_offering_timeextent",
                "msSOSGetObservation(): SOS server error. Wrong number of arguments for sos_offering_timeextent.",
            ),
        ),
    ),
    Case("exc-12-time-3-measurement", "exc_time_3", observations()),
    Case("exc-13-no-procedure", "exc_no_procedure", capabilities()),
    Case("exc-13-layer-markup", "exc_layer_markup", capabilities()),
    Case("exc-14-item-no-column", "exc_item_no_column", capabilities()),
    Case("exc-15-item-empty", "exc_item_empty", capabilities(), differs=("B-07",)),
    Case("exc-15-item-outside", "exc_item_outside", capabilities(), differs=("B-07",)),
    Case(
        "exc-15-item-off",
        "exc_item_off",
        capabilities(),
        differs=("B-25",),
        expects=(attributes("sos:procedure", "xlink:href", [f"urn:ogc:def:procedure:S{n}" for n in (1, 2, 3)]),),
    ),
    Case("exc-16-no-format", "shp", sensor(outputFormat=None, procedure="urn:ogc:def:procedure:S1")),
    Case(
        "exc-16-empty-format",
        "shp",
        sensor(outputFormat="", procedure="urn:ogc:def:procedure:S1"),
        differs=("B-32",),
        expects=(exception("InvalidParameterValue", "outputformat", "Invalid outputformat parameter ."),),
    ),
    Case(
        "exc-17-format",
        "shp",
        sensor(outputFormat="text/xml", procedure="urn:ogc:def:procedure:S1"),
        differs=("B-32",),
        expects=(exception("InvalidParameterValue", "outputformat", "Invalid outputformat parameter text/xml."),),
    ),
    Case(
        "exc-17-format-two-spaces",
        "shp",
        sensor(outputFormat='text/xml;  subtype="sensorML/9"', procedure="urn:ogc:def:procedure:S1"),
        differs=("B-32",),
        expects=(exception("InvalidParameterValue", "outputformat", 'sensorML/1.0.0", text/xml; subtype='),),
    ),
    Case("exc-18-no-sensor", "shp", sensor()),
    Case("exc-18-empty-sensor", "shp", sensor(procedure="")),
    Case("exc-19-unknown-sensor", "shp", sensor(procedure="urn:ogc:def:procedure:S99")),
    Case("exc-19-unknown-sensor-item", "item_gpkg", sensor(procedure="urn:ogc:def:procedure:S99")),
    *(
        Case(id, map, sensor(procedure="urn:ogc:def:procedure:S1"), differs=("B-32",), expects=(describes,))
        for id, map in (("exc-20-no-url", "exc_no_url"), ("exc-21-no-url-item", "exc_no_url_item"))
    ),
    Case("exc-20-no-url-to-redirect", "exc_redirect", sensor(procedure="urn:ogc:def:procedure:S1")),
    Case("exc-21-no-url-to-redirect-item", "exc_redirect_item", sensor(procedure="urn:ogc:def:procedure:S1")),
    Case("exc-22-no-property", "shp", observation_type()),
    Case("exc-23-unknown-property", "shp", observation_type(observedProperty="nope")),
    Case("exc-23-property-list", "shp", observation_type(observedProperty="op,op")),
    Case("exc-24-no-offering", "shp", observations(offering=None)),
    Case("exc-24-empty-offering", "shp", observations(offering="")),
    Case("exc-25-no-property", "shp", observations(observedProperty=None)),
    Case("exc-25-empty-property", "shp", observations(observedProperty="")),
    Case("exc-26-no-format", "shp", observations(responseFormat=None)),
    Case("exc-27-format", "shp", observations(responseFormat="text/plain"), differs=("B-29",)),
    Case("exc-27-format-markup", "shp", observations(responseFormat="<&>\"'"), differs=("B-29",)),
    Case("exc-27-format-cjk", "shp", observations(responseFormat="漢字 é"), differs=("B-29",)),
    Case("exc-27-format-long", "shp", observations(responseFormat="x" * 3000)),
    Case("exc-28-mode", "shp", observations(responseMode="out-of-band")),
    Case("exc-28-mode-empty", "shp", observations(responseMode="")),
    Case("exc-29-offering", "shp", observations(offering="nope")),
    Case("exc-29-offering-space", "shp", observations(offering=" off")),
    Case("exc-29-offering-urn", "shp", observations(offering="urn:x:<off>")),
    Case("exc-30-property", "shp", observations(observedProperty="nope")),
    Case("exc-30-other-property", "exc_two", observations(observedProperty="op2")),
    Case("exc-30-property-list", "shp", observations(observedProperty="a,b,c")),
    Case("exc-31-procedure", "shp", observations(procedure="S99")),
    Case("exc-31-procedure-list", "shp", observations(procedure="S98,S99")),
    Case("exc-31-procedure-both", "both_shp", observations(procedure="S99")),
    Case("exc-32-procedure-item", "item_shp", observations(procedure="S99")),
    Case("exc-32-procedure-item-gpkg", "item_gpkg", observations(procedure="S99")),
    Case("exc-33-item-no-column", "exc_item_no_column", observations(procedure="S1")),
    *(
        Case(f"exc-34-time-{number}", "shp", observations(eventTime=text))
        for number, text in enumerate(("then", "<gml:TimePeriod/>", "<a>", "<b/>", "&&&", ","))
    ),
    Case("exc-34-time-text", "shp", observations(eventTime=period("x", "y")), differs=("B-07",)),
    Case(
        "exc-34-time-empty-end",
        "shp",
        observations(eventTime=period("2001", "")),
        differs=("B-20",),
        expects=(members(5),),
    ),
    Case("exc-35-feature", "shp", observations(featureOfInterest="<gml:Envelope>")),
    Case(
        "exc-36-feature-point",
        "shp",
        observations(featureOfInterest="<gml:Envelope><gml:lowerCorner>1</gml:lowerCorner></gml:Envelope>"),
        differs=("D-25",),
        expects=(exception("InvalidParameterValue", "featureofinterest", "for featureOfInterest <gml:Envelope>"),),
    ),
    Case("exc-37-no-srs", "exc_no_srs", observations(srsName="EPSG:4326")),
    Case("exc-38-srs", "shp", observations(srsName="EPSG:9999")),
    Case("exc-38-srs-text", "shp", observations(srsName="nonsense & <more>")),
    Case("exc-39-projection", "exc_srs_unknown", observations(srsName="EPSG:999999"), differs=("B-07",)),
    *(
        Case(f"exc-40-result-{number}", "shp", observations(result=text))
        for number, text in enumerate(
            (
                "nonsense",
                "<Filter>",
                "<Filter/>",
                "<NotAFilter><PropertyIsEqualTo/></NotAFilter>",
                "<Filter><PropertyIsEqualTo><PropertyName>ID</PropertyName></PropertyIsEqualTo></Filter>",
                "<Filter><And/></Filter>",
                "<Filter><PropertyIsLike><PropertyName>TXT</PropertyName><Literal>a</Literal></PropertyIsLike></Filter>",
            )
        )
    ),
    Case(
        "exc-41-result-name",
        "shp",
        observations(
            result="<Filter><PropertyIsEqualTo><PropertyName>NOPE</PropertyName><Literal>1</Literal>"
            "</PropertyIsEqualTo></Filter>"
        ),
    ),
    *(
        Case(f"exc-42-bbox-{number}", "shp", observations(bbox=text))
        for number, text in enumerate(("1,2,3", "1", "1,2,3,4,EPSG:4326,6"))
    ),
    *(
        Case(f"exc-43-model-{number}", "shp", observations(resultModel=text))
        for number, text in enumerate(("om:Nonsense", "om: Observation", "sos:Measurement"))
    ),
    Case("exc-43-model-empty", "shp", observations(resultModel="")),
    Case(
        "exc-43-model-short", "shp", observations(resultModel="Measurement"), differs=("D-28",), expects=(members(5),)
    ),
    Case("exc-order-1", "shp", ordered()),
    Case("exc-order-2", "shp", ordered("offering")),
    Case("exc-order-3", "shp", ordered("offering", "observedProperty")),
    Case("exc-order-4", "shp", ordered("offering", "observedProperty", "responseFormat"), differs=("B-29",)),
    Case("exc-order-5", "shp", observations(responseMode="x", offering="x", observedProperty="x")),
    Case("exc-order-6", "shp", observations(offering="x", observedProperty="x", procedure="x", eventTime="x")),
    Case("exc-order-7", "shp", observations(observedProperty="x", procedure="x", eventTime="x")),
    Case("exc-order-8", "shp", observations(procedure="x", eventTime="x", featureOfInterest="<x", srsName="x")),
    Case("exc-order-9", "shp", observations(eventTime="x", featureOfInterest="<x", srsName="x", result="x")),
    Case("exc-order-10", "shp", observations(featureOfInterest="<x", srsName="x", result="x", bbox="x")),
    Case("exc-order-11", "shp", observations(srsName="x", result="x", bbox="x", resultModel="x")),
    Case("exc-order-12", "shp", observations(result="x", bbox="x", resultModel="x")),
    Case("exc-order-13", "shp", observations(bbox="x", resultModel="x")),
    Case("exc-order-14", "exc_extent_3", observations(resultModel="x")),
    Case("exc-order-15", "exc_two", kvp(service="SOS", request="Nonsense", version="9.9")),
    Case("exc-schemas", "exc_schemas", kvp(service="SOS")),
    Case(
        "exc-language",
        "exc_language",
        kvp(service="SOS"),
        differs=("D-26",),
        expects=(attributes("ows:ExceptionReport", "xml:lang", ["fr-CA"]),),
    ),
    Case("exc-markup-name", "exc_markup", observations(procedure="S99&<")),
]
