"""One table of awkward rows, written in every driver's format."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal, ogr, osr

from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import InlineFeature, LayerSource, ShapeType, SourceKind

gdal.UseExceptions()
ogr.UseExceptions()

WGS84 = Crs("EPSG:4326", "EPSG:4326")


@cache
def keeps_empty_rows() -> bool:
    """Whether this GDAL writes a row without geometry to a FlatGeobuf of points: since 3.7 it does."""
    path = "/vsimem/rows.fgb"
    dataset = gdal.GetDriverByName("FlatGeobuf").Create(path, 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("rows", None, ogr.wkbPoint, ["SPATIAL_INDEX=NO"])
    for geometry in (None, ogr.CreateGeometryFromWkt("POINT (1 2)")):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(geometry)
        layer.CreateFeature(feature)
    del layer, dataset
    dataset = gdal.OpenEx(path)
    count = len(list(dataset.GetLayer(0)))
    del dataset
    gdal.Unlink(path)
    return count == 2


@dataclass(frozen=True)
class Row:
    id: int
    name: str | None
    count: int | None
    big: int | None
    value: float | None
    flag: bool | None
    day: str | None
    at: str | None
    written: str | None
    point: tuple[float, float] | None


ROWS = (
    Row(1, "S1", 5, 12345678901, 89.9, True, "2001-10-30", "2001-10-30T14:24:55Z",
        "2001-10-30T14:24:55Z", (-75.0, 45.0)),
    Row(2, "s1", -3, 9007199254740993, 0.3, False, "2001-10-31", "2001-10-31T00:30:00+02:00",
        "20011031", (-74.0, 46.0)),
    Row(3, "it's", 0, 0, 1e-07, True, "2000-12-31", "2000-12-31T23:59:59.75Z", "2000-12-31 23:59", (10.0, -5.5)),
    Row(4, "Ünïcödé ☃", 7, -5, 1e20, False, "1999-02-28", "1999-02-28T12:00:00", "1999", (180.0, 90.0)),
    Row(5, None, None, None, None, None, None, None, None, None),
    Row(6, "a%b_c\\d", 2147483647, 9007199254740992, 1 / 3, None, "2001-01-01", "2001-01-01T05:00:00+05:30",
        "2001-01", (0.0, 0.0)),
    Row(7, "12.50", 12, 12, -0.0, True, "2001-10-30", "2001-10-30T23:00:00-03:00", "bogus", (-75.0, 45.0)),
    Row(8, 'x" OR "1"="1', 8, 8, 123456789.123457, False, "2001-10-29", "2001-10-29T00:00:00Z",
        "2001-303", (-75.0, 44.0)),
    Row(9, "two\nlines", 9, 9, 2.5, True, "2001-11-05", "2001-11-05T00:00:00Z", "2001-W44-2", (1.0, 2.0)),
)  # fmt: skip

FIELDS = (
    ("id", ogr.OFTInteger, ogr.OFSTNone),
    ("name", ogr.OFTString, ogr.OFSTNone),
    ("count", ogr.OFTInteger, ogr.OFSTNone),
    ("big", ogr.OFTInteger64, ogr.OFSTNone),
    ("value", ogr.OFTReal, ogr.OFSTNone),
    ("flag", ogr.OFTInteger, ogr.OFSTBoolean),
    ("day", ogr.OFTDate, ogr.OFSTNone),
    ("at", ogr.OFTDateTime, ogr.OFSTNone),
    ("written", ogr.OFTString, ogr.OFSTNone),
)

DRIVERS = {
    "gpkg": ("GPKG", []),
    "sqlite": ("SQLite", []),
    "fgb": ("FlatGeobuf", ["SPATIAL_INDEX=NO"]),
    "geojson": ("GeoJSON", []),
    "csv": ("CSV", ["GEOMETRY=AS_WKT", "CREATE_CSVT=YES"]),
    "shp": ("ESRI Shapefile", ["ENCODING=UTF-8"]),
}


def write_layer(path: Path, driver: str, options: list[str], rows: tuple[Row, ...] = ROWS) -> None:
    """Write rows to a layer ``observations`` of a new dataset."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        dataset = gdal.GetDriverByName(driver).Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
        wgs84 = osr.SpatialReference()
        wgs84.ImportFromEPSG(4326)
        layer = dataset.CreateLayer("observations", wgs84, ogr.wkbPoint, options)
        for name, kind, subtype in FIELDS:
            if driver == "ESRI Shapefile" and kind == ogr.OFTDateTime:
                kind = ogr.OFTString
            field = ogr.FieldDefn(name, kind)
            field.SetSubType(subtype)
            layer.CreateField(field)
        for row in rows:
            feature = ogr.Feature(layer.GetLayerDefn())
            for name, _, _ in FIELDS:
                set_field(feature, name, getattr(row, name))
            if row.point is not None:
                feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({row.point[0]!r} {row.point[1]!r})"))
            layer.CreateFeature(feature)
            feature = None
        layer = dataset = None
    finally:
        gdal.PopErrorHandler()


def set_field(feature: Any, name: str, value: Any) -> None:
    if value is None:
        feature.SetFieldNull(name)
    elif isinstance(value, bool):
        feature.SetField(name, int(value))
    elif isinstance(value, int):
        feature.SetFieldInteger64(feature.GetFieldIndex(name), value)
    else:
        feature.SetField(name, value)


VRT = """<OGRVRTDataSource><OGRVRTLayer name="observations">
<SrcDataSource relativeToVRT="1">plain.csv</SrcDataSource><SrcLayer>plain</SrcLayer>
<GeometryType>wkbPoint</GeometryType><LayerSRS>EPSG:4326</LayerSRS>
<GeometryField encoding="WKT" field="WKT"/>
{fields}</OGRVRTLayer></OGRVRTDataSource>"""

VRT_TYPES = {
    ogr.OFTInteger: "Integer",
    ogr.OFTInteger64: "Integer64",
    ogr.OFTReal: "Real",
    ogr.OFTString: "String",
    ogr.OFTDate: "Date",
    ogr.OFTDateTime: "DateTime",
}


def write_vrt(directory: Path) -> Path:
    """A VRT that gives the columns of a CSV without types their types."""
    write_layer(directory / "plain.csv", "CSV", ["GEOMETRY=AS_WKT", "CREATE_CSVT=NO"])
    (directory / "plain.csvt").unlink(missing_ok=True)
    fields = "".join(
        f'<Field name="{name}" type="{VRT_TYPES[kind]}"' + (' subtype="Boolean"' if subtype else "") + "/>"
        for name, kind, subtype in FIELDS
    )
    path = directory / "observations.vrt"
    path.write_text(VRT.format(fields=fields))
    return path


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LayerSource]:
    """The rows by driver."""
    directory = tmp_path_factory.mktemp("sources")
    made = {}
    for extension, (driver, options) in DRIVERS.items():
        folder = directory / extension
        folder.mkdir()
        path = folder / f"observations.{extension}"
        write_layer(path, driver, options)
        kind = SourceKind.SHAPEFILE if extension == "shp" else SourceKind.OGR
        made[extension] = LayerSource("observations", kind, str(path), crs=WGS84)
    folder = directory / "vrt"
    folder.mkdir()
    made["vrt"] = LayerSource("observations", SourceKind.OGR, str(write_vrt(folder)), crs=WGS84)
    made["gpkg-select"] = LayerSource(
        "observations", SourceKind.OGR, made["gpkg"].connection, "SELECT * FROM observations", crs=WGS84
    )
    made["fgb-select"] = LayerSource(
        "observations", SourceKind.OGR, made["fgb"].connection, "SELECT * FROM observations", crs=WGS84
    )
    made["shp-ogr"] = LayerSource("observations", SourceKind.OGR, made["shp"].connection, crs=WGS84)
    return made


ALL_SOURCES = (*DRIVERS, "vrt", "gpkg-select", "fgb-select", "shp-ogr")


@pytest.fixture(params=ALL_SOURCES)
def driver(request: pytest.FixtureRequest) -> str:
    """Each driver in turn."""
    return str(request.param)


@pytest.fixture
def source(sources: dict[str, LayerSource], driver: str) -> LayerSource:
    """The rows in one driver's format."""
    return sources[driver]


@pytest.fixture
def inline() -> LayerSource:
    """Two features that stand in a mapfile."""
    return LayerSource(
        "inline",
        SourceKind.INLINE,
        shape=ShapeType.POINT,
        crs=WGS84,
        item_names=("id", "value"),
        features=(InlineFeature((((1.0, 2.0),),), ("1", "5.5")), InlineFeature((((3.0, 4.0), (5.0, 6.0)),), ("2",))),
    )
