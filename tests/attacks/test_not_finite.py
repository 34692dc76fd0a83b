"""Infinite and undefined numbers in the data: as coordinates no place, as values null, and every answer whole."""

from __future__ import annotations

import contextlib
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from fuzz.victim import ENVIRON, SOS, get, judge_any, open_victim, write_victim
from mapsos.app import Application
from mapsos.encodings.registry import FORMATS, ResponseFormat
from mapsos.web.messages import Request

INF, NAN = float("inf"), float("nan")
PLACES = (
    (5.0, 5.0), (INF, 40.0), (-INF, 40.0), (40.0, INF), (NAN, 40.0), (40.0, NAN), (NAN, NAN), (INF, NAN), (7.0, 6.0),
)  # fmt: skip
VALUES = (1.5, INF, -INF, NAN, 2.5, 1e308, 5e-324, -0.0, 3.5)
KINDS = ("gpkg", "lines", "areas", "sqlite", "fgb", "shp", "csv", "wkt", "inline", "vrt")


@contextlib.contextmanager
def without_exceptions() -> Iterator[None]:
    """Let GDAL go on where it refuses a place or an extent, as other programs do that write such files."""
    from osgeo import gdal, ogr

    # In the reverse of the order in which they were switched on.
    modules = [module for module in (ogr, gdal) if module.GetUseExceptions()]
    for module in modules:
        getattr(module, "_DontUseExceptions", module.DontUseExceptions)()
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()
        for module in reversed(modules):
            getattr(module, "_UseExceptions", module.UseExceptions)()


def write_wkb(kind: str, x: float, y: float) -> bytes:
    if kind == "lines":
        return struct.pack("<BIIdddd", 1, 2, 2, 5.0, 5.0, x, y)
    if kind == "areas":
        return struct.pack("<BIII8d", 1, 3, 1, 4, 5.0, 5.0, 5.0, 6.0, x, y, 5.0, 5.0)
    return struct.pack("<BIdd", 1, 1, x, y)


@pytest.fixture(scope="module")
def mapfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each row is a station of its own, from each driver."""
    from osgeo import gdal, ogr, osr

    folder = tmp_path_factory.mktemp("endless")
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    pairs = enumerate(zip(PLACES, VALUES, strict=True))
    rows = [(f"S{n}", f"2020-01-01T00:00:0{n}Z", v, x, y) for n, ((x, y), v) in pairs]
    drivers = {"gpkg": "GPKG", "lines": "GPKG", "areas": "GPKG", "sqlite": "SQLite", "fgb": "FlatGeobuf"}
    drivers["shp"] = "ESRI Shapefile"
    layers = {}
    with without_exceptions():
        for kind, driver in drivers.items():
            suffix = "gpkg" if driver == "GPKG" else kind
            shape = {"lines": ogr.wkbLineString, "areas": ogr.wkbPolygon}.get(kind, ogr.wkbPoint)
            dataset = ogr.GetDriverByName(driver).CreateDataSource(str(folder / f"{kind}.{suffix}"))
            options = ["SPATIAL_INDEX=NO"] if kind != "shp" else []
            layer = dataset.CreateLayer("shp" if kind == "shp" else "rows", reference, shape, options)
            for name, field in (("station", ogr.OFTString), ("time", ogr.OFTString), ("value", ogr.OFTReal)):
                layer.CreateField(ogr.FieldDefn(name, field))
            for station, time, value, x, y in rows:
                feature = ogr.Feature(layer.GetLayerDefn())
                feature["station"], feature["time"] = station, time
                if driver != "ESRI Shapefile" or value - value == 0:
                    feature.SetField("value", value)
                feature.SetGeometryDirectly(ogr.CreateGeometryFromWkb(write_wkb(kind, x, y)))
                layer.CreateFeature(feature)
            del feature, layer, dataset
            data = "" if kind in ("fgb", "shp") else ' DATA "rows"'
            layers[kind] = f'CONNECTIONTYPE OGR CONNECTION "{folder}/{kind}.{suffix}"{data}'
    text = "".join(f"{s},{t},{v},{x},{y}\n" for s, t, v, x, y in rows)
    (folder / "csv.csv").write_text(f"station,time,value,x,y\n{text}")
    (folder / "csv.csvt").write_text("String,String,Real,Real,Real")
    layers["csv"] = f'CONNECTIONTYPE OGR CONNECTION "{folder}/csv.csv"'
    text = "".join(f'{s},{t},{v},"POINT ({x} {y})"\n' for s, t, v, x, y in rows)
    (folder / "wkt.csv").write_text(f"station,time,value,WKT\n{text}")
    layers["wkt"] = f'CONNECTIONTYPE OGR CONNECTION "{folder}/wkt.csv"'
    places = '<GeometryType>wkbPoint</GeometryType><GeometryField encoding="PointFromColumns" x="x" y="y"/>'
    (folder / "vrt.vrt").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="csv"><SrcDataSource>{folder}/csv.csv</SrcDataSource>{places}'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    layers["vrt"] = f'CONNECTIONTYPE OGR CONNECTION "{folder}/vrt.vrt" DATA "csv"'
    finite = [row for row in rows if row[3] - row[3] == 0 and row[4] - row[4] == 0]
    layers["inline"] = 'PROCESSING "ITEMS=station,time,value"' + "".join(
        f' FEATURE POINTS {x} {y} END ITEMS "{s};{t};{v}" END' for s, t, v, x, y in finite
    )
    gdal.ErrorReset()
    return write_victim(folder, layers, metadata='"sos_value_alias" "value"')


@pytest.fixture(scope="module")
def victim(mapfile: Path) -> Application:
    return open_victim(mapfile)


def ask(victim: Application, query: str, path: str) -> tuple[int, bytes]:
    response = victim.answer(Request("GET", query, environ=ENVIRON | {"PATH_INFO": path}))
    return response.status, judge_any(response)[0]


def refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def list_numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from list_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from list_numbers(inner)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", FORMATS, ids=lambda row: f"{row.name} {row.result_model} {row.strict}")
def test_every_format_is_whole(victim: Application, kind: str, row: ResponseFormat) -> None:
    query = (
        f"{SOS}GetObservation&offering={kind}&observedProperty=weather&responseFormat={quote(row.name)}"
        + (f"&resultModel={row.result_model}" if row.result_model else "")
        + ("&conformance=strict" if row.strict else "")
    )
    for more in ("", "&srsName=EPSG:3857", "&aggregateInterval=P1D&aggregateFunction=avg,min,max,sum,first,last"):
        body, headers = judge_any(victim.answer(get(query + more)))
        assert b"under reference" not in body
        if "json" in headers["Content-Type"]:
            found = json.loads(body, parse_constant=refuse)
            assert all(number - number == 0 for number in list_numbers(found))
        if "xml" in headers["Content-Type"] and "ExceptionReport" not in body.decode():
            positions = body.lower().split(b"coordinates>")[1::2] + body.lower().split(b"pos>")[1::2]
            assert not any(word in text for text in positions for word in (b"inf", b"nan"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", ["json", "pjson", "html", "csv"])
def test_observations_are_whole(victim: Application, kind: str, format: str) -> None:
    """The rows whose places are not finite lie nowhere: without a filter the MAP EXTENT applies, as in the SOS."""
    for filter in ("", "&spatialFilter=-180,-90,180,90", "&spatialFilter=5,5", "&where=numeric_value%3E0"):
        status, body = ask(victim, f"f={format}&offering={kind}{filter}", "/exts/SosSOE/observations/query")
        assert status == 200
        if "json" in format:
            json.loads(body, parse_constant=refuse)


@pytest.mark.parametrize("format", ["json", "pjson", "html"])
@pytest.mark.parametrize(
    "path", ["", "/observations", *(f"/observations/{kind}" for kind in KINDS), "/procedures", "/procedures/S1",
             "/procedures/S0", "/features", "/features/query", "/features/query?feature=S1"],
)  # fmt: skip
def test_resources_have_bounds_of_what_is_finite(victim: Application, path: str, format: str) -> None:
    path, _, more = path.partition("?")
    status, body = ask(victim, f"f={format}&{more}", f"/exts/SosSOE{path}")
    assert status == 200
    if format != "html":
        found = json.loads(body, parse_constant=refuse)
        # The header of a FlatGeobuf states the extent as its writer knew it: GDAL 3.10 not that of these places.
        if path.startswith("/observations/") and path.rpartition("/")[2] in ("gpkg", "sqlite", "wkt"):
            area = found["observedArea"]
            assert [area[name] for name in ("xmin", "ymin", "xmax", "ymax")] == [5, 5, 7, 6]
    else:
        assert b"Infinity" not in body
        assert b"NaN" not in body


def test_documents_of_the_sos_have_bounds_of_what_is_finite(victim: Application) -> None:
    queries = ["service=SOS&request=GetCapabilities", f"{SOS}GetDataAvailability"]
    queries += [f"{SOS}GetFeatureOfInterest&FeatureOfInterestId=S{n}" for n in range(len(PLACES))]
    for query in queries:
        body, _ = judge_any(victim.answer(get(query)))
        assert b"under reference" not in body
        for corner in re.findall(rb"Corner>([^<]*)<", body):
            assert all(abs(float(number)) < 360 for number in corner.split())
        assert not any(word in body.lower() for word in (b">inf", b">nan", b">-inf", b" inf", b" nan"))


@pytest.mark.parametrize("extent", ["inf,0,1,1", "nan,nan,nan,nan", "-1e999,0,1e999,1", "1e308,1e308,-1e308,-1e308"])
def test_extents_of_the_mapfile_are_read_as_numbers(mapfile: Path, tmp_path: Path, extent: str) -> None:
    """MapServer reads them with atof, which knows infinity."""
    layer = f'CONNECTIONTYPE OGR CONNECTION "{mapfile.parent.parent}/csv.csv"'
    extent = f'"sos_value_alias" "value" "sos_offering_extent" "{extent}"'
    path = write_victim(tmp_path, {"csv": layer}, metadata=extent)
    body, _ = judge_any(open_victim(path).answer(get("service=SOS&request=GetCapabilities")))
    assert b"under reference" not in body
    for format in ("json", "html"):
        assert ask(open_victim(path), f"f={format}", "/exts/SosSOE/observations")[0] == 200
