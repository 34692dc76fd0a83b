from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.check.mapfile_schema import find_by_schema
from mapsos.mapfile.tokens import read_tokens

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "mapfiles").glob("*.map"))
POINT = "LAYER NAME 'l' TYPE POINT"


def find(folder: Path, text: str, version: float = 8.0) -> list[tuple[int, str, str, str]]:
    path = folder / "a.map"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = find_by_schema(read_tokens(str(path))[0], version)
    return [(finding.line, finding.level, finding.key, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("text", "line", "key", "part"),
    [
        ("MAP\nUNITS\nfurlongs END", 2, "UNITS", '"furlongs" is not allowed here in MapServer 8.0. Write one of DD, '),
        ("MAP QUERYMAP\nFOO 'x' END END", 2, "FOO", "does not allow FOO in QUERYMAP"),
        ("MAP\nWEB\nEMPTY x FOOTER\ny LEGENDFORMAT 5 END END", 4, "LEGENDFORMAT", "Write a string in quotes"),
        (f"MAP {POINT}\nPROCESSING 'a'\nPROCESSING 5 END END", 3, "PROCESSING", '"5" is not'),
        (f"MAP {POINT} CLASS\nSTYLE\nCOLOR 1 1 500 END END END END", 3, "COLOR", '"1 1 500" is not'),
        (f"MAP {POINT} CLASS STYLE\nANTIALIAS TRUE END END END END", 2, "ANTIALIAS", "not allow ANTIALIAS in STYLE"),
        ("MAP LEGEND KEYSIZE\n10 10\nTRANSPARENT ON END END", 3, "TRANSPARENT", "not allow TRANSPARENT in LEGEND"),
        (f"MAP\n{POINT} CLASS\nLABEL POSITION\nzz END END END END", 3, "POSITION", '"zz" is not'),
        ("MAP\nLAYER NAME 'x' END END", 2, "TYPE", "missing: MapServer 8.0 rejects a LAYER without it"),
        ("MAP OUTPUTFORMAT\nDRIVERS 'x' END END", 2, "DRIVERS", "not allow DRIVERS in OUTPUTFORMAT"),
        (f"MAP DEBUG 1 {POINT}\nDEBUG\n9 END END", 2, "DEBUG", "Write one of ON, OFF, 0, 1"),
        (f"MAP {POINT} END\nSCALEBAR\nUNITS furlongs END END", 3, "UNITS", "furlongs"),
        ("MAP\nSYMBOL NAME 'x' TYPE\nfoo END END", 2, "TYPE", "ELLIPSE"),
    ],
)
def test_what_mapserver_does_not_take(tmp_path: Path, text: str, line: int, key: str, part: str) -> None:
    (entry,) = find(tmp_path, text)
    assert entry[:3] == (line, "warning", key)
    assert part in entry[3]


@pytest.mark.parametrize(
    "text",
    [
        f"MAP {POINT} CLASS STYLE SIZE ([a] * 2) COLOR [c] OFFSET [a] -1 END EXPRESSION {{a,b}} TEXT ([b]) END END END",
        f"MAP {POINT} CLASS EXPRESSION /^a/i LABEL ANGLE AUTO SIZE TINY END END TEMPLATE %t% MASK %m% END END",
        f"MAP {POINT} DATA c:\\x\\y.shp CONNECTION http://h/?a=b&c=d PROJECTION init=epsg:4326 END END END",
        "MAP WEB METADATA sos_offering_id 35 'END' \"a'b\" END END END",
        "MAP SYMBOL NAME 'layer' TYPE VECTOR POINTS 0 0 1 1 END END END",
        f"MAP CONFIG 'MS_NONSQUARE' 5 CONFIG ON_MISSING_DATA ignore NAME grid {POINT} GROUP style END END",
        'MAP NAME "caf\udce9" EXTENT -1 -1 1.5 1e1 END',
        'MAP NAME "two\nlines \\"quoted\\" \\\\" END and more',
        f"MAP {POINT} FILTERITEM 'a' FILTER 'b'i TRANSFORM FALSE STATUS DEFAULT VALIDATION 'x' '^[0-9]$' END END END",
    ],
)
def test_what_mapserver_takes(tmp_path: Path, text: str) -> None:
    assert find(tmp_path, text) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_nothing_about_the_examples(path: Path) -> None:
    assert find_by_schema(read_tokens(str(path))[0]) == []


def test_by_version(tmp_path: Path) -> None:
    text = "MAP LEGEND TRANSPARENT ON END END"
    assert find(tmp_path, text, 7.6) == []
    assert [entry[2] for entry in find(tmp_path, text, 8.0)] == ["TRANSPARENT"]


def test_the_place_is_that_in_the_included_file(tmp_path: Path) -> None:
    (tmp_path / "b.inc").write_text("\nSTYLE\n COLOR 1 1 500 END")
    (tmp_path / "a.map").write_text(f"MAP {POINT} CLASS\nINCLUDE 'b.inc'\nEND END END")
    (finding,) = find_by_schema(read_tokens(str(tmp_path / "a.map"))[0])
    assert (finding.file, finding.line) == (str(tmp_path / "b.inc"), 3)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"MAP {POINT} FEATURE\nPOINTS END END END END", 1),
        ("MAP\nSYMBOL\nSTYLE 1 2 END END END", 3),
        (f"MAP\n{POINT} CLASS STYLE 5\nCOLOR 1 2 3 END END END END", 2),
    ],
)
def test_what_mappyfile_cannot_read_is_worth_knowing_and_no_fault(tmp_path: Path, text: str, line: int) -> None:
    ((found, level, _, message),) = find(tmp_path, text)
    assert level == "info"
    assert found >= line
    assert "not checked against" in message
