"""Every format of observations is the same to the byte with the compiled loops and without them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from osgeo import ogr

from mapsos.encodings.registry import MEASUREMENT, OBSERVATION, OM_XML, list_response_formats
from tests.support.text_loops import without_text_loops

from .conftest import WEB, World, layer_text, write_stations

ROWS = [
    ("A", "2001-01-01T00:00:00Z", 1.5, 10.0, 50.0),
    ("A", "2001-01-01T01:00:00Z", None, -10.1234565, -0.0000001),
    ("ü <b>&amp;]]> \U0001f600", "2001-01-02T00:00:00+02:00", -0.1, 179.9999995, 89.99999949999999),
    ("", "2001-01-03T00:00:00.25Z", 1e-7, 0.0, -0.0),
    ("B", "", 123456789.125, 1e-9, 12.3456785),
    ("B", "2001-01-04T00:00:00Z", 1e300, 11.0, 51.0),
]
SHAPES = [
    "LINESTRING(0 0,1.5 -2.5,179.9999995 89.1)",
    "MULTILINESTRING((0 0,1 1),(5 5,6 6,7 7))",
    "POLYGON((0 0,9 0,9 9,0 0),(2 1,3 1,3 2,2 1))",
    "POLYGON((0 0,1234567.1 0,9 98765432100.5,0 0))",
    "POINT(1 2)",
    "POLYGON EMPTY",
]
QUESTIONS = [
    *({"responseFormat": name} for name in list_response_formats() if name != OM_XML),
    *(
        {"responseFormat": OM_XML, "resultModel": model, "conformance": mode}
        for model in (MEASUREMENT, OBSERVATION)
        for mode in ("mapserver", "strict")
    ),
]


def write_shapes(path: Path) -> None:
    """The same rows with other geometries."""
    write_stations(path, ROWS)
    dataset = ogr.Open(str(path), update=1)
    for number, shape in enumerate(SHAPES, 1):
        feature = dataset.GetLayer(0).GetFeature(number)
        feature.SetGeometry(ogr.CreateGeometryFromWkt(shape))
        dataset.GetLayer(0).SetFeature(feature)


def answer(world: World, question: dict[str, str]) -> bytes:
    given = {"service": "SOS", "version": "1.0.0", "request": "GetObservation", "offering": "off"}
    response = world.send(urlencode(given | {"observedProperty": "op"} | question))
    assert not response.error
    return b"".join(map(bytes, response.body))


@pytest.mark.parametrize("kind", ["POINT", "LINE", "POLYGON"])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: "-".join(question.values()))
def test_the_same_bytes(world: World, kind: str, question: dict[str, str]) -> None:
    web = WEB + ' "sos_conformance" "mapserver strict"'
    world.write_map(layer_text().replace("TYPE POINT", f"TYPE {kind}"), web=web)
    if kind == "POINT":
        write_stations(world.folder / "obs.gpkg", ROWS)
    else:
        write_shapes(world.folder / "obs.gpkg")
    compiled = answer(world, question)
    with without_text_loops():
        assert answer(world, question) == compiled
    assert len(compiled) > 300
