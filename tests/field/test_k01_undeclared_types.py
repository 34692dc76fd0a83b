"""K1: columns of SQLite without a declared type are published by what their rows contain."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from osgeo import ogr, osr

from .conftest import TABLES, Field

LEVELS = (1.5, None, 2.25)
TIMES = ("2024-03-01T06:00:00Z", "2024-03-01T07:00:00Z", "2024-03-01T08:00:00Z")
COMPUTED = {
    "level * 2": (["3.0", "", "4.5"], [3.0, None, 4.5]),
    "round(level, 1)": (["1.5", "", "2.3"], [1.5, None, 2.3]),
    "CASE WHEN fid = 1 THEN 1 ELSE 1.5 END": (["1", "1.5", "1.5"], [1, 1.5, 1.5]),
    "CASE WHEN fid = 1 THEN 1.5 ELSE 'ice' END": (["1.5", "ice", "ice"], [1.5, None, None]),
    "CASE WHEN fid = 2 THEN 7.5 ELSE '<0.1' END": (["<0.1", "7.5", "<0.1"], [None, 7.5, None]),
    "CASE WHEN fid = 1 THEN NULL ELSE level END": (["", "", "2.25"], [None, None, 2.25]),
    "station || fid": (["S01", "S12", "S23"], ["S01", "S12", "S23"]),
    "CAST(level AS INTEGER)": (["1", "", "2"], [1, None, 2]),
    "x'0AFF'": (["0AFF"] * 3, ["0AFF"] * 3),
    "CASE WHEN fid = 1 THEN x'0AFF' ELSE 2 END": (["0AFF", "2", "2"], [None, 2, 2]),
    "NULL": (["", "", ""], [None, None, None]),
    "fid = 1": (["1", "0", "0"], [1, 0, 0]),
}
"""Values by expression: their texts as SQLite writes them, and typed."""


def write_geopackage(path: Path) -> None:
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    wgs84 = osr.SpatialReference()
    wgs84.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("obs", wgs84, ogr.wkbPoint)
    for name, kind in (("station", ogr.OFTString), ("time", ogr.OFTDateTime), ("level", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for number, level in enumerate(LEVELS):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["station"], feature["time"], feature["level"] = f"S{number}", TIMES[number], level
        feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT (1 2)"))
        layer.CreateFeature(feature)
    layer = dataset = None


@contextmanager
def edit(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.commit()
    connection.close()


def publish(field: Field, how: str, expression: str) -> None:
    path = field.folder / "data.gpkg"
    write_geopackage(path)
    statement = f"SELECT fid AS OGC_FID, geom, station, time, {expression} AS value FROM obs"
    if how == "select":
        field.publish("data.gpkg", statement.replace("fid AS OGC_FID", "fid"))
        return
    with edit(path) as database:
        database.execute(f"CREATE VIEW vw AS {statement}")
        database.execute(
            f"INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('vw', '{how}', 'vw', 4326)"
        )
        if how == "features":
            database.execute("INSERT INTO gpkg_geometry_columns VALUES ('vw', 'geom', 'POINT', 4326, 0, 0)")
    field.publish("data.gpkg", "vw")


def read_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@pytest.mark.parametrize("expression", COMPUTED)
@pytest.mark.parametrize("how", ["features", "attributes", "select"])
def test_every_format_has_the_values(field: Field, how: str, expression: str) -> None:
    publish(field, how, expression)
    texts, values = COMPUTED[expression]
    members = field.members()
    found = [member.findtext(".//{*}value") or member.findtext(".//{*}result") or "" for member in members]
    alike = list(map(read_number, texts))
    assert [read_number(text.strip()) for text in found] == alike
    if how != "select":
        assert [text.strip() for text in found] == texts
    rows = field.rows()
    assert [read_number(row["value [m]"]) for row in rows] == alike
    for table in ("application/json", "application/geo+json"):
        document = json.loads(field.observe(table))
        assert json.dumps(values[2]) in json.dumps(document)
    for more in ({"resultModel": "om:Observation"}, {"response_format": 'text/xml;subtype="om/1.0.0"'}):
        assert b"Exception" not in field.observe(**more)
    assert len(field.rest("/observations/query")["observationData"]) == 3


@pytest.mark.parametrize("how", ["features", "attributes", "select"])
def test_conditions_compare_what_is_published(field: Field, how: str) -> None:
    publish(field, how, "CASE WHEN fid = 1 THEN 10 WHEN fid = 2 THEN '9.5' ELSE 'ice' END")
    condition = (
        "<ogc:Filter xmlns:ogc='http://www.opengis.net/ogc'><ogc:PropertyIsGreaterThan><ogc:PropertyName>value"
        "</ogc:PropertyName><ogc:Literal>9</ogc:Literal></ogc:PropertyIsGreaterThan></ogc:Filter>"
    )
    assert [row["procedure"] for row in field.rows(result=condition)] == ["S0", "S1"]
    assert [row["procedure"] for row in field.rows(result=condition.replace("GreaterThan", "LessThan"))] == []
    assert [row["time"] for row in field.rows(eventTime="latest", procedure="S1")] == [TIMES[1]]
    found = field.rest("/observations/query", where="numeric_value > 9.7")
    assert len(found["observationData"]) == 1


@pytest.mark.parametrize("declared", ["", "DECIMAL(10,2)", "NUMBER", "STRING", "FLOAT8", "JSON", "NUMERIC"])
@pytest.mark.parametrize("extension", ["sqlite", "gpkg"])
def test_a_declaration_that_says_little_loses_no_fraction(field: Field, extension: str, declared: str) -> None:
    path = field.folder / f"data.{extension}"
    if extension == "gpkg":
        write_geopackage(path)
    with edit(path) as database:
        database.execute(f"CREATE TABLE odd (id INTEGER PRIMARY KEY, station TEXT, time TEXT, value {declared})")
        values = [(1, "S0", TIMES[0], 1), (2, "S1", TIMES[1], 1.5), (3, "S2", TIMES[2], None)]
        database.executemany("INSERT INTO odd VALUES (?, ?, ?, ?)", values)
        if extension == "gpkg":
            database.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('odd', 'attributes', 'odd')"
            )
    field.publish(f"data.{extension}", "odd")
    assert [float(member.findtext(".//{*}value")) for member in field.members()[:2]] == [1, 1.5]
    assert [row["value [m]"] for row in field.rows()][1:] == ["1.5", ""]


def test_large_integers_that_are_declared_stay_exact(field: Field) -> None:
    path = field.folder / "data.gpkg"
    write_geopackage(path)
    with edit(path) as database:
        database.execute("ALTER TABLE obs ADD COLUMN value INTEGER DEFAULT 9007199254740993")
    for data in ("obs", "SELECT fid, geom, station, time, value FROM obs"):
        field.publish("data.gpkg", data)
        for table in TABLES:
            assert b"9007199254740993" in field.observe(table), (data, table)
