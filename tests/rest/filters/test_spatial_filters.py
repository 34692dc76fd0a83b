from __future__ import annotations

import pytest
import shapely

from mapsos.rest.errors import RestError
from mapsos.rest.filters.spatial_filters import parse_spatial_filter
from mapsos.terms.predicates import BBox, Spatial

IN_4326 = "spatialReference:{wkid:4326}"


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("{xmin:0.0,ymin:40.0,xmax:2.0,ymax:43.0," + IN_4326 + "}", BBox(0, 40, 2, 43, "EPSG:4326")),
        ("0,40,2,43", BBox(0, 40, 2, 43)),
        (" 0 , -4e1 , 2 , 43 ", BBox(0, -40, 2, 43)),
        ('{"xmin":"0","ymin":40,"xmax":2,"ymax":43,"zmin":1}', BBox(0, 40, 2, 43)),
        ("{xmin:0,ymin:0,xmax:1,ymax:1,spatialReference:{wkid:102100,latestWkid:3857}}", BBox(0, 0, 1, 1, "EPSG:3857")),
        ("{xmin:0,ymin:0,xmax:1,ymax:1,spatialReference:{wkid:102100}}", BBox(0, 0, 1, 1, "EPSG:3857")),
        ("{xmin:0,ymin:0,xmax:1,ymax:1,spatialReference:{wkid:102003}}", BBox(0, 0, 1, 1, "ESRI:102003")),
    ],
)
def test_reads_envelopes(text: str, box: BBox) -> None:
    assert parse_spatial_filter(text) == box


@pytest.mark.parametrize(
    ("text", "wkt"),
    [
        ("{x:1.121389,y:41.152222," + IN_4326 + "}", "POINT (1.121389 41.152222)"),
        ("1.121389,41.152222", "POINT (1.121389 41.152222)"),
        ("{hasZ:true,points:[[1,2,9],[3,4,9]]}", "MULTIPOINT (1 2, 3 4)"),
        ("{paths:[[[0,0],[1,1]],[[2,2],[3,3]]]}", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"),
        ("{rings:[[[0,0],[0,9],[9,9],[9,0],[0,0]]]}", "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
    ],
)
def test_reads_geometries(text: str, wkt: str) -> None:
    found = parse_spatial_filter(text)
    assert isinstance(found, Spatial)
    assert found.relation == "intersects"
    assert found.crs == ("EPSG:4326" if "wkid" in text else None)
    assert shapely.from_wkb(found.wkb).equals(shapely.from_wkt(wkt))


@pytest.mark.parametrize("hole", ["[[3,3],[6,3],[6,6],[3,6],[3,3]]", "[[3,3],[3,6],[6,6],[6,3],[3,3]]"])
def test_a_ring_in_a_ring_is_a_hole_whichever_way_it_turns(hole: str) -> None:
    found = parse_spatial_filter("{rings:[[[0,0],[0,9],[9,9],[9,0],[0,0]]," + hole + "]}")
    assert isinstance(found, Spatial)
    area = shapely.from_wkb(found.wkb)
    assert area.contains(shapely.Point(1, 1))
    assert not area.intersects(shapely.Point(4, 4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1,2,3",
        "a,b",
        "nan,1",
        "1_0,1",
        "1e999,1",
        "\u0661,1",
        "2,0,1,1",
        "{}",
        "{x:1}",
        "{x:1,y:true}",
        "{x:1,y:2,radius:3}",
        "{points:[]}",
        "{points:[[1]]}",
        "{paths:[[[1,2]]]}",
        "{rings:[[[0,0],[1,1]]]}",
        "{rings:[[[0,0],[1,1],[2,2],[0,0]]]}",
        "{curveRings:[]}",
        "{x:1,y:2,spatialReference:{wkid:999999}}",
        "{x:1,y:2,spatialReference:{wkt:'GEOGCS'}}",
        "{x:1,y:2,spatialReference:4326}",
        "{x:1,y:2",
        "[1,2]",
        "1e101,1",
        "-1e300,0,1,1",
        "{rings:[[[-1e308,0],[1e308,0],[1e308,1e308],[0,-1e308]],[[1,1],[2e300,5],[3,1e308]]]}",
        "{rings:[[[-1e160,0],[1e160,0],[0,1e160]]]}",
    ],
)
def test_refuses_everything_else_by_name(text: str) -> None:
    with pytest.raises(RestError, match="spatialFilter cannot be read: .+") as caught:
        parse_spatial_filter(text)
    assert "{rings}" in caught.value.details[0]


def test_greatest_coordinates_can_be_processed() -> None:
    rings = "[[-1e100,0],[1e100,0],[1e100,1e100],[0,-1e100]],[[1,1],[2e99,5],[3,1e100]]"
    assert isinstance(parse_spatial_filter("{rings:[" + rings + "]}"), Spatial)


def test_failure_of_geos_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise shapely.errors.GEOSException("TopologyException: side location conflict")

    monkeypatch.setattr(shapely, "unary_union", fail)
    with pytest.raises(RestError, match="spatialFilter cannot be read: a geometry that GEOS cannot process"):
        parse_spatial_filter("{rings:[[[0,0],[0,9],[9,9],[9,0],[0,0]],[[5,5],[5,20],[20,20]]]}")
