"""Batches of tables and of what is laid over them, in small parts: all rows, once, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest
from osgeo import ogr

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.reader import ReadPlan
from mapsos.terms.layer_source import LayerSource, SourceKind

ROWS = 12_000
LAYER = '<OGRVRTLayer name="rows"><SrcDataSource>{path}</SrcDataSource>{by}</OGRVRTLayer>'
OVER = {
    "layer": LAYER.format(path="{path}", by="<SrcLayer>rows</SrcLayer>"),
    "statement": LAYER.format(path="{path}", by="<SrcSQL>SELECT * FROM rows</SrcSQL>"),
    "union": f'<OGRVRTUnionLayer name="rows">{LAYER.format(path="{path}", by="")}</OGRVRTUnionLayer>',
}


@pytest.fixture(scope="module", params=[ROWS, 6], ids=["no gap", "gap"])
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    """A GeoPackage and its heights. GDAL reads one whose feature ids have a gap in another way."""
    path = tmp_path_factory.mktemp("table") / "rows.gpkg"
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("rows", None, ogr.wkbPoint)
    layer.CreateField(ogr.FieldDefn("height", ogr.OFTReal))
    layer.StartTransaction()
    for row in range(ROWS + 1):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["height"] = row / 8
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({row % 360 - 180} {row % 180 - 90})"))
        layer.CreateFeature(feature)
    layer.DeleteFeature(request.param + 1)
    layer.CommitTransaction()
    del feature, layer, dataset
    return path, [row / 8 for row in range(ROWS + 1) if row != request.param]


@pytest.mark.parametrize("over", ["table", *OVER])
@pytest.mark.parametrize("columns", [("height",), ()], ids=["height", "nothing else"])
def test_small_batches_have_every_row(
    table: tuple[Path, list[float]], tmp_path: Path, over: str, columns: tuple[str, ...]
) -> None:
    """In GDAL 3.10 a thread of a GeoPackage writes into batches that have been delivered, or crashes the process."""
    path, heights = table
    if over in OVER:
        path = tmp_path / "rows.vrt"
        path.write_text(f"<OGRVRTDataSource>{OVER[over].format(path=table[0])}</OGRVRTDataSource>")
    source = LayerSource("layer", SourceKind.OGR, str(path), "rows")
    for _ in range(3):
        batches = list(OgrReader(source).rows(ReadPlan(columns, True, batch_rows=100)))
        assert sum(rows.count for rows in batches) == ROWS
        if columns:
            assert [height for rows in batches for height in rows.raw["height"].to_pylist()] == heights
