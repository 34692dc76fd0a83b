from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.mapfile.reader import read_service
from mapsos.terms.layer_source import ShapeType, SourceKind

from .conftest import MapWriter


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name in ("data/d.shp", "data/d.gpkg", "beside.shp", "beside.gpkg", "data/UPPER.SHP"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "kind", "connection", "layer"),
    [
        ('DATA "d"', "shapefile", "data/d.shp", ""),
        ('DATA "d.shp"', "shapefile", "data/d.shp", ""),
        ('DATA "d.DBF"', "shapefile", "data/d.shp", ""),
        ("DATA d", "shapefile", "data/d.shp", ""),
        ('DATA "UPPER"', "shapefile", "data/UPPER.SHP", ""),
        ('DATA "beside"', "shapefile", "beside.shp", ""),
        ('DATA "data/d"', "shapefile", "data/d.shp", ""),
        ('DATA "nowhere"', "shapefile", "data/nowhere.shp", ""),
        ('CONNECTIONTYPE LOCAL DATA "d"', "shapefile", "data/d.shp", ""),
        ('CONNECTIONTYPE OGR CONNECTION "d.gpkg"', "ogr", "data/d.gpkg", ""),
        ("CONNECTIONTYPE 'ogr' CONNECTION 'd.gpkg' DATA 'obs'", "ogr", "data/d.gpkg", "obs"),
        ('connectiontype ogr CONNECTION "beside.gpkg" DATA "1"', "ogr", "beside.gpkg", "1"),
        ('CONNECTIONTYPE OGR CONNECTION "d.gpkg,obs"', "ogr", "data/d.gpkg", "obs"),
        ('CONNECTIONTYPE OGR CONNECTION "../data/d.gpkg" DATA "SELECT * FROM d"', "ogr", "data/d.gpkg",
         "SELECT * FROM d"),
        ('CONNECTIONTYPE OGR CONNECTION "." DATA "d"', "ogr", "data", "d"),
        ('CONNECTIONTYPE OGR CONNECTION "nowhere.gpkg"', "ogr", "data/nowhere.gpkg", ""),
        ('CONNECTIONTYPE FLATGEOBUF DATA "x.fgb"', "ogr", "data/x.fgb", ""),
    ],
)  # fmt: skip
def test_paths(data: Path, write_map: MapWriter, text: str, kind: str, connection: str, layer: str) -> None:
    source = read_service(write_map(text, map_text='SHAPEPATH "data"')).layers[0].source
    assert (source.kind.value, source.connection, source.data) == (kind, str(data / connection), layer)


@pytest.mark.parametrize(
    "connection",
    [
        "PG:host=db dbname=x,y",
        "/vsizip/a.zip/b.shp",
        "<OGRVRTDataSource><OGRVRTLayer name='d'/></OGRVRTDataSource>",
        '{"type": "FeatureCollection", "features": []}',
        "CSV:obs.csv",
        "MySQL:db,host=x",
    ],
)
def test_connection_strings_are_no_paths(write_map: MapWriter, connection: str) -> None:
    quoted = connection.replace('"', '\\"')
    source = read_service(write_map(f'CONNECTIONTYPE OGR CONNECTION "{quoted}"')).layers[0].source
    assert (source.connection, source.data) == (connection, "")


def test_postgis(write_map: MapWriter) -> None:
    text = 'CONNECTIONTYPE PostGIS CONNECTION "host=db" DATA "geom FROM t USING UNIQUE id USING SRID=4326"'
    source = read_service(write_map(text)).layers[0].source
    assert source.kind is SourceKind.POSTGIS
    assert (source.connection, source.data) == ("host=db", "geom FROM t USING UNIQUE id USING SRID=4326")


def test_a_layer_without_data_is_no_reason_to_refuse_the_map(write_map: MapWriter) -> None:
    source = read_service(write_map("")).layers[0].source
    assert (source.kind, source.connection) == (SourceKind.SHAPEFILE, "")


@pytest.mark.parametrize(
    ("text", "shape"),
    [("line", ShapeType.LINE), ("POLYGON", ShapeType.POLYGON), ("query", ShapeType.POINT), ("'line'", ShapeType.LINE)],
)
def test_types(write_map: MapWriter, text: str, shape: ShapeType) -> None:
    assert read_service(write_map(f"TYPE {text}")).layers[0].source.shape is shape
