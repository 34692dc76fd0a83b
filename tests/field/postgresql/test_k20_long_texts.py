"""Memory of an answer is bounded by bytes, not by rows: one row of long texts costs one row (K20)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from osgeo import gdal, ogr

from mapsos.sources.drivers.batch_sizes import BATCH_BYTES
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind
from tests.support.postgresql import Cluster

from .sources import WGS84, by_ogr, by_postgis

ROWS = 400
LENGTH = 200_000


@pytest.fixture(scope="module")
def _table(cluster: Cluster) -> None:
    cluster.run(
        f"""CREATE TABLE longs (id integer, written text, geom geometry); ALTER TABLE longs ALTER written
          SET STORAGE EXTERNAL; INSERT INTO longs SELECT n, repeat(md5(n::text), {LENGTH // 32}), ST_MakePoint(n, 2)
          FROM generate_series(1, {ROWS}) AS n;
        CREATE SCHEMA hidden; CREATE TABLE hidden.longs AS SELECT * FROM longs;
        CREATE VIEW seen_longs AS SELECT * FROM hidden.longs; ANALYZE"""
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GeoPackage and a FlatGeobuf with such rows."""
    folder = tmp_path_factory.mktemp("longs")
    for driver, name in (("GPKG", "longs.gpkg"), ("FlatGeobuf", "longs.fgb")):
        dataset = gdal.GetDriverByName(driver).Create(str(folder / name), 0, 0, 0, gdal.GDT_Unknown)
        layer = dataset.CreateLayer("longs", None, ogr.wkbPoint)
        layer.CreateField(ogr.FieldDefn("id", ogr.OFTInteger))
        layer.CreateField(ogr.FieldDefn("written", ogr.OFTString))
        layer.StartTransaction()
        for number in range(1, ROWS + 1):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetField("id", number)
            feature.SetField("written", os.urandom(LENGTH // 2).hex())
            feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({number % 90} 2)"))
            layer.CreateFeature(feature)
        layer.CommitTransaction()
        dataset = layer = None
    return folder


MAKERS: dict[str, Callable[[str, Path], LayerSource]] = {
    "table": lambda connection, _: by_postgis(connection, "longs"),
    "subquery": lambda connection, _: by_postgis(connection, "(SELECT * FROM longs) AS x"),
    "view-of-a-hidden-table": lambda connection, _: by_ogr(connection, "seen_longs"),
    "geopackage": lambda _, files: LayerSource("layer", SourceKind.OGR, str(files / "longs.gpkg"), "longs", crs=WGS84),
    "flatgeobuf": lambda _, files: LayerSource("layer", SourceKind.OGR, str(files / "longs.fgb"), "", crs=WGS84),
}


@pytest.fixture(params=MAKERS)
def source(request: pytest.FixtureRequest, connection: str, files: Path, _table: None) -> LayerSource:
    """Rows of long texts, from several drivers."""
    return MAKERS[request.param](connection, files)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of rows that drivers deliver at a time."""
    from mapsos.sources.drivers import ogr as driver

    found: list[int] = []
    read = driver.read_parts

    def note(*arguments: object) -> Iterator[object]:
        for part in read(*arguments):  # type: ignore[arg-type]
            found.append(len(part))
            yield part

    monkeypatch.setattr(driver, "read_parts", note)
    return found


@pytest.mark.parametrize("predicate", [p.EVERYTHING, p.BBox(-180, -90, 1800, 90)], ids=["everything", "filtered"])
def test_one_row_costs_a_few_rows(source: LayerSource, parts: list[int], predicate: p.Predicate) -> None:
    with open_layer(source) as layer:
        query = LayerQuery(source, texts=("written",), predicate=predicate, limit=1)
        with closing(layer.read(query)) as batches:
            assert next(batches).rows == 1
    assert sum(parts) * LENGTH <= BATCH_BYTES


def test_batches_are_bounded_by_bytes(source: LayerSource, parts: list[int]) -> None:
    with open_layer(source) as layer:
        batches = [batch.rows for batch in layer.read(LayerQuery(source, texts=("written",)))]
    assert sum(batches) == ROWS
    assert max(batches) * LENGTH <= 2 * BATCH_BYTES
    assert max(parts) * LENGTH <= BATCH_BYTES


def test_batches_of_short_rows_are_full(cluster: Cluster, connection: str) -> None:
    cluster.run("CREATE TABLE shorts AS SELECT n AS id, ST_MakePoint(n, 2) AS geom FROM generate_series(1, 40000) AS n")
    for source in (by_postgis(connection, "shorts"), by_ogr(connection, "shorts")):
        with open_layer(source) as layer:
            query = LayerQuery(source, texts=("id",), batch_rows=16_384)
            assert [batch.rows for batch in layer.read(query)] == [16_384, 16_384, 40_000 - 2 * 16_384]
