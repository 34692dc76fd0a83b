"""Geometries in requests: bounded in positions and crossings, and ended by the time limit whatever the data."""

from __future__ import annotations

import io
import json
import math
import random
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from fuzz.victim import ENVIRON, judge, judge_any, observe, open_victim, post, read, write_victim
from mapsos.app import Application
from mapsos.ows.geometry_bounds import MAX_POSITIONS
from mapsos.web.messages import Request

from .bounds import bounded

QUERY = {"PATH_INFO": "/exts/SosSOE/observations/query"}
FORM = "application/x-www-form-urlencoded"
ROWS = 4000
RANDOM = random.Random(7)
ZIGZAG = [[number * 0.005 - 25, number % 2 * 90 - 45] for number in range(MAX_POSITIONS - 10)]


def place() -> list[float]:
    return [round(RANDOM.uniform(-50, 50), 3), round(RANDOM.uniform(-50, 50), 3)]


@pytest.fixture(scope="module")
def mapfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Circles of 40 positions, in a GeoPackage."""
    from osgeo import ogr, osr

    folder = tmp_path_factory.mktemp("areas")
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(folder / "areas.gpkg"))
    layer = dataset.CreateLayer("areas", reference, ogr.wkbPolygon)
    for name, kind in (("station", ogr.OFTString), ("time", ogr.OFTDateTime), ("value", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    layer.StartTransaction()
    for number in range(ROWS):
        x, y = place()
        ring = [f"{x + math.cos(turn * math.pi / 20)} {y + math.sin(turn * math.pi / 20)}" for turn in range(40)]
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["station"], feature["time"], feature["value"] = f"S{number % 9}", "2020-01-01T12:00:00Z", number
        feature.SetGeometryDirectly(ogr.CreateGeometryFromWkt(f"POLYGON(({','.join([*ring, ring[0]])}))"))
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    del feature, layer, dataset
    connection = f'CONNECTIONTYPE OGR CONNECTION "{folder}/areas.gpkg" DATA "areas"'
    return write_victim(folder, {"areas": connection}, metadata='"sos_value_alias" "value"')


@pytest.fixture(scope="module")
def areas(mapfile: Path) -> Application:
    return open_victim(mapfile)


def ask(application: Application, geometry: object, format: str = "csv") -> tuple[int, bytes]:
    """The answer of the REST interface about what intersects a geometry."""
    body = f"f={format}&spatialFilter={quote(json.dumps(geometry))}".encode()
    request = Request("POST", "", FORM, len(body), io.BytesIO(body).read, ENVIRON | QUERY)
    response = application.answer(request)
    return response.status, judge_any(response)[0]


COSTLY = {
    "triangles": {"rings": [[place(), place(), place()] for _ in range(200)]},
    "one ring": {"rings": [[place() for _ in range(400)]]},
    "a path": {"paths": [[place() for _ in range(9000)]]},
    "paths": {"paths": [[place(), place()] for _ in range(4500)]},
    "slivers": {"rings": [[[n * 1e-3, -50], [n * 1e-3 + 50, 50], [n * 1e-3 + 50.0001, 50]] for n in range(3000)]},
    "a fan": {"rings": [[[0, 0], [1 + n, 0], [0, 1]] for n in range(3000)]},
    "points": {"points": [place() for _ in range(50_000)]},
    "positions": {"paths": [[[0, number] for number in range(50_000)]]},
    "rings": {"rings": [[[n, 0], [n, 1], [n + 1, 1]] for n in range(30_000)]},
    "the same ring": {"rings": [[[0, 0], [0, 9], [9, 9]]] * 3000},
}


@pytest.mark.parametrize("name", COSTLY)
def test_costly_esri_geometries_are_rejected(areas: Application, name: str) -> None:
    with bounded(seconds=10, megabytes=500):
        status, body = ask(areas, COSTLY[name])
    assert status == 400
    assert any(reason in body for reason in (b"are not accepted", b"without an area", b"JSON of more than"))
    assert len(body) < 1000


ACCEPTED = {
    "a zigzag": {"rings": [[*ZIGZAG, [0, 60]]]},
    "a path": {"paths": [ZIGZAG]},
    "triangles": {"rings": [[place(), place(), place()] for _ in range(50)]},
    "parcels": {"rings": [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]] for x in range(40) for y in range(40)]},
    "a densified edge": {"rings": [[*[[0, number / 100] for number in range(5000)], [9, 9]]]},
    "a circle": {"rings": [[[math.cos(n / 1500), math.sin(n / 1500)] for n in range(9000)]]},
    "points": {"points": [place() for _ in range(MAX_POSITIONS)]},
    "huge coordinates": {"rings": [[[-1e100, -1e100], [1e100, -1e99], [0, 1e100]], [[-1, -1], [1, -1], [0, 1]]]},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_large_geometries_of_maps_are_read(areas: Application, name: str) -> None:
    with bounded(seconds=20, megabytes=500):
        status, body = ask(areas, ACCEPTED[name])
    assert status == 200, body
    assert body.count(b"\n") > 1


def write_gml(kind: str, positions: list[list[float]]) -> str:
    text = " ".join(f"{x!r} {y!r}" for x, y in positions)
    if kind == "Polygon":
        return f"<Polygon><exterior><LinearRing><posList>{text}</posList></LinearRing></exterior></Polygon>"
    return f"<{kind}><posList>{text}</posList></{kind}>"


MANY = [place() for _ in range(3000)]
GEOMETRIES = {
    "a polygon": write_gml("Polygon", MANY),
    "a line": write_gml("LineString", MANY),
    "a ring": write_gml("LinearRing", MANY),
    "lines": "<MultiLineString>"
    + "".join(f"<lineStringMember>{write_gml('LineString', MANY[n : n + 9])}</lineStringMember>" for n in range(160))
    + "</MultiLineString>",
    "too many positions": write_gml("LineString", [[0, 0], [1, 1]] * MAX_POSITIONS),
}
RELATIONS = ("Intersects", "Touches", "Within", "Contains", "Overlaps", "Crosses", "Equals", "Disjoint")


@pytest.mark.parametrize("parameter", ["result", "featureOfInterest"])
@pytest.mark.parametrize("relation", [*RELATIONS, "DWithin", "Beyond"])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_costly_gml_is_rejected(areas: Application, name: str, relation: str, parameter: str) -> None:
    distance = '<Distance units="m">1000</Distance>' if relation in ("DWithin", "Beyond") else ""
    text = f"<{relation}><PropertyName>g</PropertyName>{GEOMETRIES[name]}{distance}</{relation}>"
    with bounded(seconds=10, megabytes=500):
        body = judge(areas.answer(post(f"{observe('areas')}&{parameter}={quote(text)}".encode(), FORM)))
    assert b"are not accepted" in body
    assert len(body) < 1000


def test_geometries_of_one_filter_are_bounded_together(areas: Application) -> None:
    """Each alone would be accepted."""
    one = f"<Intersects><PropertyName>g</PropertyName>{write_gml('LineString', ZIGZAG[:4000])}</Intersects>"
    for count, rejected in ((2, False), (3, True)):
        body = judge(areas.answer(post(f"{observe('areas')}&result={quote(f'<Or>{one * count}</Or>')}".encode(), FORM)))
        assert (b"are not accepted" in body) == rejected


@pytest.mark.parametrize("number", ["1e155", "1e300", "-1e308", "1e-300"])
def test_huge_coordinates_are_answered(areas: Application, number: str) -> None:
    """The squares of such numbers overflow; the answer is a report or a collection, never a failure."""
    triangle = write_gml("Polygon", [[0, 0], [float(number), 0], [0, float(number)]])
    corners = f"<lowerCorner>-{number} -9</lowerCorner><upperCorner>{number} 9</upperCorner>".replace("--", "-")
    for geometry, relation, parameter in product(
        (triangle, f"<Envelope>{corners}</Envelope>"), ("Touches", "Within", "Equals"), ("result", "featureOfInterest")
    ):
        text = f"<{relation}><PropertyName>g</PropertyName>{geometry}</{relation}>"
        judge(areas.answer(post(f"{observe('areas')}&{parameter}={quote(text)}".encode(), FORM)))
    judge(areas.answer(post(observe("areas", bbox=f"0,0,{number},{number}").encode(), FORM)))


@pytest.mark.parametrize("relation", ["Within", "Touches", "Overlaps", "DWithin", "Beyond"])
def test_relations_end_with_the_time_limit(mapfile: Path, relation: str) -> None:
    """One batch of rows takes longer than the limit, which is seen between two pieces of it."""
    hurried = open_victim(mapfile, MAPSOS_MAX_SECONDS="0.2")
    distance = '<Distance units="m">1000</Distance>' if relation in ("DWithin", "Beyond") else ""
    text = f"<{relation}><PropertyName>g</PropertyName>{write_gml('Polygon', ZIGZAG)}{distance}</{relation}>"
    with bounded(seconds=10, megabytes=500):
        response = hurried.answer(post(f"{observe('areas')}&result={quote(text)}".encode(), FORM))
        try:
            body = read(response)
        except Exception as error:
            body = repr(error).encode()
    assert b"time limit" in body
