"""A5: a condition that selects nothing costs no more than reading everything, and none where the answer is known."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr, osr

from mapsos.sources.drivers.ogr import OgrReader

from .conftest import Field

METADATA = '"sos_depth_alias" "depth" "sos_speed_alias" "speed"'
OUTSIDE = "1999-01-01T00:00:00Z"
INSIDE = "2024-03-01T06:00:00Z"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the condition of every reading."""
    found: list[str] = []
    rows = OgrReader.rows

    def note(self: OgrReader, plan: Any) -> Any:
        found.append(plan.narrowing.condition if plan.narrowing else "")
        return rows(self, plan)

    monkeypatch.setattr(OgrReader, "rows", note)
    return found


def write(path: Path, driver: str = "GPKG", index: str = "") -> None:
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    wgs84 = osr.SpatialReference()
    wgs84.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("data", wgs84, ogr.wkbPoint)
    kinds = {"station": ogr.OFTString, "time": ogr.OFTDateTime}
    for name in (*kinds, "value", "depth", "speed"):
        layer.CreateField(ogr.FieldDefn(name, kinds.get(name, ogr.OFTReal)))
    for hour in range(24):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["station"], feature["time"] = f"S{hour % 2}", f"2024-03-01T{hour:02d}:00:00Z"
        feature["value"], feature["depth"], feature["speed"] = hour, 2 * hour, 3 * hour
        feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT (1 2)"))
        layer.CreateFeature(feature)
    layer = dataset = None
    if index:
        with sqlite3.connect(path) as database:
            database.execute(f"CREATE INDEX i ON data ({index})")
        database.close()


def test_times_are_compared_by_the_database_only_with_an_index(field: Field, passes: list[str]) -> None:
    for number, (index, asked, pushed) in enumerate(
        (
            ("", {}, False),
            ("time", {}, True),
            ("station, time", {}, False),
            ("station, time", {"procedure": "S0"}, True),
            ("station", {"procedure": "S0"}, False),
        )
    ):
        write(field.folder / f"d{number}.gpkg", index=index)
        field.publish(f"d{number}.gpkg", metadata=METADATA)
        passes.clear()
        assert [row["time"] for row in field.rows(eventTime=INSIDE, **asked)] == [INSIDE]
        assert ('"time"' in passes[-1]) is pushed, (index, asked, passes)


@pytest.mark.parametrize("driver", ["GPKG", "SQLite", "FlatGeobuf", "GeoJSON"])
def test_a_time_outside_of_the_known_bounds_reads_nothing(field: Field, passes: list[str], driver: str) -> None:
    extension = {"GPKG": "gpkg", "SQLite": "sqlite", "FlatGeobuf": "fgb", "GeoJSON": "geojson"}[driver]
    path = field.folder / f"data.{extension}"
    write(path, driver)
    field.publish(path.name, metadata=METADATA)
    unknown = field.observe("text/csv", eventTime=OUTSIDE), field.observe(eventTime=OUTSIDE)
    field.ask("GetCapabilities")
    passes.clear()
    assert (field.observe("text/csv", eventTime=OUTSIDE), field.observe(eventTime=OUTSIDE)) == unknown
    for relation in (f"equals:{OUTSIDE}", f"before:{OUTSIDE}", "after:2025-01-01T00:00:00Z"):
        assert field.rest("/observations/query", temporalFilter=relation)["observationData"] == []
    assert passes == []
    assert len(field.rows(eventTime=INSIDE)) == 1
    for relation, count in ((f"equals:{INSIDE}", 3), (f"before:{INSIDE}", 18), (f"after:{INSIDE}", 51)):
        assert len(field.rest("/observations/query", temporalFilter=relation)["observationData"]) == count


def test_rows_that_are_added_are_found(field: Field) -> None:
    path = field.folder / "data.sqlite"
    write(path, "SQLite")
    field.publish(path.name, metadata=METADATA)
    field.ask("GetCapabilities")
    assert field.rows(eventTime=OUTSIDE) == []
    with sqlite3.connect(path) as database:
        database.execute(f"INSERT INTO data (station, time, value) VALUES ('S9', '{OUTSIDE}', 1)")
    database.close()
    assert [row["procedure"] for row in field.rows(eventTime=OUTSIDE)] == ["S9"]


def test_rest_reads_the_few_rows_of_a_layer_once_for_all_columns(field: Field, passes: list[str]) -> None:
    write(field.folder / "data.gpkg")
    field.publish("data.gpkg", metadata=METADATA)
    field.rows()
    passes.clear()
    found = field.rest("/observations/query", temporalFilter=f"equals:{INSIDE}")["observationData"]
    assert [each["result"]["value"] for each in found] == [6, 12, 18]
    assert len(passes) == 1
    passes.clear()
    page = field.rest("/observations/query", temporalFilter="after:2024-03-01T20:00:00Z", resultRecordCount="4")
    assert [each["result"]["value"] for each in page["observationData"]] == [21, 22, 23, 42]
    assert page["exceededTransferLimit"] is True
    assert len(passes) == 1
    passes.clear()
    assert len(field.rest("/observations/query", where="numeric_value = 6")["observationData"]) == 3
    assert len(passes) == 3
