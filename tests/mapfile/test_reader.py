from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.keys import METADATA_KEYS
from mapsos.mapfile.model import Extent, ObservedProperty
from mapsos.mapfile.reader import read_identified_service, read_service
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import InlineFeature, ShapeType, SourceKind
from mapsos.terms.predicates import EVERYTHING, Compare, OneOf

from .conftest import LAYER, WEB, MapWriter

WEATHER = str(Path(__file__).parents[2] / "examples" / "mapfiles" / "weather.map")
BARE_MINIMUM = r"""
MAP
NAME "SOS_server"
STATUS ON
SIZE 300 300
EXTENT -66 44 -62 45
UNITS DD
SHAPEPATH "./data/"
IMAGECOLOR 255 255 0
SYMBOLSET "./etc/symbols.sym"
FONTSET "./etc/fonts.txt"
IMAGETYPE PNG
WEB
 IMAGEPATH "/ms4w/tmp/ms_tmp/"
 IMAGEURL "/ms_tmp/"
 METADATA
   "sos_onlineresource" "http://127.0.0.1/cgi-bin/mapserv?map=/sos.map&" ## REQUIRED
   "sos_title"          "My SOS Demo Server" ## Recommended
   "sos_srs"            "EPSG:4326" ## REQUIRED
 END
END
PROJECTION
 "init=epsg:4326"
END
LAYER
  NAME "test_sos_layer"
  METADATA
    "sos_procedure"  "NS01EE0014" ## REQUIRED
    "sos_offering_id" "WQ1289" ## REQUIRED
    "sos_observedproperty_id" "Water Quality" ## REQUIRED
    "sos_describesensor_url" "http://some/url/NS01EE0014.xml" ## REQUIRED
  END
  TYPE POINT
  STATUS ON
  DATA "sos_test"
  PROJECTION
    "init=epsg:4326"
  END
  CLASS
    NAME "water quality"
    STYLE
      COLOR 255 0 0
      SYMBOL "circle"
      SIZE 8
    END
  END
END
END #map
"""

EVERYTHING_ELSE = """
  SYMBOL NAME "circle" TYPE ELLIPSE POINTS 1 1 END FILLED TRUE STYLE 1 2 END END
  SYMBOL NAME "p" TYPE VECTOR POINTS 0 0 1 1 END ANCHORPOINT 0.5 0.5 END
  LEGEND STATUS ON KEYSIZE 18 12 LABEL TYPE BITMAP SIZE MEDIUM COLOR 0 0 89 STYLE COLOR 1 1 1 END END END
  SCALEBAR STYLE 0 INTERVALS 3 UNITS KILOMETERS LABEL SIZE TINY END END
  QUERYMAP STYLE HILITE COLOR 255 0 0 END
  REFERENCE IMAGE a.png EXTENT 0 0 1 1 SIZE 10 10 COLOR -1 -1 -1 OUTLINECOLOR 255 0 0 END
  OUTPUTFORMAT NAME "png" DRIVER AGG/PNG MIMETYPE "image/png" FORMATOPTION "GAMMA=0.75" END
  CONFIG "MS_ERRORFILE" "stderr" config ON_MISSING_DATA IGNORE
  RESOLUTION 96 ANGLE 0 MAXSIZE 4096 DEBUG 5 IMAGETYPE png24 UNITS dd TRANSPARENT ON
  layer NAME raster TYPE RASTER DATA x.tif CLASSITEM "[pixel]" CLASS EXPRESSION ([pixel] < 1) END END
  LAYER NAME grid TYPE LINE GRID LABELFORMAT DDMM MINARCS 4 END CLASS STYLE PATTERN 1 2 3 4 END END END END
  LAYER NAME wms TYPE RASTER CONNECTIONTYPE WMS CONNECTION "http://x/?" METADATA "wms_srs" "EPSG:4326" END END
  LAYER NAME union TYPE POINT CONNECTIONTYPE UNION CONNECTION "a,b" PROJECTION AUTO END
    FILTER (intersects([shape], fromText("POINT(1 1)"))) END
"""

DRAWING = """
  TEMPLATE "x.html" HEADER h.html TOLERANCE 5 TOLERANCEUNITS pixels TRANSFORM FALSE OFFSITE 1 2 3 OPACITY 50
  EXTENT 0 0 1 1 CLASSITEM "x" LABELITEM x LABELREQUIRES "([a] != 1)" REQUIRES "!([b])" SYMBOLSCALEDENOM 1e5
  STYLEITEM AUTO GEOMTRANSFORM (buffer([shape], 2)) MASK "m" UNITS METERS SIZEUNITS PIXELS DUMP TRUE
  VALIDATION "default_x" "1" 'x' '^[0-9]$' END
  CLUSTER MAXDISTANCE 20 REGION "ellipse" GROUP ("[a]") FILTER ([a] > 1) END
  COMPOSITE OPACITY 50 COMPOP "multiply" END
  SCALETOKEN NAME "%x%" VALUES "0" "a" "1000" "b" END END
  JOIN NAME "j" TABLE "t.dbf" FROM "a" TO "b" TYPE ONE-TO-ONE END
  CONNECTIONOPTIONS "FLATTEN_NESTED_ATTRIBUTES" "YES" END
  CLASS NAME 'it\\'s' EXPRESSION /^a/i STYLE SYMBOL 'circle' SIZE [s] COLOR [c] OFFSET [a] -1 GEOMTRANSFORM 'end' END
    LABEL TEXT ("[a]" + ", " + tostring([b],"%.2f")) ANGLE AUTO POSITION UC FONT "x" LEADER MAXDISTANCE 3 END END
    TEXT ([x]) VALIDATION "y" "." END METADATA "a" "b" END KEYIMAGE "x.png" LEADER STYLE WIDTH 1 END END
  END
  CLASS EXPRESSION {a,b} LABEL STYLE GEOMTRANSFORM labelpnt SYMBOL 0 END END END
"""


def test_the_bare_minimum_map_of_the_documentation(tmp_path: Path) -> None:
    path = tmp_path / "bare.map"
    path.write_text(BARE_MINIMUM)
    service = read_service(str(path))
    (layer,) = service.layers
    assert service.identification.title == "My SOS Demo Server"
    assert service.extent == Extent(-66, 44, -62, 45)
    assert service.online_resource == "http://127.0.0.1/cgi-bin/mapserv?map=/sos.map&"
    assert (layer.offering_id, layer.procedures) == ("WQ1289", ("NS01EE0014",))
    assert layer.observed_property == ObservedProperty("Water Quality")
    assert layer.source.connection == str(tmp_path / "data" / "sos_test.shp")
    assert layer.source.crs == Crs("EPSG:4326", "EPSG:4326")
    assert (layer.line, layer.keys["sos_offering_id"]) == (25, (str(path), 29))


def test_blocks_that_observations_do_not_need_are_never_refused(write_map: MapWriter) -> None:
    service = read_service(write_map(f'DATA "points" {DRAWING}', more=EVERYTHING_ELSE))
    assert [layer.name for layer in service.layers] == ["l"]
    assert service.layers[0].source.row_filter == EVERYTHING


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("change", [str.lower, str.swapcase])
def test_letter_case_and_line_ends(write_map: MapWriter, newline: str, change) -> None:  # type: ignore[no-untyped-def]
    path = Path(write_map())
    path.write_bytes(change(path.read_text()).replace("\n", newline).encode())
    (layer,) = read_service(str(path)).layers
    assert (layer.offering_id.lower(), layer.source.shape) == ("off", ShapeType.POINT)
    assert layer.keys["sos_offering_id"][1] == 5


def test_every_web_key_reaches_the_service(write_map: MapWriter) -> None:
    keys = [key for key in METADATA_KEYS if key.level == "web"]
    web = " ".join(f'"{key.pattern}" "value of {key.name.lower()}"' for key in keys)
    shown = repr(read_service(write_map(web=web)))
    for key in keys:
        words = key.name in ("srs", "vendor_parameters", "conformance")
        assert (f"'{key.name.lower()}'" if words else f"'value of {key.name.lower()}'") in shown, key.name


def test_every_layer_key_reaches_the_layer(write_map: MapWriter) -> None:
    keys = [key for key in METADATA_KEYS if key.level == "layer"]
    metadata = " ".join(f'"{key.pattern}" "value_of_{key.name}"' for key in keys)
    shown = repr(read_service(write_map(metadata=metadata)).layers[0])
    for key in keys:
        assert f"'value_of_{key.name}'" in shown, key.name


def test_ows_keys_are_as_good_as_sos_keys(write_map: MapWriter) -> None:
    assert (
        read_service(write_map(metadata=LAYER.replace("sos_", "ows_"), web=WEB.replace("sos_", "OWS_"))).layers[0]
        .offering_id == "off"
    )  # fmt: skip


def test_fields(write_map: MapWriter) -> None:
    metadata = LAYER + """
      "sos_STN_alias" "Station" "sos_stn_uom" "m"
      "sos_stn_definition" "urn:x" "gml_stn_type" "Character" """
    field = read_service(write_map(metadata=metadata)).layers[0].fields["stn"]
    assert (field.item, field.alias, field.definition, field.uom, field.kind, field.key, field.line) == (
        "STN", "Station", "urn:x", "m", "text", "sos_stn_alias", 6,
    )  # fmt: skip


def test_a_field_is_where_its_alias_is(write_map: MapWriter, tmp_path: Path) -> None:
    (tmp_path / "m.inc").write_text('\n"ows_stn_alias" "Station"\n')
    field = read_service(write_map(metadata=LAYER + '"sos_stn_uom" "m"\nINCLUDE "m.inc"')).layers[0].fields["stn"]
    assert (field.key, field.file, field.line) == ("ows_stn_alias", str(tmp_path / "m.inc"), 2)


def test_keys_are_in_lower_case_in_the_encoding_of_the_map(write_map: MapWriter) -> None:
    path = write_map(metadata=LAYER + ' "sos_Été_alias" "x" "SOS_ÉTÉ_UOM" "m"', encoding="latin-1")
    (field,) = read_service(path).layers[0].fields.values()
    assert (field.item, field.alias, field.uom, field.key) == ("Été", "x", "m", "sos_été_alias")


def test_layers_without_offering_are_left_alone(write_map: MapWriter) -> None:
    assert read_service(write_map("CONNECTIONTYPE WMS CONNECTION 'x'", metadata='"wms_title" "x"')).layers == ()


def test_layer_settings(write_map: MapWriter) -> None:
    text = (
        'DATA "points" FILTERITEM "stn" FILTER "S1" PROCESSING "NATIVE_FILTER=v = 5" PROCESSING "BANDS=1" '
        'MAXFEATURES 7 ENCODING "latin1" UNITS METERS'
    )
    layer = read_service(write_map(text)).layers[0]
    source = layer.source
    assert source.row_filter == OneOf("stn", ("S1",))
    assert (source.native_filter, source.max_features, source.encoding) == ("v = 5", 7, "latin1")


def test_metadata_that_is_not_utf8_is_read_in_the_layers_encoding(write_map: MapWriter) -> None:
    text = LAYER + ' "sos_offering_name" "grüße žluť"'
    layer = read_service(write_map('DATA "p" ENCODING "iso-8859-2"', text, encoding="iso-8859-2")).layers[0]
    assert layer.offering_name == "grüße žluť"
    latin = LAYER + ' "sos_offering_name" "grüße"'
    assert read_service(write_map(metadata=latin, encoding="latin-1")).layers[0].offering_name == "grüße"
    assert read_service(write_map('DATA "p" ENCODING "latin-1"', latin)).layers[0].offering_name == "grüße"


def test_unquoted_values_and_includes_inside_of_blocks(write_map: MapWriter, tmp_path: Path) -> None:
    (tmp_path / "more.inc").write_text('\n"sos_offering_name" "included"')
    metadata = 'sos_offering_id off\n"sos_procedure" 35\ninclude "more.inc"\nsos_observedproperty_id op'
    path = write_map("DATA points PROJECTION init=epsg:4326 END", metadata)
    service, identities = read_identified_service(path)
    (layer,) = service.layers
    assert (layer.procedures, layer.offering_name) == (("35",), "included")
    assert layer.keys["sos_offering_name"] == (str(tmp_path / "more.inc"), 2)
    assert [identity.path for identity in identities] == [path, str(tmp_path / "more.inc")]


@pytest.mark.parametrize(
    ("extent", "expected"),
    [("EXTENT 0 0 1 1", Extent(0, 0, 1, 1)), ("EXTENT 1 1 0 0", None), ("EXTENT 0 0 0 0", None), ("", None)],
)
def test_map_extent(tmp_path: Path, extent: str, expected: Extent | None) -> None:
    path = tmp_path / "a.map"
    path.write_text(f"MAP {extent} END")
    assert read_service(str(path)).extent == expected


@pytest.mark.parametrize(
    ("layer", "line", "part"),
    [
        ('CONNECTIONTYPE WMS\nCONNECTION "http://u:secret@x"', 4, "CONNECTIONTYPE WMS"),
        ("\nCONNECTIONTYPE ORACLESPATIAL", 5, "ORACLESPATIAL"),
        ('DATA "x"\nTYPE RASTER', 5, "RASTER"),
        ('DATA "x"\nPROJECTION\nAUTO\nEND', 6, "AUTO"),
        ('DATA "x"\n\nFILTER ([a] + 1 = 2)', 6, "+"),
        ('TILEINDEX "x"', 4, "TILEINDEX"),
        ("CONNECTIONTYPE OGR", 3, "CONNECTION"),
        ("CONNECTIONTYPE POSTGIS CONNECTION 'host=x'", 3, "DATA"),
        ('DATA "x"\nMAXFEATURES many', 5, "MAXFEATURES"),
        ('FEATURE WKT "POINT(x y)" END', 4, "POINTS"),
    ],
)
def test_what_a_layer_cannot_be_served_from(write_map: MapWriter, layer: str, line: int, part: str) -> None:
    path = write_map(layer)
    with pytest.raises(MapfileError) as caught:
        read_service(path)
    assert (caught.value.file, caught.value.line) == (path, line)
    assert part in caught.value.message
    assert 'LAYER "l"' in caught.value.message
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "near"),
    [
        ("", 1, ""),
        ("LAYER NAME x END", 1, "LAYER"),
        ("hello", 1, "hello"),
        ("MAP\nNAME", 2, "NAME"),
        ("MAP\nLAYER\nNAME x END", 1, "MAP"),
        ("MAP\n'NAME' x END", 2, "NAME"),
        ("MAP\nWEB METADATA\n'a' END END END", 3, "END"),
        ("MAP\nLAYER NAME x FEATURE POINTS\n1 END END END END", 3, "END"),
        ("END", 1, "END"),
        ("MAP\nNAME x\n5 END", 3, "5"),
        ("MAP WEB END\n5 6 END", 2, "5"),
        ("MAP CONFIG a 1\n5 END", 2, "5"),
        ("MAP SIZE 1 2 3 4 5\nNAME x END", 2, "NAME"),
        ("MAP SIZE 1 2 3 4 5 6\n7 END", 2, "7"),
        ("MAP CONFIG a\nEND", 1, "CONFIG"),
        ("MAP PROJECTION\n4326 END END", 2, "4326"),
        ("MAP LAYER FEATURE POINTS 1 2\nx 3 END END END END", 2, "x"),
        ("MAP WEB\nPROJECTION AUTO END END END", 2, "PROJECTION"),
        ("MAP LAYER\nWEB METADATA END END END END", 2, "WEB"),
        ("MAP\nSYMBOL NAME x POINTS 1 1 END\nEND", 1, "MAP"),
        ("MAP\nLAYER\nCLASS END", 2, "LAYER"),
        ("MAP\nLAYER CLASS\nSTYLE PATTERN END", 3, "STYLE"),
        ("SYMBOLSET\nSYMBOL NAME x END END", 1, ""),
        ("SYMBOLSET\nSYMBOL NAME x END", 1, "SYMBOLSET"),
    ],
)
def test_syntax_errors_have_their_place(tmp_path: Path, text: str, line: int, near: str) -> None:
    path = tmp_path / "a.map"
    path.write_text(text)
    with pytest.raises(MapfileError) as caught:
        read_service(str(path))
    assert (caught.value.line, caught.value.near) == (line, near)


def test_a_map_is_read_without_a_parser_library() -> None:
    script = (
        "import sys; from mapsos.mapfile.reader import read_service; read_service(sys.argv[1]);"
        "print(sorted({'lark', 'mappyfile', 'jsonschema', 'numpy', 'osgeo'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, WEATHER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_errors_in_included_files_name_them(tmp_path: Path) -> None:
    (tmp_path / "a.map").write_text('MAP\nINCLUDE "b.inc"\nEND')
    (tmp_path / "b.inc").write_text("\n\nLAYER NAME END")
    with pytest.raises(MapfileError) as caught:
        read_service(str(tmp_path / "a.map"))
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "b.inc"), 3)


def test_inline_features(write_map: MapWriter) -> None:
    text = """PROCESSING "ITEMS=stn, v"
      FEATURE POINTS 1 2.5 -3 4e1 END ITEMS "S1;" END
      FEATURE WKT "MULTIPOINT((3 4),(5 6))" ITEMS "S2;x" END
      FEATURE WKT "POLYGON((0 0,1 0,1 1,0 0),(2 2,3 2,3 3,2 2))" END FILTER ([v] = 1)"""
    source = read_service(write_map(text)).layers[0].source
    assert (source.kind, source.item_names) == (SourceKind.INLINE, ("stn", "v"))
    assert source.features[:2] == (
        InlineFeature((((1.0, 2.5), (-3.0, 40.0)),), ("S1", "")),
        InlineFeature((((3.0, 4.0),), ((5.0, 6.0),)), ("S2", "x")),
    )
    assert [len(part) for part in source.features[2].parts] == [4, 4]
    assert source.row_filter == Compare("v", "=", "1", kind="number")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("A & B", "A & B"),
        ("A &amp; B", "A & B"),
        ("&lt;b&gt; &quot;c&quot; &apos;d&apos;", "<b> \"c\" 'd'"),
        ("&amp;lt;", "&lt;"),
        ("AT&T;x &copy; &#65;", "AT&T;x &copy; &#65;"),
    ],
)
def test_references_count_where_mapserver_asks_for_them(tmp_path: Path, written: str, expected: str) -> None:
    quoted = f"'{written}'" if '"' in written else f'"{written}"'
    keys = ("sos_offering_name", "sos_offering_description", "sos_offering_intendedapplication")
    metadata = " ".join(f'"{key}" {quoted}' for key in keys)
    path = tmp_path / "a.map"
    path.write_text(
        f'MAP NAME "m" WEB METADATA "sos_title" {quoted} END END LAYER NAME "l" TYPE POINT CONNECTIONTYPE OGR '
        f'CONNECTION "a.gpkg" METADATA "sos_offering_id" "o" {metadata} END END END'
    )
    service = read_service(str(path))
    layer = service.layers[0]
    assert (layer.offering_name, layer.offering_description, layer.intended_application) == (expected,) * 3
    assert service.identification.title == written
