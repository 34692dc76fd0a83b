"""Readings of the same layer that one thread opened and that run interleaved, or at once: each has all of its rows."""

import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest
from osgeo import ogr

from mapsos.sources.drivers.vrt import open_by_gdal
from mapsos.sources.reader import ReadPlan
from mapsos.terms.layer_source import LayerSource, SourceKind

ROWS = 40
FORMATS = {
    "fgb": ("FlatGeobuf", ["SPATIAL_INDEX=NO"]),
    "csv": ("CSV", ["CREATE_CSVT=YES", "GEOMETRY=AS_WKT"]),
    "gpkg": ("GPKG", []),
    "geojson": ("GeoJSON", []),
}
SELECT = "SELECT * FROM observations"
BY_LAYER = "<SrcLayer>observations</SrcLayer>"
BY_SELECT = f"<SrcSQL>{SELECT}</SrcSQL>"


def inner(path: Path, by: str, sharing: str = "") -> str:
    return (
        f'<OGRVRTLayer name="observations"><SrcDataSource{sharing}>{path}</SrcDataSource>{by}</OGRVRTLayer>'
    )


def vrt(layers: str) -> str:
    return f"<OGRVRTDataSource>{layers}</OGRVRTDataSource>"


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    driver, options = FORMATS[request.param]
    made = tmp_path / f"observations.{request.param}"
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(made))
    layer = dataset.CreateLayer("observations", None, ogr.wkbPoint, options)
    layer.CreateField(ogr.FieldDefn("id", ogr.OFTInteger))
    layer.CreateField(ogr.FieldDefn("at", ogr.OFTDateTime))
    for number in range(ROWS):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetField("id", number)
        feature.SetField("at", f"2001-10-{1 + number // 24:02}T{number % 24:02}:00:00")
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({number} {number})"))
        layer.CreateFeature(feature)
    del feature, layer, dataset
    return made


@pytest.mark.parametrize("columns", [("id",), ("id", "at")], ids="+".join)
@pytest.mark.parametrize("kind", ["select", "vrt", "vrt-select", "union", "nested", "nested-relative", "select-of-vrt"])
def test_two_readings_interleaved(path: Path, kind: str, columns: tuple[str, ...]) -> None:
    nested = path.with_name("inner.vrt")
    nested.write_text(vrt(inner(Path(path.name), BY_SELECT, ' relativeToVRT="1" shared="1"')))
    outer = path.with_name("outer.vrt")
    outer.write_text(vrt(inner(Path("inner.vrt"), BY_SELECT, ' relativetovrt="1"')))
    connection, data = {
        "select": (str(path), SELECT),
        "vrt": (vrt(inner(path, BY_LAYER)), ""),
        "vrt-select": (vrt(inner(path, BY_SELECT)), ""),
        "union": (vrt(f'<OGRVRTUnionLayer name="observations">{inner(path, BY_SELECT)}</OGRVRTUnionLayer>'), ""),
        "nested": (vrt(inner(nested, BY_SELECT)), ""),
        "nested-relative": (str(outer), ""),
        "select-of-vrt": (str(outer), SELECT),
    }[kind]
    source = LayerSource("observations", SourceKind.OGR, connection, data)
    readers = open_by_gdal(source), open_by_gdal(source)
    plan = ReadPlan(columns, False, batch_rows=2, first_rows=2)
    found: tuple[list[object], list[object]] = [], []
    for step in zip_longest(*(reader.rows(plan) for reader in readers)):
        for ids, rows in zip(found, step, strict=True):
            ids += rows.texts("id").to_pylist() if rows is not None else ()
    for reader in readers:
        reader.close()
    assert found == ([str(number) for number in range(ROWS)],) * 2


READ_AT_ONCE = """
import sys, threading
from mapsos.sources.drivers.vrt import open_by_gdal
from mapsos.sources.reader import ReadPlan
from mapsos.terms.layer_source import LayerSource, SourceKind

source = LayerSource("a", SourceKind.OGR, *sys.argv[1:])
readers = [open_by_gdal(source) for _ in range(4)]
found = [[] for _ in readers]

def read(reader, names):
    for rows in reader.rows(ReadPlan(("id", "name"), False, batch_rows=500)):
        names += rows.texts("name").to_pylist()

threads = [threading.Thread(target=read, args=pair) for pair in zip(readers, found)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([names == [f"n{number % 7}" for number in range(20000)] for names in found])
"""


@pytest.mark.parametrize("kind", ["select", "vrt"])
def test_four_threads_join_another_data_source(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.csv").write_text("id,station\n" + "".join(f"{number},s{number % 7}\n" for number in range(20000)))
    (tmp_path / "b.csv").write_text("station,name\n" + "".join(f"s{number},n{number}\n" for number in range(7)))
    select = f"SELECT a.id, b.name AS name FROM a LEFT JOIN '{tmp_path}/b.csv'.b ON a.station = b.station"
    path = tmp_path / "a.csv"
    connection, data = (str(path), select) if kind == "select" else (vrt(inner(path, f"<SrcSQL>{select}</SrcSQL>")), "")
    # It used to crash the process.
    run = subprocess.run([sys.executable, "-c", READ_AT_ONCE, connection, data], capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("[True, True, True, True]\n", 0), run.stderr
