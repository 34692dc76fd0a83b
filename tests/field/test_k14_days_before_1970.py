"""K14: days before 1970 are what the source has, in every format, as values and as times."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from osgeo import gdal, ogr

from mapsos.columns.driver_values import typed_values
from mapsos.sources.drivers import arrow_streams
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.columns import ColumnKind
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.times import Interval, parse_period, parse_time

DAYS = ("1899-01-01", "1950-06-01", "1969-12-30", "1969-12-31", "1970-01-01", "1970-01-02", "2024-02-29")
FORMATS = {
    "GPKG": "gpkg", "SQLite": "sqlite", "GeoJSON": "geojson", "GML": "gml", "ESRI Shapefile": "shp",
    "FlatGeobuf": "fgb", "CSV": "csv", "MapInfo File": "tab",
}  # fmt: skip
OPTIONS = {
    "CSV": ["CREATE_CSVT=YES", "GEOMETRY=AS_WKT"],
    "FlatGeobuf": ["SPATIAL_INDEX=NO"],  # An index changes the order of the rows.
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the days in every format; each layer is called days, its columns day, station and n."""
    folder = tmp_path_factory.mktemp("days")
    for driver, extension in FORMATS.items():
        options = OPTIONS.get(driver, [])
        dataset = gdal.GetDriverByName(driver).Create(str(folder / f"days.{extension}"), 0, 0, 0, gdal.GDT_Unknown)
        layer = dataset.CreateLayer("days", None, ogr.wkbPoint, options)
        for name, kind in (("day", ogr.OFTDate), ("station", ogr.OFTString), ("n", ogr.OFTInteger)):
            layer.CreateField(ogr.FieldDefn(name, kind))
        for number, day in enumerate(DAYS):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature["day"], feature["station"], feature["n"] = day, "AB"[number % 2], number
            feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({number} {number})"))
            layer.CreateFeature(feature)
        del layer, dataset
    (folder / "days.vrt").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="days"><SrcDataSource>{folder / "days.csv"}</SrcDataSource>'
        '<SrcLayer>days</SrcLayer><GeometryType>wkbPoint</GeometryType><GeometryField encoding="WKT" field="WKT"/>'
        '<Field name="day" type="Date"/><Field name="station"/><Field name="n" type="Integer"/>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    return folder


def sources(folder: Path) -> dict[str, LayerSource]:
    found = {
        extension: LayerSource("days", SourceKind.OGR, str(folder / f"days.{extension}"), "days")
        for extension in (*FORMATS.values(), "vrt")
    }
    found["shapefile"] = LayerSource("days", SourceKind.SHAPEFILE, str(folder / "days"))
    for extension in ("gpkg", "sqlite", "geojson", "vrt"):
        path = str(folder / f"days.{extension}")
        found[f"{extension}, SELECT"] = LayerSource("days", SourceKind.OGR, path, "SELECT * FROM days WHERE n >= 0")
        found[f"{extension}, filter"] = LayerSource("days", SourceKind.OGR, path, "days", native_filter="n >= 0")
    return found


@pytest.fixture(params=sources(Path()))
def source(request: pytest.FixtureRequest, folder: Path) -> LayerSource:
    return sources(folder)[request.param]


def read(source: LayerSource, column: str, of: str = "texts", **more: object) -> list[object]:
    with open_layer(source) as layer:
        query = LayerQuery(source, **{of: (column,)}, **more)  # type: ignore[arg-type]
        return [value for batch in layer.read(query) for value in getattr(batch, of)[column].to_pylist()]


def test_values(source: LayerSource) -> None:
    found = [str(text).replace("/", "-") for text in read(source, "day")]
    if source.kind is SourceKind.SHAPEFILE:
        assert found == [day.replace("-", "") for day in DAYS]
    else:
        # FlatGeobuf has no type for days.
        assert [text.removesuffix("T00:00:00") for text in found] == list(DAYS)
    typed = read(source, "day", "values")
    assert [str(value)[:10] for value in typed] == list(DAYS)


@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_found_as_a_time(source: LayerSource, day: str) -> None:
    is_day = p.Time("day", (parse_time(day),))
    assert read(source, "n", predicate=is_day) == [str(DAYS.index(day))]
    assert read(source, "n", predicate=p.Compare("day", "=", day)) == [str(DAYS.index(day))]


def test_periods(source: LayerSource) -> None:
    within = p.Time("day", (parse_period("1950-06-01/1969-12-31"),))
    assert read(source, "n", predicate=within) == ["1", "2", "3"]
    assert read(source, "n", predicate=p.Between("day", "1969-12-30", "1970-01-01")) == ["2", "3", "4"]


def test_bounds_and_latest(source: LayerSource) -> None:
    old = p.Compare("n", "<", "4")
    with open_layer(source) as layer:
        bounds = layer.time_bounds("day")
        assert bounds == Interval(parse_time(DAYS[0]).begin, parse_time(DAYS[-1]).begin + 1)
        old_bounds = layer.time_bounds("day", old)
        assert old_bounds is not None
        assert old_bounds.end == parse_time("1969-12-31").begin + 1
        newest = layer.extreme_times("day", "station", old)
        oldest = layer.extreme_times("day", "station", newest=False)
    assert {name: found.begin for name, found in newest.items()} == {
        "A": parse_time("1969-12-30").begin,
        "B": parse_time("1969-12-31").begin,
    }
    assert oldest["A"].begin == parse_time("1899-01-01").begin


def test_the_stream_in_use_is_tried_once() -> None:
    """GDAL 3.6 fails the trial; what a later one does is the answer of the trial itself."""
    arrow_streams.streams_old_days.cache_clear()
    found = arrow_streams.streams_old_days()
    assert arrow_streams.streams_old_days() is found
    if gdal.VersionInfo().startswith("306"):
        assert not found


@pytest.mark.parametrize("trusted", [True, False])
def test_a_stream_that_is_right_is_read_directly(
    folder: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    monkeypatch.setattr("mapsos.sources.drivers.ogr.streams_old_days", lambda: trusted)
    source = sources(folder)["geojson"]
    with open_layer(source) as layer:
        (batch,) = layer.read(LayerQuery(source, values=("day",), predicate=p.Compare("n", ">", "3")))
    assert batch.values["day"].to_pylist() == [date.fromisoformat(day) for day in DAYS[4:]]


@pytest.mark.parametrize("extension", ["gpkg", "sqlite"])
def test_what_is_no_day_is_none(tmp_path: Path, extension: str) -> None:
    """GDAL's stream of a GeoPackage delivers 1970-01-01 for each of these."""
    driver = "GPKG" if extension == "gpkg" else "SQLite"
    path = tmp_path / f"odd.{extension}"
    dataset = gdal.GetDriverByName(driver).Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("odd", None, ogr.wkbPoint, ["SPATIAL_INDEX=NO"])
    layer.CreateField(ogr.FieldDefn("day", ogr.OFTDate))
    del layer, dataset
    stored = ("1969-12-31", "", "unknown", "2020", 20200101, 2440587.5, "1969-12-31T23:00:00-05:00", None)
    with sqlite3.connect(path) as database:
        database.executemany("INSERT INTO odd (day) VALUES (?)", [(value,) for value in stored])
    database.close()
    source = LayerSource("odd", SourceKind.OGR, str(path), "odd")
    expected = ["1969-12-31", None, None, None, None, None, "1969-12-31", None]
    assert read(source, "day") == expected
    with open_layer(source) as layer:
        bounds = layer.time_bounds("day")
    midnight = parse_time("1969-12-31").begin
    assert bounds == Interval(midnight, midnight + 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1969-12-31", "1969-12-31"),
        ("1969/12/31", "1969-12-31"),
        ("1969-12-31T23:00:00-05:00", "1969-12-31"),
        ("1969-12-31 10:00", "1969-12-31"),
        ("2020-1-5", "2020-01-05"),
        ("2020-02-30", None),
        ("2020-13-01", None),
        ("0044-03-15 BC", None),
        ("12021-01-01", None),
        ("infinity", None),
        ("20200101", None),
        ("", None),
        (None, None),
    ],
)
def test_days_of_strings(text: str | None, day: str | None) -> None:
    expected = None if day is None else date.fromisoformat(day)
    for others in ([], ["1970-01-01"]):
        column = pa.array([text, *others], pa.large_string())
        assert typed_values(column, ColumnKind.DATE, None).to_pylist()[0] == expected


MAP = """
MAP
  NAME "days"
  EXTENT 0 0 10 10
  PROJECTION "epsg:4326" END
  WEB METADATA
    "sos_enable_request" "*"
    "sos_onlineresource" "http://127.0.0.1/days?"
  END END
  LAYER
    NAME "days"
    TYPE POINT
    STATUS ON
    CONNECTIONTYPE OGR
    CONNECTION "days.{extension}"
    DATA "days"
    PROJECTION "epsg:4326" END
    METADATA
      "sos_procedure_item" "station"
      "sos_offering_id" "days"
      "sos_offering_timeextent" "1899-01-01/2024-02-29"
      "sos_observedproperty_id" "number"
      "sos_timeitem" "day"
      "ows_include_items" "all"
      "sos_n_alias" "number"
      "sos_day_alias" "day"
    END
    TEMPLATE "x"
  END
END
"""


@pytest.mark.parametrize("extension", ["gpkg", "sqlite", "geojson", "gml", "fgb"])
def test_a_service(folder: Path, extension: str) -> None:
    mapfile = folder / f"{extension}.map"
    mapfile.write_text(MAP.format(extension=extension))
    asked = "service=SOS&version=1.0.0&request=GetObservation&offering=days&observedProperty=number"

    def get(query: str) -> str:
        command = [sys.executable, "-m", "mapsos", "get", str(mapfile), query]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def list_days(more: str) -> list[str]:
        rows = get(f"{asked}&responseFormat=text/csv&{more}").splitlines()
        return sorted(row[:10] for row in rows[1:])

    assert list_days("") == sorted(DAYS)
    assert list_days("eventTime=1969-12-31") == ["1969-12-31"]
    assert list_days("eventTime=1950-01-01/1970-01-01") == list(DAYS[1:5])
    assert list_days("eventTime=latest&procedure=B") == [DAYS[5]]
    document = get(f'{asked}&responseFormat=text/xml;%20subtype="om/1.0.0"&eventTime=1969-12-31')
    assert document.count("<om:member>") == 1
    assert "1969-12-31" in document
    answer = json.loads(get(f"{asked}&responseFormat=application/json&eventTime=1969-12-31"))
    assert "1969-12-31" in json.dumps(answer)
