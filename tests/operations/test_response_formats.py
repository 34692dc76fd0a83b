"""GetObservation as CSV, JSON, GeoJSON, Parquet and Arrow: asked as clients ask, read by the programs of others."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import shapely
from lxml import etree
from osgeo import ogr, osr

from mapsos.encodings.registry import list_response_formats
from tests.operations.table_answers import (
    ARROW,
    CSV,
    GEOJSON,
    JSON,
    PARQUET,
    get,
    get_arrow,
    get_csv,
    get_json,
    get_parquet,
    join_blocks,
    read,
    send,
)

from .conftest import LAYER, NS, ROWS, World, layer_text, refusal, write_stations

RESPONSE_FORMATS = list_response_formats()
TABLE_FORMATS = list_response_formats(tabular=True)
TIMES = [datetime.fromisoformat(row[1]) for row in ROWS]
VALUES = [row[2] for row in ROWS]
STATIONS = [row[0] for row in ROWS]


















@pytest.mark.parametrize(
    ("response_format", "content_type", "extension"),
    [
        (CSV, "text/csv; charset=UTF-8; header=present", "csv"),
        (JSON, JSON, "json"),
        (GEOJSON, GEOJSON, "geojson"),
        (PARQUET, PARQUET, "parquet"),
        (ARROW, ARROW, "arrows"),
    ],
)
def test_headers(world: World, response_format: str, content_type: str, extension: str) -> None:
    headers = dict(send(world, response_format.upper(), eventTime="2001-01-01/2001-01-02T06:00:00Z").headers)
    assert headers["Content-Type"] == content_type
    name = f"off_op_2001-01-01-2001-01-02T06-00-00Z.{extension}"
    assert headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_head_has_the_headers_and_no_body(world: World) -> None:
    query = "service=SOS&version=1.0.0&request=GetObservation&offering=off&observedProperty=op&responseFormat=text/csv"
    response = world.send(query, method="HEAD")
    assert (response.headers, read(response)) == (world.send(query).headers, b"")


def test_a_plus_sign_that_the_query_lost(world: World) -> None:
    assert read(
        world.send(
            "service=SOS&version=1.0.0&request=GetObservation&offering=off&observedProperty=op"
            "&responseFormat=application/geo+json"
        )
    ) == get(world, GEOJSON)


@pytest.mark.parametrize("response_format", ["csv", "text/plain", "text/csvx", "application/x-parquet"])
def test_other_formats_are_refused_with_the_list(world: World, response_format: str) -> None:
    code, locator, text = refusal(etree.fromstring(get(world, response_format)))
    assert (code, locator) == ("InvalidParameterValue", "responseformat")
    assert text.endswith(f"Allowable values are: {', '.join(RESPONSE_FORMATS)}")


def test_capabilities_list_the_formats(world: World) -> None:
    root = world.ask("GetCapabilities")
    assert [element.text for element in root.iterfind(".//sos:responseFormat", NS)] == list(RESPONSE_FORMATS)
    domain = root.find(".//ows:Operation[@name='GetObservation']/ows:Parameter[@name='responseFormat']", NS)
    assert domain is not None
    assert [element.text for element in domain.iterfind(".//ows:Value", NS)] == list(RESPONSE_FORMATS)


@pytest.mark.parametrize("response_format", TABLE_FORMATS)
def test_a_body_asks_for_the_same(world: World, response_format: str) -> None:
    body = f"""<GetObservation xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">
      <offering>off</offering><observedProperty>op</observedProperty>
      <responseFormat>{response_format}</responseFormat></GetObservation>""".encode()
    answer = world.send(
        "", method="POST", content_type="text/xml", content_length=len(body), read=io.BytesIO(body).read
    )
    assert read(answer) == get(world, response_format)


@pytest.mark.parametrize("response_format", TABLE_FORMATS)
def test_both_result_models_are_the_same_table(world: World, response_format: str) -> None:
    assert get(world, response_format, resultModel="om:Observation") == get(world, response_format)


@pytest.mark.parametrize("response_format", TABLE_FORMATS)
@pytest.mark.parametrize("fault", ["eventTime=yesterday", "procedure=nobody", "resultModel=om:Other", "offering=none"])
def test_what_is_wrong_is_an_exception_report(world: World, response_format: str, fault: str) -> None:
    name, _, value = fault.partition("=")
    assert refusal(etree.fromstring(get(world, response_format, **{name: value})))[0] == "InvalidParameterValue"


def test_csv(world: World) -> None:
    header, *rows = get_csv(world)
    assert header == ["time", "procedure", "value [m]", "longitude", "latitude"]
    assert rows[0] == ["2001-01-01T00:00:00Z", "A", "1.5", "10", "50"]
    assert rows[3] == ["2001-01-02T06:00:00Z", "B", "", "11", "51"]
    assert len(rows) == 5


def test_csv_is_read_by_arrow_with_its_types(world: World) -> None:
    table = pyarrow.csv.read_csv(pa.BufferReader(get(world, CSV)))
    assert [value.replace(tzinfo=UTC) for value in table["time"].to_pylist()] == TIMES
    assert table["value [m]"].to_pylist() == VALUES


def test_json(world: World) -> None:
    document = get_json(world)
    assert {key: document[key] for key in ("type", "offering", "name", "crs")} == {
        "type": "ObservationTable",
        "offering": "off",
        "name": "An offering",
        "crs": "EPSG:4326",
    }
    assert document["columns"][2] == {"name": "value", "role": "property", "type": "number", "unit": "m"}
    columns = join_blocks(document)
    assert list(map(datetime.fromisoformat, columns["time"])) == TIMES
    assert (columns["procedure"], columns["value"]) == (STATIONS, VALUES)
    assert (columns["x"], columns["y"]) == ([row[3] for row in ROWS], [row[4] for row in ROWS])


def test_geojson(world: World) -> None:
    document = json.loads(get(world, GEOJSON))
    assert (document["type"], document["name"]) == ("FeatureCollection", "off")
    assert document["features"][3] == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [11, 51]},
        "properties": {"time": "2001-01-02T06:00:00Z", "procedure": "B", "value": None},
    }
    assert len(document["features"]) == 5


@pytest.mark.parametrize("read_table", [get_arrow, get_parquet])
def test_typed_tables_are_equal_to_the_source(world: World, read_table: Any) -> None:
    table = read_table(world)
    assert table.schema.names == ["time", "procedure", "value", "geometry"]
    assert table.schema.field("time").type == pa.timestamp("us", "UTC")
    assert table["time"].to_pylist() == TIMES
    assert (table["procedure"].to_pylist(), table["value"].to_pylist()) == (STATIONS, VALUES)
    points = shapely.from_wkb(table["geometry"].to_pylist())
    assert shapely.get_coordinates(points).tolist() == [[row[3], row[4]] for row in ROWS]
    assert table.schema.field("value").metadata == {b"role": b"property", b"unit": b"m"}


def test_parquet_says_what_its_geometries_are(world: World) -> None:
    metadata = pq.read_metadata(pa.BufferReader(get(world, PARQUET))).metadata
    geo = json.loads(metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"], column["encoding"]) == ("1.1.0", "geometry", "WKB")
    assert (column["geometry_types"], column["bbox"]) == (["Point"], [10, 50, 12, 52])
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4326}


def test_arrow_says_the_same_before_it_has_seen_them(world: World) -> None:
    schema = get_arrow(world).schema
    column = json.loads(schema.metadata[b"geo"])["columns"]["geometry"]
    assert (column["geometry_types"], column["crs"]["id"]["code"]) == ([], 4326)
    assert schema.field("geometry").metadata[b"ARROW:extension:name"] == b"geoarrow.wkb"
    assert schema.metadata[b"offering"] == b"off"


@pytest.mark.parametrize("response_format", TABLE_FORMATS)
def test_no_observation_at_all(world: World, response_format: str) -> None:
    answer = get(world, response_format, eventTime="1999")
    if response_format == CSV:
        assert answer == b"time,procedure,value [m],longitude,latitude\r\n"
    elif response_format == JSON:
        assert json.loads(answer)["numberOfRows"] == 0
    elif response_format == GEOJSON:
        assert json.loads(answer)["features"] == []
    elif response_format == PARQUET:
        assert pq.read_table(pa.BufferReader(answer)).num_rows == 0
    else:
        assert pa.ipc.open_stream(answer).read_all().num_rows == 0


def test_positions_are_in_the_crs_asked_for(world: World) -> None:
    header, first, *_ = get_csv(world, srsName="EPSG:3857")
    assert header[-2:] == ["x", "y"]
    assert float(first[-2]) == pytest.approx(1113194.9, abs=0.1)
    geo = json.loads(pq.read_metadata(pa.BufferReader(get(world, PARQUET, srsName="EPSG:3857"))).metadata[b"geo"])
    assert geo["columns"]["geometry"]["crs"]["id"]["code"] == 3857
    assert get_json(world, srsName="EPSG:3857")["crs"] == "EPSG:3857"


def test_geojson_is_in_longitude_and_latitude_whatever_is_asked_for(world: World) -> None:
    write_stations(world.folder / "mercator.gpkg", [("A", "2001-01-01T00:00:00Z", 1.0, 1113194.9079327357, 0.0)], 3857)
    world.write_map(layer_text(data="mercator.gpkg", epsg=3857))
    document = json.loads(get(world, GEOJSON, srsName="EPSG:3857"))
    assert [feature["geometry"]["coordinates"] for feature in document["features"]] == [[10, 0]]


def write_shapes(path: Path, *wkts: str | None) -> None:
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("obs", reference, ogr.wkbUnknown)
    layer.CreateField(ogr.FieldDefn("stn", ogr.OFTString))
    for number, wkt in enumerate(wkts):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["stn"] = str(number)
        if wkt is not None:
            feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
        layer.CreateFeature(feature)
    dataset = layer = None


POLYGON = "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"
SHAPES = '"sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure_item" "stn" "sos_stn_alias" "station"'


def test_geometries_that_are_no_points(world: World) -> None:
    write_shapes(world.folder / "shapes.gpkg", POLYGON, None, "MULTIPOLYGON (((5 5, 6 5, 6 6, 5 5)))")
    world.write_map(layer_text(data="shapes.gpkg", metadata=SHAPES).replace("TYPE POINT", "TYPE POLYGON"))
    features = json.loads(get(world, GEOJSON))["features"]
    assert [feature["geometry"] and feature["geometry"]["type"] for feature in features] == [
        "Polygon",
        None,
        "MultiPolygon",
    ]
    ring = shapely.LinearRing(features[0]["geometry"]["coordinates"][0])
    assert ring.is_ccw, "RFC 7946, section 3.1.6"
    metadata = pq.read_metadata(pa.BufferReader(get(world, PARQUET))).metadata
    column = json.loads(metadata[b"geo"])["columns"]["geometry"]
    assert (column["geometry_types"], column["bbox"]) == (["MultiPolygon", "Polygon"], [0, 0, 6, 6])
    assert [row[-1] for row in get_csv(world)] == ["geometry", POLYGON, "", "MULTIPOLYGON (((5 5, 6 5, 6 6, 5 5)))"]
    assert join_blocks(get_json(world))["geometry"][1:] == [None, "MULTIPOLYGON (((5 5, 6 5, 6 6, 5 5)))"]
    geometry = get_arrow(world)["geometry"].to_pylist()
    assert (shapely.from_wkb(geometry[0]).equals(shapely.from_wkt(POLYGON)), geometry[1]) == (True, None)


def test_layers_with_other_columns_share_a_table(world: World) -> None:
    other = LAYER.replace("sos_v_alias", "sos_t_alias").replace('"value"', '"when"').replace('"sos_v_uom" "m"', "")
    world.write_map(layer_text(), layer_text(name="l2", metadata=other.replace('"sos_timeitem" "t"', "")))
    table = get_arrow(world)
    assert table.schema.names == ["time", "procedure", "value", "when", "geometry"]
    assert table["value"].to_pylist() == [*VALUES, *[None] * 5]
    assert table["time"].to_pylist() == [*TIMES, *[None] * 5]
    assert table["when"].to_pylist() == [*[None] * 5, *TIMES]
    assert join_blocks(get_json(world))["value"] == table["value"].to_pylist()
    assert len(get_csv(world)) == 11


def test_several_properties_are_told_apart(world: World) -> None:
    second = layer_text(name="l2", metadata=LAYER.replace('"op"', '"other"'))
    world.write_map(layer_text(), second)
    columns = join_blocks(get_json(world, observedProperty="op,other"))
    assert columns["observed_property"] == ["op"] * 5 + ["other"] * 5


def test_feature_ids(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "gml_featureid" "v"'))
    features = json.loads(get(world, GEOJSON))["features"]
    assert [feature.get("id") for feature in features] == ["1.5", "2.5", "3.5", None, "5.5"]
    assert get_csv(world)[0][:3] == ["time", "procedure", "feature_id"]


def test_at_most_maxfeatures(world: World) -> None:
    from .conftest import WEB

    world.write_map(web=WEB + ' "sos_maxfeatures" "3"')
    assert get_json(world)["numberOfRows"] == 3
    assert get_parquet(world).num_rows == 3


def test_values_that_no_format_may_stumble_over(world: World) -> None:
    names = ['a"b', "c,d", "e\nf", "<&>", "\\", "ü\U0001f600", "\x01"]
    write_stations(
        world.folder / "obs.gpkg",
        [(name, "2001-01-01T00:00:00.25Z", 0.1 + number, 0.1, 0.2) for number, name in enumerate(names)],
    )
    assert [row[1] for row in get_csv(world)[1:]] == names
    assert [feature["properties"]["procedure"] for feature in json.loads(get(world, GEOJSON))["features"]] == names
    columns = join_blocks(get_json(world))
    assert columns["procedure"] == names
    assert set(columns["time"]) == {"2001-01-01T00:00:00.25Z"}
    assert columns["value"] == [0.1 + number for number in range(len(names))]
    assert get_parquet(world)["procedure"].to_pylist() == names


@pytest.mark.parametrize(("response_format", "name"), [(CSV, "o.csv"), (GEOJSON, "o.geojson")])
def test_gdal_opens_it_with_the_right_types(world: World, response_format: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(get(world, response_format))
    options = ["-oo", "AUTODETECT_TYPE=YES", "-oo", "X_POSSIBLE_NAMES=longitude", "-oo", "Y_POSSIBLE_NAMES=latitude"]
    command = ["ogrinfo", "-ro", "-al", "-so", str(path), *(options if response_format == CSV else [])]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    value = "value [m]" if response_format == CSV else "value"
    for line in ("Feature Count: 5", "Geometry: Point", "time: DateTime", "procedure: String", f"{value}: Real"):
        assert line in said, said
    assert "Extent: (10.000000, 50.000000) - (12.000000, 52.000000)" in said


def test_many_batches_are_one_answer(world: World) -> None:
    rows = [(f"S{number % 7}", "2001-01-01T00:00:00Z", number / 8, 10.0, 50.0) for number in range(40_000)]
    write_many(world.folder / "obs.gpkg", rows)
    expected = [row[2] for row in rows]
    assert get_arrow(world)["value"].to_pylist() == expected
    assert get_parquet(world)["value"].to_pylist() == expected
    document = get_json(world)
    assert len(document["blocks"]) == 3
    assert join_blocks(document)["value"] == expected
    assert [float(row[2]) for row in get_csv(world)[1:]] == expected
    assert [feature["properties"]["value"] for feature in json.loads(get(world, GEOJSON))["features"]] == expected


def write_many(path: Path, rows: list[tuple[str, str, float | None, float, float]]) -> None:
    """As `write_stations`, in one transaction."""
    write_stations(path, [])
    dataset = ogr.Open(str(path), 1)
    layer = dataset.GetLayer(0)
    layer.StartTransaction()
    for stn, t, v, x, y in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["stn"] = stn
        feature["t"] = t
        feature["v"] = v
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT({x} {y})"))
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    dataset = layer = None


@pytest.mark.parametrize("response_format", TABLE_FORMATS)
def test_text_is_packed_for_who_asks_and_what_is_packed_already_is_not(world: World, response_format: str) -> None:
    environ = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "/cgi", "REMOTE_ADDR": "127.0.0.1"}
    environ |= {"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_ACCEPT_ENCODING": "gzip"}
    query = "service=SOS&version=1.0.0&request=GetObservation&offering=off&observedProperty=op&responseFormat="
    response = world.send(query + response_format, environ=environ)
    coding = dict(response.headers).get("Content-Encoding")
    assert coding == (None if "vnd.apache" in response_format else "gzip")
    body = read(response)
    assert (gzip.decompress(body) if coding else body) == get(world, response_format)
