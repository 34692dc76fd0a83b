"""Ids with a comma can be asked for: as an element, alone in a list, and among others."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.station_service import DRIVERS, StationService, list_stations, name_source, write_layer, write_rows

DANUBE, RHINE, PLAIN = "Donau, km 2135", "Rhein,Köln", "SEA"
TIME = "2024-03-01T06:00:00Z"
ROWS = [(DANUBE, TIME, 1.0), (RHINE, TIME, 2.0), (PLAIN, TIME, 3.0)]
URN = "urn:ogc:def:procedure:"


@pytest.fixture
def service(tmp_path: Path) -> StationService:
    write_rows(tmp_path / "levels.gpkg", "GPKG", ROWS)
    source = name_source(tmp_path / "levels.gpkg")
    return StationService(
        tmp_path,
        write_layer(source, sos_offering_id="a, b", sos_observedproperty_id="level, cm"),
        write_layer(source, "second", sos_offering_id="a, b", sos_observedproperty_id="level"),
        write_layer(source, "third", sos_offering_id="a", sos_observedproperty_id="level"),
    )


LISTS = [
    (DANUBE, {DANUBE}),
    (DANUBE.upper(), {DANUBE}),
    (URN + DANUBE, {DANUBE}),
    (f"{DANUBE},{PLAIN}", {DANUBE, PLAIN}),
    (f"{PLAIN},{URN}{DANUBE},{RHINE}", {row[0] for row in ROWS}),
    (f"{PLAIN}, {RHINE}", {PLAIN, RHINE}),
]


@pytest.mark.parametrize(("names", "stations"), LISTS)
@pytest.mark.parametrize("parameter", ["procedure", "featureOfInterest"])
@pytest.mark.parametrize("ask", [StationService.observe, StationService.query])
def test_stations(
    service: StationService, ask: Callable[..., object], parameter: str, names: str, stations: set[str]
) -> None:
    usual = {"offering": "a, b", "observedProperty": "level"}
    reply = ask(service, **usual, **{parameter: names})
    assert list_stations(reply) == stations  # type: ignore[arg-type]
    form = service.observe if ask is StationService.observe else service.query
    assert "km 2136" in form(**usual, **{parameter: f"{PLAIN},Donau, km 2136"}).text


@pytest.mark.parametrize("soap", [False, True])
def test_elements(service: StationService, soap: bool) -> None:
    usual = "<offering>a, b</offering><observedProperty>level, cm</observedProperty>"
    usual += "<responseFormat>text/csv</responseFormat>"
    for inside in (
        f"<procedure>{DANUBE}</procedure>",
        f"<procedure>{URN}{DANUBE}</procedure>",
        f"<featureOfInterest><ObjectID>{DANUBE}</ObjectID></featureOfInterest>",
        f"<featureOfInterest>{DANUBE}</featureOfInterest>",
    ):
        assert list_stations(service.post("GetObservation", usual + inside, soap=soap)) == {DANUBE}
    both = f"<procedure>{DANUBE}</procedure><procedure>{RHINE}</procedure>"
    assert list_stations(service.post("GetObservation", usual + both, soap=soap)) == {DANUBE, RHINE}


def test_offerings_and_properties(service: StationService) -> None:
    assert list_stations(service.observe(offering="a, b", observedProperty="level, cm,level")) >= {PLAIN}
    counts = {"offering": "a, b,a", "observedProperty": "level,level, cm", "procedure": DANUBE}
    reply = service.ask("GetDataAvailability", responseFormat="text/csv", **counts)
    assert reply.text.count(DANUBE) == 3
    reply = service.query(offering="a, b", observedProperty="level, cm", procedure=DANUBE)
    assert len(reply.value["observationData"]) == 1
    assert len(service.query(offering="a, b,a", procedure=DANUBE).value["observationData"]) == 3
    assert len(service.query(offering="a\\, b", procedure=f"Donau\\, km 2135,{PLAIN}").value["observationData"]) == 4


def test_features_and_sensors(service: StationService) -> None:
    reply = service.ask("GetFeatureOfInterest", FeatureOfInterestId=f"{DANUBE},{PLAIN}")
    assert re.findall("<gml:name>(.*)</gml:name>", reply.text) == [DANUBE, PLAIN]
    reply = service.query("features/query", feature=f"{DANUBE},{PLAIN}")
    assert [feature["id"] for feature in reply.value["features"]] == [DANUBE, PLAIN]
    listed = re.search(f'{URN}Donau[^"]*', service.ask("GetCapabilities").text)
    assert listed is not None
    assert list_stations(service.observe(offering="a", procedure=listed[0])) == {DANUBE}
    reply = service.ask("DescribeSensor", procedure=DANUBE, outputFormat="text/xml;subtype=sensorML/1.0.1")
    assert "km 2135" in reply.text


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_driver(tmp_path: Path, driver: str) -> None:
    path = tmp_path / f"levels.{DRIVERS[driver]}"
    write_rows(path, driver, ROWS)
    service = StationService(tmp_path, write_layer(name_source(path)))
    assert list_stations(service.observe(procedure=f"{DANUBE},{PLAIN}")) == {DANUBE, PLAIN}
