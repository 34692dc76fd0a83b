"""XML bodies and forms: every answer is whole, well-formed, and tells no secret."""

from __future__ import annotations

from fuzz.victim import judge, post
from fuzz.victims import application

_OBSERVE = (
    '<GetObservation xmlns="http://www.opengis.net/sos/1.0" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:ogc="http://www.opengis.net/ogc" service="SOS" version="1.0.0"><offering>table</offering>{}'
    "<observedProperty>weather</observedProperty><responseFormat>text/xml; subtype=&quot;om/1.0.0&quot;"
    "</responseFormat></GetObservation>"
)
_TIME = (
    "<eventTime><ogc:TM_During><gml:TimePeriod><gml:beginPosition>2020-01-03</gml:beginPosition>"
    "<gml:endPosition>2020-01-05</gml:endPosition></gml:TimePeriod></ogc:TM_During></eventTime>"
)
_RESULT = (
    "<result><ogc:PropertyIsLike wildCard='*' singleChar='.' escapeChar='!'><ogc:PropertyName>station"
    "</ogc:PropertyName><ogc:Literal>S*</ogc:Literal></ogc:PropertyIsLike></result>"
)
_PLACE = (
    "<featureOfInterest><ogc:BBOX><ogc:PropertyName>x</ogc:PropertyName><gml:Envelope srsName='EPSG:4326'>"
    "<gml:lowerCorner>0 0</gml:lowerCorner><gml:upperCorner>9 60</gml:upperCorner></gml:Envelope></ogc:BBOX>"
    "</featureOfInterest>"
)
SEEDS = tuple(
    text.encode()
    for text in (
        '<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS" updateSequence="1"><AcceptVersions '
        'xmlns="http://www.opengis.net/ows/1.1"><Version>1.0.0</Version></AcceptVersions></GetCapabilities>',
        '<DescribeSensor xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0" '
        'outputFormat="text/xml;subtype=&quot;sensorML/1.0.0&quot;"><procedure>S0</procedure></DescribeSensor>',
        _OBSERVE.format(""),
        _OBSERVE.format(_TIME),
        _OBSERVE.format(_RESULT),
        _OBSERVE.format(_PLACE),
        _OBSERVE.format("<eventTime/><procedure>a, b</procedure><extension><x/></extension><evenTime/>"),
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "service=SOS&request=GetCapabilities",
    )
)
WORDS = ("<!DOCTYPE", "<!ENTITY", "<?xml", "encoding=", "UTF-16", "UTF-7", "xmlns:", "http://www.opengis.net/gml",
         "http://www.w3.org/2001/XInclude", "<xi:include", "href=", "<![CDATA[", "]]>", "&#0;", "&amp;", "</", "/>",
         "<result>", "<eventTime>", "<gml:TimePeriod>", "<ogc:Filter>", "<ogc:And>")  # fmt: skip


def check(data: bytes) -> None:
    """Post a body; one that looks like a form is one."""
    judge(application().answer(post(data)))
