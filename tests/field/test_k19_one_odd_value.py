"""K19: a value that is beyond every calendar, clock or map is missing in its own observation, and stops no other."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from lxml import etree
from osgeo import gdal, ogr, osr

from .conftest import Field

DRIVERS = {
    "gpkg": "GPKG",
    "sqlite": "SQLite",
    "fgb": "FlatGeobuf",
    "geojson": "GeoJSON",
    "csv": "CSV",
    "shp": "ESRI Shapefile",
    "gml": "GML",
}
METADATA = '"sos_day_alias" "day" "sos_clock_alias" "clock" "sos_at_alias" "at"'
FORMATS = (
    'text/xml; subtype="om/1.0.0"',
    "text/csv",
    "application/json",
    "application/geo+json",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
)
GOOD: dict[str, Any] = {
    "time": "2024-03-01T06:00:00Z",
    "value": 1.5,
    "day": "2024-03-01",
    "clock": "06:00:00",
    "at": "2024-03-01T06:00:00Z",
    "place": (1.0, 2.0),
}
ODD: dict[str, dict[str, Any]] = {
    "year": {"day": "12021-03-01", "at": "12021-03-01T00:00:00Z"},
    "time": {"time": "12021-03-01T06:00:00Z"},
    "nan": {"place": (math.nan, math.nan)},
    "inf": {"place": (math.inf, 2.0)},
    "clock": {"clock": (23, 59, 59.9996)},
    "value": {"value": math.nan},
    "endless": {"value": math.inf},
}


def write(field: Field, extension: str, odd: dict[str, Any]) -> None:
    """Write one row with odd values between two good ones."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        dataset = gdal.GetDriverByName(DRIVERS[extension]).Create(
            str(field.folder / f"data.{extension}"), 0, 0, 0, gdal.GDT_Unknown
        )
        wgs84 = osr.SpatialReference()
        wgs84.ImportFromEPSG(4326)
        options = {"csv": ["GEOMETRY=AS_WKT", "CREATE_CSVT=YES"], "fgb": ["SPATIAL_INDEX=NO"]}.get(extension, [])
        layer = dataset.CreateLayer("data", wgs84, ogr.wkbPoint, options)
        kinds = {"time": ogr.OFTDateTime, "value": ogr.OFTReal, "day": ogr.OFTDate, "clock": ogr.OFTTime}
        if extension == "shp":
            kinds = {"value": ogr.OFTReal, "day": ogr.OFTDate}
        names = ("station", "time", "value", "day", "clock", "at")
        for name in names:
            layer.CreateField(ogr.FieldDefn(name, kinds.get(name, ogr.OFTString)))
        for station, row in (("S0", GOOD), ("ODD", GOOD | odd), ("S1", GOOD)):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature["station"] = station
            for index, name in enumerate(names[1:], 1):
                value = row[name]
                if isinstance(value, tuple):
                    feature.SetField(index, 0, 0, 0, *value, 0)
                elif kinds.get(name) in (ogr.OFTDate, ogr.OFTDateTime) and value.startswith("12021"):
                    feature.SetField(index, 12021, 3, 1, 6, 0, 0.0, 100)
                else:
                    feature.SetField(name, value)
            point = ogr.Geometry(ogr.wkbPoint)
            point.AddPoint_2D(*row["place"])
            feature.SetGeometry(point)
            layer.CreateFeature(feature)
        layer = dataset = None
    finally:
        gdal.PopErrorHandler()


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("extension", DRIVERS)
def test_the_other_rows_are_published(field: Field, extension: str, odd: str) -> None:
    if (extension, odd) == ("gpkg", "inf"):
        pytest.skip("GDAL does not write such a file")
    try:
        write(field, extension, ODD[odd])
    except RuntimeError as error:
        pytest.skip(f"GDAL does not write such a file: {error}")
    connection = "data" if extension == "shp" else f"data.{extension}"
    field.publish(connection, metadata=METADATA)
    if extension == "shp":
        text = field.mapfile.read_text().replace(f'CONNECTIONTYPE OGR CONNECTION "{connection}"', 'DATA "data"')
        field.mapfile.write_text(text)
    capabilities = field.ask("GetCapabilities")
    root = etree.fromstring(capabilities)
    assert root.tag.endswith("}Capabilities"), capabilities
    for corner in root.iter("{*}lowerCorner", "{*}upperCorner"):
        assert all(abs(float(word)) < 1e20 for word in corner.text.split()), corner.text
    for form in FORMATS:
        found = field.observe(form)
        assert b"Exception" not in found, (form, found)
        assert b"<value o" not in found
        assert odd in ("value", "endless") or re.search(b">-?(nan|inf)", found) is None
        if "json" in form:
            json.loads(found, parse_constant=pytest.fail)
    for parameters in ({}, {"bbox": "0,1,2,3"}, {"eventTime": "2024-03-01/2024-03-02"}, {"eventTime": "latest"}):
        names = [row["procedure"] for row in field.rows(**parameters)]
        assert [name for name in names if name != "ODD"] == ["S0", "S1"], parameters
    assert b"Exception" not in field.observe(resultModel="om:Observation")
    assert b"Exception" not in field.ask("GetFeatureOfInterest", featureOfInterestId="S0")
    assert b"Exception" not in field.ask("GetDataAvailability", procedure="S0")
    assert b"Exception" not in field.observe("text/csv", aggregateInterval="P1D")
    for path in ("", "/procedures", "/features", "/observations/query"):
        found = field.rest(path)
        assert "error" not in found, found
