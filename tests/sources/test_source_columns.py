"""Texts of every type of column beside those of OGR's own features, and character sets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest
from osgeo import gdal, ogr

from mapsos.columns.parse_numbers import parse_integers, parse_numbers
from mapsos.columns.texts import utf8_texts
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms.layer_source import LayerSource, SourceKind

PROPERTIES = (
    {
        "number": 1, "long": 12345678901, "real": 0.1, "yes": True, "text": 'a"b', "clock": "10:11:12",
        "numbers": [1, 2], "reals": [1.5, 2.25, 0.1], "texts": ["a", "b,c"], "object": {"x": 1},
        "longs": [1, 12345678901],
    },
    {
        "number": None, "long": None, "real": 1e20, "yes": False, "text": "é", "clock": None,
        "numbers": [], "reals": [1], "texts": [], "object": None, "longs": None,
    },
)  # fmt: skip


def read_texts(source: LayerSource) -> dict[str, list[str | None]]:
    with open_layer(source) as layer:
        names = tuple(column.name for column in layer.columns)
        (batch,) = layer.read(LayerQuery(source, texts=names))
    return {name: batch.texts[name].to_pylist() for name in names}


def test_every_type_is_written_as_its_features_are(tmp_path: Path) -> None:
    path = tmp_path / "types.geojson"
    features = [{"type": "Feature", "properties": properties, "geometry": None} for properties in PROPERTIES]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    dataset = ogr.Open(str(path))
    expected = {
        name: [
            feature.GetFieldAsString(name) if feature.IsFieldSetAndNotNull(name) else None
            for feature in dataset.GetLayer(0)
        ]
        for name in PROPERTIES[0]
    }
    assert read_texts(LayerSource("types", SourceKind.OGR, str(path))) == expected


def test_columns_with_a_width_have_fixed_decimals(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text("value,plain\n1.5,1.5\n0.333333333,0.333333333\n")
    (tmp_path / "wide.csvt").write_text('"Real(10.2)","Real"\n')
    texts = read_texts(LayerSource("wide", SourceKind.OGR, str(tmp_path / "wide.csv")))
    assert texts == {"value": ["1.50", "0.33"], "plain": ["1.5", "0.333333333"]}


def test_the_layers_encoding_is_converted(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("name,n\nMünster,1\nplain,2\n".encode("latin-1"))
    source = LayerSource("latin", SourceKind.OGR, str(tmp_path / "latin.csv"), encoding="ISO-8859-1")
    assert read_texts(source) == {"name": ["Münster", "plain"], "n": ["1", "2"]}
    assert read_texts(dataclasses.replace(source, encoding=None))["name"] == ["M\ufffdnster", "plain"]
    with pytest.raises(SourceError):
        open_layer(dataclasses.replace(source, encoding="no-such-set"))


@pytest.mark.parametrize(("option", "encoding"), [("ISO-8859-1", None), ("UTF-8", None), ("UTF-8", "UTF-8")])
def test_a_table_says_its_encoding(tmp_path: Path, option: str, encoding: str | None) -> None:
    path = tmp_path / "named.shp"
    dataset = gdal.GetDriverByName("ESRI Shapefile").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("named", None, ogr.wkbPoint, [f"ENCODING={option}"])
    layer.CreateField(ogr.FieldDefn("Name", ogr.OFTString))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature["Name"] = "Münster"
    feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT (1 2)"))
    layer.CreateFeature(feature)
    del feature, layer, dataset
    source = LayerSource("named", SourceKind.SHAPEFILE, str(path), encoding=encoding)
    assert read_texts(source) == {"Name": ["Münster"]}


@pytest.mark.parametrize("kind", ["LINESTRING (0 0, 1 1)", "POLYGON ((0 0, 4 0, 4 4, 0 0))", "POINT Z (1 2 3)"])
def test_shapefiles_of_other_shapes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "shapes.shp"
    dataset = gdal.GetDriverByName("ESRI Shapefile").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    shape = ogr.CreateGeometryFromWkt(kind)
    layer = dataset.CreateLayer("shapes", None, shape.GetGeometryType())
    layer.CreateField(ogr.FieldDefn("id", ogr.OFTInteger))
    for number in range(5):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["id"] = number
        feature.SetGeometry(shape if number != 2 else None)
        layer.CreateFeature(feature)
    del feature, layer, dataset
    source = LayerSource("shapes", SourceKind.SHAPEFILE, str(path))
    with open_layer(source) as layer:
        batches = list(layer.read(LayerQuery(source, texts=("id",), geometry=True, batch_rows=2)))
    assert [text for batch in batches for text in batch.texts["id"].to_pylist()] == ["0", "1", "2", "3", "4"]
    present = [bool(there) for batch in batches if batch.geometry is not None for there in batch.geometry.present()]
    assert present == [True, True, False, True, True]


def test_texts_as_numbers() -> None:
    texts = pa.array(
        ["1", " 2.5 ", "+3", "1e3", ".5", "5.", "", "x", "0x10", "nan", "inf", "1 2", None], pa.large_string()
    )
    assert parse_numbers(texts).to_pylist() == [1, 2.5, 3, 1000, 0.5, 5, None, None, None, None, None, None, None]
    whole = pa.array(["9007199254740993", "12.7", "x", None, "1e30", "7.0", "2e3"], pa.large_string())
    assert parse_integers(whole).to_pylist() == [9007199254740993, None, None, None, None, 7, 2000]


def test_text_that_is_not_utf8_is_repaired() -> None:
    raw = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a\xff", b"ok"], pa.binary()).buffers())
    assert utf8_texts(raw).to_pylist() == ["a\ufffd", "ok"]
    assert utf8_texts(raw, "latin-1").to_pylist() == ["aÿ", "ok"]
