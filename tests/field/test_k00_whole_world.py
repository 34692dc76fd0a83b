"""K0: a rectangle of the whole world, or one that leaves the area of use of a CRS, selects what lies in it."""

from __future__ import annotations

import json

import numpy as np
import pyproj
import pytest
from lxml import etree

from mapsos.check.report import check_mapfile
from mapsos.sources.filtering.spatial import rectangle_in_layer
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import BBox

from .conftest import Field

WORLD = "-180,-90,180,90"
GRIDS = {
    "EPSG:2154": (652301.6, 6861302.7),
    "EPSG:27700": (530000.0, 180000.0),
    "EPSG:5514": (-743000.0, -1043000.0),
    "EPSG:3035": (4321000.0, 3210000.0),
    "EPSG:3857": (261600.0, 6250000.0),
    "EPSG:3413": (0.0, 0.0),
    "EPSG:31467": (3500000.0, 5500000.0),
}
"""A place in a CRS: the last but one is the north pole."""


def write_points(field: Field, *points: tuple[float, float]) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"station": f"S{number}", "time": "2024-03-01T06:00:00Z", "value": 1.5},
            "geometry": {"type": "Point", "coordinates": point},
        }
        for number, point in enumerate(points)
    ]
    field.write("data.geojson", json.dumps({"type": "FeatureCollection", "features": features}))


@pytest.mark.parametrize("crs", GRIDS)
@pytest.mark.parametrize("head", ["", "EXTENT -180 -90 180 90"])
def test_the_whole_world_has_every_row(field: Field, crs: str, head: str) -> None:
    write_points(field, GRIDS[crs])
    field.publish("data.geojson", crs=crs, head=head)
    assert b"<ows:Exception" not in field.ask("GetCapabilities")
    assert len(field.members()) == 1
    envelope = (
        '<gml:Envelope xmlns:gml="http://www.opengis.net/gml" srsName="EPSG:4326">'
        "<gml:lowerCorner>-180 -90</gml:lowerCorner><gml:upperCorner>180 90</gml:upperCorner></gml:Envelope>"
    )
    for selection in ({"bbox": WORLD}, {"bbox": f"{WORLD},EPSG:4326"}, {"featureOfInterest": envelope}):
        assert len(field.members(**selection)) == 1, selection
    polygon = {"rings": [[[-180, -90], [-180, 90], [180, 90], [180, -90], [-180, -90]]]}
    for shape in (WORLD, json.dumps(polygon)):
        found = field.rest("/observations/query", spatialFilter=shape)
        assert "error" not in found, found
        assert len(found["observationData"]) == 1, shape


def test_what_lies_outside_stays_outside(field: Field) -> None:
    write_points(field, GRIDS["EPSG:2154"], (100000.0, 7000000.0))
    field.publish("data.geojson", crs="EPSG:2154")
    assert [row["procedure"] for row in field.rows(bbox="0,-90,180,90")] == ["S0"]
    assert [row["procedure"] for row in field.rows(bbox="-180,-90,0,90")] == ["S1"]


CRS = (*GRIDS, "EPSG:25832", "EPSG:32601", "EPSG:3031", "EPSG:2056", "EPSG:5880", "EPSG:2193", "EPSG:6933")


@pytest.mark.parametrize("crs", CRS)
def test_no_rectangle_in_the_crs_of_the_layer_loses_a_row(crs: str) -> None:
    """Rectangles of every size and place, in degrees over a layer in the CRS, and the other way round."""
    random = np.random.default_rng(1)
    use = pyproj.CRS(crs).area_of_use
    assert use is not None
    east = use.east if use.west < use.east else use.east + 360
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = transformer.transform(
        (random.uniform(use.west, east, 2000) + 180) % 360 - 180, random.uniform(use.south, use.north, 2000)
    )
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    longitude, latitude = transformer.transform(x, y, direction="INVERSE")
    tried = 0
    for number in range(60):
        one = random.integers(len(x))
        half = 10 ** random.uniform(-2, 2)
        across, up = (longitude[one], latitude[one]) if number % 2 else (random.uniform(-180, 180), 50.0)
        box = max(-180, across - half), max(-90, up - half), min(180, across + half), min(90, up + half)
        tried += check(BBox(*box, "EPSG:4326"), Crs(crs, crs), (longitude, latitude), (x, y))
        half = 10 ** random.uniform(2, 7)
        box = x[one] - half, y[one] - half, x[one] + half, y[one] + half
        tried += check(BBox(*box, crs), Crs("EPSG:4326", "EPSG:4326"), (x, y), (longitude, latitude))
    # An index is of use for most.
    assert tried > 60


def check(box: BBox, layer: Crs, named: tuple[np.ndarray, ...], own: tuple[np.ndarray, ...]) -> bool:
    """Check that rows in the box lie in the rectangle for the layer; return whether there is one."""
    rectangle = rectangle_in_layer(box, layer)
    if rectangle is None:
        return False
    within = inside((box.minx, box.miny, box.maxx, box.maxy), *named)
    assert not (within & ~inside(rectangle, *own)).any()
    return True


def inside(box: tuple[float, float, float, float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    found: np.ndarray = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    return found


def test_capabilities_have_the_place(field: Field) -> None:
    write_points(field, GRIDS["EPSG:2154"])
    field.publish("data.geojson", crs="EPSG:2154", head="EXTENT -180 -90 180 90")
    root = etree.fromstring(field.ask("GetCapabilities"))
    assert [each.text for each in root.iter("{*}lowerCorner")] == ["652301.600000 6861302.700000"]


@pytest.mark.parametrize("crs", GRIDS)
@pytest.mark.parametrize(
    ("extent", "codes"),
    [
        ("-180 -90 180 90", set()),
        # Nothing of the data, which are in Europe and at the poles, is there.
        ("-100 -40 -80 -20", {"M606"}),
    ],
)
def test_check_warns_about_a_map_that_publishes_nothing(
    field: Field, crs: str, extent: str, codes: set[str]
) -> None:
    write_points(field, GRIDS[crs])
    field.publish("data.geojson", crs=crs, head=f"EXTENT {extent}")
    findings = check_mapfile(str(field.mapfile))
    assert {finding.code for finding in findings if finding.code.startswith("M6")} == codes
    assert len(field.members()) == (0 if codes else 1)
