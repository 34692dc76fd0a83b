"""result: OGC filters as predicates."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

import contextlib

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.exceptions import OwsException
from mapsos.ows.filters import FEATURE_ID, MAX_DEPTH, MAX_NODES, strip_prefix
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.interface import read_body
from mapsos.sos.v1.reading.results import parse_result
from mapsos.terms.like_patterns import MAX_PATTERN
from mapsos.terms.predicates import (
    ANY_ONE,
    ANY_RUN,
    And,
    BBox,
    Between,
    Compare,
    IsNull,
    Like,
    Not,
    OneOf,
    Or,
    Predicate,
    Spatial,
    Time,
)
from mapsos.terms.times import Interval, parse_period, parse_time

NOW = 1_004_452_195_000_000
NAME = "<ogc:PropertyName>ms:Value</ogc:PropertyName>"
POINT = "<gml:Point srsName='EPSG:4326'><gml:pos>1 2</gml:pos></gml:Point>"


def literal(text: str, attributes: str = "") -> str:
    return f"<ogc:Literal {attributes}>{text}</ogc:Literal>"


def operator(name: str, *inside: str, attributes: str = "") -> str:
    return f"<ogc:{name} {attributes}>{''.join(inside)}</ogc:{name}>"


EQUAL = operator("PropertyIsEqualTo", NAME, literal("5"))
IS_FIVE = Compare("Value", "=", "5")
NULL = operator("PropertyIsNull", NAME)
LIKE = 'wildCard="*" singleChar="." escapeChar="!"'


def parse(value: str) -> Predicate | None:
    return parse_result(RawRequest({"result": (value,)}), NOW)


def like(pattern: str, attributes: str = LIKE) -> str:
    return operator("PropertyIsLike", NAME, literal(pattern), attributes=attributes)


def test_no_filter() -> None:
    assert parse_result(RawRequest({})) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (EQUAL, IS_FIVE),
        (operator("PropertyIsNotEqualTo", NAME, literal("5")), Compare("Value", "<>", "5")),
        (operator("PropertyIsLessThan", NAME, literal("5")), Compare("Value", "<", "5")),
        (operator("PropertyIsGreaterThan", NAME, literal("5")), Compare("Value", ">", "5")),
        (operator("PropertyIsLessThanOrEqualTo", NAME, literal("5")), Compare("Value", "<=", "5")),
        (operator("PropertyIsGreaterThanOrEqualTo", NAME, literal("5")), Compare("Value", ">=", "5")),
        (operator("PropertyIsLessThan", literal("5"), NAME), Compare("Value", ">", "5")),
        (operator("PropertyIsEqualTo", literal("5"), NAME), IS_FIVE),
        (operator("PropertyIsEqualTo", NAME, literal("")), Compare("Value", "=", "")),
        (operator("PropertyIsEqualTo", NAME, literal(" a&amp;'b ")), Compare("Value", "=", " a&'b ")),
        (operator("PropertyIsEqualTo", NAME, literal("A"), attributes='matchCase="false"'), Compare("Value", "=", "A", False)),
        (operator("PropertyIsLessThan", NAME, literal("5"), attributes='matchCase="false"'), Compare("Value", "<", "5", False)),
        (operator("PropertyIsEqualTo", NAME, literal("5", 'type="xs:string"')), Compare("Value", "=", "5", kind="text")),
        (EQUAL.replace("PropertyName", "ValueReference"), IS_FIVE),
        (
            operator("PropertyIsBetween", NAME, operator("LowerBoundary", literal("1")), operator("UpperBoundary", "2")),
            Between("Value", "1", "2"),
        ),
        (NULL, IsNull("Value")),
        (operator("Not", NULL), Not(IsNull("Value"))),
        (operator("And", EQUAL, NULL), And((IS_FIVE, IsNull("Value")))),
        (operator("Or", EQUAL, operator("Not", operator("And", EQUAL, NULL))), Or((IS_FIVE, Not(And((IS_FIVE, IsNull("Value"))))))),
        (operator("Or", EQUAL), IS_FIVE),
        (operator("Not", operator("FeatureId", attributes='fid="7"')), Not(OneOf(FEATURE_ID, ("7",)))),
        (like("a*b.c"), Like("Value", ("a", ANY_RUN, "b", ANY_ONE, "c"))),
        (like("a!*b!!!.%_("), Like("Value", ("a*b!.%_(",))),
        (like("**"), Like("Value", (ANY_RUN, ANY_RUN))),
        (like(""), Like("Value", ("",))),
        (like("a!"), Like("Value", ("a!",))),
        (like("S1' or '1'='1"), Like("Value", ("S1' or '1'='1",))),
        (like("A%", 'wildCard="%" singleChar="_" escape="\\" matchCase="false"'), Like("Value", ("A", ANY_RUN), False)),
        (operator("FeatureId", attributes='fid="obs.7"'), OneOf(FEATURE_ID, ("7",))),
        (operator("FeatureId", attributes='fid="7"') * 2, OneOf(FEATURE_ID, ("7",))),
        ("<GmlObjectId gml:id='o_7'/><ResourceId rid='8'/>", OneOf(FEATURE_ID, ("o_7", "7", "8"))),
        (operator("BBOX", "<gml:Box><gml:coordinates>1,2 3,4</gml:coordinates></gml:Box>"), BBox(1, 2, 3, 4)),
        (
            operator("BBOX", NAME, "<gml:Envelope srsName='urn:ogc:def:crs:EPSG::4326'><gml:lowerCorner>2 1</gml:lowerCorner>"
                     "<gml:upperCorner>4 3</gml:upperCorner></gml:Envelope>"),
            BBox(1, 2, 3, 4, "EPSG:4326"),
        ),
        (
            "<During><ValueReference>t</ValueReference><TimePeriod><beginPosition>2001</beginPosition>"
            "<endPosition>2002</endPosition></TimePeriod></During>",
            Time("t", (parse_period("2001/2002"),), "during"),
        ),
        (
            "<TM_After><PropertyName>t</PropertyName><TimeInstant><timePosition>2001</timePosition></TimeInstant></TM_After>",
            Time("t", (parse_time("2001"),), "after"),
        ),
        (
            "<TEquals><ValueReference>t</ValueReference><TimeInstant><timePosition>now</timePosition></TimeInstant></TEquals>",
            Time("t", (Interval(NOW, NOW + 1),), "equals"),
        ),
    ],
)  # fmt: skip
def test_filters_that_are_taken_wrapped_and_bare(value: str, expected: Predicate) -> None:
    assert parse(value) == expected
    assert parse(f"<ogc:Filter>{value}</ogc:Filter>") == expected
    assert (
        parse(f'<?xml version="1.0"?>\n<f:Filter xmlns:f="http://www.opengis.net/fes/2.0">{value}</f:Filter>')
        == expected
    )
    body = (
        '<GetObservation xmlns="http://www.opengis.net/sos/1.0" xmlns:ogc="http://www.opengis.net/ogc" '
        f'xmlns:gml="http://www.opengis.net/gml"><result>{value}</result></GetObservation>'
    )
    assert parse_result(read_body(body.encode()), NOW) == expected


def test_the_example_of_the_documentation_is_taken() -> None:
    example = """<Filter><Or><PropertyIsEqualTo>
<PropertyName>COLOUR</PropertyName><Literal>200</Literal></PropertyIsEqualTo></or></Filter>"""
    assert parse(example) == Compare("COLOUR", "=", "200")


@pytest.mark.parametrize(
    "name", ["Equals", "Disjoint", "Touches", "Within", "Overlaps", "Crosses", "Intersects", "Contains"]
)
def test_spatial_operators(name: str) -> None:
    found = parse(operator(name, NAME, POINT))
    assert isinstance(found, Spatial)
    assert (found.relation, found.crs, found.distance) == (name.lower(), "EPSG:4326", 0)
    assert shapely.from_wkb(found.wkb).wkt == "POINT (1 2)"


@pytest.mark.parametrize(
    ("attributes", "distance", "units"),
    [
        ("", 10, None),
        ('units="m"', 10, "m"),
        ('units="Metres"', 10, "m"),
        ('units="km"', 10_000, "m"),
        ('units="feet"', 3.048, "m"),
        ('units="mile"', 16093.44, "m"),
        ('uom="urn:ogc:def:uom:EPSG::9001"', 10, "m"),
        ('units="http://www.uomdict.com/uom.html#meters"', 10, "m"),
        ('units="dd"', 10, None),
        ('units="degree"', 10, None),
    ],
)
def test_distances_are_in_metres_or_in_units_of_the_crs(attributes: str, distance: float, units: str | None) -> None:
    for name in ("DWithin", "Beyond"):
        found = parse(operator(name, NAME, POINT, operator("Distance", "10", attributes=attributes)))
        assert isinstance(found, Spatial)
        assert (found.relation, found.units) == (name.lower(), units)
        assert found.distance == pytest.approx(distance)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "2001",
        "<ogc:Filter/>",
        "<ogc:Filter>",
        "<ogc:Filter>5</ogc:Filter>",
        "<!DOCTYPE a><a/>",
        EQUAL + "x",
        f"<Filter>{EQUAL}x</Filter>",
        EQUAL + EQUAL,
        operator("Filter", EQUAL, EQUAL),
        operator("Filter", EQUAL, operator("FeatureId", attributes='fid="1"')),
        operator("Filter", EQUAL) * 2,
        operator("And"),
        operator("Not", EQUAL, EQUAL),
        operator("Sandwich", NAME, literal("5")),
        operator("PropertyIsLessThanEqualTo", NAME, literal("5")),
        operator("PropertyIsEqualTo", NAME),
        operator("PropertyIsEqualTo", NAME, NAME),
        operator("PropertyIsEqualTo", literal("5"), literal("5")),
        operator("PropertyIsEqualTo", "<ogc:PropertyName/>", literal("")),
        operator("PropertyIsEqualTo", NAME, literal("<b/>")),
        operator("PropertyIsEqualTo", NAME, literal("5", 'type="gml:sandwich"')),
        operator("PropertyIsEqualTo", NAME, operator("Add", literal("1"), literal("2"))),
        operator("PropertyIsEqualTo", NAME, operator("Function", literal("1"), attributes='name="f"')),
        operator("PropertyIsEqualTo", NAME, literal("5"), attributes='matchCase="maybe"'),
        operator("PropertyIsEqualTo", NAME, literal("5"), attributes='matchAction="All"'),
        operator("PropertyIsLessThan", NAME, literal("a"), attributes='matchCase="false"'),
        like("a", 'wildCard="*" singleChar="."'),
        like("a", 'wildCard="*" singleChar="" escapeChar="!"'),
        like("a", 'wildCard="*" singleChar="*" escapeChar="!"'),
        operator("PropertyIsBetween", NAME, operator("LowerBoundary", literal("1"))),
        operator(
            "PropertyIsBetween",
            NAME,
            operator("LowerBoundary", literal("1")),
            operator("UpperBoundary", literal("2") * 2),
        ),
        operator(
            "PropertyIsBetween",
            NAME,
            operator("LowerBoundary", literal("1")),
            operator("UpperBoundary", literal("2", 'type="xs:int"')),
        ),
        operator("PropertyIsLike", NAME, attributes=LIKE),
        operator("BBOX", "<Box><coordinates>1,2 3,4</coordinates></Box><Distance>1</Distance>"),
        operator("PropertyIsNull"),
        operator("PropertyIsNull", literal("5")),
        operator("FeatureId"),
        operator("FeatureId", attributes='fid=""'),
        operator("FeatureId", attributes='gml:id="1" fid="1"'),
        operator("BBOX", POINT),
        operator("Within"),
        operator("Within", POINT, POINT),
        operator("Within", POINT, "<Distance>1</Distance>"),
        operator("DWithin", POINT),
        operator("DWithin", POINT, "<Distance>-1</Distance>"),
        operator("DWithin", POINT, "<Distance units='parsec'>1</Distance>"),
        operator("TM_EndedBy", NAME, "<TimeInstant><timePosition>2001</timePosition></TimeInstant>"),
        operator("TM_After", "<TimeInstant><timePosition>2001</timePosition></TimeInstant>"),
        operator("TM_Equals", NAME, "<TimeInstant><timePosition>latest</timePosition></TimeInstant>"),
        "<Not>" * 5000 + EQUAL + "</Not>" * 5000,
    ],
)
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(OwsException) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "result")
    text = f"msSOSGetObservation(): SOS server error. Invalid or Unsupported RESULT in GetObservation: {value}"
    assert refusal.value.text == text if len(value) < 1000 else text.startswith(refusal.value.text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (operator("And", *[EQUAL] * (MAX_NODES // 2)), f"at most {MAX_NODES} elements"),
        ("<Not>" * MAX_DEPTH + EQUAL + "</Not>" * MAX_DEPTH, f"{MAX_DEPTH} levels"),
        ("<Not>" * 200 + EQUAL + "</Not>" * 200, "more than 128 levels"),
        ("<a/>" * 100_001, "more than 100000 tags"),
        ("".join(f"<p{number}:a/>" for number in range(300)), "more than 256 namespace declarations"),
        (
            '<PropertyIsLike wildCard="*" singleChar="." escapeChar="!"><PropertyName>a</PropertyName>'
            f"<Literal>{'*' * (MAX_PATTERN + 1)}</Literal></PropertyIsLike>",
            f"at most {MAX_PATTERN} characters",
        ),
    ],
    ids=["operands", "levels", "tags in one another", "tags", "prefixes", "pattern"],
)
def test_too_much_is_refused_by_name(value: str, said: str) -> None:
    with pytest.raises(OwsException) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "result")
    assert said in refusal.value.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Value", "Value"),
        ("ms:Value", "Value"),
        (" ms:Value ", "Value"),
        ("urn:ogc:def:property:OGC::Value", "urn:ogc:def:property:OGC::Value"),
        ("URN:x", "URN:x"),
        ("a:b:c", "a:b:c"),
        ("http://x/y", "http://x/y"),
        ("1:b", "1:b"),
        ("Water Quality", "Water Quality"),
    ],
)
def test_names_lose_a_prefix_but_urns_stay_whole(name: str, expected: str) -> None:
    assert strip_prefix(name) == expected


PIECES = st.sampled_from([EQUAL, NULL, POINT, NAME, "<And>", "</And>", "<Not>", "</Not>", "<Filter>", "</Filter>", "<DWithin>", "</DWithin>"])  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=8).map("".join))
def test_any_value_is_a_predicate_or_refused(value: str) -> None:
    with contextlib.suppress(OwsException):
        assert parse(value)
