"""Every resource over every kind of source: the documents of the description, and the observations of the SOS."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.operations.layers.facts import forget_facts
from mapsos.rest.description.schemas import write_schema
from mapsos.sources.pool import close_idle_readers
from mapsos.web.messages import Request
from tests.support.postgresql import require_cluster

from .conftest import RestAnswer, ask_application
from .sources import KINDS, ROWS, STATIONS, write_map, write_source

ROOT = "/all/exts/SosSOE"
IDS = list(STATIONS)
GML = "{http://www.opengis.net/gml}"


@dataclass(frozen=True)
class World:
    """A service over one kind of source."""

    kind: str
    application: Application

    def ask(self, path: str, **parameters: str) -> RestAnswer:
        return ask_application(self.application, f"{ROOT}{path}", f="json", **parameters)

    def sos(self, **parameters: str) -> bytes:
        query = urlencode({"service": "SOS", "version": "1.0.0", **parameters})
        environ = {"QUERY_STRING": query, "SCRIPT_NAME": "/sos", "SERVER_NAME": "h", "SERVER_PORT": "80"}
        response = self.application.answer(Request("GET", query, environ=environ))
        return b"".join(bytes(chunk) for chunk in response.body)


@pytest.fixture(scope="module", params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    kind = str(request.param)
    folder = tmp_path_factory.mktemp("sources")

    def make(source: str) -> World:
        path = write_map(folder / "all.map", source)
        return World(kind, Application(Settings(maps={"all": str(path)}, mapfile=str(path), cache=None)))

    if kind != "PostGIS":
        yield make(write_source(folder, kind, None))
    else:
        with require_cluster() as cluster:
            yield make(write_source(folder, kind, cluster))
    close_idle_readers()
    forget_facts()


DOCUMENTS = [
    ("service", ""),
    ("observations", "/observations"),
    ("observation-data", "/observations/query"),
    ("procedures", "/procedures"),
    *(("procedure", f"/procedures/{id}") for id in IDS),
    ("features", "/features"),
    ("feature-data", "/features/query"),
]


def test_every_document_is_valid(world: World) -> None:
    for name, path in DOCUMENTS:
        answer = world.ask(path)
        assert answer.status == 200, (path, answer.body)
        Draft202012Validator(write_schema(name)).validate(answer.value)


QUESTIONS: list[tuple[dict[str, str], dict[str, str], int]] = [
    ({}, {}, 18),
    ({"procedure": "A"}, {"procedure": "A"}, 6),
    ({"procedure": ",".join(IDS[1:])}, {"procedure": ",".join(IDS[1:])}, 12),
    ({"procedure": "urn:ogc:def:procedure:a"}, {"procedure": "urn:ogc:def:procedure:a"}, 6),
    ({"featureOfInterest": IDS[2]}, {"featureOfInterest": IDS[2]}, 6),
    ({"observedProperty": "op"}, {}, 18),
    ({"observedProperty": "urn:x:value"}, {}, 18),
    ({"offering": "off,OFF"}, {}, 18),
    ({"temporalFilter": "equals:2001-01-02T06:00:00Z"}, {"eventTime": "2001-01-02T06:00:00Z"}, 3),
    (
        {"temporalFilter": "{during:2001-01-02T02:00:00+02:00,2001-01-02T08:00:00+02:00}"},
        {"eventTime": "2001-01-02T00:00:00Z/2001-01-02T06:00:00Z"},
        6,
    ),
    ({"temporalFilter": "after:2001-01-03T00:00:00Z"}, {"eventTime": "2001-01-03T06:00:00Z"}, 3),
    ({"temporalFilter": "before:2001-01-01T06:00:00Z"}, {"eventTime": "2001-01-01T00:00:00Z"}, 3),
    ({"spatialFilter": "9,49,10.9,50.9"}, {"bbox": "9,49,10.9,50.9"}, 6),
    (
        {"spatialFilter": "{xmin:10.9,ymin:50.9,xmax:13,ymax:53,spatialReference:{wkid:4326}}"},
        {"bbox": "10.9,50.9,13,53"},
        12,
    ),
    ({"spatialFilter": "{x:10,y:50,spatialReference:{wkid:4326}}"}, {"bbox": "10,50,10,50"}, 6),
    (
        {"where": "numeric_value >= 4"},
        {"result": "<Filter><PropertyIsGreaterThanOrEqualTo><PropertyName>value</PropertyName><Literal>4</Literal>"
         "</PropertyIsGreaterThanOrEqualTo></Filter>"},
        6,
    ),
    ({"procedure": "A", "featureOfInterest": "A", "spatialFilter": "9,49,11,51"}, {"procedure": "A"}, 6),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "sos", "rows"), QUESTIONS)
def test_the_same_question_gives_the_same_observations(
    world: World, rest: dict[str, str], sos: dict[str, str], rows: int
) -> None:
    found = world.ask("/observations/query", **rest).value["observationData"]
    ours = sorted(
        (row["procedure"], _to_utc(row["phenomenonTime"]), row["result"]["value"])
        for row in found
        if row["result"]["type"] == "numerical"
    )
    text = world.sos(
        request="GetObservation", offering="off", observedProperty="op", responseFormat="text/csv", **sos
    ).decode()
    theirs = sorted(
        (row["procedure"], row["time"], float(row["value [m]"])) for row in csv.DictReader(io.StringIO(text))
    )
    assert ours == theirs, text
    assert len(ours) == rows


def _to_utc(text: str) -> str:
    from mapsos.terms.times import format_instant, parse_time

    return format_instant(parse_time(text).begin)


def test_an_observation_is_told_key_by_key(world: World) -> None:
    found = world.ask(
        "/observations/query", procedure="A", temporalFilter="equals:2001-01-01T07:00:00+01:00"
    ).value["observationData"]
    assert found == [
        {
            "id": f"obs.A.2001-01-01T06:00:00Z.{alias}",
            "type": kind,
            "phenomenonTime": "2001-01-01T07:00:00+01:00",
            "resultTime": "2001-01-01T07:00:00+01:00",
            "observedProperty": definition,
            "procedure": "A",
            "featureOfInterest": "A",
            "result": result,
        }
        for alias, kind, definition, result in (
            ("value", "OM_Measurement", "urn:x:value", {"type": "numerical", "uom": "m", "value": 1.6}),
            (
                "note",
                "OM_TextObservation",
                "urn:ogc:def:property:OGC-SWE:1:note",
                {"type": "textual", "uom": None, "value": "note 1"},
            ),
        )
    ]


def test_features_are_those_of_the_sos_and_of_the_observations(world: World) -> None:
    listed = [feature["id"] for feature in world.ask("/features").value["features"]]
    assert sorted(listed) == sorted(IDS)
    told = world.ask("/features/query").value["features"]
    assert [feature["id"] for feature in told] == listed
    observed = {row["featureOfInterest"] for row in world.ask("/observations/query").value["observationData"]}
    assert observed == set(listed)
    root = etree.fromstring(world.sos(request="GetFeatureOfInterest", procedure=",".join(IDS)))
    members = root.findall(f"{GML}featureMember/*")
    assert sorted(member.findtext(f"{GML}name") or "" for member in members) == sorted(IDS)
    kinds = {feature["type"].rpartition("SF_")[2] for feature in told}
    assert kinds == {etree.QName(member).localname for member in members}


def test_a_feature_is_told_key_by_key(world: World) -> None:
    (found,) = world.ask("/features/query", feature=IDS[1], spatialFilter="10,50,13,53").value["features"]
    shape = {
        "lines": {"paths": [[[11.0, 51.0], [11.5, 51.5]]]},
        "polygons": {"rings": [[[11.0, 51.0], [11.0, 51.5], [11.5, 51.5], [11.5, 51.0], [11.0, 51.0]]]},
    }.get(world.kind, {"x": 11.0, "y": 51.0})
    kind = {"lines": "Curve", "polygons": "Surface"}.get(world.kind, "Point")
    assert found == {
        "id": IDS[1],
        "codeSpace": "urn:x:stations",
        "name": "Berg & Tal",
        "description": "A place.",
        "type": f"http://www.opengis.net/def/samplingFeatureType/OGC-OM/2.0/SF_Sampling{kind}",
        "sampledFeature": "urn:x:river",
        "shape": {**shape, "spatialReference": {"wkid": 4326}},
    }


@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({"feature": "A,a"}, IDS[:1]),
        ({"procedure": "urn:ogc:def:procedure:A"}, IDS[:1]),
        ({"procedure": "A", "feature": IDS[1]}, []),
        ({"observedProperty": "OP"}, IDS),
        ({"spatialFilter": "9,49,11.9,51.9"}, IDS[:2]),
        ({"spatialFilter": "9,49,11.9,51.9", "procedure": f"A,{IDS[2]}"}, IDS[:1]),
        ({"spatialFilter": "{x:12,y:52,spatialReference:{wkid:4326}}"}, IDS[2:]),
        ({"spatialFilter": "0,0,1,1"}, []),
    ],
)
def test_features_are_chosen(world: World, parameters: dict[str, str], ids: list[str]) -> None:
    found = [feature["id"] for feature in world.ask("/features/query", **parameters).value["features"]]
    assert sorted(found) == sorted(ids)


def test_a_procedure_is_told_key_by_key(world: World) -> None:
    found = world.ask(f"/procedures/{IDS[1]}").value
    corner = 0.0 if world.kind not in ("lines", "polygons") else 0.5
    assert {**found, "contact": None} == {
        "id": IDS[1],
        "name": "Berg & Tal",
        "description": "It measures.",
        "intendedApplication": None,
        "sensorType": "mast",
        "observedArea": {
            "xmin": 11.0,
            "ymin": 51.0,
            "xmax": 11.0 + corner,
            "ymax": 51.0 + corner,
            "spatialReference": {"wkid": 4326},
        },
        "contact": None,
        "outputs": [
            {"dataType": "NUMERIC", "definition": "urn:x:value"},
            {"dataType": "TEXTUAL", "definition": "urn:ogc:def:property:OGC-SWE:1:note"},
        ],
    }
    assert len(found["contact"]) == 10


def test_the_root_names_procedures(world: World) -> None:
    named = {entry["id"]: entry["name"] for entry in world.ask("").value["procedures"]}
    # A station without a text in the column has that of the metadata.
    assert named == {IDS[0]: "Alpha", IDS[1]: "Berg & Tal", IDS[2]: "A station"}


def test_an_offering_is_told_key_by_key(world: World) -> None:
    (found,) = world.ask("/observations").value["observationOfferings"]
    corner = 0.0 if world.kind not in ("lines", "polygons") else 0.5
    assert {**found, "procedure": sorted(found["procedure"])} == {
        "id": "off",
        "name": "An offering",
        "observedProperties": [
            {"dataType": "NUMERIC", "definition": "urn:x:value"},
            {"dataType": "TEXTUAL", "definition": "urn:ogc:def:property:OGC-SWE:1:note"},
        ],
        "procedure": sorted(IDS),
        "observedArea": {
            "xmin": 10.0,
            "ymin": 50.0,
            "xmax": 12.0 + corner,
            "ymax": 52.0 + corner,
            "spatialReference": {"wkid": 4326},
        },
        "timeExtent": "2001-01-01T00:00:00+00:00/2001-01-03T06:00:00+00:00",
    }


def test_pages_join_to_the_whole(world: World) -> None:
    whole = world.ask("/observations/query").value["observationData"]
    pages: list[Any] = []
    for offset in range(0, 2 * len(ROWS), 7):
        page = world.ask("/observations/query", resultOffset=str(offset), resultRecordCount="7").value
        pages += page["observationData"]
        assert page.get("exceededTransferLimit", False) is (offset + 7 < 2 * len(ROWS))
    assert pages == whole
    assert len({row["id"] for row in whole}) == len(whole) == 2 * len(ROWS)


def test_ids_come_back_from_urls(world: World) -> None:
    for id in IDS:
        assert world.ask(f"/procedures/{id}").value["id"] == id
        assert quote(id, safe="") != id or id == "A"
