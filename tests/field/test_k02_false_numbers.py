"""K2: what is no number has no value, in every format; what has no coordinates has no position."""

from __future__ import annotations

import json

import pytest
from osgeo import ogr

from .conftest import TABLES, Field

CSV = (
    "station,time,value,count,flag,lon,lat\n"
    "S0,2024-03-01T06:00:00Z,1.50,7,1,10,50\n"
    "S1,2024-03-01T07:00:00Z,,,,,\n"
    "S2,2024-03-01T08:00:00Z,NA,1.5,NA,NA,50\n"
    "S3,2024-03-01T09:00:00Z,<0.1,12abc,true,10,x\n"
    'S4,2024-03-01T10:00:00Z,"1,85",1e3,0,"10,5",50\n'
    "S5,2024-03-01T11:00:00Z, -0.25 , 8 ,1, 11 ,51\n"
    "S6,2024-03-01T12:00:00Z,nan,inf,,nan,inf\n"
)
VALUES = ["1.5", "", "", "", "", "-0.25", ""]
COUNTS = ["7", "", "", "", "1000", "8", ""]
PLACED = ["S0", "S5"]

FIELDS = (
    '<Field name="station" type="String"/><Field name="time" type="String"/>'
    '<Field name="level" src="value" type="Real"/><Field name="count" type="Integer"/>'
    '<Field name="flag" type="Integer" subtype="Boolean"/>'
)
LAYER = (
    '<OGRVRTLayer name="obs"><SrcDataSource relativeToVRT="1">data.csv</SrcDataSource><SrcLayer>data</SrcLayer>'
    "<GeometryType>wkbPoint</GeometryType>"
    '<GeometryField encoding="PointFromColumns" x="lon" y="lat"{more}/>{fields}</OGRVRTLayer>'
)
METADATA = '"sos_level_alias" "level" "sos_count_alias" "count" "sos_flag_alias" "flag"'


def write_vrt(field: Field, layers: str = LAYER, fields: str = FIELDS, more: str = "", csv: str = CSV) -> str:
    field.write("data.csv", csv)
    text = f"<OGRVRTDataSource>{layers.format(fields=fields, more=more)}</OGRVRTDataSource>"
    field.write("data.vrt", text)
    return text


def publish(field: Field, connection: str = "data.vrt", data: str = "obs") -> None:
    field.publish(connection, data, metadata=METADATA)


def check(field: Field) -> None:
    """Check every format against the cells."""
    members = field.members()
    assert [(member.findtext(".//{*}level") or "").strip() for member in members] == VALUES
    assert [(member.findtext(".//{*}count") or "").strip() for member in members] == COUNTS
    placed = [number for number, member in enumerate(members) if member.find(".//{*}pos") is not None]
    assert [f"S{number}" for number in placed] == PLACED
    rows = field.rows()
    assert [row["level"] for row in rows] == VALUES
    assert [row["count"] for row in rows] == COUNTS
    assert [row["procedure"] for row in rows if row["longitude"]] == PLACED
    block = json.loads(field.observe("application/json"))["blocks"][0]
    assert block["level"] == [1.5, None, None, None, None, -0.25, None]
    assert block["count"] == [7, None, None, None, 1000, 8, None]
    assert block["flag"] == [True, None, None, None, False, True, None]
    features = json.loads(field.observe("application/geo+json"))["features"]
    assert [each["properties"]["level"] for each in features] == block["level"]
    assert [each["geometry"] is not None for each in features] == [f"S{number}" in PLACED for number in range(7)]
    for form in (TABLES[0], 'text/xml; subtype="om/1.0.0"'):
        assert b"Exception" not in field.observe(form, resultModel="om:Observation") or form == TABLES[0]
    capabilities = field.ask("GetCapabilities")
    assert b"<gml:lowerCorner>10.000000 50.000000</gml:lowerCorner>" in capabilities
    assert b"<gml:upperCorner>11.000000 51.000000</gml:upperCorner>" in capabilities
    assert len(field.rows(bbox="-1,-1,1,1")) == 0
    assert [row["procedure"] for row in field.rows(bbox="9,49,12,52")] == PLACED


def test_a_vrt_over_csv(field: Field) -> None:
    write_vrt(field)
    publish(field)
    check(field)
    assert "mapsos text" not in field.observe("text/csv").decode()
    assert b"mapsos text" not in field.ask("DescribeObservationType", observationName="off")


def test_coordinates_that_are_columns_as_well(field: Field) -> None:
    """GDAL reads no text of a field if another field of the same source field is not wanted."""
    more = FIELDS + '<Field name="lon" type="Real"/><Field name="north" src="lat"/>'
    write_vrt(field, fields=more)
    publish(field)
    check(field)
    field.publish("data.vrt", "obs", metadata=METADATA + ' "sos_lon_alias" "lon" "sos_north_alias" "north"')
    assert [row["lon"] for row in field.rows()] == ["10", "", "", "10", "", "11", ""]


def test_a_union_of_vrt_layers(field: Field) -> None:
    write_vrt(field, f'<OGRVRTUnionLayer name="obs">{LAYER.replace("obs", "inner")}</OGRVRTUnionLayer>')
    publish(field)
    check(field)


def test_a_vrt_in_the_mapfile(field: Field) -> None:
    text = write_vrt(field).replace('relativeToVRT="1">', f'relativeToVRT="0">{field.folder}/')
    publish(field, text.replace('"', "'"))
    check(field)


@pytest.mark.parametrize("more", ["", ' reportSrcColumn="FALSE"'])
def test_a_vrt_without_fields_has_no_false_positions(field: Field, more: str) -> None:
    write_vrt(field, fields="", more=more)
    field.publish("data.vrt", "obs")
    assert [row["procedure"] for row in field.rows() if row["longitude"]] == PLACED
    assert ("10,5" in field.rows()[4].values()) is False
    field.publish("data.vrt", "obs", metadata='"sos_lat_alias" "lat"')
    assert ("lat" in field.rows()[0]) is (not more)


def condition(operator: str, name: str, literal: str) -> str:
    return (
        f"<ogc:Filter xmlns:ogc='http://www.opengis.net/ogc'><ogc:PropertyIs{operator}><ogc:PropertyName>{name}"
        f"</ogc:PropertyName><ogc:Literal>{literal}</ogc:Literal></ogc:PropertyIs{operator}></ogc:Filter>"
    )


def test_conditions_do_not_find_false_numbers(field: Field) -> None:
    write_vrt(field)
    publish(field)
    assert [row["procedure"] for row in field.rows(result=condition("EqualTo", "level", "0"))] == []
    assert [row["procedure"] for row in field.rows(result=condition("LessThan", "level", "1.2"))] == ["S5"]
    assert [row["procedure"] for row in field.rows(result=condition("EqualTo", "count", "1000"))] == ["S4"]
    assert [row["procedure"] for row in field.rows(result=condition("EqualTo", "count", "12"))] == []


def test_a_geojson_with_numbers_as_strings(field: Field) -> None:
    """A column of strings stays one, whether a row looks like a number or not."""
    features = [
        {
            "type": "Feature",
            "properties": {"station": f"S{number}", "time": "2024-03-01T06:00:00Z", "value": value},
            "geometry": {"type": "Point", "coordinates": [1, 2]},
        }
        for number, value in enumerate(["1.5", "", "NA", None, 2])
    ]
    field.write("data.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    field.publish("data.geojson")
    assert [row["value [m]"] for row in field.rows()] == ["1.5", "", "NA", "", "2"]
    place = '<GeometryField encoding="PointFromColumns" x="lon" y="lat"{more}/>'
    layer = LAYER.replace("data.csv", "data.geojson").replace(place, "")
    fields = '<Field name="station"/><Field name="time"/><Field name="value" type="Real"/>'
    field.write("data.vrt", f"<OGRVRTDataSource>{layer.format(fields=fields, more='')}</OGRVRTDataSource>")
    field.publish("data.vrt", "obs")
    assert [row["value [m]"] for row in field.rows()] == ["1.5", "", "", "", "2"]


def test_a_csv_with_declared_types(field: Field) -> None:
    field.write("data.csv", CSV)
    field.write("data.csvt", "String,String,Real,String,String,Real,Real")
    field.publish("data.csv")
    values = [row["value [m]"] for row in field.rows()]
    # GDAL 3.10 does not read a number between spaces, and reads nan.
    assert values[:5] == ["1.5", "", "", "", "1.85"]
    assert values[5:] in (["-0.25", ""], ["", "nan"])


def test_a_vrt_that_cannot_be_read_is_an_error(field: Field) -> None:
    field.write("data.vrt", "<OGRVRTDataSource><OGRVRTLayer")
    field.publish("data.vrt", "obs")
    assert b"ExceptionReport" in field.observe()


def test_a_missing_number_of_a_shapefile_is_empty_and_a_zero_is_not(field: Field) -> None:
    driver = ogr.GetDriverByName("ESRI Shapefile")
    dataset = driver.CreateDataSource(str(field.folder / "data.shp"))
    layer = dataset.CreateLayer("data", None, ogr.wkbPoint)
    kinds = {"value": ogr.OFTReal, "count": ogr.OFTInteger, "day": ogr.OFTDate}
    for name in ("station", "time", *kinds):
        layer.CreateField(ogr.FieldDefn(name, kinds.get(name, ogr.OFTString)))
    for station, value, count, day in (("S0", 0, 0, "2024-03-01"), ("S1", None, None, None)):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["station"], feature["time"] = station, "2024-03-01T06:00:00Z"
        feature["value"], feature["count"], feature["day"] = value, count, day
        feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT (1 2)"))
        layer.CreateFeature(feature)
    layer = dataset = None
    field.publish("data", metadata='"sos_count_alias" "count" "sos_day_alias" "day"')
    text = field.mapfile.read_text().replace('CONNECTIONTYPE OGR CONNECTION "data"', 'DATA "data"')
    field.mapfile.write_text(text)
    zero, missing = field.members()
    assert float(zero.findtext(".//{*}value")) == 0
    assert zero.findtext(".//{*}count").strip() == "0"
    names = ("value", "count", "day")
    assert [(missing.findtext(f".//{{*}}{name}") or "").strip() for name in names] == ["", "", ""]
    rows = field.rows()
    assert (float(rows[0]["value [m]"]), rows[0]["count"]) == (0, "0")
    assert (rows[1]["value [m]"], rows[1]["count"], rows[1]["day"]) == ("", "", "")
    block = json.loads(field.observe("application/json"))["blocks"][0]
    assert (block["value"], block["count"], block["day"][1]) == ([0, None], [0, None], None)
    data = field.observe(resultModel="om:Observation")
    assert b"2024-03-01T06:00:00Z,,," in data
