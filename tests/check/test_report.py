"""``mapsos check``: its lines, its JSON and its exit code."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from mapsos.check import report
from mapsos.check.finding import Finding
from mapsos.check.formats import Format
from mapsos.check.report import check_mapfile, run
from mapsos.mapfile.reader import ParsedMap

EXAMPLES = Path(__file__).parents[2] / "examples" / "mapfiles"
HEAD = 'MAP EXTENT -123 47 -122 48 PROJECTION "epsg:4326" END\nWEB METADATA\n'
WEB = (
    '"sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326" "sos_enable_request" "*" "sos_title" "T"\n'
    '"sos_contactorganization" "C" END END\n'
)
LAYER = f"""LAYER NAME "l" TYPE POINT DATA "{EXAMPLES.parent.parent / "data" / "seattle_weather"}"
PROJECTION "epsg:4326" END METADATA
"sos_offering_id" "o" "sos_offering_name" "N" "sos_observedproperty_id" "p" "sos_describesensor_url" "http://h/"
"sos_timeitem" "date" "sos_temp_max_alias" "a" "sos_temp_min_alias" "b" "sos_wind_alias" "c" "sos_weather_alias" "d"
"sos_precip_alias" "e" "sos_procedure" "SEA"
END END END
"""
GOOD = HEAD + WEB + LAYER


def check(path: Path, text: str, *, strict: bool = False, form: Format = "text") -> tuple[int, str]:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    out = io.StringIO()
    return run([str(path)], strict=strict, form=form, out=out, log=io.StringIO()), out.getvalue()


@pytest.fixture
def mapfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "test.map"


def test_silence_about_a_good_map(mapfile: Path) -> None:
    assert check(mapfile, GOOD, strict=True) == (0, "")
    assert check(mapfile, GOOD, form="json") == (0, "[]\n")


@pytest.mark.parametrize(
    ("old", "new", "line", "codes"),
    [
        ('"sos_title" "T"', "", "test.map:2: warning: sos_title: missing, so ", (0, 1)),
        ('"sos_title"', '"sos_titel"', "test.map:3: warning: sos_titel: ", (0, 1)),
        ('"sos_srs"', '"sos_conformance" "strickt" "sos_srs"', "test.map:3: error: sos_conformance: ", (2, 2)),
        ('"sos_srs"', '"ows_language" "eo" "sos_srs"', "test.map:3: info: ows_language: pages are not tran", (0, 0)),
        ('"sos_srs"', '"sos_language" "French!" "sos_srs"', "test.map:3: warning: sos_language: ", (0, 1)),
        ('"SEA"', '"SEA SFO"', "test.map:9: warning: sos_procedure: several procedures", (0, 1)),
        ('"date"', '"data"', "test.map:8: error: sos_timeitem: layer l has no column \"data\": ", (2, 2)),
        ('"a"', '"a b"', 'test.map:8: warning: sos_temp_max_alias: "a b" is not an XML name', (0, 1)),
        ('"sos_wind_alias" "c"', "", "test.map:5: info: sos_wind_alias: column wind of layer l", (0, 0)),
        ('"sos_offering_id" "o"', '"sos_offering_id" ""', "test.map:7: error: sos_offering_id: ", (2, 2)),
        ('"sos_timeitem"', '"sos_sensor_nam" "x" "sos_timeitem"', "test.map:8: warning: sos_sensor_nam: ", (0, 1)),
        *(
            (
                '"sos_timeitem"',
                f'"{key}" "gone" "sos_timeitem"',
                f"test.map:8: warning: {key}: layer l has no column \"gone\": ",
                (0, 1),
            )
            for key in ("sos_sensor_name_item", "sos_feature_name_item", "sos_feature_codespace_item")
        ),
        ("TYPE POINT", "TYPE POINT UNITS furlongs", 'test.map:5: warning: UNITS: "furlongs" is not al', (0, 1)),
        ("TYPE POINT", "TYPE POINT CLASS STYLE ANTIALIAS TRUE END END", "test.map:5: warning: ANTIALIAS: MapS", (0, 1)),
        ("TYPE POINT", "TYPE RASTER", "test.map:5: error: RASTER: ", (2, 2)),
        ("seattle_weather", "gone", "test.map:5: error: DATA: data source of layer l cannot be read", (2, 2)),
    ],
)
def test_one_line_for_one_fault(mapfile: Path, old: str, new: str, line: str, codes: tuple[int, int]) -> None:
    assert old in GOOD
    code, text = check(mapfile, GOOD.replace(old, new))
    assert line in [shown[: len(line)] for shown in text.splitlines()], text
    form = re.compile(r"test\.map:\d+: (error|warning|info): \S+: .+ \[M\d{3}\]")
    assert all(form.fullmatch(shown) for shown in text.splitlines())
    assert (code, check(mapfile, GOOD.replace(old, new), strict=True)[0]) == codes


def test_one_finding_for_what_mapsos_and_the_schema_both_know(mapfile: Path) -> None:
    _, text = check(mapfile, GOOD.replace("TYPE POINT", ""))
    assert [line.split(": ")[2] for line in text.splitlines()] == ["TYPE"]


def test_keywords_are_held_against_a_version_of_mapserver(mapfile: Path) -> None:
    mapfile.write_text(GOOD.replace("MAP EXTENT", "MAP LEGEND TRANSPARENT ON END EXTENT"))
    assert [finding.key for finding in check_mapfile(str(mapfile))] == ["TRANSPARENT"]
    assert check_mapfile(str(mapfile), 7.6) == []


def test_a_map_that_is_saved_during_the_check_is_checked_as_it_was(
    mapfile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_by_text = report.find_in_mapfile

    def save(parsed: ParsedMap) -> list[Finding]:
        mapfile.write_text("MAP LAYER")
        return find_by_text(parsed)

    mapfile.write_text(GOOD.replace('"sos_title" "T"', ""))
    monkeypatch.setattr(report, "find_in_mapfile", save)
    assert [finding.key for finding in check_mapfile(str(mapfile))] == ["sos_title"]


def test_json_says_the_same(mapfile: Path) -> None:
    text = GOOD.replace('"sos_title" "T"', "")
    code, answer = check(mapfile, text, form="json", strict=True)
    (finding,) = json.loads(answer)
    assert code == 1
    assert (finding["file"], finding["line"]) == (str(mapfile), 2)
    assert (finding["level"], finding["key"]) == ("warning", "sos_title")
    assert finding["message"] in check(mapfile, text)[1]


def test_a_file_that_is_none(mapfile: Path) -> None:
    out = io.StringIO()
    assert run(["gone.map"], out=out) == 2
    assert out.getvalue().startswith("gone.map: error: mapfile: ")


def test_a_map_that_cannot_be_parsed(mapfile: Path) -> None:
    code, text = check(mapfile, "MAP\nLAYER\nEND\n")
    assert code == 2
    message = "the file ends within MAP, which begins in line 1: an END is missing"
    assert text == f"test.map:1: error: MAP: {message} [M104]\n"


def test_any_bytes_and_line_ends_make_one_line_each(mapfile: Path) -> None:
    code, text = check(mapfile, GOOD.replace('"T"', '"\udce9"').replace('"a"', '"a\nb"').replace('"o"', '"o\u2028p"'))
    assert code == 0
    assert [line.split(": ")[2] for line in text.split("\n")[:-1]] == ["?", "sos_offering_id", "sos_temp_max_alias"]


def test_findings_come_by_line(mapfile: Path) -> None:
    mapfile.write_text(GOOD.replace('"T"', '""').replace('"date"', '"data"').replace('"sos_wind_alias" "c"', ""))
    lines = [finding.line for finding in check_mapfile(str(mapfile))]
    assert len(lines) > 1
    assert lines == sorted(lines)


@pytest.mark.parametrize("name", ["weather", "minimal", "every-key"])
def test_the_examples_have_no_errors(name: str) -> None:
    assert {finding.level for finding in check_mapfile(str(EXAMPLES / f"{name}.map"))} <= {"warning", "info"}


def test_the_working_directory_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapfile = tmp_path / "test.map"
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, text = check(mapfile, "MAP LAYRE END END")
    assert code == 2
    assert text.startswith(f"{mapfile}:1: error: LAYRE")
