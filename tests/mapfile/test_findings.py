from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.check.finding import Finding
from mapsos.check.mapfile_text import find_in_mapfile
from mapsos.check.metadata_keys import is_xml_name
from mapsos.mapfile.reader import parse_map
from mapsos.sos.v1.operations import OPERATIONS

from .conftest import LAYER, WEB, MapWriter

GOOD_WEB = WEB + ' "sos_title" "T" "sos_contactorganization" "C"'
GOOD_LAYER = LAYER + ' "sos_offering_name" "N" "sos_timeitem" "t" "sos_describesensor_url" "http://x/"'
GOOD = 'DATA "points" PROJECTION "epsg:4326" END'


def find(path: str) -> list[Finding]:
    return find_in_mapfile(parse_map(path))


@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
def test_every_operation_is_a_request_of_sos(write_map: MapWriter, name: str) -> None:
    path = write_map(GOOD, GOOD_LAYER, GOOD_WEB.replace('"sos_enable_request" "*"', f'"sos_enable_request" "{name}"'))
    assert [finding for finding in find(path) if "is not an SOS request" in finding.message] == []


def test_an_alias_in_an_included_file_is_reported_there(write_map: MapWriter, tmp_path: Path) -> None:
    """The map itself has a key in the same line."""
    (tmp_path / "m.inc").write_text('\n\n\n\n"sos_a_alias" "my id"')
    path = write_map(GOOD, GOOD_LAYER + ' INCLUDE "m.inc"', GOOD_WEB)
    (finding,) = find(path)
    assert (finding.file, finding.line, finding.key) == (str(tmp_path / "m.inc"), 5, "sos_a_alias")


def test_a_good_map_has_none(write_map: MapWriter) -> None:
    path = write_map(GOOD, GOOD_LAYER, GOOD_WEB)
    assert find(path) == []


@pytest.mark.parametrize(
    ("web", "level", "key", "part"),
    [
        (WEB + ' "sos_contactorganization" "C"', "warning", "sos_title", "missing"),
        (GOOD_WEB.replace("sos_onlineresource", "x"), "warning", "sos_onlineresource", "guessed from the request"),
        (GOOD_WEB.replace("sos_srs", "x"), "warning", "sos_srs", "srsName"),
        (GOOD_WEB.replace("EPSG:4326", "4326"), "warning", "sos_srs", '"4326"'),
        (GOOD_WEB.replace('"*"', '""'), "error", "sos_enable_request", "no request is enabled"),
        (GOOD_WEB.replace('"*"', '"GetCapabilities,GetObservation"'), "warning", "sos_enable_request", "spaces"),
        (GOOD_WEB + ' "sos_maxfeatures" "many"', "error", "sos_maxfeatures", 'expected an integer, got "many"'),
        (GOOD_WEB + ' "sos_maxrows" "0"', "error", "sos_maxrows", "above 0"),
        (GOOD_WEB + ' "sos_conformance" "mapserver Strickt"', "error", "sos_conformance", 'got "strickt"'),
        (GOOD_WEB + ' "sos_city" "C"', "info", "sos_city", "sos_country"),
        (GOOD_WEB + ' "sos_acces_constraints" "C"', "warning", "sos_acces_constraints", "sos_accessconstraints"),
        (GOOD_WEB + ' "ows_acessconstraints" "C"', "warning", "ows_acessconstraints", "ows_accessconstraints"),
        (GOOD_WEB + ' "sos_offering_id" "C"', "warning", "sos_offering_id", "a LAYER"),
        (GOOD_WEB + ' "sos_bogus" "C"', "warning", "sos_bogus", "unknown key"),
        (GOOD_WEB + ' "Sos_Title" "C"', "warning", "Sos_Title", "duplicate key"),
        (GOOD_WEB + ' "sos_denied_ip_list" "1.2.3"', "error", "sos_denied_ip_list", "1.2.3"),
    ],
)
def test_web(write_map: MapWriter, web: str, level: str, key: str, part: str) -> None:
    (finding,) = [item for item in find(write_map(GOOD, GOOD_LAYER, web)) if item.key == key]
    assert (finding.level, finding.line) == (level, 2)
    assert part in finding.message


@pytest.mark.parametrize(
    ("metadata", "level", "key", "part"),
    [
        (GOOD_LAYER.replace("sos_procedure", "x"), "error", "sos_procedure", "GetCapabilities fails"),
        (GOOD_LAYER.replace("sos_observedproperty_id", "x"), "error", "sos_observedproperty_id", "observed property"),
        (GOOD_LAYER.replace("S1", "S1 S2"), "warning", "sos_procedure", "sos_procedure_item"),
        (GOOD_LAYER.replace("S1", "S1 "), "warning", "sos_procedure", "empty procedure"),
        (GOOD_LAYER + ' "sos_describesensor" "guess"', "error", "sos_describesensor", "redirect or generate"),
        (GOOD_LAYER.replace("sos_timeitem", "x"), "warning", "sos_timeitem", "missing"),
        (GOOD_LAYER.replace('"off"', '"my offering"'), "info", "sos_offering_id", "XML name"),
        (GOOD_LAYER + ' "sos_offering_extent" "1,2,3"', "error", "sos_offering_extent", "four numbers"),
        (GOOD_LAYER + ' "sos_offering_extent" "1 2 3 4"', "error", "sos_offering_extent", "four numbers"),
        (GOOD_LAYER + ' "sos_offering_extent" "5,2,3,4"', "error", "sos_offering_extent", "before it begins"),
        (GOOD_LAYER + ' "sos_offering_timeextent" "1990/1991/1992"', "error", "sos_offering_timeextent", "begin/end"),
        (GOOD_LAYER + ' "sos_offering_timeextent" "soon/"', "error", "sos_offering_timeextent", '"soon"'),
        (GOOD_LAYER + ' "sos_offering_timeextent" "2000/1990"', "error", "sos_offering_timeextent", "before"),
        (GOOD_LAYER + ' "sos_a_alias" "my id"', "warning", "sos_a_alias", "_x0020_"),
        (GOOD_LAYER + ' "sos_a_alias" "x" "sos_b_alias" "X"', "warning", "sos_b_alias", "alias of a"),
        (GOOD_LAYER + ' "sos_a_alias" "x" "sos_A_Alias" "y"', "warning", "sos_A_Alias", "case-insensitive"),
        (GOOD_LAYER + ' "sos_a_uom" "x"', "info", "sos_a_alias", "no alias"),
        (GOOD_LAYER + ' "sos_a_alais" "x"', "warning", "sos_a_alais", "sos_a_alias"),
        (GOOD_LAYER + ' "sos_title" "x"', "warning", "sos_title", "Move it to the METADATA of WEB"),
        (GOOD_LAYER + ' "sos_time_item" "x"', "warning", "sos_time_item", "sos_timeitem"),
    ],
)
def test_layer_metadata(write_map: MapWriter, metadata: str, level: str, key: str, part: str) -> None:
    found = find(write_map(GOOD, metadata, GOOD_WEB))
    assert any((item.level, item.key) == (level, key) and part in item.message for item in found), found
    assert all(item.line in (3, 5) for item in found)


@pytest.mark.parametrize(
    "metadata",
    [
        ' "wms_title" "x" "gml_include_items" "all" "ows_include_items" "all" "wfs_typename" "x" "ows_title" "x"'
        ' "sos_a_alias" "x"',
        ' "ows_languages" "eng,ger" "inspire_schemas_location" "x"',
        ' "sos_offering_timeextent" "1990/" "sos_offering_extent" " -66, 43, -62, 45 "',
        ' "ows_srs" "EPSG:4326" "sos_any_column_alias" "x"',
    ],
)
def test_what_is_right_or_of_others_is_left_alone(write_map: MapWriter, metadata: str) -> None:
    assert find(write_map(GOOD, GOOD_LAYER + metadata, GOOD_WEB)) == []


@pytest.mark.parametrize(
    ("text", "level", "key", "part"),
    [
        ('DATA "p"', "warning", "PROJECTION", "no CRS"),
        ('DATA "p" PROJECTION "epsg:99999" END', "error", "PROJECTION", "EPSG:99999"),
        ('PROJECTION "epsg:4326" END', "error", "DATA", "missing"),
        (GOOD + " TOLERANCE 5", "info", "TOLERANCE", "no effect"),
        (GOOD + " MINGEOWIDTH 5", "info", "MINGEOWIDTH", "width of a map"),
        (GOOD + " STATUS OFF", "info", "STATUS", "sos_enable_request"),
        (GOOD + " CLUSTER MAXDISTANCE 3 REGION 'ellipse' END", "warning", "CLUSTER", "not clustered"),
        (GOOD + ' FILTER "v = 5"', "error", "FILTER", "NATIVE_FILTER"),
        (GOOD + " FILTER ('[a]' = '%station%')", "warning", "FILTER", "%station%"),
        (GOOD + ' PROCESSING "BANDS=1"', "info", "PROCESSING", "BANDS=1"),
    ],
)
def test_layer_settings(write_map: MapWriter, text: str, level: str, key: str, part: str) -> None:
    (finding,) = find(write_map(text, GOOD_LAYER, GOOD_WEB))
    assert (finding.level, finding.key) == (level, key)
    assert part in finding.message


def test_two_layers(write_map: MapWriter) -> None:
    metadata = f'{LAYER} "sos_timeitem" "t" "sos_describesensor_url" "x"'
    second = f'LAYER NAME "L" TYPE POINT {GOOD} METADATA {metadata} END END'
    found = find(write_map(GOOD, GOOD_LAYER, GOOD_WEB, more=second))
    assert [(item.key, item.line) for item in found] == [("NAME", 3), ("NAME", 8)]


def test_layers_that_are_not_served(write_map: MapWriter) -> None:
    found = find(write_map(GOOD, '"sos_offerring_id" "x"', GOOD_WEB))
    assert {(item.key, item.level) for item in found} == {
        ("sos_offering_id", "error"), ("sos_offering_id", "warning"), ("sos_offerring_id", "warning"),
    }  # fmt: skip


def test_bytes_that_are_not_utf8(write_map: MapWriter) -> None:
    metadata = GOOD_LAYER.replace('"N"', '"grüße"')
    (finding,) = find(write_map(GOOD, metadata, GOOD_WEB, encoding="latin-1"))
    assert (finding.line, finding.level) == (5, "warning")
    assert "UTF-8" in finding.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", True), ("_a-1.b", True), ("é", True), ("1a", False), ("a b", False), ("a:b", False), ("", False)],
)
def test_xml_names(text: str, expected: bool) -> None:
    assert is_xml_name(text) is expected
