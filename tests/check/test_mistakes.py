"""Mistakes that admins make: each is found, at its line, with its code and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mapsos.check.finding import Finding

from .conftest import CSV, Spoil

GEOPACKAGE = '    CONNECTION "gauges.gpkg"\n    DATA "gauges"\n'
WITHOUT_FLOW = {'      "sos_flow_alias" "flow"\n': ""}
PROJECTION = '    PROJECTION "epsg:4326" END\n    META'

MISTAKES: dict[str, tuple[Mapping[str, str], str, str, tuple[str, ...]]] = {
    "a misspelled column": ({'"time"': '"tyme"'}, "M501", '"sos_timeitem"', ('no column "tyme"', 'mean "time"')),
    "a misspelled key": ({"sos_timeitem": "sos_timeitm"}, "M215", '"sos_timeitm"', ("Did you mean sos_timeitem?",)),
    "a wrong file": (
        {"gauges.csv": "guages.csv"}, "M403", 'CONNECTION "guages.csv"',
        ("guages.csv is not in", 'Did you mean "gauges.csv"?'),
    ),
    "no server": (
        {'"gauges.csv"': '"PG:host=127.0.0.1 port=1 dbname=d user=u password=secret"'}, "M403", 'CONNECTION "PG:',
        ("refused",),
    ),
    "no offering": ({'      "sos_offering_id" "gauges"\n': ""}, "M301", "LAYER", ("Write the id of the offering",)),
    "an unsupported connection type": (
        {"CONNECTIONTYPE OGR": "CONNECTIONTYPE WFS"}, "M401", "CONNECTIONTYPE WFS", ("WFS is not supported; use OGR",),
    ),
    "a wrong PROJECTION": (
        {PROJECTION: PROJECTION.replace("4326", "99999")}, "M602", 'PROJECTION "epsg:99999"', ("unknown to PROJ",),
    ),
    "a missing INCLUDE": (
        {"    STATUS ON\n": '    INCLUDE "gone.inc"\n'}, "M102", "INCLUDE", ("gone.inc not found; it is relative to",),
    ),
    "FILTER without FILTERITEM": (
        {"    STATUS ON\n": '    FILTER "level > 5"\n'}, "M408", "FILTER", ("Write FILTERITEM",),
    ),
    "%name%": ({"    STATUS ON\n": "    FILTER ('[station]' = '%station%')\n"}, "M409", "FILTER", ("Write the value",)),
    "a wrong layer": (
        {CSV: GEOPACKAGE.replace('"gauges"', '"guages"')}, "M404", 'DATA "guages"',
        ('no layer "guages"', 'Did you mean "gauges"?', "Its layers: gauges, Ob's"),
    ),
    "a wrong table in a SELECT": (
        {CSV: GEOPACKAGE.replace('"gauges"', '"SELECT * FROM guages"')}, "M404", 'DATA "SELECT',
        ('no layer "guages"', 'Did you mean "gauges"?', "Its layers: gauges, Ob's"),
    ),
    "a wrong column in a SELECT": (
        {CSV: GEOPACKAGE.replace('"gauges"', '"SELECT nope FROM gauges"')}, "M404", 'DATA "SELECT',
        ("by this DATA", "no such column: nope"),
    ),
    "a wrong layer of a CSV file": (
        {'"gauges.csv"\n': '"gauges.csv"\n    DATA "levels"\n'}, "M404", 'DATA "levels"', ("Its layers: gauges",),
    ),
    "a shapefile that is not there": (
        {"    CONNECTIONTYPE OGR\n" + CSV: '    DATA "gauge.shp"\n'},
        "M403", 'DATA "gauge.shp"', ("gauge.shp is not in",),
    ),
    "a CRS of sos_srs that does not exist": (
        {'"EPSG:4326"': '"EPSG:4326 EPSG:99999"'},
        "M205", '"sos_srs"', ("EPSG:99999 does not exist", "Correct or remove"),
    ),
    "a CRS of a layer that does not exist": (
        {'"sos_timeitem"': '"sos_srs" "EPSG:99999" "sos_timeitem"'}, "M314", '"sos_srs" "EPSG:99999"',
        ("EPSG:99999 does not exist",),
    ),
    "a missing END of METADATA in WEB": (
        {'"*"\n    END\n': '"*"\n'}, "M104", "  LAYER",
        ("LAYER is not allowed in WEB, which begins in line 5", "before line 13",
         "END of METADATA in line 6 is missing"),
    ),
    "a missing END of METADATA in LAYER": (
        {'"flow"\n    END\n': '"flow"\n'}, "M104", "    METADATA", ("END of METADATA in line 25 is missing",),
    ),
    "a missing END of WEB": (
        {"    END\n  END\n  LAYER": "    END\n  LAYER"},
        "M104", "  LAYER", ("not allowed in WEB, which begins in line 5",),
    ),
    "a missing END of LAYER": (
        {'"flow"\n    END\n  END\n': '"flow"\n    END\n'}, "M104", "  LAYER", ("LAYER in line 14",),
    ),
    "no END at all": (
        {'"flow"\n    END\n  END\nEND\n': '"flow"\n'}, "M104", "    METADATA",
        ("within METADATA, which begins in line 25, in LAYER of line 14, in MAP of line 1: 3 ENDs are missing",),
    ),
    "a missing END of CONNECTIONOPTIONS": (
        {'"lat"\n    END\n': '"lat"\n'}, "M104", "    PROJECTION", ("CONNECTIONOPTIONS, which begins in line 20",),
    ),
    "a missing END of PROJECTION": (
        {PROJECTION: PROJECTION.replace(" END", "")}, "M104", "    METADATA", ("PROJECTION, which begins in line 24",),
    ),
    "a missing END of CLASS": (
        {"    STATUS ON\n": "    STATUS ON\n    CLASS\n      STYLE\n        SIZE 5\n      END\n"}, "M104",
        "    CONNECTIONTYPE", ("passed over by CLASS, which begins in line 18",),
    ),
    "a missing END of STYLE": (
        {"    STATUS ON\n": "    STATUS ON\n    CLASS\n      STYLE\n        SIZE 5\n    END\n"}, "M104",
        "    CONNECTIONTYPE", ("CLASS, which begins in line 18",),
    ),
    "a keyword without a value": (
        {"STATUS ON": "STATUS"}, "M105", "STATUS", ("STATUS has no value, and takes CONNECTIONTYPE in line 18",),
    ),
    "an END too many": ({"  END\n  LAYER": "  END\n  END\n  LAYER"}, "M109", "  END", ("LAYER in line 15",)),
    "an unquoted value of two words": (
        {'"River gauges"': "River gauges"}, "M107", '"sos_title"',
        ("METADATA, which begins in line 6, has an odd number", "line 9 has 3", '"sos_title" "River gauges"'),
    ),
    "an unquoted value of three words": (
        {'"River gauges"': "River gauges here"}, "M110", '"sos_title"', ('the value is "River" alone', "in quotes"),
    ),
    "an unquoted value of a keyword": (
        {'NAME "levels"': "NAME water levels"}, "M106", "NAME", ("line 14", 'NAME "water levels"'),
    ),
    "a key without a value": (
        {'"sos_title" "River gauges"': '"sos_title"'}, "M107", '"sos_title"', ('"sos_title" in line 9 has no value',),
    ),
    "a missing quote": (
        {'River gauges"': "River gauges"}, "M103", '"sos_title"', ("begins in line 9", "quote missing?"),
    ),
    "a misspelled keyword": (
        {"STATUS": "STATSU"}, "M106", "STATSU", ("in LAYER, which begins in line 14", "mean STATUS?"),
    ),
    "gml_include_items in place of aliases": (
        {**WITHOUT_FLOW, '"sos_level_alias" "level"': '"gml_include_items" "all"'}, "M319", '"gml_include_items"',
        ("no column is published", '"sos_<item>_alias"'),
    ),
    "aliases of WFS": (
        {**WITHOUT_FLOW, '"sos_level_alias"': '"gml_level_alias"'}, "M319", '"gml_level_alias"', ('"sos_level_alias"',),
    ),
    "CONNECTIONOPTIONS without OGR": (
        {"    CONNECTIONTYPE OGR\n": "", 'CONNECTION "gauges.csv"': 'DATA "gauges.csv"'},
        "M414", "    CONNECTIONOPTIONS",
        ("only CONNECTIONTYPE OGR", "Write CONNECTIONTYPE OGR"),
    ),
    "an option that the driver does not know": (
        {"X_POSSIBLE_NAMES": "X_POSSIBLE_NAME"}, "M415", '"X_POSSIBLE_NAME"', ("driver CSV", "mean X_POSSIBLE_NAMES?"),
    ),
    "no index": (
        {**WITHOUT_FLOW, CSV: GEOPACKAGE}, "M701", 'DATA "gauges"',
        ('CREATE INDEX "by_station_time" ON "gauges" ("station", "time"); ANALYZE;',),
    ),
    "an EXTENT elsewhere": ({"5 45 15 55": "1 1 2 2"}, "M606", "  EXTENT", ("all data", "Write EXTENT 1 1 10.9 48.3")),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_with_its_line_and_remedy(spoil: Spoil, mistake: str) -> None:
    changes, code, line, words = MISTAKES[mistake]
    findings, lines = spoil(changes)
    found = [finding for finding in findings if finding.code == code]
    assert found, findings
    assert lines[found[0].line].lstrip().startswith(line.lstrip()), lines[found[0].line]
    for part in words:
        assert part in found[0].message, found[0].message
    assert "secret" not in found[0].message


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_makes_no_noise(spoil: Spoil, mistake: str) -> None:
    """At most what follows from it stands beside it, such as the key that is now missing."""
    findings, _ = spoil(MISTAKES[mistake][0])
    assert len(findings) <= 3, [write(finding) for finding in findings]


def write(finding: Finding) -> str:
    return f"{finding.line}: {finding.code}: {finding.message}"


def test_the_map_has_no_findings(spoil: Spoil) -> None:
    assert spoil({})[0] == []
