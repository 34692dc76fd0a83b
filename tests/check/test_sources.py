"""Data sources that cannot be read, and options of their drivers, on every driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from osgeo import gdal

from .conftest import CSV, Spoil, write_geopackage

VRT = """<OGRVRTDataSource><OGRVRTLayer name="gauges"><SrcDataSource relativeToVRT="1">gauges.csv</SrcDataSource>
<GeometryType>wkbPoint</GeometryType><LayerSRS>EPSG:4326</LayerSRS>
<GeometryField encoding="PointFromColumns" x="lon" y="lat"/></OGRVRTLayer></OGRVRTDataSource>"""
FORMATS = {
    "gauges.gpkg": "GPKG",
    "gauges.sqlite": "SQLite",
    "gauges.fgb": "FlatGeobuf",
    "gauges.geojson": "GeoJSON",
    "gauges.csv": "CSV",
    "gauges.vrt": "VRT",
    "gauges.shp": "ESRI Shapefile",
}
OGR = "    CONNECTIONTYPE OGR\n" + CSV


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest, folder: Path) -> str:
    """The name of a file with a layer ``gauges``, in each format."""
    if request.param == "gauges.vrt":
        (folder / "gauges.vrt").write_text(VRT, encoding="utf-8")
    elif FORMATS[request.param] not in ("GPKG", "CSV"):
        options = gdal.VectorTranslateOptions(format=FORMATS[request.param], layers=["gauges"], layerName="gauges")
        gdal.VectorTranslate(str(folder / request.param), str(folder / "gauges.gpkg"), options=options)
    return str(request.param)


def test_a_wrong_layer_is_blamed_on_data(spoil: Spoil, name: str) -> None:
    findings, lines = spoil({CSV: f'    CONNECTION "{name}"\n    DATA "guages"\n'})
    (finding,) = findings
    assert (finding.code, finding.key) == ("M404", "DATA")
    assert lines[finding.line] == '    DATA "guages"'
    assert 'no layer "guages"' in finding.message
    assert 'Did you mean "gauges"?' in finding.message
    assert "message of the driver" not in finding.message


def test_a_wrong_file_is_blamed_on_connection(spoil: Spoil, name: str) -> None:
    wrong = name.replace("gauges", "guages")
    findings, lines = spoil({CSV: f'    CONNECTION "{wrong}"\n    DATA "gauges"\n'})
    (finding,) = findings
    assert (finding.code, finding.key) == ("M403", "CONNECTION")
    assert lines[finding.line] == f'    CONNECTION "{wrong}"'
    assert f'Did you mean "{name}"?' in finding.message


def test_a_file_that_is_damaged_has_the_message_of_the_driver(spoil: Spoil, folder: Path) -> None:
    (folder / "gauges.gpkg").write_bytes(b"not a database")
    (finding,), _ = spoil({CSV: '    CONNECTION "gauges.gpkg"\n'})
    assert (finding.code, finding.key) == ("M403", "CONNECTION")
    assert "message of the driver: " in finding.message


def test_an_option_that_no_driver_has(spoil: Spoil, name: str) -> None:
    options = 'CONNECTIONOPTIONS\n      "NO_SUCH_OPTION" "x"\n    END'
    findings, lines = spoil({CSV: f'    CONNECTION "{name}"\n    {options}\n'})
    (found,) = [finding for finding in findings if finding.code == "M415"]
    assert lines[found.line] == '      "NO_SUCH_OPTION" "x"'
    assert "does not know this option" in found.message


@pytest.mark.parametrize(
    "source",
    [
        'CONNECTIONTYPE FLATGEOBUF DATA "gauges.fgb"',
        'DATA "gauges"',
        'CONNECTIONTYPE INLINE PROCESSING "ITEMS=station,time,level" FEATURE POINTS 10 50 END ITEMS "K1;2024;1" END',
        'CONNECTIONTYPE POSTGIS CONNECTION "host=127.0.0.1 port=1 dbname=d" DATA "geom FROM t"',
    ],
)
def test_options_have_no_effect_but_for_ogr(spoil: Spoil, source: str) -> None:
    findings, lines = spoil({OGR: f'    {source}\n    CONNECTIONOPTIONS\n      "X_POSSIBLE_NAMES" "lon"\n    END\n'})
    (found,) = [finding for finding in findings if finding.code == "M414"]
    assert lines[found.line] == "    CONNECTIONOPTIONS"


def test_the_columns_of_coordinates_are_passed_over_by_the_options(spoil: Spoil, folder: Path) -> None:
    text = (folder / "gauges.csv").read_text()
    (folder / "gauges.csv").write_text(text.replace("lon,lat", "place_1,place_2"), encoding="utf-8")
    assert spoil({'"lon"': '"*_1"', '"lat"': '"*_2"'})[0] == []


def test_an_index_of_the_primary_key_is_none_of_times(spoil: Spoil, folder: Path) -> None:
    write_geopackage(folder / "keys.gpkg", options=["FID=station_id"])
    findings, _ = spoil({CSV: '    CONNECTION "keys.gpkg"\n', '      "sos_flow_alias" "flow"\n': ""})
    assert [finding.code for finding in findings] == ["M701"]
