from __future__ import annotations

from pathlib import Path

import pytest
from osgeo import ogr

from mapsos.sources.drivers.shape_types import find_shape_type
from mapsos.terms.layer_source import LayerSource, ShapeType, SourceKind

TYPES = [
    (ogr.wkbPoint, ShapeType.POINT),
    (ogr.wkbMultiPoint25D, ShapeType.POINT),
    (ogr.wkbLineString, ShapeType.LINE),
    (ogr.wkbLineString25D, ShapeType.LINE),
    (ogr.wkbPolygonM, ShapeType.POLYGON),
]


@pytest.mark.parametrize(("geometry", "expected"), TYPES)
@pytest.mark.parametrize("suffix", ["", ".shp"])
def test_a_shapefile_is_what_its_header_says(tmp_path: Path, geometry: int, expected: ShapeType, suffix: str) -> None:
    dataset = ogr.GetDriverByName("ESRI Shapefile").CreateDataSource(str(tmp_path / "a.shp"))
    dataset.CreateLayer("a", None, geometry)
    dataset = None
    for stated in ShapeType:
        source = LayerSource("l", SourceKind.SHAPEFILE, f"{tmp_path}/a{suffix}", shape=stated)
        assert find_shape_type(source) is expected


def test_anything_else_is_what_the_layer_says(tmp_path: Path) -> None:
    assert find_shape_type(LayerSource("l", SourceKind.OGR, "x.gpkg", shape=ShapeType.LINE)) is ShapeType.LINE
    missing = LayerSource("l", SourceKind.SHAPEFILE, f"{tmp_path}/none", shape=ShapeType.POLYGON)
    assert find_shape_type(missing) is ShapeType.POLYGON
