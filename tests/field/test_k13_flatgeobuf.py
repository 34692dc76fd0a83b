"""K13: a FlatGeobuf in which features lack geometries, as GDAL 3.7 and later write it, is read as its features are."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

import pytest
from osgeo import gdal, ogr

from mapsos.sources.drivers import flatgeobuf
from mapsos.sources.drivers.flatgeobuf import FlatGeobufReader, open_flatgeobuf
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind

ROWS = 40
TIMES = ("2001-10-30T14:24:55+02:00", "2001-10-31T00:30:00Z", "2001-10-31T00:30:00-03:30")
LACKING = {
    "the first": {0}, "the last": {ROWS - 1}, "one": {17}, "two in a row": {8, 9},
    "every third": set(range(0, ROWS, 3)), "all": set(range(ROWS)), "none": set(),
}  # fmt: skip

Row = tuple[int, str, tuple[float, float] | None]


def write(path: Path, lacking: set[int], times: bool) -> list[Row]:
    """Write a file without an index, and return its rows."""
    dataset = gdal.GetDriverByName("FlatGeobuf").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("readings", None, ogr.wkbPoint, ["SPATIAL_INDEX=NO"])
    layer.CreateField(ogr.FieldDefn("n", ogr.OFTInteger))
    layer.CreateField(ogr.FieldDefn("at", ogr.OFTDateTime if times else ogr.OFTString))
    rows: list[Row] = []
    for number in range(ROWS):
        feature = ogr.Feature(layer.GetLayerDefn())
        time, point = TIMES[number % 3], (float(number), number / 2)
        feature["n"], feature["at"] = number, time
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({point[0]} {point[1]})"))
        layer.CreateFeature(feature)
        rows.append((number, time, None if number in lacking else point))
    del layer, dataset
    forget_geometries(path, lacking)
    return rows


def forget_geometries(path: Path, lacking: set[int]) -> None:
    """Take the geometry out of the table of features: GDAL 3.6 does not write such features."""
    content = bytearray(path.read_bytes())
    place = 12 + struct.unpack_from("<I", content, 8)[0]
    for number in range(ROWS):
        table = place + 4 + struct.unpack_from("<I", content, place + 4)[0]
        directory = table - struct.unpack_from("<i", content, table)[0]
        if number in lacking:
            struct.pack_into("<H", content, directory + 4, 0)
        place += 4 + struct.unpack_from("<I", content, place)[0]
    assert place == len(content)
    path.write_bytes(content)


def read(source: LayerSource, **more: object) -> list[Row]:
    rows: list[Row] = []
    with open_layer(source) as layer:
        query = LayerQuery(source, values=("n",), texts=("at",), geometry=True, **more)  # type: ignore[arg-type]
        for batch in layer.read(query):
            assert batch.geometry is not None
            points = [None if shape is None else (shape.x, shape.y) for shape in batch.geometry.shapes()]
            rows += zip(batch.values["n"].to_pylist(), batch.texts["at"].to_pylist(), points, strict=True)
    return rows


@pytest.mark.parametrize("batch_rows", [1, 7, ROWS, 1000])
@pytest.mark.parametrize("times", [True, False], ids=["times", "texts"])
@pytest.mark.parametrize("lacking", LACKING)
def test_rows_are_those_of_the_features(tmp_path: Path, lacking: str, times: bool, batch_rows: int) -> None:
    path = tmp_path / "readings.fgb"
    rows = write(path, LACKING[lacking], times)
    source = LayerSource("readings", SourceKind.OGR, str(path), "readings")
    assert read(source, batch_rows=batch_rows) == rows
    assert read(source, batch_rows=batch_rows, limit=12) == rows[:12]


@pytest.mark.parametrize("times", [True, False], ids=["times", "texts"])
def test_conditions(tmp_path: Path, times: bool) -> None:
    path = tmp_path / "readings.fgb"
    rows = write(path, {3, 17, 30}, times)
    plain = LayerSource("readings", SourceKind.OGR, str(path), "readings")
    many = [row for row in rows if row[0] > 10]
    for source in (
        plain,
        dataclasses.replace(plain, data="SELECT * FROM readings"),
        dataclasses.replace(plain, data="SELECT n, at FROM readings WHERE n >= 0"),
    ):
        assert read(source, predicate=p.Compare("n", ">", "10")) == many
        assert read(dataclasses.replace(source, native_filter="n > 10")) == many
        assert read(source, predicate=p.BBox(10.5, 0, 20.5, 100)) == [row for row in rows[11:21] if row[2]]
        with open_layer(source) as layer:
            assert layer.extent() == (0.0, 0.0, ROWS - 1.0, (ROWS - 1) / 2)
            assert layer.count() == ROWS


def test_a_table_without_geometries_has_no_row_in_a_box(tmp_path: Path) -> None:
    """GDAL since 3.7 refuses a rectangle there."""
    (tmp_path / "plain.csv").write_text("n,at\n1,2001-10-30\n")
    source = LayerSource("plain", SourceKind.OGR, str(tmp_path / "plain.csv"), "plain")
    with open_layer(source) as layer:
        assert list(layer.read(LayerQuery(source, values=("n",), predicate=p.BBox(0, 0, 1, 1)))) == []


def test_another_column_type_than_declared_is_read_the_slow_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GDAL that does not see the header which is shown to it."""
    path = tmp_path / "readings.fgb"
    rows = write(path, {17}, times=True)
    source = LayerSource("readings", SourceKind.OGR, str(path), "readings")
    assert isinstance(open_flatgeobuf(source), FlatGeobufReader)

    def declare_nothing(start: bytes) -> tuple[bytes, tuple[str, ...]]:
        return start, ("at",)

    monkeypatch.setattr(flatgeobuf, "_declare_texts", declare_nothing)
    reader = open_flatgeobuf(source)
    assert type(reader) is OgrReader
    reader.close()
    assert read(source) == rows
