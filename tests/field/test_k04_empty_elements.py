"""Empty elements of a body are as if absent: OpenLayers 2 writes ``<eventTime/>`` for every time but ``latest``."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.sos.v1.operations import OPERATIONS
from tests.support.station_service import StationService, list_stations, name_source, write_layer, write_rows


@pytest.fixture
def service(tmp_path: Path) -> StationService:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [("A", "2024-03-01T06:00:00Z", 1.0), ("B", "2024-03-02", 2.0)])
    return StationService(tmp_path, write_layer(name_source(tmp_path / "levels.gpkg"), sos_featureid="id"))


@pytest.mark.parametrize("soap", [False, True])
@pytest.mark.parametrize(
    "element", ["<eventTime/>", "<result> </result>", "<featureOfInterest>\n</featureOfInterest>", "<procedure/>"]
)
def test_what_clients_send(service: StationService, element: str, soap: bool) -> None:
    assert list_stations(service.post_observe(element, soap=soap)) == {"A", "B"}


REQUIRED = {
    "GetCapabilities": "",
    "DescribeSensor": "<procedure>A</procedure>",
    "DescribeObservationType": "<observedProperty>level</observedProperty>",
    "DescribeFeatureType": "",
    "GetFeatureOfInterest": "<procedure>A</procedure>",
    "GetObservation": "<offering>all</offering><observedProperty>level</observedProperty>"
    "<responseFormat>text/csv</responseFormat>",
    "GetObservationById": "<ObservationId>n0</ObservationId>",
    "GetDataAvailability": "",
}


@pytest.mark.parametrize("operation", [row.name for row in OPERATIONS])
def test_every_optional_element(service: StationService, operation: str) -> None:
    (row,) = [row for row in OPERATIONS if row.name == operation]
    required = REQUIRED[operation]
    attribute = " outputFormat='text/xml; subtype=&quot;sensorML/1.0.1&quot;'" if operation == "DescribeSensor" else ""
    start = f'<{operation} xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0"{attribute}>'
    plain = service.send("", f"{start}{required}</{operation}>")
    assert "ExceptionText" not in plain.text
    names = [own.name for own in row.parameters if own.xml in ("text", "list", "markup") and own.name != "typename"]
    optional = [name for name in names if f"<{name}>" not in required]
    for name in optional:
        for empty in (f"<{name}/>", f"<{name}> </{name}>", f"<{name}><!-- none --></{name}>"):
            assert service.send("", f"{start}{required}{empty}</{operation}>").text == plain.text
