"""What only the data of a mapfile can tell, on a CSV file that each test spoils in its own way."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.check.finding import Finding
from mapsos.check.report import check_mapfile
from mapsos.operations.layers.facts import forget_facts

ROWS = """\
station,time,depth,x,y
S1,2001-10-30T14:00:00Z,1.5,-75,45
S1,2001-10-31T14:00:00Z,2.5,-75,45
S2,2003-01-01,3.5,10,48.25
"""
WEB = (
    '"sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326" "sos_enable_request" "*" "sos_title" "T"'
    ' "sos_contactorganization" "C"'
)
GOOD = {
    "sos_offering_id": "off",
    "sos_offering_name": "N",
    "sos_observedproperty_id": "op",
    "sos_procedure_item": "station",
    "sos_describesensor_url": "http://h/%procedure%",
    "sos_timeitem": "time",
    "sos_depth_alias": "depth",
    "sos_time_alias": "time",
    "sos_station_alias": "station",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    forget_facts()
    (tmp_path / "stations.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "stations.vrt").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="stations"><SrcDataSource relativeToVRT="1">stations.csv</SrcDataSource>'
        "<GeometryType>wkbPoint</GeometryType><LayerSRS>EPSG:4326</LayerSRS>"
        '<GeometryField encoding="PointFromColumns" x="x" y="y"/><Field name="station"/><Field name="time"/>'
        '<Field name="depth" type="Real"/></OGRVRTLayer></OGRVRTDataSource>',
        encoding="utf-8",
    )
    return tmp_path


def write_layer(metadata: dict[str, str], name: str = "l", source: str = "stations.vrt", more: str = "") -> list[str]:
    """A LAYER with one key a line, so that the line of a finding tells its key."""
    return [
        f'LAYER NAME "{name}" TYPE POINT STATUS ON PROJECTION "epsg:4326" END {more}',
        "CONNECTIONTYPE OGR",
        f'CONNECTION "{source}"',
        "METADATA",
        *(f'"{key}" "{value}"' for key, value in metadata.items()),
        "END END",
    ]


def without(metadata: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key not in keys}


def check(folder: Path, *layers: list[str], extent: str = "EXTENT -180 -90 180 90") -> tuple[list[Finding], list[str]]:
    """The findings about a map of these layers, and the lines of the map."""
    inner = [line for layer in layers for line in layer]
    lines = ['MAP NAME "m"', extent, f"WEB METADATA {WEB} END END", *inner, "END"]
    path = folder / "test.map"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return check_mapfile(str(path)), ["", *lines]


def check_one(folder: Path, changes: dict[str, str | None], **options: str) -> tuple[Finding, str]:
    """The only finding about a map whose layer has these changes, and the line of the map that it is about."""
    metadata = {key: value for key, value in (GOOD | changes).items() if value is not None}
    findings, lines = check(folder, write_layer(metadata), **options)
    assert len(findings) == 1, findings
    return findings[0], lines[findings[0].line]


def test_nothing_is_wrong_with_a_good_map(folder: Path) -> None:
    assert check(folder, write_layer(GOOD))[0] == []


@pytest.mark.parametrize(
    ("changes", "level", "key", "part"),
    [
        ({"sos_timeitem": "tyme"}, "error", "sos_timeitem", 'Did you mean "time"?'),
        ({"sos_timeitem": None, "ows_timeitem": "tyme"}, "error", "ows_timeitem", 'Did you mean "time"?'),
        ({"SOS_TimeItem": "tyme", "sos_timeitem": None}, "error", "sos_timeitem", 'Did you mean "time"?'),
        ({"sos_procedure_item": "sensor"}, "error", "sos_procedure_item", "station, time, depth"),
        ({"gml_featureid": "stati0n"}, "warning", "gml_featureid", 'Did you mean "station"?'),
        ({"ows_featureid": "nope", "sos_featureid": "station"}, "warning", "ows_featureid", "gml:id"),
        ({"sos_deep_alias": "deep"}, "warning", "sos_deep_alias", 'Did you mean "depth"?'),
        ({"ows_deep_alias": "deep"}, "warning", "ows_deep_alias", 'Did you mean "depth"?'),
        ({"sos_offering_extent": "-75,45,9,48"}, "warning", "sos_offering_extent", '"-75,45,10,48.25"'),
        ({"ows_offering_extent": "-75,45,9,49"}, "warning", "ows_offering_extent", '"-75,45,10,49"'),
        (
            {"sos_offering_timeextent": "2001-10-31/2002"},
            "warning",
            "sos_offering_timeextent",
            '"2001-10-30T14:00:00Z/2003-01-01T00:00:00Z"',
        ),
        ({"sos_offering_timeextent": "2002/"}, "warning", "sos_offering_timeextent", '"2001-10-30T14:00:00Z/"'),
        ({"sos_procedure": "S1"}, "warning", "sos_procedure", "also contains S2"),
        ({"sos_procedure": "S1 S2 S3"}, "warning", "sos_procedure", "no row of layer l has S3"),
    ],
)
def test_keys(folder: Path, changes: dict[str, str | None], level: str, key: str, part: str) -> None:
    finding, line = check_one(folder, changes)
    assert (finding.level, finding.key) == (level, key)
    assert part in finding.message
    assert line.lower().startswith(f'"{key}"')


def test_extents_that_cover_the_data_are_well(folder: Path) -> None:
    stated = {"sos_offering_extent": "-75, 45, 10, 48.25", "sos_offering_timeextent": "2001-10-30/2003-01-01"}
    assert check(folder, write_layer(GOOD | stated))[0] == []
    assert check(folder, write_layer(GOOD | {"sos_offering_timeextent": "2001"}))[0] == []


def test_the_extent_of_the_map(folder: Path) -> None:
    finding, line = check_one(folder, {}, extent="EXTENT -80 40 0 50")
    assert (finding.level, finding.key, line) == ("warning", "EXTENT", "EXTENT -80 40 0 50")
    assert "some data" in finding.message
    assert "Write EXTENT -80 40 10 50" in finding.message
    finding, _ = check_one(folder, {}, extent="EXTENT 100 40 110 50")
    assert "all data" in finding.message
    assert check(folder, write_layer(GOOD), extent="")[0] == []


def test_a_layer_is_held_against_its_offering(folder: Path) -> None:
    first = write_layer(GOOD | {"sos_offering_extent": "-75,45,-75,45"}, more='FILTERITEM "station" FILTER "S1"')
    second = write_layer({**GOOD, "sos_observedproperty_id": "op2"}, "l2")
    (finding,), lines = check(folder, first, second)
    assert finding.key == "sos_offering_extent"
    assert "layer l2" in finding.message
    assert lines[finding.line] == '"sos_offering_extent" "-75,45,-75,45"'


def test_columns_without_alias(folder: Path) -> None:
    (folder / "stations.vrt").write_text(
        (folder / "stations.vrt").read_text().replace("</OGRVRTLayer>", '<Field name="flow" src="x"/></OGRVRTLayer>')
    )
    finding, line = check_one(folder, {})
    assert (finding.level, finding.key) == ("info", "sos_flow_alias")
    assert 'write "sos_flow_alias" "flow"' in finding.message
    assert line.startswith("LAYER")
    other = {"sos_observedproperty_id": "op2", "sos_flow_alias": "flow", "sos_flow_type": "Real"}
    sibling = write_layer({**GOOD, **other}, "l2")
    assert check(folder, write_layer(GOOD), sibling)[0] == [], "the other layer gives it out"


def test_one_line_for_all_columns_without_alias_and_none_for_keys_and_coordinates(folder: Path) -> None:
    names = ("flow", "rain", "fid", "OGC_FID", "x", "Latitude", "geom_lon", "utm_y", "objectid")
    fields = "".join(f'<Field name="{name}" src="x"/>' for name in names)
    (folder / "stations.vrt").write_text(
        (folder / "stations.vrt").read_text().replace("</OGRVRTLayer>", f"{fields}</OGRVRTLayer>")
    )
    finding, _ = check_one(folder, {})
    assert (finding.level, finding.key) == ("info", "sos_<item>_alias")
    assert "2 columns of layer l have no alias, so they are not published: flow, rain. To" in finding.message


def test_no_alias_at_all(folder: Path) -> None:
    findings, _ = check(folder, write_layer(without(GOOD, "sos_depth_alias", "sos_time_alias", "sos_station_alias")))
    (finding,) = findings
    assert (finding.level, finding.key) == ("warning", "sos_<item>_alias")
    assert 'for example "sos_depth_alias" "depth"' in finding.message


def test_a_definition_without_alias_is_told_once(folder: Path) -> None:
    (finding,), lines = check(folder, write_layer(without(GOOD, "sos_depth_alias") | {"sos_depth_uom": "u"}))
    assert lines[finding.line] == '"sos_depth_uom" "u"'


def test_times_that_are_none(folder: Path) -> None:
    finding, _ = check_one(folder, {"sos_timeitem": "station"})
    assert (finding.level, finding.key) == ("warning", "sos_timeitem")
    assert "eventTime matches nothing" in finding.message


def test_rows_without_procedure(folder: Path) -> None:
    (folder / "stations.csv").write_text(ROWS + ",2001-12-01,1,0,0\n", encoding="utf-8")
    finding, _ = check_one(folder, {})
    assert (finding.level, finding.key) == ("warning", "sos_procedure_item")
    assert "no value in station" in finding.message


@pytest.mark.parametrize(("procedure", "level"), [(None, "error"), ("S1 S2", "warning")])
def test_no_rows(folder: Path, procedure: str | None, level: str) -> None:
    (folder / "stations.csv").write_text(ROWS.splitlines(keepends=True)[0], encoding="utf-8")
    changes = {"sos_timeitem": None, "sos_procedure": procedure}
    metadata = {key: value for key, value in (GOOD | changes).items() if value is not None}
    findings, _ = check(folder, write_layer(metadata))
    (finding,) = [finding for finding in findings if finding.key == "sos_procedure_item"]
    assert finding.level == level
    assert "has no rows" in finding.message


@pytest.mark.parametrize("of_map", [False, True])
def test_a_crs_that_proj_does_not_know_is_one_finding_at_its_projection(folder: Path, of_map: bool) -> None:
    layer = write_layer(GOOD)
    extent = 'EXTENT -180 -90 180 90 PROJECTION "epsg:4326" END'
    if of_map:
        extent = extent.replace("4326", "999999")
    else:
        layer[0] = layer[0].replace("4326", "999999")
    (finding,), lines = check(folder, layer, extent=extent)
    assert (finding.level, finding.key) == ("error", "PROJECTION")
    assert "999999" in lines[finding.line]


def test_data_that_cannot_be_reached(folder: Path) -> None:
    other = write_layer(GOOD | {"sos_timeitem": "x"}, "l2")
    findings, lines = check(folder, write_layer(GOOD, source="gone.gpkg"), other)
    assert [(finding.level, finding.key, lines[finding.line]) for finding in findings] == [
        ("error", "CONNECTION", 'CONNECTION "gone.gpkg"'),
        ("error", "sos_timeitem", '"sos_timeitem" "x"'),
    ]
    assert "NoApplicableCode" in findings[0].message
    assert "gone.gpkg" in findings[0].message


def test_passwords_are_not_shown(folder: Path) -> None:
    layer = write_layer(GOOD, source="PG:host=127.0.0.1 port=1 dbname=d user=u password=secret")
    (finding,), _ = check(folder, layer)
    assert (finding.level, finding.key) == ("error", "CONNECTION")
    assert "secret" not in finding.message


def test_keys_with_letters_that_are_not_utf8_are_found(folder: Path) -> None:
    check(folder, write_layer(GOOD | {"sos_Été_alias": "x"}))
    path = folder / "test.map"
    path.write_bytes(path.read_text("utf-8").encode("latin-1"))
    findings = check_mapfile(str(path))
    assert [(finding.key, finding.line) for finding in findings] == [("sos_?t?_alias", 17), ("sos_été_alias", 17)]


def test_keys_of_an_included_file_are_told_with_that_file(folder: Path) -> None:
    (folder / "columns.inc").write_text('\n"sos_deep_alias" "deep"\n', encoding="utf-8")
    layer = write_layer(GOOD)
    layer[-1] = 'INCLUDE "columns.inc"\nEND END'
    (finding,), _ = check(folder, layer)
    assert (Path(finding.file).name, finding.line, finding.key) == ("columns.inc", 2, "sos_deep_alias")


def test_no_rows_and_no_column_of_procedures(folder: Path) -> None:
    (folder / "stations.csv").write_text(ROWS.splitlines(keepends=True)[0], encoding="utf-8")
    for changes in ({}, {"sos_timeitem": None}):
        metadata = {**GOOD, "sos_procedure_item": None, "sos_procedure": "S1", **changes}
        findings, _ = check(folder, write_layer({key: value for key, value in metadata.items() if value is not None}))
        assert [finding.code for finding in findings if finding.code != "M310"] == ["M508"]
