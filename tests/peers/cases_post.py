"""XML bodies and forms (docs/mapserver-sos.md, "Key-value pairs" and "XML bodies")."""

from __future__ import annotations

from .cases import FORM, Case, Expectation, capabilities, compare, observations, period, post_observations
from .expectations import any_exception, exception, members, redirects_to, values, well_formed
from .mapfiles import FEATURE_ID, layer, mapfile

XML = "text/xml"
SOS = 'xmlns="http://www.opengis.net/sos/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"'

MAPS: dict[str, str] = {
    "post_id": mapfile(layer({**FEATURE_ID, "sos_ID_alias": "id"})),
    "post_two": mapfile(
        layer({"sos_procedure": "S1", "sos_ID_alias": "id"}),
        layer({"sos_procedure": "S2", "sos_observedproperty_id": "op2", "sos_ID_alias": "id"}, name="l2"),
    ),
    "post_sequence": mapfile(layer(), web={"sos_updatesequence": "17"}),
}

EQ2 = compare("PropertyIsEqualTo", "id", "2")
HOUR = period("2001-10-30T14:00:00Z", "2001-10-30T15:00:00Z")
ENVELOPE = (
    "<ogc:BBOX><ogc:PropertyName>p</ogc:PropertyName><gml:Envelope><gml:lowerCorner>-76 44</gml:lowerCorner>"
    "<gml:upperCorner>-74 47</gml:upperCorner></gml:Envelope></ogc:BBOX>"
)


def post(
    id: str,
    body: bytes | str,
    *differs: str,
    map: str = "post_id",
    query: str = "",
    content_type: str | None = XML,
    expects: tuple[Expectation, ...] = (),
) -> Case:
    content = body.encode() if isinstance(body, str) else body
    return Case(id, map, query, "POST", content, content_type, differs=differs, expects=expects)


def event(inner: str, operator: str = "TM_Equals") -> str:
    return f"<eventTime><ogc:{operator}><ogc:PropertyName>t</ogc:PropertyName>{inner}</ogc:{operator}></eventTime>"


def caps_body(inner: str = "", attributes: str = ' service="SOS"') -> str:
    return f"<GetCapabilities {SOS}{attributes}>{inner}</GetCapabilities>"


def sensor_body(inner: str, attributes: str = " outputFormat='text/xml; subtype=&quot;sensorML/1.0.0&quot;'") -> str:
    return f'<DescribeSensor {SOS} service="SOS" version="1.0.0"{attributes}>{inner}</DescribeSensor>'


DOCTYPE = '<!DOCTYPE x [<!ENTITY off "off">]>'

CASES: list[Case] = [
    post("post-caps", caps_body(), "B-06"),
    post("post-caps-empty-elements", caps_body("<ows:AcceptVersions/><ows:Sections> </ows:Sections>"), "B-06"),
    post("post-caps-unknown-element", caps_body("<extension><x/></extension>", ' service="SOS" token="a"'), "B-06"),
    post(
        "post-caps-prefixed", '<sos:GetCapabilities xmlns:sos="http://www.opengis.net/sos/1.0" service="SOS"/>', "B-06"
    ),
    post("post-caps-no-content-type", caps_body(), "B-06", content_type=None),
    post("post-caps-json-type", caps_body(), "B-06", content_type="application/json"),
    post("post-caps-version", caps_body(attributes=' service="SOS" version="9.9.9"'), "B-06"),
    post("post-caps-sequence-equal", caps_body(attributes=' service="SOS" updateSequence="17"'), map="post_sequence"),
    post("post-caps-sequence-higher", caps_body(attributes=' service="SOS" updateSequence="18"'), map="post_sequence"),
    post(
        "post-caps-accept",
        caps_body("<ows:AcceptVersions><ows:Version>1.0.0</ows:Version></ows:AcceptVersions>"),
        "B-06",
    ),
    post(
        "post-caps-accept-7",
        caps_body("<ows:AcceptVersions><ows:Version>7.0.0</ows:Version></ows:AcceptVersions>"),
        "D-23",
        expects=(exception("VersionNegotiationFailed", "acceptversions", "7.0.0"),),
    ),
    post("post-other-namespace", '<GetCapabilities xmlns="http://example.test/" service="SOS"/>'),
    post("post-no-namespace", '<GetCapabilities service="SOS"/>'),
    post("post-unknown-root", f'<Nonsense {SOS} service="SOS" version="1.0.0"/>'),
    post("post-observations", post_observations()),
    post("post-observations-block", post_observations(resultModel="om:Observation", procedure="S1"), "D-16b"),
    post("post-observations-measurement", post_observations(resultModel="om:Measurement")),
    post("post-observations-procedure", post_observations(procedure="S2")),
    post("post-observations-unknown-procedure", post_observations(procedure="S77")),
    post("post-observations-unknown-offering", post_observations(offering="x")),
    post("post-observations-empty-offering", post_observations(offering="")),
    post("post-observations-no-format", post_observations(responseFormat=None)),
    post("post-observations-space", post_observations(offering=" off "), "B-19", expects=(members(5),)),
    post("post-observations-cdata", post_observations(offering="<![CDATA[off]]>")),
    post("post-observations-mode", post_observations("<responseMode>attached</responseMode>")),
    post("post-observations-srs", post_observations(attributes=' srsName="EPSG:4326"')),
    post("post-observations-srs-bad", post_observations(attributes=' srsName="EPSG:1"')),
    post(
        "post-entity",
        post_observations(offering="&off;").replace(b"?>\n", b"?>\n" + DOCTYPE.encode()),
        "B-11",
        expects=(any_exception,),
    ),
    post("post-no-version", post_observations().replace(b'SOS" version="1.0.0"', b'SOS"')),
    post(
        "post-version-2",
        post_observations().replace(b'service="SOS" version="1.0.0"', b'service="SOS" version="2.0.0"'),
    ),
    post("post-time", post_observations(event(HOUR))),
    post(
        "post-time-two",
        post_observations(event(HOUR) + event(period("2003-06-01", "2003-07-01"))),
        "D-21",
        expects=(members(2),),
    ),
    post(
        "post-time-bad",
        post_observations(event(period("x", "y"))),
        "D-05",
        expects=(exception("InvalidParameterValue", "eventtime", "<gml:beginPosition>x</gml:beginPosition>"),),
    ),
    post("post-time-after", post_observations(event(HOUR, "TM_After")), "D-05", expects=(members(4),)),
    post(
        "post-time-instant",
        post_observations(
            event("<gml:TimeInstant><gml:timePosition>2001-10-30T14:24:55Z</gml:timePosition></gml:TimeInstant>")
        ),
        "D-04",
        expects=(members(1),),
    ),
    post(
        "post-time-id",
        post_observations(event(HOUR.replace("<gml:TimePeriod>", '<gml:TimePeriod gml:id="a">'))),
        "D-05",
        expects=(members(1),),
    ),
    post("post-feature", post_observations(f"<featureOfInterest>{ENVELOPE}</featureOfInterest>")),
    post(
        "post-feature-id",
        post_observations("<featureOfInterest><ObjectID>nowhere</ObjectID></featureOfInterest>"),
        "B-12",
        expects=(any_exception,),
    ),
    post("post-result", post_observations(f"<result>{EQ2}</result>")),
    post(
        "post-result-and",
        post_observations(f"<result><ogc:And>{EQ2}{compare('PropertyIsLessThan', 'id', '9')}</ogc:And></result>"),
    ),
    post(
        "post-result-like",
        post_observations(
            "<result><ogc:PropertyIsLike wildCard='*' singleChar='?' escapeChar='!'>"
            "<ogc:PropertyName>Text</ogc:PropertyName><ogc:Literal>plain*</ogc:Literal></ogc:PropertyIsLike></result>"
        ),
    ),
    post(
        "post-result-wrapped",
        post_observations(f"<result><ogc:Filter>{EQ2}</ogc:Filter></result>"),
        "D-22",
        expects=(values("ms:id", ["2"]),),
    ),
    post("post-result-unknown", post_observations(f"<result>{compare('PropertyIsEqualTo', 'nope', '1')}</result>")),
    post(
        "post-two-procedures",
        post_observations("<procedure>S1</procedure><procedure>S2</procedure>", observedProperty="op,op2"),
        "D-21",
        map="post_two",
        expects=(members(10),),
    ),
    post(
        "post-two-properties",
        post_observations(observedProperty="op</observedProperty><observedProperty>op2"),
        "D-21",
        map="post_two",
        expects=(members(10),),
    ),
    post("post-property-list", post_observations(observedProperty="op,op2"), map="post_two"),
    post("post-sensor", sensor_body("<procedure>urn:ogc:def:procedure:S1</procedure>")),
    post("post-sensor-unknown", sensor_body("<procedure>urn:ogc:def:procedure:S9</procedure>")),
    post("post-sensor-no-format", sensor_body("<procedure>urn:ogc:def:procedure:S1</procedure>", "")),
    post(
        "post-type",
        f'<DescribeObservationType {SOS} service="SOS" version="1.0.0"><observedProperty>op</observedProperty>'
        "</DescribeObservationType>",
        "D-20",
        expects=(redirects_to("http://h/cgi?service=WFS&version=1.1.0&request=DescribeFeatureType&typename=l1"),),
    ),
    post("post-query-persists", post_observations(), query="procedure=S2"),
    post("post-body-overrides", post_observations(procedure="S2"), query="procedure=S77"),
    post("post-no-service", post_observations().replace(b' service="SOS"', b""), "D-24", expects=(members(5),)),
    post("post-empty", "", "D-24", expects=(any_exception,)),
    post("post-malformed", "<GetCapabilities", "D-24", expects=(any_exception,)),
    post("post-truncated", post_observations()[:-20], "D-24", expects=(any_exception,)),
    post("post-garbage", b"\xff\xfe\x00garbage", "B-05", expects=(any_exception,)),
    post("post-form", observations(), content_type=FORM, map="shp"),
    post("post-form-caps", capabilities(), "B-06", content_type=FORM, map="shp"),
    post("post-form-charset", observations(), content_type=FORM + "; charset=UTF-8", map="shp"),
    post("post-form-and-query", observations(offering=None), content_type=FORM, map="shp", query="offering=off"),
    post(
        "post-utf16",
        post_observations(offering="off").decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "B-05",
        expects=(well_formed,),
    ),
    post("post-latin", post_observations(procedure="é").decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")),
]
