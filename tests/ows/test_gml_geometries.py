"""GML geometries as WKB, read back by shapely."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

import contextlib

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.gml_geometries import parse_geometry, parse_rectangle
from mapsos.ows.xml_input import parse_fragments

RING = "<LinearRing><posList>0 0 4 0 4 4 0 4 0 0</posList></LinearRing>"
HOLE = "<LinearRing><coordinates>1,1 2,1 2,2 1,1</coordinates></LinearRing>"
POLYGON = f"<Polygon><exterior>{RING}</exterior></Polygon>"
LINE = "<LineString><posList>0 0 1 2</posList></LineString>"


def read(text: str) -> tuple[str, str | None]:
    geometry = parse_geometry(parse_fragments(text)[0])
    shape = shapely.from_wkb(geometry.wkb)
    assert shapely.to_wkb(shape, byte_order=1) == geometry.wkb
    return shape.wkt, geometry.crs


@pytest.mark.parametrize(
    ("text", "wkt"),
    [
        ("<Point><pos>1 2</pos></Point>", "POINT (1 2)"),
        ("<Point><pos>1 2 3</pos></Point>", "POINT (1 2)"),
        ("<Point><coordinates>1,2</coordinates></Point>", "POINT (1 2)"),
        ("<Point><coord><X>1</X><Y>2</Y><Z>3</Z></coord></Point>", "POINT (1 2)"),
        ('<Point><coordinates decimal="," cs=";">1,5;2</coordinates></Point>', "POINT (1.5 2)"),
        (LINE, "LINESTRING (0 0, 1 2)"),
        ("<LineString><coordinates>0,0 1,2</coordinates></LineString>", "LINESTRING (0 0, 1 2)"),
        ("<LineString><coordinates>0,0,1,2,</coordinates></LineString>", "LINESTRING (0 0, 1 2)"),
        ('<LineString><coordinates ts=";">0,0;1,2</coordinates></LineString>', "LINESTRING (0 0, 1 2)"),
        ("<LineString><pos>0 0</pos><pos>1 2</pos></LineString>", "LINESTRING (0 0, 1 2)"),
        (
            "<LineString><pointMember><Point><pos>0 0</pos></Point></pointMember><pos>1 2</pos></LineString>",
            "LINESTRING (0 0, 1 2)",
        ),
        ('<LineString srsDimension="3"><posList>0 0 9 1 2 9</posList></LineString>', "LINESTRING (0 0, 1 2)"),
        ('<LineString><posList srsDimension="3">0 0 9 1 2 9</posList></LineString>', "LINESTRING (0 0, 1 2)"),
        (POLYGON, "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"),
        (
            f"<Polygon><outerBoundaryIs>{RING}</outerBoundaryIs><innerBoundaryIs>{HOLE}</innerBoundaryIs></Polygon>",
            "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))",
        ),
        (
            f"<Polygon><interior>{HOLE}</interior><exterior>{RING}</exterior></Polygon>",
            "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))",
        ),
        (
            "<Polygon><exterior><LinearRing><posList>0 0 4 0 4 4</posList></LinearRing></exterior></Polygon>",
            "POLYGON ((0 0, 4 0, 4 4, 0 0))",
        ),
        (
            "<MultiPoint><pointMember><Point><pos>1 2</pos></Point></pointMember>"
            "<pointMembers><Point><pos>3 4</pos></Point></pointMembers><Point><pos>5 6</pos></Point></MultiPoint>",
            "MULTIPOINT ((1 2), (3 4), (5 6))",
        ),
        (
            f"<MultiLineString><lineStringMember>{LINE}</lineStringMember></MultiLineString>",
            "MULTILINESTRING ((0 0, 1 2))",
        ),
        (f"<MultiCurve><curveMembers>{LINE}{LINE}</curveMembers></MultiCurve>", "MULTILINESTRING ((0 0, 1 2), (0 0, 1 2))"),
        (
            f"<MultiSurface><surfaceMember>{POLYGON}</surfaceMember></MultiSurface>",
            "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)))",
        ),
        (
            f"<MultiPolygon><polygonMember>{POLYGON}</polygonMember></MultiPolygon>",
            "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)))",
        ),
        (
            f"<MultiGeometry><geometryMember>{LINE}</geometryMember></MultiGeometry>",
            "GEOMETRYCOLLECTION (LINESTRING (0 0, 1 2))",
        ),
        ("<Box><coordinates>0,0 1,2</coordinates></Box>", "POLYGON ((0 0, 1 0, 1 2, 0 2, 0 0))"),
    ],
)  # fmt: skip
def test_geometries(text: str, wkt: str) -> None:
    assert read(text) == (wkt, None)


@pytest.mark.parametrize(
    ("name", "wkt", "label"),
    [
        ("EPSG:4326", "LINESTRING (1 2, 3 4)", "EPSG:4326"),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "LINESTRING (1 2, 3 4)", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::4326", "LINESTRING (2 1, 4 3)", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "LINESTRING (2 1, 4 3)", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::3857", "LINESTRING (1 2, 3 4)", "EPSG:3857"),
    ],
)
def test_axes_follow_the_spelling_of_the_crs(name: str, wkt: str, label: str) -> None:
    assert read(f'<gml:LineString srsName="{name}"><gml:posList>1 2 3 4</gml:posList></gml:LineString>') == (wkt, label)


def test_a_crs_of_a_member_is_that_of_the_whole() -> None:
    member = '<Point srsName="urn:ogc:def:crs:EPSG::4326"><pos>2 1</pos></Point>'
    assert read(f"<MultiPoint><pointMember>{member}</pointMember></MultiPoint>") == ("MULTIPOINT ((1 2))", "EPSG:4326")


@pytest.mark.parametrize(
    "text",
    [
        "<x/>",
        "<Curve/>",
        "<Point/>",
        "<Point><pos/></Point>",
        "<Point><pos>1</pos></Point>",
        "<Point><pos>1 2</pos><pos>1 2</pos></Point>",
        "<Point><pos>1 NaN</pos></Point>",
        "<Point><pos>1 <b/></pos></Point>",
        "<Point><coord><X>1</X></coord></Point>",
        '<Point><coordinates decimal="," cs=",">1,2</coordinates></Point>',
        '<Point srsName="urn:ogc:def:crs:EPSG::99999"><pos>1 2</pos></Point>',
        "<LineString><posList>0 0</posList></LineString>",
        "<LineString><posList>0 0 1</posList></LineString>",
        '<LineString><posList srsDimension="4">0 0 1 2</posList></LineString>',
        '<LineString srsName="EPSG:4326"><pos srsName="EPSG:3857">0 0</pos><pos>1 2</pos></LineString>',
        "<Polygon/>",
        f"<Polygon><exterior>{RING}</exterior><exterior>{RING}</exterior></Polygon>",
        f"<Polygon><exterior>{LINE}</exterior></Polygon>",
        f"<Polygon><x>{RING}</x></Polygon>",
        "<Polygon><exterior><LinearRing><posList>0 0 1 1</posList></LinearRing></exterior></Polygon>",
        "<MultiPoint/>",
        f"<MultiPoint><pointMember>{LINE}</pointMember></MultiPoint>",
        "<MultiPoint><x/></MultiPoint>",
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="[a-z]{2}"):
        read(text)


PIECES = st.sampled_from(["<Point>", "</Point>", "<Polygon>", "</Polygon>", RING, HOLE, LINE, POLYGON, "<pos>1 2</pos>", "<MultiPoint>", "</MultiPoint>"])  # fmt: skip


@given(st.lists(PIECES, max_size=6).map("".join) | st.text("<>/Point pos012.,-e", max_size=60))
def test_any_fragment_is_a_geometry_or_a_value_error(text: str) -> None:
    for parse in (parse_geometry, parse_rectangle):
        with contextlib.suppress(ValueError):
            for element in parse_fragments(text):
                assert parse(element)
