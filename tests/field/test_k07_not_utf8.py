"""K7: data that are not UTF-8 are found by `check`; what is published of them can be requested as it is published."""

from __future__ import annotations

import re
import sqlite3
from urllib.parse import unquote

import pytest
from osgeo import gdal, ogr

from mapsos.check.report import check_mapfile

from .conftest import Field

NAMES = ("Köln", "Bonn", "Groß €")
ROWS = "station,time,value\n" + "".join(f"{name},2024-03-01T06:00:00Z,1.5\n" for name in NAMES)


def write(field: Field, driver: str, more: str = "") -> None:
    if driver == "csv":
        field.write("data.csv", ROWS.encode("cp1252"))
        field.publish("data.csv", more=more)
    elif driver == "shp":
        gdal.PushErrorHandler("CPLQuietErrorHandler")
        options = ["ENCODING=CP1252"]
        dataset = ogr.GetDriverByName("ESRI Shapefile").CreateDataSource(str(field.folder / "data.shp"))
        layer = dataset.CreateLayer("data", None, ogr.wkbPoint, options)
        for name in ("station", "time", "value"):
            layer.CreateField(ogr.FieldDefn(name, ogr.OFTReal if name == "value" else ogr.OFTString))
        for name in NAMES:
            feature = ogr.Feature(layer.GetLayerDefn())
            feature["station"], feature["time"], feature["value"] = name, "2024-03-01T06:00:00Z", 1.5
            feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT (1 2)"))
            layer.CreateFeature(feature)
        layer = dataset = None
        gdal.PopErrorHandler()
        (field.folder / "data.cpg").unlink(missing_ok=True)
        path = field.folder / "data.dbf"
        table = bytearray(path.read_bytes())
        table[29] = 0
        path.write_bytes(bytes(table))
        field.publish("data", more=more)
        text = field.mapfile.read_text().replace('CONNECTIONTYPE OGR CONNECTION "data"', 'DATA "data"')
        field.mapfile.write_text(text)
    else:
        with sqlite3.connect(field.folder / "data.sqlite") as database:
            database.execute("CREATE TABLE data (id INTEGER PRIMARY KEY, station TEXT, time TEXT, value REAL)")
            for name in NAMES:
                text = name.encode("cp1252").hex()
                values = f"(CAST(x'{text}' AS TEXT), '2024-03-01T06:00:00Z', 1)"
                database.execute(f"INSERT INTO data (station, time, value) VALUES {values}")
            if driver == "indexed":
                database.execute("CREATE INDEX by_station ON data (station, time)")
        database.close()
        field.publish("data.sqlite", "data", more=more)


@pytest.mark.parametrize("driver", ["csv", "shp", "sqlite", "indexed"])
def test_what_is_published_can_be_requested(field: Field, driver: str) -> None:
    write(field, driver)
    capabilities = field.ask("GetCapabilities").decode()
    found = re.findall(r'procedure xlink:href="([^"]*)"', capabilities)
    assert len(found) == 3
    for urn in found:
        for name in (urn, unquote(urn), urn.removeprefix("urn:ogc:def:procedure:")):
            assert len(field.rows(procedure=name)) == 1, name
            assert len(field.members(procedure=name)) == 1
    assert len(field.rest("/procedures")["procedures"]) == 3


@pytest.mark.parametrize("driver", ["csv", "shp", "sqlite"])
def test_check_names_the_encoding(field: Field, driver: str) -> None:
    write(field, driver)
    findings = [each for each in check_mapfile(str(field.mapfile)) if each.key == "ENCODING"]
    assert [each.level for each in findings] == ["warning"]
    assert 'ENCODING "CP1252"' in findings[0].message
    assert "station" in findings[0].message
    assert findings[0].line > 0


@pytest.mark.parametrize("driver", ["csv", "shp", "sqlite"])
def test_with_the_remedy_all_is_well(field: Field, driver: str) -> None:
    write(field, driver, more='ENCODING "CP1252"')
    assert [row["procedure"] for row in field.rows()] == list(NAMES)
    assert [row["procedure"] for row in field.rows(procedure="Köln")] == ["Köln"]
    assert not [each for each in check_mapfile(str(field.mapfile)) if each.key == "ENCODING"]
