"""OWSLib's SOS 1.0.0 client on a running ``mapsos serve``: every attribute of its model, and each of its calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from mapsos.encodings.registry import list_response_formats
from mapsos.sos.v1.operations import OPERATIONS
from tests.support.redirects import GENERATED
from tests.support.servers import reserve_port

pytest.importorskip("owslib", reason="OWSLib is not installed")

# What OWSLib does with its own dependencies is not ours to judge.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROOT = Path(__file__).parents[2]
WEATHER = ROOT / "examples" / "mapfiles" / "weather.map"
FORMAT = 'text/xml; subtype="om/1.0.0"'
NAMESPACES = {
    "om": "http://www.opengis.net/om/1.0",
    "gml": "http://www.opengis.net/gml",
    "ms": "http://mapserver.gis.umn.edu/mapserver",
    "xlink": "http://www.w3.org/1999/xlink",
    "ows": "http://www.opengis.net/ows/1.1",
}


@contextmanager
def serving(mapfile: Path, *options: str) -> Iterator[str]:
    """The address of a map on a server of its own, ended afterwards."""
    command = [str(Path(sys.executable).with_name("mapsos")), "serve", str(mapfile), "--workers", "1", *options]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"MS_ERRORFILE": "/dev/null"}
    )
    assert server.stdout is not None
    try:
        said = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, said
        yield f"{found[0]}/{mapfile.stem}"
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of weather.map on a server."""
    with serving(WEATHER, "--port", "0") as weather:
        yield weather


@pytest.fixture(scope="module")
def client(address: str) -> Any:
    """OWSLib's client, which has read the capabilities."""
    from owslib.sos import SensorObservationService

    return SensorObservationService(address, version="1.0.0")


def parse(document: bytes) -> etree._Element:
    return etree.fromstring(document)


def test_service_identification(client: Any) -> None:
    found = client.identification
    assert found.title == "Weather, ocean and river observations"
    assert found.abstract.startswith("Hourly and daily weather")
    assert "carbon dioxide" in found.keywords
    assert found.type == "SOS"
    assert found.version == "1.0.0"
    assert found.fees == "none"
    assert found.accessconstraints == "none"


def test_provider(client: Any) -> None:
    assert client.provider.name == "Example Weather Office"
    assert client.provider.url == "http://127.0.0.1:8080/"
    contact = client.provider.contact
    assert contact.name == "Jo Doe"
    assert contact.position == "Data manager"
    assert contact.role == "pointOfContact"
    assert contact.city == "Seattle"
    assert contact.region == "Washington"
    assert contact.postcode == "98101"
    assert contact.country == "USA"
    assert contact.email == "sensors@example.org"
    assert contact.phone == "+1 206 555 0100"
    assert contact.fax == "+1 206 555 0101"
    assert contact.hours == "Monday to Friday, 09:00 to 17:00 Pacific time"
    assert contact.instructions == "By e-mail, please"


def test_operations(client: Any, address: str) -> None:
    names = [operation.name for operation in client.operations]
    assert sorted(names) == sorted(operation.name for operation in OPERATIONS)
    for operation in client.operations:
        methods = {method["type"]: method["url"] for method in operation.methods}
        assert set(methods) == {"Get", "Post"}
        assert {url.rstrip("?") for url in methods.values()} == {address}
        also = ["WFS"] if operation.name == "DescribeFeatureType" else []
        assert operation.parameters["service"]["values"] == ["SOS", *also]
    observe = client.get_operation_by_name("getobservation")
    assert observe.parameters["responseFormat"]["values"] == list(list_response_formats())


def test_filters(client: Any) -> None:
    assert client.filters is not None


def test_contents(client: Any) -> None:
    assert [offering.id for offering in client.offerings] == list(client.contents)
    assert "hourly" in client.contents
    for offering in client.offerings:
        assert offering.name
        assert offering.description
        assert offering.srs.getcode() == "EPSG:4326"
        assert offering.bbox is not None
        assert offering.bbox_srs.code == 4326  # the label is urn:ogc:crs:epsg:4326
        assert isinstance(offering.begin_position, datetime)
        assert isinstance(offering.end_position, datetime)
        assert offering.begin_position < offering.end_position
        assert offering.procedures
        assert all(name.startswith("urn:ogc:def:procedure:") for name in offering.procedures)
        assert offering.observed_properties
        assert all(offering.observed_properties)
        assert offering.features_of_interest
        assert all(offering.features_of_interest)
        assert offering.response_formats == list(list_response_formats())
        assert offering.result_model == "om:Observation"
        assert offering.response_modes == ["inline"]


def test_hourly_offering(client: Any) -> None:
    hourly = client["hourly"]
    assert hourly.name == "Hourly temperature at airports"
    assert hourly.observed_properties == ["air_temperature"]
    assert hourly.procedures == ["urn:ogc:def:procedure:SEA", "urn:ogc:def:procedure:SFO"]
    assert (hourly.begin_position.year, hourly.end_position.year) == (2010, 2011)
    # The corners are in x y order as MapServer writes them; OWSLib takes the first number for y.
    assert hourly.bbox == pytest.approx((37.6197, -122.3656, 47.4444, -122.3138))


@pytest.mark.parametrize("method", ["Get", "Post"])
def test_get_observation(client: Any, method: str) -> None:
    hourly = client["hourly"]
    answer = client.get_observation(
        offerings=["hourly"],
        responseFormat=hourly.response_formats[0],
        observedProperties=hourly.observed_properties,
        procedure=hourly.procedures[1],
        eventTime="2010-07-01T00:00:00Z/2010-07-01T02:00:00Z",
        method=method,
    )
    collection = parse(answer)
    assert collection.tag == "{http://www.opengis.net/om/1.0}ObservationCollection"
    times = collection.xpath("//om:samplingTime//gml:timePosition/text()", namespaces=NAMESPACES)
    assert times == ["2010-07-01T00:00:00Z", "2010-07-01T01:00:00Z", "2010-07-01T02:00:00Z"]
    assert set(collection.xpath("//om:procedure/@xlink:href", namespaces=NAMESPACES)) == {"urn:ogc:def:procedure:SFO"}
    assert len(collection.xpath("//ms:temperature", namespaces=NAMESPACES)) == 3


@pytest.mark.parametrize("method", ["Get", "Post"])
def test_get_observation_as_data_block(client: Any, method: str) -> None:
    answer = client.get_observation(
        offerings=["hourly"],
        responseFormat=FORMAT,
        observedProperties=["air_temperature"],
        eventTime="2010-07-01T00:00:00Z",
        method=method,
        resultModel="om:Observation",
    )
    blocks = parse(answer).xpath("//om:result", namespaces=NAMESPACES)
    assert [block.text.split(",")[0] for block in blocks] == ["2010-07-01T00:00:00Z", "2010-07-01T00:00:00Z"]


@pytest.mark.parametrize("method", ["Get", "Post"])
def test_exceptions_reach_the_caller(client: Any, method: str) -> None:
    from owslib.ows import ExceptionReport

    with pytest.raises(ExceptionReport) as caught:
        client.get_observation(
            offerings=["nothing"], responseFormat=FORMAT, observedProperties=["air_temperature"], method=method
        )
    assert [(one["exceptionCode"], one["locator"]) for one in caught.value.exceptions] == [
        ("InvalidParameterValue", "offering")
    ]


@pytest.mark.parametrize("procedure", ["urn:ogc:def:procedure:SEA", "SEA"])
def test_describe_sensor(client: Any, procedure: str) -> None:
    answer = client.describe_sensor(outputFormat='text/xml; subtype="sensorML/1.0.0"', procedure=procedure)
    path = "string(//*[local-name()='identifier' and @name='uniqueID']//*[local-name()='value'])"
    assert parse(answer).xpath(path) == "urn:ogc:def:procedure:SEA"


def test_describe_sensor_of_an_unknown_one(client: Any) -> None:
    from owslib.ows import ExceptionReport

    with pytest.raises(ExceptionReport) as caught:
        client.describe_sensor(outputFormat='text/xml; subtype="sensorML/1.0.0"', procedure="urn:x:nothing")
    assert [(one["exceptionCode"], one["locator"]) for one in caught.value.exceptions] == [
        ("InvalidParameterValue", "procedure")
    ]


def test_describe_sensor_follows_to_the_description(tmp_path: Path) -> None:
    """A map whose describesensor_url is a capabilities document on the same server: the client gets it."""
    from owslib.sos import SensorObservationService

    with reserve_port() as port:
        text = WEATHER.read_text().replace("../../data", str(ROOT / "data"))
        here = f"http://127.0.0.1:{port}/near?service=SOS&request=GetCapabilities&Sections=ServiceIdentification"
        text = text.replace("https://example.org/sensors/%procedure%.xml", here).replace(GENERATED, "")
        (tmp_path / "near.map").write_text(text)
        with serving(tmp_path / "near.map", "--port", str(port)) as near:
            client = SensorObservationService(near, version="1.0.0")
            answer = client.describe_sensor(
                outputFormat='text/xml; subtype="sensorML/1.0.0"', procedure=client["hourly"].procedures[0]
            )
    assert parse(answer).xpath("string(//ows:Title)", namespaces=NAMESPACES).startswith("Weather")
