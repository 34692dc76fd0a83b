"""Layers: columns, batches, summaries, failures, and what is left open."""

from __future__ import annotations

import dataclasses
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.errors import SourceError, mask_passwords
from mapsos.sources.filtering.pushdown import narrow
from mapsos.sources.identity import identity
from mapsos.sources.layer import open_layer
from mapsos.sources.pool import close_idle_readers
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.times import Interval, parse_period, parse_time

from .conftest import keeps_empty_rows, write_layer

WEB = Crs("EPSG:3857", "EPSG:3857")


def whole(source: LayerSource, **more: object) -> list[Batch]:
    with open_layer(source) as layer:
        return list(layer.read(LayerQuery(source, **more)))  # type: ignore[arg-type]


def column(batches: list[Batch], name: str, of: str = "texts") -> list[object]:
    return [value for batch in batches for value in getattr(batch, of)[name].to_pylist()]


def has_empty_row(driver: str) -> bool:
    return not driver.startswith("fgb") or keeps_empty_rows()


def without_empty(driver: str, values: list[object]) -> list[object]:
    """The values without row 5, which GDAL before 3.7 leaves out of a FlatGeobuf of points."""
    return values if has_empty_row(driver) else values[:4] + values[5:]


def test_columns_are_the_sources(source: LayerSource, driver: str) -> None:
    with open_layer(source) as layer:
        found = {column.name: column.kind for column in layer.columns if column.name != "WKT"}
        assert list(found) == ["id", "name", "count", "big", "value", "flag", "day", "at", "written"]
        assert layer.has_geometry
        assert layer.find_column("VALUE") == layer.find_column("value")
        assert layer.find_column("fid") is None
        assert layer.find_column("geom") is None
    assert found["name"] is ColumnKind.TEXT
    assert found["big"] is ColumnKind.INTEGER
    assert found["value"] is ColumnKind.REAL
    if driver not in ("shp", "shp-ogr"):
        assert found["at"] is ColumnKind.DATETIME
        assert found["flag"] is ColumnKind.BOOLEAN


REALS = ["89.9", "0.3", "1e-07", "1e+20", None, "0.333333333333333", "-0", "123456789.123457", "2.5"]
INSTANTS = [
    "2001-10-30T14:24:55Z",
    "2001-10-31T00:30:00+02:00",
    "2000-12-31T23:59:59.75Z",
    "1999-02-28T12:00:00",
    None,
    "2001-01-01T05:00:00+05:30",
    "2001-10-30T23:00:00-03:00",
    "2001-10-29T00:00:00Z",
    "2001-11-05T00:00:00Z",
]


def test_value_texts_are_the_references(source: LayerSource, driver: str) -> None:
    names = ("id", "name", "count", "big", "value", "flag", "day", "at")
    batches = whole(source, texts=names, values=("value", "big"), batch_rows=4)
    assert all(batch.rows <= 4 for batch in batches)
    for batch in batches:
        assert all(texts.type == pa.large_string() and len(texts) == batch.rows for texts in batch.texts.values())
        assert batch.values["value"].type == pa.float64()
        assert batch.values["big"].type == pa.int64()
    if driver == "vrt":
        batches = whole(source, texts=names, predicate=p.Compare("id", "<>", "5"))
        instants, reals = INSTANTS[:4] + INSTANTS[5:], REALS[:4] + REALS[5:]
    else:
        instants, reals = without_empty(driver, INSTANTS), without_empty(driver, REALS)
    bigs = ["12345678901", "9007199254740993"]
    assert column(batches, "big")[:2] == bigs
    if driver in ("shp", "shp-ogr"):
        assert column(batches, "value")[:2] == ["89.900000000000006", "0.300000000000000"]
    else:
        assert column(batches, "at") == instants
        if driver.startswith(("gpkg", "sqlite")):
            # SQLite does not keep the sign of zero.
            reals = ["0" if text == "-0" else text for text in reals]
        assert column(batches, "value") == reals
        # FlatGeobuf has no dates without a time.
        assert column(batches, "day")[0] == ("2001-10-30T00:00:00" if driver.startswith("fgb") else "2001-10-30")
        assert column(batches, "flag")[:2] == ["1", "0"]
    assert column(batches, "name")[3] == "Ünïcödé ☃"


def test_a_shapefiles_texts_are_those_in_the_file(sources: dict[str, LayerSource]) -> None:
    batches = whole(sources["shp"], texts=("count", "value", "flag", "day", "name"), values=("count", "day"))
    assert column(batches, "count")[:5] == ["5", "-3", "0", "7", None]
    assert column(batches, "count", "values")[4] is None
    assert column(batches, "day")[3:5] == ["19990228", None]
    assert column(batches, "value")[4] is None
    assert column(batches, "name")[4] is None


def test_deleted_records_are_no_rows(sources: dict[str, LayerSource], tmp_path: Path) -> None:
    stem = Path(sources["shp"].connection).with_suffix("")
    for part in stem.parent.iterdir():
        shutil.copy(part, tmp_path)
    table = bytearray((tmp_path / f"{stem.name}.dbf").read_bytes())
    start, width = int.from_bytes(table[8:10], "little"), int.from_bytes(table[10:12], "little")
    table[start + width] = ord("*")
    (tmp_path / f"{stem.name}.dbf").write_bytes(table)
    source = dataclasses.replace(sources["shp"], connection=str(tmp_path / stem.name))
    assert column(whole(source, texts=("id",)), "id") == ["1", "3", "4", "5", "6", "7", "8", "9"]
    assert column(whole(source, texts=("id",), geometry=True), "id") == ["1", "3", "4", "5", "6", "7", "8", "9"]


def test_geometry_comes_in_the_crs_that_was_asked_for(source: LayerSource, driver: str) -> None:
    first = whole(source, geometry=True, predicate=p.Compare("id", "=", "1"))[0]
    assert first.geometry is not None
    assert first.geometry.point_coordinates().tolist() == [[-75.0, 45.0]]  # type: ignore[union-attr]
    moved = whole(source, geometry=True, crs=WEB, predicate=p.Compare("id", "=", "1"))[0]
    assert moved.geometry is not None
    assert np.allclose(moved.geometry.point_coordinates(), [[-8348961.8092957, 5621521.4861920]])
    assert whole(source, texts=("id",), predicate=p.BBox(-75, 45, -75, 45))[0].geometry is None


def test_summaries(source: LayerSource, driver: str) -> None:
    with open_layer(source) as layer:
        known = p.Compare("id", "<>", "5")
        assert layer.distinct("name", p.Compare("count", ">", "6")) == (
            "Ünïcödé ☃", "a%b_c\\d", "12.50", 'x" OR "1"="1', "two\nlines",
        )  # fmt: skip
        assert layer.count(known) == 8
        assert layer.count() == (9 if has_empty_row(driver) else 8)
        assert layer.extent() == (-75.0, -5.5, 180.0, 90.0)
        assert layer.extent(p.NOTHING) is None
        bounds = layer.extent(p.Compare("id", "=", "1"), WEB)
        assert bounds is not None
        assert bounds[:2] == pytest.approx((-8348961.8092957, 5621521.4861920))
        days = layer.time_bounds("day")
        assert days == Interval(parse_time("1999-02-28").begin, parse_time("2001-11-05").begin + 1)
        written = layer.time_bounds("written")
        assert written == Interval(parse_time("1999").begin, parse_time("2001-10-31").begin + 1)
        assert layer.time_bounds("name") is None
        newest = layer.extreme_times("day", "flag", known)
        oldest = layer.extreme_times("day", None, known, newest=False)
    assert max(newest.values()).begin == parse_time("2001-11-05").begin
    assert oldest[""].begin == parse_time("1999-02-28").begin


def test_distinct_has_an_empty_text_for_null(sources: dict[str, LayerSource]) -> None:
    with open_layer(sources["gpkg"]) as layer:
        assert layer.distinct("flag") == ("1", "0", "")


def test_inline_features(inline: LayerSource) -> None:
    batches = whole(inline, texts=("id", "value"), geometry=True)
    assert column(batches, "value") == ["5.5", None]
    assert batches[0].geometry is not None
    assert [shape.wkt for shape in batches[0].geometry.shapes()] == ["POINT (1 2)", "MULTIPOINT ((3 4), (5 6))"]
    assert column(whole(inline, texts=("id",), predicate=p.Compare("value", ">", "5")), "id") == ["1"]


def test_date_times_whose_first_row_is_null_keep_their_zones(tmp_path: Path) -> None:
    for extension, driver in (("gpkg", "GPKG"), ("sqlite", "SQLite"), ("geojson", "GeoJSON")):
        from .conftest import ROWS

        path = tmp_path / f"null.{extension}"
        write_layer(path, driver, [], (ROWS[4], ROWS[1]))
        source = LayerSource("null", SourceKind.OGR, str(path))
        assert column(whole(source, texts=("at",)), "at") == [None, "2001-10-31T00:30:00+02:00"]
        instant = column(whole(source, values=("at",)), "at", "values")[1]
        assert instant.isoformat() == "2001-10-30T22:30:00+00:00"  # type: ignore[attr-defined]


@pytest.mark.parametrize("extension", ["gpkg", "sqlite", "fgb", "geojson", "csv"])
def test_each_column_alone_is_as_in_its_features(tmp_path: Path, extension: str) -> None:
    import random

    from osgeo import ogr

    from .conftest import DRIVERS, ROWS

    dice = random.Random(7)
    rows = tuple(
        dataclasses.replace(
            ROWS[0], id=number, flag=dice.choice((True, False, None)), value=dice.choice((None, 1.5, -number / 7))
        )
        for number in range(700)
    )
    path = tmp_path / f"many.{extension}"
    write_layer(path, *DRIVERS[extension], rows)
    dataset = ogr.Open(str(path))
    features = list(dataset.GetLayer(0))
    source = LayerSource("many", SourceKind.OGR, str(path))
    for name in ("id", "name", "count", "big", "value", "flag"):
        expected = [
            feature.GetFieldAsString(name) if feature.IsFieldSetAndNotNull(name) else None for feature in features
        ]
        assert column(whole(source, texts=(name,), batch_rows=100), name) == expected
    del features, dataset


@pytest.mark.parametrize("extension", ["gpkg", "shp", "fgb", "geojson"])
def test_what_cannot_be_read_is_an_error_that_shows_no_path(
    sources: dict[str, LayerSource], tmp_path: Path, extension: str, capfd: pytest.CaptureFixture[str]
) -> None:
    missing = dataclasses.replace(sources[extension], connection=str(tmp_path / f"missing.{extension}"))
    (tmp_path / f"broken.{extension}").write_bytes(b"no such format" * 50)
    broken = dataclasses.replace(sources[extension], connection=str(tmp_path / f"broken.{extension}"))
    for source in (missing, broken):
        with pytest.raises(SourceError) as caught:
            open_layer(source)
        assert caught.value.message == "data source of layer observations cannot be read"
    assert capfd.readouterr() == ("", "")


def test_a_layer_or_column_that_is_not_there_is_an_error(sources: dict[str, LayerSource]) -> None:
    with pytest.raises(SourceError):
        open_layer(dataclasses.replace(sources["gpkg"], data="elsewhere"))
    with open_layer(sources["gpkg"]) as layer, pytest.raises(SourceError):
        list(layer.read(LayerQuery(sources["gpkg"], texts=("nothing",))))
    unusable = dataclasses.replace(sources["gpkg"], row_filter=p.Matches("name", "(["))
    with open_layer(unusable) as layer, pytest.raises(SourceError, match="regular expression"):
        list(layer.read(LayerQuery(unusable, texts=("id",))))


def test_a_crs_that_proj_does_not_know_is_an_error_of_the_source(source: LayerSource) -> None:
    nowhere = Crs("EPSG:999999", "EPSG:999999")
    unusable = dataclasses.replace(source, crs=nowhere)
    area = p.BBox(-180, -90, 180, 90, "EPSG:4326")
    near = p.Spatial("dwithin", bytes.fromhex("0101000000") + bytes(16), None, 1.0, "m")
    with open_layer(unusable) as layer:
        readings = (
            lambda: list(layer.read(LayerQuery(unusable, geometry=True, crs=WEB))),
            lambda: list(layer.read(LayerQuery(unusable, texts=("id",), predicate=area))),
            lambda: list(layer.read(LayerQuery(unusable, texts=("id",), predicate=area), push_down=False)),
            lambda: list(layer.read(LayerQuery(unusable, texts=("id",), predicate=near))),
            lambda: layer.extent(crs=WEB),
            lambda: layer.group_facts("name", crs=WEB),
        )
        for reading in readings:
            with pytest.raises(SourceError) as caught:
                reading()
            assert caught.value.message == "data source of layer observations cannot be read"
            assert "EPSG:999999" in caught.value.detail


def test_a_locked_database_is_an_error(sources: dict[str, LayerSource], tmp_path: Path) -> None:
    path = tmp_path / "locked.gpkg"
    shutil.copy(sources["gpkg"].connection, path)
    writer = sqlite3.connect(path, isolation_level=None)
    try:
        writer.execute("PRAGMA locking_mode = EXCLUSIVE")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError):
            whole(dataclasses.replace(sources["gpkg"], connection=str(path)), texts=("id",))
    finally:
        writer.close()


def test_passwords_are_masked() -> None:
    assert mask_passwords("PG:host=a password=hunter2 user=b") == "PG:host=a password=*** user=b"
    assert mask_passwords("password='a b' x") == "password=*** x"
    assert mask_passwords("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"


def test_a_question_to_a_shapefile_needs_no_gdal(sources: dict[str, LayerSource]) -> None:
    """It costs a CGI process 0.1 s, and there is no database to ask."""
    code = f"""import sys
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.sources.layer import open_layer
with open_layer(LayerSource("layer", SourceKind.SHAPEFILE, {sources["shp"].connection!r})) as layer:
    assert layer.distinct("name") and layer.time_bounds("day") and layer.count()
sys.exit("osgeo" in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def open_files() -> int:
    """How many files are open besides those of readers that are kept for the next question."""
    close_idle_readers()
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_nothing_stays_open(source: LayerSource) -> None:
    whole(source, texts=("id",))
    before = open_files()
    with open_layer(source) as layer:
        reading = layer.read(LayerQuery(source, texts=("id", "at"), geometry=True, batch_rows=2))
        next(reading)
        reading.close()
        assert open_files() == before
        layer.count()
    assert open_files() == before
    with pytest.raises(SourceError), open_layer(source) as layer:
        list(layer.read(LayerQuery(source, texts=("nothing",))))
    assert open_files() == before


def test_readings_run_side_by_side(source: LayerSource) -> None:
    expected = column(whole(source, texts=("id", "at")), "at")
    with open_layer(source) as layer:
        query = LayerQuery(source, texts=("id", "at"), batch_rows=2)
        one, other = layer.read(query), layer.read(query)
        assert next(one).texts["id"].equals(next(other).texts["id"])
        one.close()
        other.close()
        found: list[list[object]] = []

        def read() -> None:
            found.append([value for batch in layer.read(query) for value in batch.texts["at"].to_pylist()])

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [expected] * 4


def test_identity_follows_the_data(sources: dict[str, LayerSource], tmp_path: Path, inline: LayerSource) -> None:
    path = tmp_path / "data.gpkg"
    shutil.copy(sources["gpkg"].connection, path)
    source = dataclasses.replace(sources["gpkg"], connection=str(path))
    first = identity(source)
    assert first is not None
    assert identity(source) == first
    (tmp_path / "data.gpkg-wal").write_bytes(b"x")
    assert identity(source) != first
    assert identity(inline) is not None
    assert identity(dataclasses.replace(source, kind=SourceKind.POSTGIS, connection="dbname=x")) is None
    assert identity(sources["vrt"]) is None


def test_one_station_and_one_week_use_the_index(tmp_path: Path) -> None:
    path = tmp_path / "indexed.gpkg"
    write_layer(path, "GPKG", [])
    database = sqlite3.connect(path)
    database.execute("CREATE INDEX by_name ON observations (name, at)")
    database.execute("CREATE INDEX by_written ON observations (written)")
    database.commit()
    source = LayerSource("observations", SourceKind.OGR, str(path))
    week = parse_period("2001-10-28/2001-11-03")
    reader = OgrReader(source)
    try:
        for predicate, index in (
            (p.all_of(p.OneOf("name", ("S1",)), p.Time("at", (week,))), "by_name (name=?"),
            (p.Time("written", (week,)), "MULTI-INDEX OR"),
            (p.BBox(-76, 44, -74, 46), "rtree"),
        ):
            narrowing = narrow(predicate, reader, None)
            statement = reader.write_select(["id"], False, narrowing.condition, narrowing, {})
            plan = " ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}"))
            assert index in plan or (index == "rtree" and "VIRTUAL TABLE INDEX" in plan)
            assert "SCAN observations" not in plan
    finally:
        reader.close()
        database.close()
