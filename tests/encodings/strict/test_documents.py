"""The strict encoders: every type of field, nulls, markup in values, separators, every type of geometry."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.columns.geometries import GeometryColumn
from mapsos.encodings import spool
from mapsos.encodings.mapserver import datablock
from mapsos.encodings.strict import observation as strict_observation
from mapsos.encodings.strict.identifiers import write_uom_attribute, write_uom_element
from mapsos.encodings.strict.markup import StrictField, StrictMarkup
from mapsos.encodings.strict.measurement import encode_strict_measurements
from mapsos.encodings.strict.observation import encode_strict_observations

Parse = Callable[..., Any]

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XLINK = "{http://www.w3.org/1999/xlink}"
ID = "{http://www.opengis.net/gml}id"
NAMES = {
    "gml": "http://www.opengis.net/gml",
    "om": "http://www.opengis.net/om/1.0",
    "swe": "http://www.opengis.net/swe/1.0.1",
}
KINDS = {
    "quantity": StrictField("level", "v", ColumnKind.REAL, "urn:d:level", uom="m"),
    "bare quantity": StrictField("level", "v", ColumnKind.REAL, "urn:d:level"),
    "counted quantity": StrictField("n", "v", ColumnKind.INTEGER, "urn:d:n", uom="m"),
    "count": StrictField("n", "v", ColumnKind.INTEGER, "urn:d:n"),
    "boolean": StrictField("ok", "v", ColumnKind.BOOLEAN, "urn:d:ok"),
    "date": StrictField("day", "v", ColumnKind.DATE, "urn:d:day"),
    "instant": StrictField("when", "v", ColumnKind.DATETIME, "urn:d:when"),
    "category": StrictField("grade", "v", ColumnKind.TEXT, "urn:d:grade", stated=True),
    "text": StrictField('a "b" & <c>', "v", ColumnKind.TEXT, "urn:d:a&b"),
}
ODD = "Łódź <b> & \"q\" 'a' ]]>"


def make_markup(*fields: StrictField, **changes: Any) -> StrictMarkup:
    markup = StrictMarkup("urn:ogc:def:property:p&q", fields, time_column="t", procedure_column="stn")
    return dataclasses.replace(markup, **changes)


def make_batch(
    stations: Sequence[str | None],
    times: Sequence[int | None],
    geometries: Sequence[str | None] | None = None,
    **texts: Sequence[str | None],
) -> Batch:
    """Rows with times in seconds since 1970, geometries as WKT and columns of text."""
    column = None
    if geometries is not None:
        wkb = shapely.to_wkb(shapely.from_wkt(np.array(geometries, object)))
        column = GeometryColumn(pa.array(list(wkb), pa.large_binary()))
    instants = [None if time is None else time * 1_000_000 for time in times]
    columns = {name: pa.array(values, pa.large_string()) for name, values in {"stn": stations, **texts}.items()}
    moments = {"t": pa.array(instants, pa.timestamp("us", "UTC"))}
    return Batch(len(stations), {}, columns, column, moments)


@pytest.fixture
def parse(parse_members: Parse) -> Parse:
    """Parses members, which use xsi as well."""

    def read(chunks: Sequence[bytes]) -> Any:
        text = b"".join(chunks).replace(b"xsi:type=", f'xmlns:xsi="{XSI}" xsi:type='.encode())
        return parse_members([text])

    return read


# om:Measurement


@pytest.mark.parametrize(
    ("kind", "value", "element", "type_"),
    [
        ("quantity", "1.5", "Measurement", "gml:MeasureType"),
        ("counted quantity", "3", "Measurement", "gml:MeasureType"),
        ("count", "3", "CountObservation", "xs:integer"),
        ("boolean", "true", "TruthObservation", "xs:boolean"),
        ("date", "2001-02-03", "TemporalObservation", None),
        ("instant", "2001-02-03T04:05:06Z", "TemporalObservation", None),
        ("category", ODD, "CategoryObservation", "swe:ScopedNameType"),
        ("text", ODD, "CategoryObservation", "swe:ScopedNameType"),
    ],
)
def test_an_observation_of_its_kind(parse: Parse, kind: str, value: str, element: str, type_: str | None) -> None:
    field = KINDS[kind]
    markup = make_markup(field)
    (member,) = parse(list(encode_strict_measurements("o1_", markup, [make_batch(["S1"], [0], v=[value])])))
    (found,) = member
    assert (found.tag, found.get(ID)) == (f"{{{NAMES['om']}}}{element}", "o1_1_1")
    result = found.find("om:result", NAMES)
    assert result.get(f"{{{XSI}}}type") == type_
    assert "".join(result.itertext()) == value
    assert result.get("uom") == ("m" if element == "Measurement" else None)
    assert result.get("codeSpace") == (field.definition if element == "CategoryObservation" else None)
    observed = found.find("om:observedProperty", NAMES)
    assert observed.get(f"{XLINK}href") == "urn:ogc:def:property:p&q"
    assert (observed.get(f"{XLINK}role"), observed.get(f"{XLINK}title")) == (field.definition, field.alias)
    assert found.findtext(".//gml:timePosition", None, NAMES) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("empty", [None, ""])
def test_no_member_for_a_null(parse: Parse, empty: str | None) -> None:
    markup = make_markup(KINDS["quantity"], dataclasses.replace(KINDS["category"], column="w"))
    batches = [
        make_batch(["a", "b"], [0, 1], v=[empty, "2"], w=["x", empty]),
        make_batch([], [], v=[], w=[]),
        make_batch(["c"], [2], v=[empty], w=[empty]),
        make_batch(["d"], [None], v=["3"], w=["y"]),
    ]
    root = parse(list(encode_strict_measurements("o1_", markup, batches)))
    assert [member[0].get(ID) for member in root] == ["o1_2_1", "o1_1_2", "o1_1_4", "o1_2_4"]
    unknown = root[2].find(".//gml:timePosition", NAMES)
    assert (unknown.text, unknown.get("indeterminatePosition")) == (None, "unknown")
    assert list(encode_strict_measurements("o1_", make_markup(), batches)) == []


def test_numbers_of_loose_columns_are_numbers(parse: Parse) -> None:
    texts = [" 1.5 ", "about 2", "1e-7", "NAN", "-inf", "Infinity", "1,5", "+3."]
    markup = make_markup(dataclasses.replace(KINDS["quantity"], loose=True))
    batch = make_batch(["S"] * len(texts), range(len(texts)), v=texts)
    root = parse(list(encode_strict_measurements("o1_", markup, [batch])))
    results = [found.text.strip() for found in root.iterfind(".//om:result", NAMES)]
    assert results == ["1.5", "1e-7", "NaN", "-INF", "INF", "+3."]


def test_stations_names_and_periods(parse: Parse) -> None:
    markup = make_markup(KINDS["quantity"], end_time_column="t", feature_id_column="id")
    batch = make_batch(["S 1", ""], [0, 1], v=["1", "2"], id=["a&b", "<2>"])
    first, second = parse(list(encode_strict_measurements("o1_", markup, [batch])))
    assert first.findtext(".//gml:name", None, NAMES) == "o_a&b"
    assert second.findtext(".//gml:name", None, NAMES) == "o_<2>"
    assert [found.text for found in first.find(".//gml:TimePeriod", NAMES)] == ["1970-01-01T00:00:00Z"] * 2
    hrefs = [member.find(".//om:procedure", NAMES).get(f"{XLINK}href") for member in (first, second)]
    assert hrefs[0].startswith("urn:ogc:def:procedure:S")
    assert " " not in hrefs[0]
    assert hrefs[1] == "urn:ogc:def:nil:OGC:unknown"


@pytest.mark.parametrize("northing_first", [True, False])
@pytest.mark.parametrize(
    ("wkt", "element", "positions"),
    [
        ("POINT (1 2)", "Point", [[(1, 2)]]),
        ("MULTIPOINT (1 2, 3 4)", "MultiPoint", [[(1, 2)], [(3, 4)]]),
        ("MULTIPOINT (1 2)", "Point", [[(1, 2)]]),
        ("LINESTRING (1 2, 3 4)", "LineString", [[(1, 2), (3, 4)]]),
        ("MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))", "MultiLineString", [[(1, 2), (3, 4)], [(5, 6), (7, 8)]]),
        (
            "POLYGON ((0 1, 9 1, 9 9, 0 1), (5 3, 6 3, 6 4, 5 3))",
            "Polygon",
            [[(0, 1), (9, 1), (9, 9), (0, 1)], [(5, 3), (6, 3), (6, 4), (5, 3)]],
        ),
        (
            "MULTIPOLYGON (((0 1, 9 1, 9 9, 0 1)), ((5 3, 6 3, 6 4, 5 3)))",
            "MultiPolygon",
            [[(0, 1), (9, 1), (9, 9), (0, 1)], [(5, 3), (6, 3), (6, 4), (5, 3)]],
        ),
    ],
)
def test_each_geometry_in_the_order_of_its_axes(
    parse: Parse, wkt: str, element: str, positions: list[list[tuple[int, int]]], northing_first: bool
) -> None:
    crs = "urn:ogc:def:crs:EPSG::4326"
    markup = make_markup(KINDS["quantity"], crs=crs, northing_first=northing_first, geometry=True)
    batch = make_batch(["S"] * 3, [0, 1, 2], [wkt, None, wkt], v=["1", "2", "3"])
    members = parse(list(encode_strict_measurements("o1_", markup, [batch])))
    assert [member.find(".//gml:location", NAMES) is None for member in members] == [False, True, False]
    (shape,) = members[2].find(".//gml:location", NAMES)
    assert (shape.tag, shape.get("srsName")) == (f"{{{NAMES['gml']}}}{element}", crs)
    order = slice(None, None, -1 if northing_first else 1)
    found = [list(map(float, each.text.split())) for each in shape.iter("{*}pos", "{*}posList")]
    assert found == [[number for position in part for number in position[order]] for part in positions]
    assert len(shape.findall(".//gml:interior", NAMES)) == (1 if element == "Polygon" else 0)


# om:Observation


@pytest.mark.parametrize(
    ("kind", "component"),
    [
        ("quantity", "Quantity"),
        ("bare quantity", "Quantity"),
        ("counted quantity", "Quantity"),
        ("count", "Count"),
        ("boolean", "Boolean"),
        ("date", "Time"),
        ("instant", "Time"),
        ("category", "Category"),
        ("text", "Text"),
    ],
)
def test_a_field_of_its_type(parse: Parse, kind: str, component: str) -> None:
    field = KINDS[kind]
    value = "7" if field.is_number else ODD
    (member,) = parse(list(encode_strict_observations("o1_", make_markup(field), [make_batch(["S"], [0], v=[value])])))
    time, found = member.findall(".//swe:field", NAMES)
    assert (time.get("name"), time[0].tag) == ("time", f"{{{NAMES['swe']}}}Time")
    assert found.get("name") == field.alias
    assert (found[0].tag, found[0].get("definition")) == (f"{{{NAMES['swe']}}}{component}", field.definition)
    assert [uom.get("code") for uom in found.iter("{*}uom")] == (["m"] if field.uom else [])
    assert member.findtext(".//swe:values", None, NAMES) == f"1970-01-01T00:00:00Z,{value}"


def test_records_by_procedure_with_count_and_time(parse: Parse) -> None:
    batches = [
        make_batch(["a", "b", "A"], [5, 3, None], v=["1", None, "3"]),
        make_batch([], [], v=[]),
        make_batch(["b", "c"], [1, None], v=["5", "6"]),
    ]
    root = parse(list(encode_strict_observations("o1_", make_markup(KINDS["quantity"]), batches)))
    assert [member[0].get(ID) for member in root] == ["o1_1", "o1_2", "o1_3"]
    assert [member.findtext(".//swe:Count/swe:value", None, NAMES) for member in root] == ["2", "2", "1"]
    assert [member.findtext(".//swe:values", None, NAMES).split("\n") for member in root] == [
        ["1970-01-01T00:00:05Z,1", ",3"],
        ["1970-01-01T00:00:03Z,", "1970-01-01T00:00:01Z,5"],
        [",6"],
    ]
    spans = [[position.text for position in member.find(".//gml:TimePeriod", NAMES)] for member in root]
    assert spans == [["1970-01-01T00:00:05Z"] * 2, ["1970-01-01T00:00:01Z", "1970-01-01T00:00:03Z"], [None, None]]
    assert list(encode_strict_observations("o1_", make_markup(KINDS["quantity"]), [])) == []


@pytest.mark.parametrize(("token", "block"), [("||", "@@"), ("<", "&&"), ("\t", "\r\n"), ("·", "¶")])
@pytest.mark.parametrize("procedure_column", ["stn", None])
def test_separators_inside_values(parse: Parse, token: str, block: str, procedure_column: str | None) -> None:
    markup = make_markup(
        KINDS["text"], token_separator=token, block_separator=block, procedure_column=procedure_column, procedure="S"
    )
    batch = make_batch(["S", "S"], [0, 1], v=["a", f"b{token}{block}"])
    (member,) = parse(list(encode_strict_observations("o1_", markup, [batch])))
    text_block = member.find(".//swe:TextBlock", NAMES)
    assert (text_block.get("tokenSeparator"), text_block.get("blockSeparator")) == (token, block)
    escaped = "".join(f"%{byte:02X}" for byte in (token + block).encode())
    assert member.findtext(".//swe:values", None, NAMES).split(block) == [
        f"1970-01-01T00:00:00Z{token}a",
        f"1970-01-01T00:00:01Z{token}b{escaped}",
    ]


def test_records_are_the_same_however_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    stations = [f"S{number % 7}" for number in range(3000)]
    values = [str(number) for number in range(3000)]

    def write(rows: int) -> bytes:
        batches = [
            make_batch(stations[at : at + rows], range(at, at + rows), v=values[at : at + rows])
            for at in range(0, 3000, rows)
        ]
        return b"".join(encode_strict_observations("o1_", make_markup(KINDS["count"]), batches))

    usual = write(3000)
    monkeypatch.setattr(datablock, "_SORTED_ROWS", 10)
    monkeypatch.setattr(strict_observation, "Spool", lambda: spool.Spool(1000))
    assert {write(6), write(1000), usual} == {usual}


# Units


@pytest.mark.parametrize(
    ("uom", "attribute", "element"),
    [
        (None, "urn:ogc:def:nil:OGC:unknown", ""),
        ("m", "m", '<swe:uom code="m"/>'),
        ("[ft_i]", "urn:ogc:def:uom:UCUM::%5Bft_i%5D", '<swe:uom code="[ft_i]"/>'),
        ("m s-1", "urn:ogc:def:uom:UCUM::m%20s-1", '<swe:uom xlink:href="urn:ogc:def:uom:UCUM::m%20s-1"/>'),
        ("urn:x:m", "urn:x:m", '<swe:uom xlink:href="urn:x:m"/>'),
    ],
)
def test_units(uom: str | None, attribute: str, element: str) -> None:
    assert (write_uom_attribute(uom), write_uom_element(uom)) == (attribute, element)
