"""Findings about values: what clients get otherwise than it is meant, with the line and the remedy."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mapsos.check.finding import Finding
from mapsos.check.report import check_mapfile
from mapsos.operations.layers.facts import forget_facts

MAP = """MAP NAME "m" SIZE 10 10 PROJECTION "init=epsg:4326" END
WEB METADATA "sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326" "sos_enable_request" "*" "sos_title" "T"
"sos_contactorganization" "C" END END
LAYER
NAME "obs" TYPE POINT STATUS ON
CONNECTIONTYPE OGR
CONNECTION "{source}"
{more}
METADATA "sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure_item" "station"
"sos_timeitem" "time"
"sos_value_alias" "value"
END END END
"""
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="obs"><SrcDataSource relativeToVRT="1">data.csv</SrcDataSource>'
    '<SrcLayer>data</SrcLayer><GeometryField encoding="PointFromColumns" x="lon" y="lat"/><Field name="station"/>'
    '<Field name="time"/><Field name="value" type="Real"/></OGRVRTLayer></OGRVRTDataSource>'
)


def check(folder: Path, source: str, more: str = "") -> list[Finding]:
    forget_facts()
    path = folder / "test.map"
    path.write_text(MAP.format(source=source, more=more))
    return check_mapfile(str(path))


def write(folder: Path, *rows: str, head: str = "station,time,value,lon,lat") -> None:
    (folder / "data.csv").write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    (folder / "data.vrt").write_text(VRT)


@pytest.mark.parametrize(
    ("source", "row", "key", "line", "parts"),
    [
        ("data.csv", "S1,2024-03-01,1.5,1,2", "TYPE", 7, ("no row", '"X_POSSIBLE_NAMES" "lon"', "VRT", "bbox")),
        ("data.csv", "S1,2024-03-01,1.5,1,2", "sos_value_alias", 11, ("text", '"sos_value_type" "Real"', "curves")),
        ("data.csv", 'S1,2024-03-01,"1,85",1,2', "sos_value_alias", 11, ("decimal comma", "decimal point")),
        ("data.vrt", 'S1,2024-03-01,"1,85",1,2', "sos_value_alias", 7, ('"1,85"', "missing", "decimal point")),
        ("data.vrt", "S1,2024-03-01,<0.1,1,2", "sos_value_alias", 7, ('"<0.1"', "missing")),
        ("data.vrt", "S1,2024-03-01,1.5,,", "TYPE", 7, ("no row",)),
        ("data.csv", "S1,03/04/2024,1.5,1,2", "sos_timeitem", 10, ('"03/04/2024"', "slashes", "2024-03-01T07:00:00Z")),
        ("data.csv", "S1,2024030107,1.5,1,2", "sos_timeitem", 10, ("digits", "eventTime")),
        ("data.csv", "S1,1.3.24,1.5,1,2", "sos_timeitem", 10, ("two digits",)),
    ],
)
def test_each_is_found(
    tmp_path: Path, source: str, row: str, key: str, line: int, parts: tuple[str, ...]
) -> None:
    write(tmp_path, row)
    findings = check(tmp_path, source)
    found = [each for each in findings if each.key == key and all(part in each.message for part in parts)]
    assert len(found) == 1, findings
    assert (found[0].level, found[0].line) == ("warning", line)


def test_a_string_in_a_column_of_numbers_of_sqlite(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.sqlite") as database:
        database.execute("CREATE TABLE data (id INTEGER PRIMARY KEY, station TEXT, time TEXT, value REAL)")
        database.execute("INSERT INTO data (station, time, value) VALUES ('S1', '2024-03-01', 'NA')")
    database.close()
    found = [each for each in check(tmp_path, "data.sqlite") if '"NA"' in each.message]
    assert [(each.level, each.line) for each in found] == [("warning", 7)]
    assert "such as 0" in found[0].message
    assert "NULL" in found[0].message


@pytest.mark.parametrize("time", ["2024-03-01", "1709272800", "01.03.2024 07:00", "2024-03-01 07:00:00 +0100", ""])
def test_good_values_have_no_finding(tmp_path: Path, time: str) -> None:
    write(tmp_path, f"S1,{time},1.5,1,2", "S2,2024-03-01,,1,2")
    keys = {each.key for each in check(tmp_path, "data.vrt", 'PROJECTION "init=epsg:4326" END')}
    assert not keys & {"TYPE", "ENCODING", "sos_timeitem", "sos_value_alias"}
