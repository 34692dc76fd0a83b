"""GetDataAvailability: what there is, as documents and as tables, whatever the data are kept in."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from urllib.parse import urlencode

import pytest
from lxml import etree
from osgeo import ogr

from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.indexes.sqlite_facts import SqliteFacts

from .conftest import LAYER, ROWS, World, layer_text, refusal, write_stations

NS = {"gda": "http://www.opengis.net/sosgda/1.0", "gml": "http://www.opengis.net/gml"}
HREF = "{http://www.w3.org/1999/xlink}href"
Member = tuple[str, str, str, str | None, str | None, int]

EXPECTED: list[Member] = [
    ("A", "off", "op", "2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z", 2),
    ("B", "off", "op", "2001-01-01T00:00:00Z", "2001-01-02T06:00:00Z", 2),
    ("C", "off", "op", "2001-01-03T00:00:00Z", "2001-01-03T00:00:00Z", 1),
]


def read_members(root: etree._Element) -> list[Member]:
    assert root.tag == f"{{{NS['gda']}}}GetDataAvailabilityResponse", etree.tostring(root).decode()

    def link(member: etree._Element, name: str) -> str:
        element = member.find(f"gda:{name}", NS)
        return "" if element is None else element.get(HREF, "").removeprefix("urn:ogc:def:procedure:")

    return [
        (
            link(member, "procedure"),
            link(member, "offering"),
            link(member, "observedProperty"),
            member.findtext(".//gml:beginPosition", None, NS),
            member.findtext(".//gml:endPosition", None, NS),
            int(member.findtext("gda:count", "", NS)),
        )
        for member in root.iterfind("gda:dataAvailabilityMember", NS)
    ]


def ask(world: World, **parameters: str) -> list[Member]:
    return read_members(world.ask("GetDataAvailability", **parameters))


def test_what_there_is(world: World) -> None:
    assert ask(world) == EXPECTED


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"procedure": "urn:ogc:def:procedure:b,C"}, EXPECTED[1:]),
        ({"offering": "OFF"}, EXPECTED),
        ({"offering": "An offering", "observedProperty": "OP"}, EXPECTED),
        ({"eventTime": "2001-01-03"}, EXPECTED[2:]),
        (
            {"eventTime": "2001-01-02"},
            [
                ("A", "off", "op", "2001-01-02T00:00:00Z", "2001-01-02T00:00:00Z", 1),
                ("B", "off", "op", "2001-01-02T06:00:00Z", "2001-01-02T06:00:00Z", 1),
            ],
        ),
        ({"bbox": "11.5,51.5,20,60"}, EXPECTED[2:]),
        ({"featureOfInterest": "C"}, EXPECTED[2:]),
        ({"eventTime": "1999"}, []),
    ],
)
def test_parameters_are_those_of_get_observation(
    world: World, parameters: dict[str, str], expected: list[Member]
) -> None:
    assert ask(world, **parameters) == expected


@pytest.mark.parametrize(
    ("parameters", "locator"),
    [
        ({"offering": "none"}, "offering"),
        ({"observedProperty": "op,none"}, "observedproperty"),
        ({"procedure": "nobody"}, "procedure"),
        ({"eventTime": "yesterday"}, "eventtime"),
        ({"responseFormat": 'text/xml; subtype="om/1.0.0"'}, "responseformat"),
        ({"offerings": "off"}, "offerings"),
    ],
)
def test_what_is_refused(world: World, parameters: dict[str, str], locator: str) -> None:
    assert refusal(world.ask("GetDataAvailability", **parameters))[:2] == ("InvalidParameterValue", locator)


def test_layers_of_one_offering_and_property_count_together(world: World) -> None:
    write_stations(world.folder / "more.gpkg", [("A", "2005-01-01T00:00:00Z", 1.0, 10.0, 50.0)])
    other = layer_text(name="l3", metadata=LAYER.replace('"op"', '"second"'))
    world.write_map(layer_text(), layer_text(name="l2", data="more.gpkg"), other)
    whole = ask(world)
    assert whole[0] == ("A", "off", "op", "2001-01-01T00:00:00Z", "2005-01-01T00:00:00Z", 3)
    assert [member[2] for member in whole] == ["op"] * 3 + ["second"] * 3
    assert len(ask(world, observedProperty="second")) == 3


@pytest.mark.parametrize("driver", ["GPKG", "FlatGeobuf", "GeoJSON", "ESRI Shapefile", "CSV"])
def test_every_source_says_the_same(world: World, driver: str) -> None:
    suffix = {"GPKG": "gpkg", "FlatGeobuf": "fgb", "GeoJSON": "json", "ESRI Shapefile": "shp", "CSV": "csv"}[driver]
    path = world.folder / f"copy.{suffix}"
    sql = "SELECT stn, CAST(t AS character(30)) AS t, v, geom FROM obs"
    command = ["ogr2ogr", "-f", driver, str(path), str(world.folder / "obs.gpkg"), "-nln", "copy"]
    subprocess.run([*command, *(["-sql", sql] if suffix in ("shp", "csv") else [])], check=True, timeout=60)
    world.write_map(layer_text(data=path.name).replace('DATA "obs"', 'DATA "copy"'))
    assert sorted(ask(world)) == EXPECTED


def test_a_geopackage_is_asked_and_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsos.sources.layer_rows.LayerRows.rows", None)
    assert ask(world) == EXPECTED


@pytest.mark.parametrize("time", ["2001-01-01T00:00:00.5Z", "2001-01-01T00:00:00+02:00", None])
def test_times_that_do_not_sort_as_texts_are_read(world: World, time: str | None) -> None:
    rows = [*ROWS, ("", time, 1.0, 10.0, 50.0), ("", None, 1.0, 10.0, 50.0)]
    write_rows_without_times(world, rows)
    forget_facts()
    grouped = ask(world)
    forget_facts()
    SqliteFacts.availability, kept = lambda *_: None, SqliteFacts.availability  # type: ignore[method-assign,assignment]
    try:
        assert ask(world) == grouped
    finally:
        SqliteFacts.availability = kept  # type: ignore[method-assign]
    assert grouped[3][5] == 2


def write_rows_without_times(world: World, rows: list[tuple[str, str | None, float, float, float]]) -> None:
    write_stations(world.folder / "obs.gpkg", [(s, t or "2000-01-01T00:00:00Z", v, x, y) for s, t, v, x, y in rows])  # type: ignore[misc]
    dataset = ogr.Open(str(world.folder / "obs.gpkg"), 1)
    for number, (_, time, *_rest) in enumerate(rows, 1):
        value = "NULL" if time is None else f"'{time}'"
        dataset.ExecuteSQL(f"UPDATE obs SET t = {value} WHERE fid = {number}")
    dataset = None


def test_layers_without_times_have_counts(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER.replace('"sos_timeitem" "t"', "")))
    assert ask(world) == [(name, "off", "op", None, None, count) for name, count in (("A", 2), ("B", 2), ("C", 1))]


def send(world: World, response_format: str) -> bytes:
    query = {"service": "SOS", "version": "1.0.0", "request": "GetDataAvailability", "responseFormat": response_format}
    return b"".join(map(bytes, world.send(urlencode(query)).body))


def test_as_csv(world: World) -> None:
    header, *rows = csv.reader(io.StringIO(send(world, "text/csv").decode(), newline=""))
    assert header == ["time", "end_time", "procedure", "observed_property", "offering", "count"]
    assert rows == [
        [begin, end, procedure, prop, offering, str(n)] for procedure, offering, prop, begin, end, n in EXPECTED
    ]


def test_as_json(world: World) -> None:
    document = json.loads(send(world, "application/json"))
    assert document["blocks"][0]["count"] == [2, 2, 1]
    assert document["numberOfRows"] == 3


def test_a_body_asks_for_the_same(world: World) -> None:
    body = b"""<GetDataAvailability xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">
      <procedure>C</procedure></GetDataAvailability>"""
    response = world.send(
        None, method="POST", content_type="text/xml", content_length=len(body), read=io.BytesIO(body).read
    )
    assert read_members(etree.fromstring(b"".join(map(bytes, response.body)))) == EXPECTED[2:]


def test_capabilities_list_it_unless_it_is_off(world: World) -> None:
    ns = {"ows": "http://www.opengis.net/ows/1.1"}

    def find() -> object:
        return world.ask("GetCapabilities").find(".//ows:Operation[@name='GetDataAvailability']", ns)

    assert find() is not None
    web = '"sos_onlineresource" "http://h/cgi?" "sos_enable_request" "GetCapabilities GetObservation"'
    world.write_map(web=web)
    assert find() is None
    assert refusal(world.ask("GetDataAvailability"))[:2] == ("InvalidParameterValue", "request")
