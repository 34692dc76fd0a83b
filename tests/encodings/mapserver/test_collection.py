from __future__ import annotations

import dataclasses

import pytest
from lxml import etree

from mapsos.encodings.mapserver.collection import close_collection, encode_collection, open_collection
from mapsos.encodings.markup import CollectionMarkup, Envelope

BARE = CollectionMarkup(
    id="off",
    feature_type_url="http://h/cgi?service=WFS&version=1.1.0&request=DescribeFeatureType&typename=l1",
    namespace_uri="http://mapserver.gis.umn.edu/mapserver",
    namespace_prefix="ms",
    schemas="http://schemas.opengis.net",
)
ROOT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<om:ObservationCollection xmlns:gml="http://www.opengis.net/gml" xmlns:ows="http://www.opengis.net/ows/1.1"'
    ' xmlns:swe="http://www.opengis.net/swe/1.0.1" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sos="http://www.opengis.net/sos/1.0"'
    ' xmlns:ms="http://mapserver.gis.umn.edu/mapserver" xmlns:om="http://www.opengis.net/om/1.0" gml:id="off"'
    ' xsi:schemaLocation="http://www.opengis.net/om/1.0 http://schemas.opengis.net/om/1.0.0/om.xsd'
    " http://mapserver.gis.umn.edu/mapserver http://h/cgi?service=WFS&amp;version=1.1.0&amp;request="
    'DescribeFeatureType&amp;typename=l1"'
)
FULL = dataclasses.replace(
    BARE, description="Water & <ice>", name="Stations", envelope=Envelope(-80, 40.5, -70, 50, "EPSG:4326")
)


def test_nothing_at_all_is_a_self_closed_root() -> None:
    assert b"".join(encode_collection(BARE, iter([b""]))).decode() == ROOT + "/>\n"


def test_members_stand_within_the_root() -> None:
    document = b"".join(encode_collection(BARE, [b"  <om:member/>\n", b"  <om:member/>\n"])).decode()
    assert document == ROOT + ">\n  <om:member/>\n  <om:member/>\n</om:ObservationCollection>\n"


def test_heading_without_members() -> None:
    document = b"".join(encode_collection(FULL, [])).decode()
    assert document == (
        ROOT
        + """>
  <gml:description>Water &amp; &lt;ice&gt;</gml:description>
  <gml:name>Stations</gml:name>
  <gml:boundedBy>
    <gml:Envelope srsName="urn:ogc:crs:epsg:4326" srsDimension="2">
      <gml:lowerCorner>-80.000000 40.500000</gml:lowerCorner>
      <gml:upperCorner>-70.000000 50.000000</gml:upperCorner>
    </gml:Envelope>
  </gml:boundedBy>
</om:ObservationCollection>
"""
    )


@pytest.mark.parametrize("markup", [BARE, FULL])
@pytest.mark.parametrize("members", [b"", b"  <om:member/>\n"])
def test_start_and_end_make_the_same_document(markup: CollectionMarkup, members: bytes) -> None:
    parser = etree.XMLParser(remove_blank_text=True)
    pieces = open_collection(markup) + members + close_collection()
    whole = b"".join(encode_collection(markup, [members]))
    trees = [etree.fromstring(document, parser) for document in (pieces, whole)]
    trees[0].text = (trees[0].text or "").strip() or None
    assert etree.tostring(trees[0], method="c14n") == etree.tostring(trees[1], method="c14n")


def test_an_envelope_without_label_has_no_attributes() -> None:
    markup = dataclasses.replace(BARE, envelope=Envelope(0, 0, 1, 1, None))
    assert b"<gml:Envelope>\n" in open_collection(markup)


def test_an_empty_name_is_an_empty_element() -> None:
    assert b"  <gml:name/>\n" in open_collection(dataclasses.replace(BARE, name=""))


@pytest.mark.parametrize(
    ("prefix", "uri"), [("gml", "http://example.org/a?b&c"), ("my ns", ""), ("XML", "urn:y"), ("", "urn:x")]
)
def test_odd_namespaces_stay_well_formed(prefix: str, uri: str) -> None:
    markup = dataclasses.replace(BARE, namespace_prefix=prefix, namespace_uri=uri)
    root = etree.fromstring(b"".join(encode_collection(markup, [])))
    assert root.tag == "{http://www.opengis.net/om/1.0}ObservationCollection"
    assert (uri or "http://mapserver.gis.umn.edu/mapserver") in root.nsmap.values()


def test_nothing_goes_out_before_a_failure_of_the_first_member() -> None:
    def members() -> object:
        raise ValueError("no such table")
        yield b""

    with pytest.raises(ValueError, match="no such table"):
        next(encode_collection(BARE, members()))  # type: ignore[arg-type]
