"""FlatGeobuf with date-times: their zones by GDAL's fast way, and the same as its slow way gives in everything else."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from osgeo import gdal, ogr

from mapsos.columns.batches import ColumnKind
from mapsos.sources.drivers.flatgeobuf import FlatGeobufReader, open_flatgeobuf, plain_times
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.pool import close_idle_readers
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.times import parse_period

ZONES = {
    "none": ["2001-10-30T14:24:55", "2001-10-31T00:30:00", "1999-02-28T12:00:00"],
    "utc": ["2001-10-30T14:24:55Z", "2001-10-31T00:30:00Z", "1999-02-28T12:00:00Z"],
    "ahead": ["2001-10-30T14:24:55+02:00", "2001-10-31T00:30:00+05:30", "1999-02-28T12:00:00+13:45"],
    "behind": ["2001-10-30T14:24:55-02:00", "2001-10-31T00:30:00-03:30", "1999-02-28T12:00:00-11:00"],
    "fractions": ["2001-10-30T14:24:55.25Z", "2001-10-31T00:30:00.125+02:00", "1999-02-28T12:00:00.75"],
    "mixed": [
        "2001-10-30T14:24:55", "2001-10-30T14:24:55Z", "2001-10-30T14:24:55+02:00", "2001-10-30T14:24:55-02:00",
        None, "2001-10-30T14:24:55.5+02:00", "2001-10-30T14:24:55Z", "2001-10-30T14:24:55.999",
    ],
}  # fmt: skip


def write_times(path: Path, driver: str, times: list[str | None], *options: str) -> LayerSource:
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = dataset.CreateLayer("readings", None, ogr.wkbPoint, list(options))
    for name, kind in (("t", ogr.OFTDateTime), ("n", ogr.OFTInteger), ("flag", ogr.OFTInteger)):
        field = ogr.FieldDefn(name, kind)
        if name == "flag":
            field.SetSubType(ogr.OFSTBoolean)
        layer.CreateField(field)
    for number, time in enumerate(times):
        feature = ogr.Feature(layer.GetLayerDefn())
        if time is not None:
            feature["t"] = time
        feature["n"] = number
        feature["flag"] = number % 3 == 0
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({number % 50} {number // 50})"))
        layer.CreateFeature(feature)
    dataset = layer = None
    return LayerSource("readings", SourceKind.OGR, str(path), "readings")


def read_column(source: LayerSource, name: str, of: str = "texts", **more: object) -> list[object]:
    with open_layer(source) as layer:
        query = LayerQuery(source, **{of: (name,)}, **more)  # type: ignore[arg-type]
        return [value for batch in layer.read(query) for value in getattr(batch, of)[name].to_pylist()]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("driver", ["GPKG", "SQLite", "FlatGeobuf", "GeoJSON"])
def test_zones_are_kept(tmp_path: Path, driver: str, zone: str) -> None:
    times = ZONES[zone]
    options = ["SPATIAL_INDEX=NO"] if driver == "FlatGeobuf" else []
    suffix = {"FlatGeobuf": "fgb"}.get(driver, driver.lower())
    source = write_times(tmp_path / f"times.{suffix}", driver, times, *options)
    assert read_column(source, "t") == times
    instants = read_column(source, "t", "values")
    for instant, time in zip(instants, times, strict=True):
        expected = pa.array([time], pa.large_string())
        assert pa.array([instant], pa.timestamp("us", "UTC")).equals(instants_of(expected))


def instants_of(texts: pa.Array) -> pa.Array:
    from mapsos.columns.iso_times import parse_texts

    begin, _, valid = parse_texts(texts)
    return pa.array(begin, pa.timestamp("us", "UTC"), mask=~valid)


@pytest.mark.parametrize("index", ["YES", "NO"])
def test_the_fast_way_gives_what_the_slow_one_gives(tmp_path: Path, index: str) -> None:
    times = [*ZONES["mixed"], *ZONES["fractions"]] * 40
    source = write_times(tmp_path / "ö & <times>.fgb", "FlatGeobuf", times, f"SPATIAL_INDEX={index}")
    slow = dataclasses.replace(source, native_filter="n >= 0")
    for name in ("t", "n", "flag"):
        assert read_column(source, name, batch_rows=64) == read_column(slow, name, batch_rows=64)
    box = p.BBox(3, 1, 7, 4)
    assert 0 < len(read_column(source, "n", predicate=box)) < 40
    assert read_column(source, "t", predicate=box) == read_column(slow, "t", predicate=box)
    week = p.Time("t", (parse_period("2001-10-29/2001-10-30"),))
    assert read_column(source, "n", predicate=week) == read_column(slow, "n", predicate=week)
    with open_layer(source) as fast, open_layer(slow) as other:
        assert fast.columns == other.columns
        assert fast.extent() == other.extent()
        assert fast.time_bounds("t") == other.time_bounds("t")


READ_PLACES = """
import sys
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery

source = LayerSource("readings", SourceKind.OGR, sys.argv[1], "readings", native_filter=sys.argv[2] or None)
for place in (p.BBox(80, 80, 81, 81), p.BBox(2.25, 0.25, 2.75, 0.75), p.BBox(2, 0, 3, 1), p.BBox(80, 80, 81, 81)):
    with open_layer(source) as layer:
        query = LayerQuery(source, texts=("t",), values=("n",), predicate=place)
        print(sorted(value for batch in layer.read(query) for value in batch.values["n"].to_pylist()))
"""


@pytest.mark.parametrize("native_filter", ["", "n >= 0"])
@pytest.mark.parametrize("index", ["YES", "NO"])
def test_a_place_without_rows_ends(tmp_path: Path, index: str, native_filter: str) -> None:
    """By a process of its own: a reading that does not end holds the whole process, without a way to stop it."""
    source = write_times(tmp_path / "times.fgb", "FlatGeobuf", ZONES["mixed"], f"SPATIAL_INDEX={index}")
    command = [sys.executable, "-c", READ_PLACES, source.connection, native_filter]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n") == ["[]", "[]", "[2, 3]", "[]", ""]


def test_only_date_times_are_shown_as_text(tmp_path: Path) -> None:
    source = write_times(tmp_path / "times.fgb", "FlatGeobuf", ZONES["mixed"])
    reader = open_flatgeobuf(source)
    assert isinstance(reader, FlatGeobufReader)
    assert {name: column.column.kind for name, column in reader.columns.items()} == {
        "t": ColumnKind.DATETIME,
        "n": ColumnKind.INTEGER,
        "flag": ColumnKind.BOOLEAN,
    }
    assert reader.known_extent == (0, 0, 7, 0)
    reader.close()
    for other in (
        dataclasses.replace(source, native_filter="n > 1"),
        dataclasses.replace(source, data="SELECT * FROM readings"),
    ):
        plain = open_flatgeobuf(other)
        assert type(plain) is OgrReader
        plain.close()


def test_the_layer_may_be_named_by_its_file(tmp_path: Path) -> None:
    source = write_times(tmp_path / "times.fgb", "FlatGeobuf", ZONES["utc"])
    for data in ("readings", "", "0"):
        assert len(read_column(dataclasses.replace(source, data=data), "t")) == 3
    with pytest.raises(SourceError):
        open_layer(dataclasses.replace(source, data="elsewhere"))


def test_nothing_is_left_in_memory(tmp_path: Path) -> None:
    source = write_times(tmp_path / "times.fgb", "FlatGeobuf", ZONES["utc"])
    close_idle_readers()
    before = gdal.ReadDirRecursive("/vsimem/") or []
    read_column(source, "t")
    with pytest.raises(SourceError):
        open_layer(dataclasses.replace(source, data="elsewhere"))
    close_idle_readers()
    assert [name for name in gdal.ReadDirRecursive("/vsimem/") or [] if name not in before and "header" in name] == []


@pytest.mark.parametrize("cut", [3, 10, 12, 40, 200])
def test_a_file_that_is_cut_off_is_an_error(tmp_path: Path, cut: int) -> None:
    source = write_times(tmp_path / "times.fgb", "FlatGeobuf", ZONES["mixed"])
    os.truncate(source.connection, cut)
    with pytest.raises(SourceError):
        read_column(source, "t")


@pytest.mark.parametrize("place", [8, 12, 14, 16, 24, 60, 100])
def test_a_broken_header_is_an_error_or_read_as_gdal_reads_it(tmp_path: Path, place: int) -> None:
    source = write_times(tmp_path / "times.fgb", "FlatGeobuf", ZONES["mixed"])
    content = bytearray(Path(source.connection).read_bytes())
    content[place : place + 2] = b"\xff\xff"
    Path(source.connection).write_bytes(content)
    with contextlib.suppress(SourceError):
        assert len(read_column(source, "n")) <= len(ZONES["mixed"])


def test_texts_in_other_forms_are_read_as_gdal_reads_them() -> None:
    texts = [
        "2001-10-30T14:24:55Z", "2001-10-30 14:24:55+02", "2001/10/30 14:24", "2001-10-30", "bogus", None,
        "2001-13-30T14:24:55Z", "2001-10-30T14:24:55.123456+02:00", "", "2001-10-30 14:24:55+02",
    ]  # fmt: skip
    assert plain_times(pa.array(texts)).to_pylist() == [
        "2001-10-30T14:24:55Z", "2001/10/30 14:24:55+02", "2001/10/30 14:24:00", "2001/10/30 00:00:00", None, None,
        None, "2001-10-30T14:24:55.123456+02:00", None, "2001/10/30 14:24:55+02",
    ]  # fmt: skip
    standard = pa.array(texts[:1], pa.large_string())
    assert plain_times(standard).buffers()[2].address == standard.buffers()[2].address
