"""The tree that mapsos makes of a mapfile against mappyfile's, which is the second opinion."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from mappyfile.parser import Parser
from mappyfile.transformer import MapfileToDict

from mapsos.mapfile.blocks import Block, parse_blocks
from mapsos.mapfile.tokens import Token, TokenKind, read_tokens

from .conftest import MapWriter

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "mapfiles").glob("*.map"))
BLOCKS = ("web", "layers", "features", "cluster", "joins", "metadata", "validation", "connectionoptions")
"""The blocks that mapsos keeps, as mappyfile names them."""

LAYERS = (
    "DATA points", 'DATA "a b.shp"', "DATA \"it's\"", r'DATA "a \"b\" c"', r"DATA 'a \'b\' c'", 'DATA "/d/a.shp"',
    "CONNECTIONTYPE OGR CONNECTION 'x.gpkg' DATA 'SELECT * FROM t'", "connectiontype ogr connection \"c\"",
    'PROCESSING "A=1" PROCESSING "B=2"', "MAXFEATURES 7", "EXTENT -1.5 2 3e1 .5", "OFFSITE 1 2 3", "TOLERANCE 5.0",
    "TRANSFORM FALSE", "STATUS OFF STATUS DEFAULT", "FILTERITEM 'a' FILTER 'b'", "FILTERITEM 'a' FILTER /^b.*c$/",
    "FILTER ([a] = 1)", "FILTER (\"[a]\" = 'x' AND [b] > 2)", "FILTER ([a] = 1\n AND ([b] = 2 OR [c] <> 3))",
    "FILTER {a,b,c}", "CLASSITEM '[a]'", "PROJECTION 'init=epsg:4326' END", "PROJECTION 'proj=utm' 'zone=1' END",
    "PROJECTION AUTO END", "FEATURE POINTS 1 2 -3 4.5 END ITEMS 'a;b' END", "FEATURE WKT 'POINT(1 2)' END",
    "FEATURE POINTS 1 2 END END FEATURE POINTS 3 4 END END", "CLUSTER MAXDISTANCE 20 REGION 'ellipse' END",
    "JOIN NAME 'j' TABLE 't.dbf' FROM 'a' TO 'b' END", "VALIDATION 'a' '^[0-9]+$' 'b' 'x' END",
    "CONNECTIONOPTIONS 'A' 'YES' END", "CLASS NAME 'c' STYLE COLOR 1 2 3 END LABEL SIZE TINY END END DATA 'after'",
    "CLASS EXPRESSION ([a] < 5) TEXT ([b]) STYLE PATTERN 1 2 END END END", "# DATA 'no'\nDATA 'yes' # really",
    "/* DATA 'no'\n */ DATA 'yes'", "DATA 'x # y'", "DATA 'two\nlines'", "INCLUDE 'b.inc'", "DATA\n\t'x'\r\nGROUP 'g'",
    "COMPOSITE OPACITY 50 COMPOP 'multiply' END", "SCALETOKEN NAME '%x%' VALUES '0' 'a' '1000' 'b' END END",
    "GEOMTRANSFORM (buffer([shape],2)) UNITS METERS", "TEMPLATE 'ttt' HEADER 'h' FOOTER 'f' DUMP TRUE",
    "STYLEITEM 'auto' LABELITEM 'x' REQUIRES \"([a] = 1)\"", "DATA 'größe'", "MINSCALEDENOM 1e3 MAXSCALEDENOM 1e6",
)  # fmt: skip
METADATA = (
    '"sos_offering_id" "a" \'sos_procedure\' \'b c\'',
    '"SOS_Offering_ID" "a" "sos_offering_id" "last"',
    "sos_offering_id off sos_title title",
    '"a" "" "b" "END" "c" "# no comment" "d" "it\'s" "LAYER" "MAP"',
    "",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="mappyfile")


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser()


def as_seen_by_mapsos(path: str) -> Any:
    tokens, files = read_tokens(path)
    return plain(parse_blocks(tokens, files[0].path))


def plain(block: Block) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in block.attributes:
        values = [value_of(token) for token in attribute.values]
        key = f"{attribute.key}/{values[0]}".lower() if attribute.key == "config" else attribute.key
        if attribute.key == "config":
            # mappyfile has the names of settings in lower case.
            values[0] = str(values[0]).lower()
        if attribute.key == "processing":
            values = found.get(key, []) + values
        found[key] = values
    for inner in block.blocks:
        found.setdefault(f"{inner.name} blocks", []).append(plain(inner))
    return found


def value_of(token: Token) -> str | float:
    text = token.text
    if token.kind is TokenKind.WORD and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        return float(text)
    raw = (TokenKind.EXPRESSION, TokenKind.LIST, TokenKind.REGEX, TokenKind.BINDING)
    if token.kind in raw or (text.startswith("(") and text.endswith(")")):
        return bare(text)
    return text.lower() if token.is_word("true", "false") else text


def bare(text: str) -> str:
    """An expression without blanks and parentheses: mappyfile adds its own."""
    return re.sub(r"[\s(){}\[\]]|^/|/$", "", text)


def as_seen_by_mappyfile(path: str, parser: Parser) -> Any:
    return plain_dict(MapfileToDict().transform(parser.parse_file(path)))  # type: ignore[no-untyped-call]


def plain_dict(block: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in block.items():
        if key.startswith("__"):
            continue
        if isinstance(value, dict) and "__type__" in value:
            value = [value]
        if key == "config":
            found |= {f"config/{name}": [name, inner] for name, inner in value.items()}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            if key in BLOCKS:
                found[f"{value[0]['__type__']} blocks"] = [plain_dict(inner) for inner in value]
        elif key == "points":
            found[key] = [float(number) for pair in value for number in pair]
        else:
            found[key] = [value_from(inner) for inner in (value if isinstance(value, list) else [value])]
    return found


def value_from(value: Any) -> str | float:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value)
    text = str(value)
    if re.fullmatch(r"\(.*\)|\{.*\}|/.*/", text, re.S) and not text.startswith("/d/"):
        return bare(text)
    return re.sub(r"\\([\"'\\])", r"\1", text)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path, parser: Parser) -> None:
    assert as_seen_by_mapsos(str(path)) == as_seen_by_mappyfile(str(path), parser)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers(write_map: MapWriter, parser: Parser, layer: str) -> None:
    path = write_map(f"\n{layer}\n")
    (Path(path).parent / "b.inc").write_text("DATA 'included'\nGROUP 'g'")
    assert as_seen_by_mapsos(path) == as_seen_by_mappyfile(path, parser)


@pytest.mark.parametrize("metadata", METADATA)
def test_metadata(write_map: MapWriter, parser: Parser, metadata: str) -> None:
    path = write_map(metadata=metadata, map_text='CONFIG "A" "b" CONFIG "A" "c" SIZE 5 6 SHAPEPATH "x" UNITS DD')
    assert as_seen_by_mapsos(path) == as_seen_by_mappyfile(path, parser)
