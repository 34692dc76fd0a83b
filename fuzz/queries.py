"""Query strings and the headers beside them: every answer is whole, well-formed, and tells no secret."""

from __future__ import annotations

from fuzz.victim import SOS, get, judge, observe
from fuzz.victims import application

SEEDS = tuple(
    text.encode()
    for text in (
        "service=SOS&request=GetCapabilities",
        SOS + "DescribeSensor&procedure=S0&outputFormat=text/xml;subtype=%22sensorML/1.0.0%22",
        SOS + "DescribeObservationType&observedProperty=weather",
        observe("table"),
        observe("rows", eventTime="2020-01-03/2020-01-09", procedure="S1", resultModel="om:Observation"),
        observe("places", bbox="0,0,10,60", srsName="EPSG:3857", featureOfInterest="S2"),
        observe("rows", procedure="S1,a, b,S0", featureOfInterest="S0,S1", evenTime="2020", _="17"),
        observe("selected", eventTime="latest", featureOfInterest="BBOX:0,0,10,60"),
        "map=/etc/passwd&service=SOS&request=GetCapabilities",
        "service=SOS&request=GetCapabilities\nX-Forwarded-Host: evil.example\nHost: other\nX-Forwarded-For: 1.2.3.4",
    )
)
WORDS = ("service=", "SOS", "request=", "GetObservation", "offering=", "procedure=", "eventTime=", "result=", "bbox=",
         "%00", "%0d%0a", "%", "+", "&", "map=", "/vsicurl/", "latest", "/", "..", "PT1H", "P1D", "now", "BBOX:",
         "urn:ogc:def:crs:EPSG::4326", "srsName=", "featureOfInterest=", "resultModel=om:Observation")  # fmt: skip


def check(data: bytes) -> None:
    """Ask by a query string; further lines are headers of the request."""
    query, *lines = data.decode("utf-8", "surrogateescape").split("\n")
    pairs = (line.partition(":") for line in lines if line.isascii())
    headers = {"HTTP_" + name.strip().upper().replace("-", "_"): value.strip() for name, _, value in pairs}
    known = {name: value for name, value in headers.items() if name.replace("_", "").isalnum()}
    judge(application().answer(get(query, **known)))
