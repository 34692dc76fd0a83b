"""The table of rules: each code has a section in docs/findings.md, and a map that breaks it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from mapsos.check.codes import RULES
from mapsos.check.report import check_mapfile

from .conftest import CSV, ODD, Spoil, write_geopackage

DOCUMENT = (Path(__file__).parents[2] / "docs" / "findings.md").read_text("utf-8")
SUBJECTS = {"1", "2", "3", "4", "5", "6", "7", "9"}
PROJECTION = '    PROJECTION "epsg:4326" END\n    META'
COLUMNS = '      "sos_level_alias" "level"\n      "sos_flow_alias" "flow"\n'
STATUS = "    STATUS ON\n"
STATION = '"sos_procedure_item" "station"'
GEOPACKAGE = '    CONNECTION "gauges.gpkg"\n'


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="odd"><SrcDataSource relativeToVRT="1">odd.csv</SrcDataSource>'
    '<GeometryField encoding="PointFromColumns" x="lon" y="lat"/><Field name="station"/><Field name="time"/>'
    '<Field name="level" type="Real"/><Field name="flow" type="Real"/></OGRVRTLayer></OGRVRTDataSource>'
)
TABLE = """
    CREATE TABLE odd (id INTEGER PRIMARY KEY, station TEXT, time TEXT, level REAL, flow REAL);
    INSERT INTO odd (station, time, level, flow) VALUES ('K1', '2024-03-01', 'NA', 1);
"""


def web(more: str) -> dict[str, str]:
    """A key more in WEB."""
    return {'      "sos_title"': f"      {more}\n" + '      "sos_title"'}


def layer(more: str) -> dict[str, str]:
    """A key more in LAYER."""
    return {'      "sos_timeitem"': f"      {more}\n" + '      "sos_timeitem"'}


def keyword(more: str) -> dict[str, str]:
    """A keyword more in LAYER."""
    return {STATUS: f"{STATUS}    {more}\n"}


CASES: dict[str, Mapping[str, str]] = {
    "M102": keyword('INCLUDE "gone.inc"'),
    "M103": {'"River gauges"': '"River gauges'},
    "M104": {'"flow"\n    END\n': '"flow"\n'},
    "M105": keyword("NAME MAP 5 5"),
    "M106": {"STATUS": "STATSU"},
    "M107": {'"River gauges"': "River gauges"},
    "M108": {"MAP\n": "garbage\n"},
    "M109": {"  END\n  LAYER": "  END\n  END\n  LAYER"},
    "M110": {'"River gauges"': "River gauges here"},
    "M111": {"River gauges": "Pegel M\udcfcnchen"},
    "M112": {"  LAYER\n": '  LAYER NAME "levels" TYPE POINT END\n  LAYER\n'},
    "M113": {'  NAME "gauges"': '  CONFIG "MS_ERRORFILE" "x"\n  NAME "gauges"'},
    "M114": keyword("MAXFEATURES many"),
    "M201": {'      "sos_offering_id" "gauges"\n': ""},
    "M202": {'      "sos_onlineresource" "http://h/?"\n': ""},
    "M203": {'      "sos_srs" "EPSG:4326"\n': ""},
    "M204": {'"EPSG:4326"': '"4326"'},
    "M205": {'"EPSG:4326"': '"EPSG:99999"'},
    "M206": {'      "sos_enable_request" "*"\n': ""},
    "M207": {'"*"': '"* GetFoo"'},
    "M208": {'      "sos_title" "River gauges"\n': ""},
    "M209": web('"sos_city" "Bonn"'),
    "M210": web('"sos_maxrows" "0"'),
    "M211": web('"sos_conformance" "strickt"'),
    "M212": web('"sos_language" "German!"'),
    "M213": web('"sos_language" "eo"'),
    "M214": web('"sos_denied_ip_list" "1.2.3"'),
    "M215": {"sos_title": "sos_titel"},
    "M216": layer('"sos_title" "x"'),
    "M217": web('"SOS_Title" "x"'),
    "M301": {'      "sos_offering_id" "gauges"\n': ""},
    "M302": {'"sos_offering_id" "gauges"': '"sos_offering_id" ""'},
    "M303": {'"sos_offering_id" "gauges"': '"sos_offering_id" "my gauges"'},
    "M304": {'      "sos_observedproperty_id" "level"\n': ""},
    "M305": {f"      {STATION}\n": ""},
    "M306": {STATION: '"sos_procedure" "K1 K2"'},
    "M307": layer('"sos_procedure" "K1 K2 "'),
    "M308": layer('"sos_describesensor" "guess"'),
    "M309": layer('"sos_sensor_validtime" "soon"'),
    "M310": {'      "sos_offering_name" "Water levels"\n': ""},
    "M311": layer('"sos_offering_extent" "1,2,3"'),
    "M312": layer('"sos_offering_timeextent" "2000/1990"'),
    "M313": layer('"sos_srs" "4326"'),
    "M314": layer('"sos_srs" "EPSG:99999"'),
    "M315": {'"sos_flow_alias" "flow"': '"sos_flow_uom" "m3/s"'},
    "M316": {'"sos_flow_alias" "flow"': '"sos_flow_alias" "the flow"'},
    "M317": {'"sos_flow_alias" "flow"': '"sos_flow_alias" "level"'},
    "M318": {**web('"sos_allowed_ip_list" "10.0.0.0/8"'), **layer('"sos_enable_request" "*"')},
    "M319": {COLUMNS: '      "gml_include_items" "all"\n'},
    "M401": {"CONNECTIONTYPE OGR": "CONNECTIONTYPE WFS"},
    "M402": {"    CONNECTIONTYPE OGR\n": ""},
    "M403": {"gauges.csv": "guages.csv"},
    "M404": {'"gauges.csv"\n': '"gauges.csv"\n    DATA "levels"\n'},
    "M405": {"TYPE POINT": "TYPE RASTER"},
    "M406": {"    TYPE POINT\n": ""},
    "M407": keyword("FILTER ([level] * 2 > 5)"),
    "M408": keyword('FILTER "level > 5"'),
    "M409": keyword("FILTER ('[station]' = '%station%')"),
    "M410": keyword('PROCESSING "BANDS=1"'),
    "M411": keyword("TOLERANCE 5"),
    "M412": keyword("CLUSTER MAXDISTANCE 3 REGION 'ellipse' END"),
    "M413": {"STATUS ON": "STATUS OFF"},
    "M414": {"    CONNECTIONTYPE OGR\n": "", 'CONNECTION "gauges.csv"': 'DATA "gauges"'},
    "M415": {"X_POSSIBLE_NAMES": "X_POSSIBLE_NAME"},
    "M501": {'"time"': '"tyme"'},
    "M502": {STATION: '"sos_procedure_item" "sensor"'},
    "M503": layer('"sos_featureid" "nope"'),
    "M504": layer('"sos_depth_alias" "depth"'),
    "M505": {'      "sos_flow_alias" "flow"\n': ""},
    "M506": {COLUMNS: ""},
    "M507": {'"sos_timeitem" "time"': '"sos_timeitem" "station"'},
    "M508": {**keyword("FILTER ('[station]' = 'K9')"), **layer('"sos_procedure" "K1 K2"')},
    "M509": {CSV: '    CONNECTION "empty.gpkg"\n'},
    "M510": {CSV: CSV.replace("gauges.csv", "unnamed.csv")},
    "M511": layer('"sos_procedure" "K1"'),
    "M512": layer('"sos_procedure" "K1 K2 K3"'),
    "M513": {CSV: CSV.replace('"lon"', '"a"').replace('"lat"', '"b"')},
    "M514": {CSV: CSV.replace("gauges.csv", "latin.csv")},
    "M515": {'"AUTODETECT_TYPE" "YES"': '"AUTODETECT_TYPE" "NO"'},
    "M516": {CSV: '    CONNECTION "odd.vrt"\n'},
    "M517": {CSV: '    CONNECTION "odd.sqlite"\n'},
    "M518": {CSV: CSV.replace("gauges.csv", "slashes.csv")},
    "M520": web('"sos_require_key" "all"'),
    "M521": layer('"sos_require_key" "al"'),
    "M522": web('"sos_require_key" "write"'),
    "M601": {PROJECTION: "    META"},
    "M602": {PROJECTION: PROJECTION.replace("4326", "99999")},
    "M603": {PROJECTION: PROJECTION.replace("epsg:4326", "nonsense")},
    "M604": layer('"sos_offering_extent" "10,47,10.6,48"'),
    "M605": {"EXTENT 5 45 15 55": "EXTENT 5 45 10.7 55"},
    "M606": {"EXTENT 5 45 15 55": "EXTENT 0 0 1 1"},
    "M607": layer('"sos_offering_timeextent" "2024-03-01T07:00:00Z/"'),
    "M608": {CSV: CSV.replace("gauges.csv", "metres.csv")},
    "M609": {PROJECTION: PROJECTION.replace("4326", "25832")},
    "M701": {CSV: GEOPACKAGE},
    "M702": {CSV: GEOPACKAGE, STATION: '"sos_procedure" "K1"'},
    "M703": {CSV: '    CONNECTION "unindexed.gpkg"\n'},
    "M901": keyword("CLASS STYLE ANTIALIAS TRUE END END"),
    "M902": {"  LAYER\n": '  LAYER NAME "other" END\n  LAYER\n'},
    "M903": keyword("UNITS furlongs"),
    "M904": {"  LAYER\n": "  SYMBOL STYLE 1 2 END END\n  LAYER\n"},
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_code_is_the_finding_about_a_map(
    spoil: Spoil, folder: Path, rule: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = rule.code  # type: ignore[attr-defined]
    if code == "M101":
        (finding,) = check_mapfile("gone.map")
        assert finding.code == code
        return
    text = (folder / "gauges.csv").read_text()
    (folder / "unnamed.csv").write_text(f"{text},2024-03-01T08:00:00Z,1,1,10.5,47.6\n")
    (folder / "metres.csv").write_text(text.replace("10.5,47.6", "350000,5300000"))
    (folder / "latin.csv").write_bytes(text.replace("K1", "K\xfcln").encode("latin-1"))
    (folder / "slashes.csv").write_text(f"{text}K1,03/04/2024,1,1,10.5,47.6\n")
    (folder / "odd.csv").write_text(text.replace("1.5,10", "NA,10"))
    (folder / "odd.vrt").write_text(VRT)
    if code == "M522":
        (folder / "keys.db").touch(mode=0o644)
        monkeypatch.setenv("MAPSOS_KEYS", str((folder / "keys.db").resolve()))
    if code == "M517":
        with sqlite3.connect(folder / "odd.sqlite") as connection:
            connection.executescript(TABLE)
        connection.close()
    findings, lines = spoil(CASES[code])
    found = [finding for finding in findings if finding.code == code]
    assert found, findings
    assert found[0].rule is rule
    assert 0 < found[0].line < len(lines)
    assert os.path.basename(found[0].file) == "test.map"


def test_a_code_is_used_once_and_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"M\d{3}", code) for code in codes)
    assert {code[1] for code in codes} == SUBJECTS
    assert len({rule.title for rule in RULES}) == len(RULES)
    assert set(CASES) == set(codes) - {"M101"}


def test_each_code_has_a_section_with_level_remedy_and_example() -> None:
    sections = dict(re.findall(r"^### (M\d{3})\n\n(.+?)(?=^##|\Z)", DOCUMENT, re.M | re.S))
    assert list(sections) == [rule.code for rule in RULES]
    for rule in RULES:
        text = sections[rule.code]
        assert text.startswith(f"**{rule.title}** ({rule.level}).\n\n"), rule.code
        for part in ("Clients:", "Why:", "Remedy:"):
            assert part in text, (rule.code, part)
        assert re.search(r"^    \S", text, re.M), rule.code


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("gauges", 'CREATE INDEX "by_station_time" ON "gauges" ("station", "time"); ANALYZE;'),
        (ODD, 'CREATE INDEX "by_station_time" ON "Ob\'s ""x""" ("station", "time"); ANALYZE;'),
    ],
)
@pytest.mark.parametrize("suffix", ["gpkg", "sqlite"])
def test_the_statement_makes_the_index(spoil: Spoil, folder: Path, table: str, statement: str, suffix: str) -> None:
    if suffix == "sqlite":
        write_geopackage(folder / "gauges.sqlite", "SQLite", options=["LAUNDER=NO"])
    data = "'" + table.replace("'", "\\'") + "'"
    changes = {CSV: f'    CONNECTION "gauges.{suffix}"\n    DATA {data}\n', '      "sos_flow_alias" "flow"\n': ""}
    (finding,), _ = spoil(changes)
    assert (finding.code, finding.level) == ("M701", "info")
    assert finding.message.endswith(statement)
    with sqlite3.connect(folder / f"gauges.{suffix}") as connection:
        connection.executescript(statement)
    connection.close()
    assert spoil(changes)[0] == []


def test_the_command_makes_the_spatial_index(spoil: Spoil, folder: Path) -> None:
    changes = {CSV: '    CONNECTION "unindexed.gpkg"\n', '      "sos_flow_alias" "flow"\n': ""}
    findings, _ = spoil(changes)
    assert [finding.code for finding in findings] == ["M701", "M703"]
    command = findings[1].message.partition("Create it: ")[2]
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert [finding.code for finding in spoil(changes)[0]] == ["M701"]


def test_a_small_table_and_a_view_need_no_index(spoil: Spoil, folder: Path) -> None:
    (folder / "gauges.gpkg").unlink()
    write_geopackage(folder / "gauges.gpkg", rows=100)
    changes = {CSV: GEOPACKAGE, '      "sos_flow_alias" "flow"\n': ""}
    assert spoil(changes)[0] == []
    select = f'{GEOPACKAGE}    DATA "SELECT * FROM gauges"\n'
    assert spoil({**changes, CSV: select})[0] == []
