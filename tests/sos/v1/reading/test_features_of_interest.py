"""featureOfInterest and bbox."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

import contextlib

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapsos.operations.questions import FeatureOfInterest
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.interface import read_body
from mapsos.sos.v1.reading.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.terms.predicates import BBox, Spatial

URN = "urn:ogc:def:crs:EPSG::4326"
LAND = BBox(-66, 43, -64, 45, "EPSG:4326")


def parse(*values: str) -> FeatureOfInterest | None:
    return parse_feature_of_interest(values)


def envelope(lower: str, upper: str, attributes: str = "", corner: str = "") -> str:
    return (
        f"<gml:Envelope {attributes}><gml:lowerCorner {corner}>{lower}</gml:lowerCorner>"
        f"<gml:upperCorner {corner}>{upper}</gml:upperCorner></gml:Envelope>"
    )


def test_no_feature() -> None:
    assert parse_feature_of_interest(()) is None


@pytest.mark.parametrize(
    ("value", "box"),
    [
        (envelope("-66 43", "-64 45"), BBox(-66, 43, -64, 45)),
        (envelope("-66,43", "-64, 45").replace("gml:", ""), BBox(-66, 43, -64, 45)),
        (envelope("-66 43", "-64 45", 'srsName="EPSG:4326"'), LAND),
        (envelope("-66 43", "-64 45", corner="srsName='EPSG:4326'"), LAND),
        (envelope("-66 43", "-64 45", 'srsName="urn:ogc:crs:epsg:4326" srsDimension="2"'), LAND),
        (envelope("43 -66", "45 -64", f'srsName="{URN}"'), LAND),
        (envelope("43 -66 0", "45 -64 0", f'srsName="{URN}" gml:id="e"'), LAND),
        (envelope("-66 43", "-64 45", 'srsName="urn:ogc:def:crs:OGC:1.3:CRS84"'), BBox(-66, 43, -64, 45, "OGC:CRS84")),
        ("<Envelope><pos>-66 43</pos><pos>-64 45</pos></Envelope>", BBox(-66, 43, -64, 45)),
        ("<Envelope><coordinates>-66,43 -64,45</coordinates></Envelope>", BBox(-66, 43, -64, 45)),
        ("<gml:Box srsName='EPSG:4326'><gml:coordinates>-66,43 -64,45</gml:coordinates></gml:Box>", LAND),
        (
            "<Box><coord><X>-66</X><Y>43</Y></coord><coord><X>-64</X><Y>45</Y></coord></Box>",
            BBox(-66, 43, -64, 45),
        ),
        (f"<ogc:BBOX><ogc:PropertyName>p</ogc:PropertyName>{envelope('-66 43', '-64 45')}</ogc:BBOX>", BBox(-66, 43, -64, 45)),
        ("BBOX:-66,43,-64,45", BBox(-66, 43, -64, 45)),
        ("bbox: -66, 43,-64,45,EPSG:4326", LAND),
        (f"BBOX:43,-66,45,-64,{URN}", LAND),
        (envelope("2 2", "1 1"), BBox(2, 2, 1, 1)),
    ],
)  # fmt: skip
def test_rectangles(value: str, box: BBox) -> None:
    assert parse(value) == FeatureOfInterest(box)


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (("S1",), ("S1",)),
        (("S1, S2,S1",), ("S1", "S2")),
        (("S1", "S2"), ("S1", "S2")),
        (("urn:ogc:def:object:feature:x",), ("urn:ogc:def:object:feature:x",)),
        (("<ObjectID>a,b</ObjectID><sos:ObjectID> c </sos:ObjectID>",), ("a,b", "c")),
    ],
)
def test_ids(values: tuple[str, ...], ids: tuple[str, ...]) -> None:
    assert parse(*values) == FeatureOfInterest(ids=ids)


@pytest.mark.parametrize(
    ("value", "relation", "wkt", "crs"),
    [
        ("<gml:Point srsName='EPSG:4326'><gml:pos>1 2</gml:pos></gml:Point>", "intersects", "POINT (1 2)", "EPSG:4326"),
        (f"<gml:Point srsName='{URN}'><gml:pos>2 1</gml:pos></gml:Point>", "intersects", "POINT (1 2)", "EPSG:4326"),
        (
            "<ogc:Within><ogc:PropertyName>g</ogc:PropertyName><gml:Polygon><gml:exterior><gml:LinearRing>"
            "<gml:posList>0 0 2 0 2 2 0 0</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></ogc:Within>",
            "within",
            "POLYGON ((0 0, 2 0, 2 2, 0 0))",
            None,
        ),
        ("<Disjoint>" + envelope("0 0", "1 2") + "</Disjoint>", "disjoint", "POLYGON ((0 0, 1 0, 1 2, 0 2, 0 0))", None),
    ],
)  # fmt: skip
def test_geometries(value: str, relation: str, wkt: str, crs: str | None) -> None:
    found = parse(value)
    assert found is not None
    assert isinstance(found.predicate, Spatial)
    assert (found.predicate.relation, found.predicate.crs) == (relation, crs)
    assert shapely.from_wkb(found.predicate.wkb).wkt == wkt


def test_a_body_names_a_place_or_features() -> None:
    def read(inside: str) -> FeatureOfInterest | None:
        return parse_feature_of_interest(
            read_body(
                '<s:GetObservation xmlns:s="http://www.opengis.net/sos/1.0" xmlns:gml="http://www.opengis.net/gml" '
                'xmlns:ogc="http://www.opengis.net/ogc" service="SOS">'
                f"<s:featureOfInterest>{inside}</s:featureOfInterest></s:GetObservation>".encode()
            ).parts("featureofinterest")
        )

    assert read(f"<ogc:BBOX>{envelope('-66 43', '-64 45')}</ogc:BBOX>") == FeatureOfInterest(BBox(-66, 43, -64, 45))
    assert read("<s:ObjectID>a</s:ObjectID><s:ObjectID>b</s:ObjectID>") == FeatureOfInterest(ids=("a", "b"))


PREFIX = "msSOSGetObservation(): SOS server error. Invalid gml:Envelope value given for featureOfInterest"


@pytest.mark.parametrize("value", ["", "<x", "<gml:Envelope>", envelope("1 1", "2 2") + "x", "<!DOCTYPE a><a/>"])
def test_broken_xml_is_refused(value: str) -> None:
    with pytest.raises(OwsException) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "featureofinterest")
    assert refusal.value.text == f"{PREFIX}."


@pytest.mark.parametrize(
    "value",
    [
        "<x/>",
        "a,,b",
        "<ObjectID/>",
        "BBOX:1,2,3",
        "BBOX:1,2,3,nan",
        "BBOX:1,2,3,4,5,6",
        "BBOX:1,2,3,4,nowhere",
        "BBOX:1,2,3,4,urn:ogc:def:crs:EPSG::99999",
        "BBOX:1,2,3,4,EPSG:99999",
        envelope("1", "2 2"),
        envelope("1 1", "2 2 2 2"),
        envelope("1 1", "2 x"),
        envelope("1 1", "1_0 2"),
        envelope("1 1", "2 1e999"),
        envelope("1 1", "2 2", 'srsName="nowhere"'),
        "<Envelope><lowerCorner>1 1</lowerCorner></Envelope>",
        "<Envelope><x/></Envelope>",
        envelope("1 1", "2 2") * 2,
        envelope("1 1", "2 2") + "<ObjectID>a</ObjectID>",
        "<ogc:BBOX/>",
        "<ogc:BBOX><gml:Point><gml:pos>1 2</gml:pos></gml:Point></ogc:BBOX>",
        "<ogc:DWithin><gml:Point><gml:pos>1 2</gml:pos></gml:Point></ogc:DWithin>",
        "<Envelope><lowerCorner srsName='EPSG:4326'>1 1</lowerCorner><upperCorner srsName='EPSG:3857'>2 2</upperCorner></Envelope>",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_shown(value: str) -> None:
    with pytest.raises(OwsException) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "featureofinterest")
    assert refusal.value.text == f"{PREFIX} {value}."


@pytest.mark.parametrize(
    ("value", "box"),
    [
        ("1,2,3,4", BBox(1, 2, 3, 4)),
        (" 1 ,-2.5,3e0,+4.", BBox(1, -2.5, 3, 4)),
        ("1,2,3,4,EPSG:4326", BBox(1, 2, 3, 4, "EPSG:4326")),
        (f"2,1,4,3,{URN}", BBox(1, 2, 3, 4, "EPSG:4326")),
    ],
)
def test_bbox(value: str, box: BBox) -> None:
    assert parse_bbox(RawRequest({"bbox": (value,)})) == box
    assert parse_bbox(RawRequest({})) is None


@pytest.mark.parametrize("value", ["", "1,2,3", "1,2,3,4,5", "1,2,3,4,EPSG:4326,6", "a,b,c,d", "1,2,3,inf", "1 2 3 4"])
def test_other_rectangles_are_refused(value: str) -> None:
    with pytest.raises(OwsException) as refusal:
        parse_bbox(RawRequest({"bbox": (value,)}))
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "bbox")
    assert refusal.value.text == (
        "msSOSGetObservation(): SOS server error. Wrong number of arguments for bounding box."
    )


PIECES = st.sampled_from([envelope("1 1", "2 2"), "<Point>", "</Point>", "<pos>1 2</pos>", "<BBOX>", "</BBOX>", "S1", ",", "BBOX:1,2,3,4"])  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=6).map("".join))
def test_any_value_is_a_feature_or_refused(value: str) -> None:
    with contextlib.suppress(OwsException):
        assert parse(value)
    with contextlib.suppress(OwsException):
        assert parse_bbox(RawRequest({"bbox": (value,)}))
