"""GetFeatureOfInterest: stations and features by id, procedure, place and time, as sampling features."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from lxml import etree
from osgeo import ogr

from mapsos.operations.layers.facts import forget_facts
from tests.support.ogc_schemas import complain, needs_schemas

from .conftest import HREF, LAYER, ROWS, World, layer_text, read_xml, refusal, write_stations

NS = {
    "gml": "http://www.opengis.net/gml",
    "sa": "http://www.opengis.net/sampling/1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
WITHIN = (
    "<ogc:Within xmlns:ogc='http://www.opengis.net/ogc' xmlns:gml='http://www.opengis.net/gml'>"
    "<ogc:PropertyName>g</ogc:PropertyName><gml:Envelope srsName='urn:ogc:def:crs:EPSG::4326'>"
    "<gml:lowerCorner>50.5 10.5</gml:lowerCorner><gml:upperCorner>53 13</gml:upperCorner></gml:Envelope></ogc:Within>"
)
PERIOD = "2001-01-02/2001-01-02"


def features(root: etree._Element) -> dict[str, tuple[str, str]]:
    """Kind and coordinates of each feature by its name."""
    assert root.tag == f"{{{NS['gml']}}}FeatureCollection", etree.tostring(root)
    return {
        feature.findtext("gml:name", "", NS): (
            etree.QName(feature).localname,
            "; ".join(
                element.text for element in feature.iter(f"{{{NS['gml']}}}pos", f"{{{NS['gml']}}}posList")
            ),
        )
        for feature in root.iterfind("gml:featureMember/*", NS)
    }


A, B, C = (("SamplingPoint", f"{y} {x}") for x, y in ((10, 50), (11, 51), (12, 52)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"FeatureOfInterestId": "a"}, {"A": A}),
        ({"FeatureOfInterestId": "urn:ogc:def:procedure:B,C"}, {"B": B, "C": C}),
        ({"procedure": "urn:ogc:def:procedure:A,B"}, {"A": A, "B": B}),
        ({"location": "BBOX:10.5,50.5,13,53"}, {"B": B, "C": C}),
        ({"location": WITHIN}, {"B": B, "C": C}),
        ({"location": "BBOX:0,0,1,1"}, {}),
        ({"location": WITHIN, "procedure": "C"}, {"C": C}),
        ({"location": "BBOX:0,0,90,90", "eventTime": PERIOD}, {"A": A, "B": B}),
    ],
)
def test_what_is_asked_for(world: World, asked: dict[str, str], expected: dict[str, tuple[str, str]]) -> None:
    assert features(world.ask("GetFeatureOfInterest", **asked)) == expected


@pytest.mark.parametrize(
    "inner",
    [
        "<FeatureOfInterestId>B</FeatureOfInterestId><FeatureOfInterestId>C</FeatureOfInterestId>",
        f"<location>{WITHIN}</location>",
        "<procedure>B</procedure><procedure>C</procedure>",
    ],
)
def test_bodies(world: World, inner: str) -> None:
    body = (
        '<GetFeatureOfInterest xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">'
        f"{inner}</GetFeatureOfInterest>"
    ).encode()
    answer = world.send(
        "", method="POST", content_type="text/xml", content_length=len(body), read=io.BytesIO(body).read
    )
    assert features(read_xml(answer)) == {"B": B, "C": C}


@pytest.mark.parametrize(
    ("asked", "code", "locator"),
    [
        ({}, "MissingParameterValue", "FeatureOfInterestId"),
        ({"FeatureOfInterestId": "nobody"}, "InvalidParameterValue", "FeatureOfInterestId"),
        ({"procedure": "nobody"}, "InvalidParameterValue", "procedure"),
        ({"location": "<gml:Point/>"}, "InvalidParameterValue", "location"),
        ({"location": "A"}, "InvalidParameterValue", "location"),
        ({"procedure": "A", "eventTime": "x"}, "InvalidParameterValue", "eventtime"),
        ({"procedure": "A", "offering": "off", "procedur": "B"}, "InvalidParameterValue", "procedur"),
        ({"procedure": "A,nosuch"}, "InvalidParameterValue", "procedure"),
        ({"FeatureOfInterestId": "A,nosuch"}, "InvalidParameterValue", "FeatureOfInterestId"),
    ],
)
def test_what_is_refused(world: World, asked: dict[str, str], code: str, locator: str) -> None:
    assert refusal(world.ask("GetFeatureOfInterest", **asked))[:2] == (code, locator)


@pytest.mark.parametrize("asked", ["a:b", "URN:ogc:def:procedure:A:B", "urn:ogc:def:procedure:A%3AB"])
def test_stations_that_only_the_metadata_name_are_met_as_in_get_observation(world: World, asked: str) -> None:
    metadata = LAYER.replace('"sos_procedure_item" "stn"', '"sos_procedure" "A:B C"')
    world.write_map(layer_text(metadata=metadata))
    assert list(features(world.ask("GetFeatureOfInterest", FeatureOfInterestId=asked))) == ["A:B"]


def test_a_feature_leads_to_its_observations(world: World) -> None:
    world.write_map(layer_text(), layer_text("l2", metadata=LAYER.replace('"op"', '"other"')))
    root = world.ask("GetFeatureOfInterest", FeatureOfInterestId="B")
    links = [element.get(HREF, "") for element in root.iterfind(".//sa:relatedObservation", NS)]
    assert len(links) == 2
    answer = read_xml(world.send(links[0].partition("?")[2]))
    assert len(answer.findall(".//{http://www.opengis.net/om/1.0}member")) == 2


def test_a_layer_that_is_off_is_not_revealed(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "sos_enable_request" "!GetFeatureOfInterest"'), layer_text("l2"))
    write_stations(world.folder / "other.gpkg", [("Z", *ROWS[0][1:])])
    hidden = LAYER + ' "sos_enable_request" "!GetFeatureOfInterest"'
    world.write_map(layer_text("l2"), layer_text(data="other.gpkg", metadata=hidden))
    assert refusal(world.ask("GetFeatureOfInterest", FeatureOfInterestId="Z"))[1] == "FeatureOfInterestId"


def test_a_station_that_moves_is_the_area_of_its_observations(world: World) -> None:
    rows = [("A", ROWS[0][1], 1.0, 10.0, 50.0), ("A", ROWS[0][1], 1.0, 12.0, 53.0)]
    write_stations(world.folder / "obs.gpkg", rows)
    assert features(world.ask("GetFeatureOfInterest", procedure="A")) == {
        "A": ("SamplingSurface", "50 12 53 12 53 10 50 10 50 12")
    }


SHAPES = {
    "line": ("LINE", "LINESTRING (1 2, 3 4)", "SamplingCurve", "2 1 4 3"),
    "lines": ("LINE", "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))", "SamplingCurve", "2 1 4 3; 6 5 8 7"),
    "polygon": (
        "POLYGON",
        "POLYGON ((0 0, 0 9, 9 0, 0 0), (1 1, 1 2, 2 1, 1 1))",
        "SamplingSurface",
        "0 0 9 0 0 9 0 0; 1 1 2 1 1 2 1 1",
    ),
    "polygons": (
        "POLYGON",
        "MULTIPOLYGON (((0 0, 0 9, 9 0, 0 0)), ((10 0, 10 9, 19 0, 10 0)))",
        "SamplingSurface",
        "0 0 9 0 0 9 0 0; 0 10 9 10 0 19 0 10",
    ),
    "nothing": ("POINT", None, "SamplingPoint", ""),
}


def write_shape(world: World, type_: str, wkt: str | None) -> None:
    forget_facts()
    path = world.folder / "shapes.gpkg"
    path.unlink(missing_ok=True)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("obs", None, ogr.wkbUnknown)
    layer.CreateField(ogr.FieldDefn("reach", ogr.OFTString))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature["reach"] = "R 1"
    if wkt is not None:
        feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
    layer.CreateFeature(feature)
    dataset = layer = None
    metadata = '"sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure" "P" "ows_featureid" "reach"'
    world.write_map(layer_text(data="shapes.gpkg", metadata=metadata).replace("TYPE POINT", f"TYPE {type_}"))


@pytest.mark.parametrize("shape", SHAPES)
def test_features_are_of_the_kind_of_their_geometry(world: World, shape: str) -> None:
    type_, wkt, kind, positions = SHAPES[shape]
    write_shape(world, type_, wkt)
    assert features(world.ask("GetFeatureOfInterest", FeatureOfInterestId="R 1")) == {"R 1": (kind, positions)}
    assert features(world.ask("GetFeatureOfInterest", procedure="P")) == {"P": (kind, positions)}


@needs_schemas
def test_answers_are_valid(world: World, tmp_path: Path) -> None:
    documents = {"none": etree.tostring(world.ask("GetFeatureOfInterest", location="BBOX:0,0,1,1"))}
    documents["stations"] = etree.tostring(world.ask("GetFeatureOfInterest", procedure="A,B,C"))
    for name, (type_, wkt, *_) in SHAPES.items():
        write_shape(world, type_, wkt)
        documents[name] = etree.tostring(world.ask("GetFeatureOfInterest", FeatureOfInterestId="R 1"))
    assert complain(tmp_path, documents, family="sos-1.0") == []


def test_capabilities_list_it(world: World) -> None:
    root = world.ask("GetCapabilities")
    ows = {"ows": "http://www.opengis.net/ows/1.1"}
    (operation,) = root.iterfind(".//ows:Operation[@name='GetFeatureOfInterest']", ows)
    names = [parameter.get("name") for parameter in operation.iterfind("ows:Parameter", ows)]
    assert names == ["service", "version", "FeatureOfInterestId", "location", "procedure", "eventTime"]
