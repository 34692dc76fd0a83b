from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from mapsos.columns.batches import Batch
from mapsos.encodings.mapserver.measurement import encode_measurements
from mapsos.encodings.markup import MeasurementMarkup, Phenomenon

MakeBatch = Callable[..., Batch]
Parse = Callable[..., Any]

MARKUP = MeasurementMarkup(
    layer_name="stations",
    namespace_prefix="ms",
    phenomenon=Phenomenon("op", "Property", ("urn:ogc:def:property:OGC-SWE:1:stn", "urn:x&y")),
    feature_type_url="http://h/cgi?service=WFS&version=1.1.0&request=DescribeFeatureType&typename=stations",
    shape="point",
    label="EPSG:4326",
    time_column="t",
    procedure_column="stn",
    feature_id_column="id",
    values=(("value", "v"), ("my note", "note")),
)
NAMES = {
    "gml": "http://www.opengis.net/gml",
    "om": "http://www.opengis.net/om/1.0",
    "swe": "http://www.opengis.net/swe/1.0.1",
    "ms": "http://mapserver.gis.umn.edu/mapserver",
}
HREF = "{http://www.w3.org/1999/xlink}href"
ID = "{http://www.opengis.net/gml}id"
WARNING = (
    'WARNING: Optional metadata "sos_procedure_item" missing for sos:procedure.  '
    "If you have more than 1 procedures, sos:procedure will output them incorrectly."
)


@pytest.fixture
def batch(make_batch: MakeBatch) -> Batch:
    return make_batch(
        geometries=["POINT (-75 45.5)", None],
        id=["1", "a&b"],
        stn=["S1", 'A & "B"'],
        t=["2001-10-30T14:24:55Z", None],
        v=["1.5", None],
        note=["<plain>", ""],
    )


def test_a_whole_member(batch: Batch) -> None:
    whole = b"".join(encode_measurements(MARKUP, [batch])).decode()
    first = """\
  <om:member>
    <om:Observation gml:id="o_1">
      <om:samplingTime>
        <gml:TimeInstant>
          <gml:timePosition>2001-10-30T14:24:55Z</gml:timePosition>
        </gml:TimeInstant>
      </om:samplingTime>
      <om:procedure xlink:href="urn:ogc:def:procedure:S1"/>
      <om:observedProperty>
        <swe:CompositePhenomenon gml:id="op_o_1" dimension="2">
          <gml:name>Property</gml:name>
          <swe:component xlink:href="urn:ogc:def:property:OGC-SWE:1:stn"/>
          <swe:component xlink:href="urn:x&amp;y"/>
        </swe:CompositePhenomenon>
      </om:observedProperty>
      <om:featureOfInterest xlink:href="http://h/cgi?service=WFS&amp;version=1.1.0&amp;request=DescribeFeatureType\
&amp;typename=stations"/>
      <om:result>
        <gml:featureMember>
          <ms:stations>
            <gml:boundedBy>
              <gml:Envelope srsName="urn:ogc:crs:epsg:4326" srsDimension="2">
                <gml:lowerCorner>-75.000000 45.500000</gml:lowerCorner>
                <gml:upperCorner>-75.000000 45.500000</gml:upperCorner>
              </gml:Envelope>
            </gml:boundedBy>
            <ms:msGeometry>
              <gml:Point srsName="urn:ogc:crs:epsg:4326" srsDimension="2">
                <gml:pos>-75.000000 45.500000</gml:pos>
              </gml:Point>
            </ms:msGeometry>
            <ms:value>1.5</ms:value>
            <ms:my_x0020_note>&lt;plain&gt;</ms:my_x0020_note>
          </ms:stations>
        </gml:featureMember>
      </om:result>
    </om:Observation>
  </om:member>
"""
    assert whole[: len(first)] == first
    assert whole[len(first) :].startswith("  <om:member>\n")


def test_what_a_row_lacks_is_left_out(batch: Batch, parse_members: Parse) -> None:
    member = parse_members(list(encode_measurements(MARKUP, [batch])))[1]
    assert member.find(".//om:samplingTime", NAMES) is None
    feature = member.find(".//ms:stations", NAMES)
    assert [child.tag.split("}")[-1] for child in feature] == ["value", "my_x0020_note"]
    assert [child.text for child in feature] == [None, None]


def test_ids_and_procedures_are_escaped_once(batch: Batch, parse_members: Parse) -> None:
    member = parse_members(list(encode_measurements(MARKUP, [batch])))[1]
    assert member.find("om:Observation", NAMES).get(ID) == "o_a&b"
    assert member.find(".//swe:CompositePhenomenon", NAMES).get(ID) == "op_o_a&b"
    assert member.find(".//om:procedure", NAMES).get(HREF) == 'urn:ogc:def:procedure:A & "B"'


@pytest.mark.parametrize("time_column", ["t", None])
def test_the_comment_stands_before_the_procedure(batch: Batch, parse_members: Parse, time_column: str | None) -> None:
    markup = dataclasses.replace(
        MARKUP, time_column=time_column, procedure_column=None, procedure="S1 S2", missing_procedure_item=True
    )
    for member in parse_members(list(encode_measurements(markup, [batch]))):
        procedure = member.find(".//om:procedure", NAMES)
        assert procedure.getprevious().text == WARNING
        assert procedure.get(HREF) == "urn:ogc:def:procedure:S1 S2"


def test_a_layer_with_nothing_but_rows(make_batch: MakeBatch, parse_members: Parse) -> None:
    markup = MeasurementMarkup("1 layer", "ms", Phenomenon("op", None, ()), "http://h/?", "point", None)
    root = parse_members(list(encode_measurements(markup, [make_batch(v=["1", "2", "3"])])))
    assert len(root) == 3
    assert [child.tag.split("}")[1] for child in root[0][0]] == ["observedProperty", "featureOfInterest", "result"]
    assert root[0][0].get(ID) is None
    assert root[0].find(".//ms:_x0031__x0020_layer", NAMES) is not None
    assert root[0].find(".//gml:name", NAMES) is None


def test_rows_of_all_batches_in_their_order(make_batch: MakeBatch, parse_members: Parse) -> None:
    markup = dataclasses.replace(MARKUP, time_column=None, procedure_column=None, feature_id_column=None)
    numbers = [[str(number) for number in range(start, start + count)] for start, count in ((0, 3), (3, 0), (3, 2000))]
    batches = [make_batch(v=some, note=some) for some in numbers]
    chunks = list(encode_measurements(markup, iter(batches)))
    assert len(chunks) > 2
    root = parse_members(chunks)
    assert [element.text for element in root.iter("{*}value")] == [str(number) for number in range(2003)]


def test_no_rows_no_bytes(make_batch: MakeBatch) -> None:
    assert list(encode_measurements(MARKUP, [])) == []
    assert list(encode_measurements(MARKUP, [make_batch(id=[], stn=[], t=[], v=[], note=[])])) == []


def test_lines_have_their_geometry_without_namespace(make_batch: MakeBatch, parse_members: Parse) -> None:
    markup = dataclasses.replace(MARKUP, shape="line", values=())
    batch = make_batch(geometries=["LINESTRING (0 0, 1 2)"], id=["1"], stn=["S"], t=["2001"])
    root = parse_members(list(encode_measurements(markup, [batch])))
    assert root.find(".//msGeometry/gml:LineString", NAMES).get("srsName") == "EPSG:4326"
    assert root.find(".//gml:upperCorner", NAMES).text == "1.000000 2.000000"
