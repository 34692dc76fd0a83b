"""Every document of a run over all operations, models, geometry types and odd cases, held against OGC's schemas.

Both engines look at each: libxml2's and xmlschema, which sees more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

import pytest

from tests.support.ogc_schemas import complain, needs_schemas

from .client import NS, OM, Service
from .conftest import AGAINST
from .services import SHAPES

pytestmark = pytest.mark.skipif(AGAINST == "mapserv", reason="the assertions alone are for mapserv")

MODELS = ("om:Measurement", "om:Observation")


@pytest.fixture
def many(services: dict[str, Service]) -> Service:
    return services["many"]


def ask(service: Service, request: str, **parameters: str) -> bytes:
    version = {} if request == "GetCapabilities" else {"version": "1.0.0"}
    return service.get({"service": "SOS", "request": request, **version, **parameters}).body


def observe(service: Service, offering: str, property_: str, **parameters: str) -> bytes:
    given = {"offering": offering, "observedProperty": property_, "responseFormat": OM, **parameters}
    return ask(service, "GetObservation", **given)


@needs_schemas
@pytest.mark.parametrize(
    ("srs_name", "engine"), [("urn:ogc:def:crs:EPSG::4326", "both"), ("urn:ogc:def:crs:EPSG::3857", "lxml")]
)
def test_observations_of_every_geometry_type(
    many: Service, srs_name: str, engine: Literal["lxml", "both"], tmp_path: Path
) -> None:
    time = "2001-01-10/2001-02-20"
    documents = {
        f"{model}-{offering.id}-{number}": observe(
            many, offering.id, name, resultModel=model, srsName=srs_name, eventTime=time
        )
        for model in MODELS
        for offering in many.offerings
        for number, name in enumerate(offering.properties)
    }
    assert len(documents) == 2 * 3 * len(SHAPES)
    assert all(b"<om:result" in document for document in documents.values())
    assert complain(tmp_path, documents, family="sos-1.0-extended", engine=engine) == []


@needs_schemas
def test_odd_answers(many: Service, services: dict[str, Service], tmp_path: Path) -> None:
    documents = {
        f"{model} {name}": document
        for model in MODELS
        for name, document in ask_oddly(many, services["weather"], model).items()
    }
    assert len(documents) == 16
    assert complain(tmp_path, documents, family="sos-1.0-extended", engine="both") == []


def ask_oddly(many: Service, weather: Service, model: str) -> dict[str, bytes]:
    """No rows, nulls, markup in values, several properties, summaries."""
    first = many.first
    level, flags, grade = first.properties
    return {
        "nothing": observe(many, first.id, level, resultModel=model, eventTime="1066/1067"),
        "several properties": observe(many, first.id, ",".join((level, grade)), resultModel=model),
        "one station": observe(many, first.id, flags, resultModel=model, procedure=first.procedures[2]),
        "a place": observe(many, first.id, level, resultModel=model, bbox="0,0,90,90"),
        "years": observe(weather, "nile", "discharge", resultModel=model),
        "empty values": observe(weather, "mauna_loa", "carbon_dioxide", resultModel=model, eventTime="1958-05"),
        "texts": observe(weather, "daily", "precipitation", resultModel=model, eventTime="2012-01-01/P3D"),
        "summaries": observe(
            weather, "daily", "wind_speed", resultModel=model, aggregateInterval="P1Y", aggregateFunction="avg,count"
        ),
    }


@needs_schemas
def test_the_other_documents(many: Service, services: dict[str, Service], tmp_path: Path) -> None:
    format_ = 'text/xml; subtype="sensorML/1.0.1"'
    procedures = {"many": many.first.procedures[3], "weather": "urn:ogc:def:procedure:SEA"}
    documents = {}
    for name, service in services.items():
        documents |= {
            f"{name} capabilities": ask(service, "GetCapabilities"),
            f"{name} contents": ask(service, "GetCapabilities", sections="Contents"),
            f"{name} sensor": ask(service, "DescribeSensor", procedure=procedures[name], outputFormat=format_),
            f"{name} refusal": ask(service, "GetObservation", offering='<&">'),
        }
    documents["features"] = ask(many, "GetFeatureOfInterest", procedure=many.first.procedures[1])
    assert complain(tmp_path, documents, engine="both") == []


def test_ids_are_unique_and_times_whole(services: dict[str, Service]) -> None:
    for service in services.values():
        found = [each.get(f"{{{NS['gml']}}}id") for each in service.capabilities.iter()]
        ids = [each for each in found if each is not None]
        assert len(ids) == len(set(ids)) > 4
    periods = [(offering.begin, offering.end) for offering in services["weather"].offerings]
    assert ("1871-01-01", "1970-12-31") in periods
    assert ("1950-01-01", "2010-12-31") in periods


def test_one_request_may_choose_where_the_map_allows_it(services: dict[str, Service]) -> None:
    query = {"service": "SOS", "request": "GetCapabilities", "conformance": "mapserver"}
    assert b"EPSG:4326</gml:srsName>" in services["weather"].get(query).body
    assert b"EPSG::4326</gml:srsName>" in services["weather"].get(query | {"conformance": "Strict"}).body
    refused = services["weather"].get(query | {"conformance": "x"})
    assert refused.read_report() == ("InvalidParameterValue", "conformance")
    assert services["many"].get(query).read_report() == ("InvalidParameterValue", "conformance")
    body = b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'
    chosen = Service(f"{services['weather'].url}?{urlencode({'conformance': 'mapserver'})}").post(body)
    assert b"EPSG:4326</gml:srsName>" in chosen.body
