"""DescribeFeatureType: the schema of what GetObservation answers, held against its answers by parsers that read it."""

from __future__ import annotations

import io
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from lxml import etree
from osgeo import gdal, ogr

from mapsos.config.settings import read_settings
from mapsos.operations.layers.facts import forget_facts
from mapsos.web.messages import Response
from tests.support.http_server import serve_application
from tests.support.ogc_schemas import complain, needs_schemas

from .conftest import LAYER, WEB, World, layer_text, read_xml, refusal

XS = "{http://www.w3.org/2001/XMLSchema}"
QUERY = "service=WFS&version=1.1.0&request=DescribeFeatureType&typename="


def declared(response: Response) -> dict[str, list[tuple[str, str]]]:
    """The elements of each feature type: name and type, in order."""
    assert dict(response.headers)["Content-Type"] == "text/xml; subtype=gml/3.1.1; charset=UTF-8"
    root = read_xml(response)
    types = {kind.get("name"): kind for kind in root.iterfind(f"{XS}complexType")}
    return {
        str(element.get("name")): [
            (str(inner.get("name")), str(inner.get("type")))
            for inner in types[f"{element.get('name')}Type"].iter(f"{XS}element")
        ]
        for element in root.iterfind(f"{XS}element")
    }


def test_the_schema_declares_the_aliases_with_their_types(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "sos_t_alias" "at" "sos_stn_alias" "my stn"'))
    assert declared(world.send(QUERY + "l1")) == {
        "l1": [
            ("msGeometry", "gml:GeometryPropertyType"),
            ("my_x0020_stn", "xsd:string"),
            ("at", "ms:dateTime"),
            ("value", "ms:double"),
        ]
    }


@pytest.mark.parametrize("name", ["l1", "ms:l1", "L1", "l1,l2", ""])
def test_layers_of_an_offering_are_declared_together(world: World, name: str) -> None:
    other = LAYER.replace('"off"', '"other"')
    world.write_map(layer_text("l1"), layer_text("l2"), layer_text("l3", metadata=other))
    expected = ["l1", "l2"] if name else ["l1", "l2", "l3"]
    assert sorted(declared(world.send(QUERY + name))) == expected


def test_a_name_that_is_no_xml_name_and_has_a_comma(world: World) -> None:
    world.write_map(layer_text("my, layer"))
    assert list(declared(world.send(QUERY + "my%2C%20layer"))) == ["my_x002C__x0020_layer"]


def test_the_namespace_is_that_of_the_service(world: World) -> None:
    world.write_map(web=WEB + ' "sos_namespace_uri" "http://x/?a=1&b" "sos_namespace_prefix" "obs"')
    root = read_xml(world.send(QUERY + "l1"))
    assert root.get("targetNamespace") == root.nsmap["obs"] == "http://x/?a=1&b"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (QUERY + "l1,foo", ("InvalidParameterValue", "typename", "msWFSDescribeFeatureType(): WFS server error. ")),
        (QUERY + "l1&outputFormat=image/png", ("InvalidParameterValue", "outputformat", "Unsupported Describe")),
        (QUERY + "l1&typenames=x", ("InvalidParameterValue", "typenames", "Did you mean typename?")),
        (QUERY.replace("1.1.0", "3.0.0") + "l1", ("InvalidParameterValue", "version", "VERSION 3.0.0 not")),
        (QUERY.replace("DescribeFeatureType", "GetFeature"), ("InvalidParameterValue", "service", "Of WFS, ")),
        ("service=WFS&request=GetCapabilities", ("InvalidParameterValue", "service", "Of WFS, ")),
    ],
)
def test_what_is_refused(world: World, query: str, expected: tuple[str, str, str]) -> None:
    code, locator, text = refusal(read_xml(world.send(query)))
    assert (code, locator) == expected[:2]
    assert expected[2] in text


def test_a_layer_that_is_off_is_not_revealed(world: World) -> None:
    hidden = LAYER + ' "sos_enable_request" "!GetObservation !DescribeObservationType !DescribeFeatureType"'
    world.write_map(layer_text("l1"), layer_text("l2", metadata=hidden))
    assert list(declared(world.send(QUERY + "l1"))) == ["l1"]
    assert refusal(read_xml(world.send(QUERY + "l2")))[1] == "typename"


SOS_FORMS = [
    "service=SOS&version=1.0.0&request=DescribeFeatureType&FeatureId=l1",
    "service=SOS&version=1.0.0&request=DescribeFeatureType&FeatureId=urn:ogc:def:feature:OGC-SWE:3:transient",
    "service=SOS&version=1.0.0&request=DescribeFeatureType&FeatureId="
    + urllib.parse.quote("http://h/cgi?service=WFS&version=1.1.0&request=DescribeFeatureType&typename=l1", ""),
]


@pytest.mark.parametrize("query", SOS_FORMS)
def test_sos_has_the_operation_too(world: World, query: str) -> None:
    assert "l1" in declared(world.send(query))


@pytest.mark.parametrize(
    "body",
    [
        '<w:DescribeFeatureType xmlns:w="http://www.opengis.net/wfs" service="WFS" version="1.1.0">'
        "<w:TypeName>ms:l1</w:TypeName></w:DescribeFeatureType>",
        '<DescribeFeatureType xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">'
        "<FeatureId>l1</FeatureId></DescribeFeatureType>",
    ],
)
def test_bodies(world: World, body: str) -> None:
    data = io.BytesIO(body.encode())
    answer = world.send("", method="POST", content_type="text/xml", content_length=len(body), read=data.read)
    assert "l1" in declared(answer)


@pytest.mark.parametrize("namespace", ["http://www.opengis.net/wfs", "http://www.opengis.net/sos/1.0"])
def test_bodies_of_other_requests_are_refused(world: World, namespace: str) -> None:
    body = f'<GetFeature xmlns="{namespace}" service="WFS" version="1.1.0"/>'
    data = io.BytesIO(body.encode())
    answer = world.send("", method="POST", content_type="text/xml", content_length=len(body), read=data.read)
    assert refusal(read_xml(answer))[:2] == ("InvalidParameterValue", "service")


KINDS = (
    ("text", ogr.OFTString, 0, "café & <b>"),
    ("whole", ogr.OFTInteger64, 0, 9_000_000_000),
    ("real", ogr.OFTReal, 0, 1.5),
    ("flag", ogr.OFTInteger, ogr.OFSTBoolean, 1),
    ("day", ogr.OFTDate, 0, "2001/02/03"),
    ("moment", ogr.OFTDateTime, 0, "2001/02/03 04:05:06+00"),
)
GEOMETRIES = {
    "POINT": "POINT (1 2)",
    "LINE": "LINESTRING (1 2, 3 4)",
    "POLYGON": "POLYGON ((0 0, 0 1, 1 1, 0 0))",
}


def write_kinds(path: Path, driver: str, geometry: str) -> None:
    """A layer ``obs`` with a column of each kind: one row of values, one row of nothing but its time."""
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    shape = ogr.CreateGeometryFromWkt(geometry)
    layer = dataset.CreateLayer("obs", None, shape.GetGeometryType())
    for name, kind, subtype, _ in KINDS:
        field = ogr.FieldDefn(name, kind)
        field.SetSubType(subtype)
        layer.CreateField(field)
    for filled in (True, False):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(shape)
        for name, _, _, value in KINDS if filled else KINDS[-1:]:
            feature[name] = value
        layer.CreateFeature(feature)
    dataset = layer = None


def kinds_map(type_: str, source: str, feature_id: str = "whole") -> str:
    aliases = " ".join(f'"sos_{name}_alias" "the_{name}"' for name, *_ in KINDS)
    return f"""
    LAYER NAME "kinds" TYPE {type_} STATUS ON {source}
      PROJECTION "init=epsg:4326" END
      METADATA "sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure" "p"
        "sos_observedproperty_name" "Op" "sos_timeitem" "moment" "ows_featureid" "{feature_id}" {aliases} END
    END"""


@pytest.fixture
def no_facts() -> None:
    forget_facts()


@pytest.mark.usefixtures("no_facts")
@pytest.mark.parametrize("type_", GEOMETRIES)
def test_gdal_reads_columns_with_their_types(tmp_path: Path, type_: str) -> None:
    world = World(tmp_path)
    write_kinds(tmp_path / "kinds.gpkg", "GPKG", GEOMETRIES[type_])
    world.write_map(kinds_map(type_, 'CONNECTIONTYPE OGR CONNECTION "kinds.gpkg" DATA "obs"'))
    (tmp_path / "answer.gml").write_bytes(etree.tostring(world.observe()))
    (tmp_path / "answer.xsd").write_bytes(b"".join(world.send(QUERY + "kinds").body))
    dataset = gdal.OpenEx(str(tmp_path / "answer.gml"), gdal.OF_VECTOR, ["GML"])
    layer = dataset.GetLayerByName("kinds")
    assert layer.GetFeatureCount() == 2
    definition = layer.GetLayerDefn()
    fields = [definition.GetFieldDefn(number) for number in range(definition.GetFieldCount())]
    found = {field.GetName(): (field.GetType(), field.GetSubType()) for field in fields}
    assert {f"the_{name}": (kind, subtype) for name, kind, subtype, _ in KINDS}.items() <= found.items()
    first, second = layer
    assert (first["the_text"], first["the_whole"], first["the_real"]) == ("café & <b>", 9_000_000_000, 1.5)
    assert [second[f"the_{name}"] or None for name, *_ in KINDS[:-1]] == [None] * (len(KINDS) - 1)
    assert first.GetGeometryRef() is not None


@needs_schemas
@pytest.mark.usefixtures("no_facts")
@pytest.mark.parametrize("driver", ["GPKG", "ESRI Shapefile", "GeoJSON"])
@pytest.mark.parametrize("type_", GEOMETRIES)
def test_answers_are_valid_with_the_schema(tmp_path: Path, type_: str, driver: str) -> None:
    world = World(tmp_path)
    name, source = {
        "GPKG": ("obs.gpkg", 'CONNECTIONTYPE OGR CONNECTION "obs.gpkg" DATA "obs"'),
        "ESRI Shapefile": ("obs.shp", 'DATA "obs"'),
        "GeoJSON": ("obs.geojson", 'CONNECTIONTYPE OGR CONNECTION "obs.geojson" DATA "obs"'),
    }[driver]
    write_kinds(tmp_path / name, driver, GEOMETRIES[type_])
    world.write_map(kinds_map(type_, source))
    document = etree.tostring(world.observe())
    assert complain(tmp_path, {"answer": document}, b"".join(world.send(QUERY + "kinds").body)) == []


@needs_schemas
def test_a_schema_that_declares_something_else_is_noticed(world: World, tmp_path: Path) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "ows_featureid" "v" "sos_observedproperty_name" "Op"'))
    schema = b"".join(world.send(QUERY + "l1").body)
    document = etree.tostring(world.observe(procedure="A"))
    assert complain(tmp_path, {"answer": document}, schema) == []
    assert complain(tmp_path, {"answer": document}, schema.replace(b'name="value"', b'name="other"'))


def test_the_link_of_an_answer_leads_to_the_schema(world: World, tmp_path: Path) -> None:
    world.write_map(web=WEB.replace('"sos_onlineresource" "http://h/cgi?"', ""))
    with serve_application(read_settings({"MS_MAPFILE": str(tmp_path / "service.map"), "MAPSOS_CACHE": "off"})) as base:
        query = urllib.parse.urlencode(
            {
                "service": "SOS",
                "version": "1.0.0",
                "request": "GetObservation",
                "offering": "off",
                "observedProperty": "op",
                "responseFormat": 'text/xml; subtype="om/1.0.0"',
            }
        )
        with urllib.request.urlopen(f"{base}?{query}", timeout=60) as answer:
            root = etree.fromstring(answer.read())
        locations = root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", "").split()
        where = dict(zip(locations[::2], locations[1::2], strict=True))["http://mapserver.gis.umn.edu/mapserver"]
        with urllib.request.urlopen(where, timeout=60) as answer:
            schema = etree.fromstring(answer.read())
    assert schema.tag == f"{XS}schema"
    assert schema.find(f"{XS}element").get("name") == "l1"
