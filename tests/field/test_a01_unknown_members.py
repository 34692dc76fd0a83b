"""A misspelt member of a list is rejected by name, wherever any list is read: nothing is dropped without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.station_service import (
    DRIVERS,
    FORM,
    StationService,
    list_stations,
    name_source,
    write_layer,
    write_rows,
)

TIME = "2024-03-01T06:00:00Z"
ROWS = [("SEA", TIME, 1.0), ("SFO", TIME, 2.0), ("MLO", TIME, 3.0)]


def make(folder: Path, driver: str = "GPKG", **metadata: str) -> StationService:
    path = folder / f"levels.{DRIVERS[driver]}"
    write_rows(path, driver, ROWS)
    return StationService(folder, write_layer(name_source(path), **metadata))


@pytest.fixture
def service(tmp_path: Path) -> StationService:
    """Two layers of an offering: SEA and SFO with levels, MLO with rain; and another offering with its own sensor."""
    for name, rows in (("levels", ROWS[:2]), ("rain", ROWS[2:]), ("other", [("NYC", TIME, 4.0)])):
        write_rows(tmp_path / f"{name}.gpkg", "GPKG", rows)
    return StationService(
        tmp_path,
        write_layer(name_source(tmp_path / "levels.gpkg")),
        write_layer(name_source(tmp_path / "rain.gpkg"), "rain", sos_observedproperty_id="rain"),
        write_layer(name_source(tmp_path / "other.gpkg"), "other", sos_offering_id="other"),
    )


def inline() -> str:
    points = "".join(
        f'FEATURE POINTS {n} {n} END ITEMS "{station};{time};{value}" END\n'
        for n, (station, time, value) in enumerate(ROWS)
    )
    return f'PROCESSING "ITEMS=station,time,value" {points}'


@pytest.mark.parametrize("driver", [*DRIVERS, "CSV", "VRT", "INLINE"])
def test_every_driver(tmp_path: Path, driver: str) -> None:
    if driver == "INLINE":
        service = StationService(tmp_path, write_layer(inline()))
    elif driver in ("CSV", "VRT"):
        lines = [f"{station},{time},{value},{n},{n}" for n, (station, time, value) in enumerate(ROWS)]
        (tmp_path / "levels.csv").write_text("\n".join(["station,time,value,x,y", *lines]) + "\n")
        (tmp_path / "levels.vrt").write_text(
            f'<OGRVRTDataSource><OGRVRTLayer name="levels"><SrcDataSource>{tmp_path}/levels.csv</SrcDataSource>'
            '<GeometryType>wkbPoint</GeometryType><LayerSRS>EPSG:4326</LayerSRS>'
            '<GeometryField encoding="PointFromColumns" x="x" y="y"/></OGRVRTLayer></OGRVRTDataSource>'
        )
        source = name_source(tmp_path / f"levels.{driver.lower()}")
        service = StationService(tmp_path, write_layer(source))
    else:
        service = make(tmp_path, driver)
    for parameter in ("procedure", "featureOfInterest"):
        assert list_stations(service.observe(**{parameter: "sea,urn:ogc:def:procedure:SFO"})) == {"SEA", "SFO"}
        reply = service.observe(**{parameter: "SEA,SF0,MLO,mlo2"})
        assert f'locator="{parameter.lower()}"' in reply.text
        assert "SF0,mlo2" in reply.text
        assert list_stations(service.query(**{parameter: "sea,urn:ogc:def:procedure:SFO"})) == {"SEA", "SFO"}
        reply = service.query(**{parameter: "SEA,SF0,MLO,mlo2"})
        assert reply.status == 400
        assert reply.value["error"]["message"].endswith(" SF0, mlo2 not found")


@pytest.mark.parametrize("response_format", ["text/xml; subtype=om/1.0.0", "text/csv", "application/json"])
@pytest.mark.parametrize("more", [{}, {"resultModel": "om:Observation"}, {"eventTime": "latest"}, {"bbox": "0,0,1,1"}])
def test_every_format(service: StationService, response_format: str, more: dict[str, str]) -> None:
    if response_format != "text/xml; subtype=om/1.0.0":
        more = {name: value for name, value in more.items() if name != "resultModel"}
    reply = service.observe(procedure="SEA,SF0", responseFormat=response_format, **more)
    assert "Invalid procedure value SF0" in reply.text


def test_a_list_spans_layers(service: StationService) -> None:
    reply = service.observe(observedProperty="level,rain", procedure="SEA,MLO")
    assert list_stations(reply) == {"SEA", "MLO"}
    reply = service.observe(observedProperty="level,rain", procedure="SEA,MLO,NYC")
    assert "Invalid procedure value NYC" in reply.text
    assert "Invalid procedure value MLO" in service.observe(procedure="SEA,MLO").text


def test_properties(service: StationService) -> None:
    assert "ObservedProperty rian not found" in service.observe(observedProperty="level,rian").text
    assert "ObservedProperty a,b not found" in service.observe(observedProperty="a,b").text
    assert list_stations(service.observe(observedProperty="LEVEL,rain")) == {"SEA", "SFO", "MLO"}


def test_bodies(service: StationService) -> None:
    both = "<procedure>SEA</procedure><procedure>SFO</procedure>"
    features = "<featureOfInterest><ObjectID>SEA</ObjectID><ObjectID>{}</ObjectID></featureOfInterest>"
    for soap in (False, True):
        assert list_stations(service.post_observe(both, soap=soap)) == {"SEA", "SFO"}
        assert list_stations(service.post_observe(features.format("SFO"), soap=soap)) == {"SEA", "SFO"}
        assert "value SF0" in service.post_observe("<procedure>SF0</procedure>" + both, soap=soap).text
        assert "FeatureOfInterest SF0 not" in service.post_observe(features.format("SF0"), soap=soap).text
    query = "service=SOS&version=1.0.0&request=GetObservation"
    form = "offering=all&observedProperty=level&responseFormat=text/csv&procedure=SEA,SF0"
    reply = service.send(query, form, FORM)
    assert "Invalid procedure value SF0" in reply.text


@pytest.mark.parametrize(
    ("parameters", "unknown"),
    [
        ({"offering": "all,al"}, "offering al not found"),
        ({"observedProperty": "level,levels"}, "observedProperty levels not found"),
        ({"procedure": "SEA,SF0"}, "procedure value SF0"),
        ({"offering": "all", "procedure": "SEA,NYC"}, "procedure value NYC"),
        ({"featureOfInterest": "SEA,SF0"}, "FeatureOfInterest SF0 not found"),
    ],
)
def test_availability(service: StationService, parameters: dict[str, str], unknown: str) -> None:
    assert unknown in service.ask("GetDataAvailability", **parameters).text
    known = {name: value.partition(",")[0] for name, value in parameters.items()}
    assert "ExceptionText" not in service.ask("GetDataAvailability", **known).text


def test_features(service: StationService) -> None:
    assert "FeatureOfInterest SF0 not" in service.ask("GetFeatureOfInterest", FeatureOfInterestId="SEA,SF0").text
    assert "procedure value SF0" in service.ask("GetFeatureOfInterest", procedure="SEA,SF0").text
    assert service.query("features/query", feature="SEA,SF0").value["error"]["message"] == "feature SF0 not found"
    reply = service.ask("GetFeatureOfInterest", FeatureOfInterestId="SEA,MLO,NYC")
    assert all(f"<gml:name>{id}</gml:name>" in reply.text for id in ("SEA", "MLO", "NYC"))


def test_stations_and_features_in_one_list(tmp_path: Path) -> None:
    service = make(tmp_path, sos_featureid="id")
    assert list_stations(service.observe(featureOfInterest="SEA,o_n1")) == {"SEA", "SFO"}
    assert list_stations(service.observe(featureOfInterest="n2,n1")) == {"MLO", "SFO"}
    assert "FeatureOfInterest n7 not found" in service.observe(featureOfInterest="SEA,n1,n7").text
    reply = service.ask("GetFeatureOfInterest", FeatureOfInterestId="SEA,n1")
    assert "<gml:name>SEA</gml:name>" in reply.text
    assert "<gml:name>n1</gml:name>" in reply.text
    assert "FeatureOfInterest n7 not found" in service.ask("GetFeatureOfInterest", FeatureOfInterestId="SEA,n7").text


def test_a_declared_sensor_without_rows_is_known(tmp_path: Path) -> None:
    service = make(tmp_path, sos_procedure="SEA SFO MLO PDX")
    assert list_stations(service.observe(procedure="PDX,SEA")) == {"SEA"}
    assert list_stations(service.observe(procedure="PDX")) == set()
    assert "Procedure PDY not found" in service.observe(procedure="PDX,PDY").text


def test_without_rows_any_sensor_is_accepted(tmp_path: Path) -> None:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [])
    service = StationService(tmp_path, write_layer(name_source(tmp_path / "levels.gpkg")))
    assert list_stations(service.observe(procedure="SEA,SFO")) == set()


def test_other_lists(service: StationService) -> None:
    assert "sections parameter Content." in service.ask("GetCapabilities", Sections="Contents,Content").text
    reply = service.observe(aggregateInterval="P1D", aggregateFunction="avg,median")
    assert "AGGREGATEFUNCTION parameter median" in reply.text


def test_rest_narrows_as_sos_does(service: StationService) -> None:
    for parameters, message in (
        ({"offering": "all,al"}, "offering al not found"),
        ({"observedProperty": "level,levels"}, "observed property levels not found"),
        ({"offering": "other", "procedure": "SEA"}, "procedure SEA not found"),
        ({"offering": "other", "observedProperty": "rain"}, "observed property rain not found"),
    ):
        for format in ("json", "csv", "pjson", "html"):
            reply = service.query(f=format, **parameters)
            assert reply.status == 400
            assert message in reply.text
    assert service.query(procedure="SEA", featureOfInterest="SFO").value == {"observationData": []}
