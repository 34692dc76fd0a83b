"""Rows at the ends of the calendar, the years 1 and 9999: whole answers in every format, zone and step."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from fuzz.victim import ENVIRON, SOS, get, judge, judge_any, open_victim, write_victim
from mapsos.app import Application
from mapsos.encodings.registry import FORMATS, ResponseFormat
from mapsos.web.messages import Request

FIRST, SECOND, LAST = "0001-01-01T00:00:00Z", "2020-06-01T12:00:00Z", "9999-12-31T23:59:59Z"
TIMES = (FIRST, SECOND, LAST)
ZONES = ("+14:00", "-14:00", "+00:01", "-00:01", "Z")
QUERY = "/exts/SosSOE/observations/query"
KINDS = ("csv", "gpkg", "sqlite", "geojson", "shp", "inline", "epoch")


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """The same three rows of one station, from each driver; and as seconds since 1970, with rows beyond the ends."""
    from osgeo import ogr, osr

    folder = tmp_path_factory.mktemp("calendar")
    rows = [(f"S{number}", time, number) for number, time in enumerate(TIMES)]
    (folder / "csv.csv").write_text("station,time,value\n" + "".join(f"{s},{t},{v}\n" for s, t, v in rows))
    seconds = (-62135596800, 1591012800, 253402300799, -62135596801, 253402300800, 999_999_999_999, -999_999_999_999)
    (folder / "epoch.csv").write_text(
        "station,time,value\n" + "".join(f"S{n},{second},{n}\n" for n, second in enumerate(seconds))
    )
    (folder / "epoch.csvt").write_text("String,Integer64,Integer")
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [v, v]},
         "properties": {"station": s, "time": t, "value": v}} for s, t, v in rows
    ]  # fmt: skip
    (folder / "geojson.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    for driver, name in (("GPKG", "gpkg"), ("SQLite", "sqlite"), ("ESRI Shapefile", "shp")):
        dataset = ogr.GetDriverByName(driver).CreateDataSource(str(folder / f"{name}.{name}"))
        layer = dataset.CreateLayer("shp" if name == "shp" else "all rows", reference, ogr.wkbPoint)
        time_type = ogr.OFTString if driver == "ESRI Shapefile" else ogr.OFTDateTime
        for column, kind in (("station", ogr.OFTString), ("time", time_type), ("value", ogr.OFTInteger)):
            layer.CreateField(ogr.FieldDefn(column, kind))
        for s, t, v in rows:
            feature = ogr.Feature(layer.GetLayerDefn())
            feature["station"], feature["value"] = s, v
            feature.SetField("time", t if time_type == ogr.OFTString else t.replace("-", "/").replace("T", " "))
            feature.SetGeometryDirectly(ogr.CreateGeometryFromWkt(f"POINT({v} {v})"))
            layer.CreateFeature(feature)
        del feature, layer, dataset
    layers = {
        kind: f'CONNECTIONTYPE OGR CONNECTION "{folder}/{kind}.{"csv" if kind == "epoch" else kind}"'
        + (' DATA "all rows"' if kind in ("gpkg", "sqlite") else "")
        for kind in KINDS
        if kind != "inline"
    }
    layers["inline"] = 'PROCESSING "ITEMS=station,time,value"' + "".join(
        f' FEATURE POINTS {v} {v} END ITEMS "{s};{t};{v}" END' for s, t, v in rows
    )
    return open_victim(write_victim(folder, layers, metadata='"sos_value_alias" "value"'))


def ask(victim: Application, query: str, path: str = QUERY) -> tuple[int, bytes]:
    response = victim.answer(Request("GET", query, environ=ENVIRON | {"PATH_INFO": path}))
    return response.status, judge_any(response)[0]


def expect(kind: str) -> int:
    """Beyond the calendar a number is no time, but its row is one where no time is requested."""
    return 7 if kind == "epoch" else 3


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "relation", ["after:0001-01-01T00:00:00", "before:9999-12-31T23:59:59", "equals:2020-06-01T12:00:00"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_zone_leaves_all_rows(victim: Application, kind: str, relation: str, zone: str) -> None:
    """A time that the zone takes out of the calendar is written in UTC."""
    filter = quote(f"temporalFilter={relation}{zone}", safe="=")
    found = []
    for format in ("json", "pjson"):
        status, body = ask(victim, f"f={format}&offering={kind}&{filter}")
        if status == 400:
            assert b"temporalFilter cannot be read" in body
            assert (relation.startswith("after:0001") and zone[0] == "+") or (
                relation.startswith("before:9999") and zone[0] == "-"
            )
            return
        assert status == 200
        found.append([row["phenomenonTime"] for row in json.loads(body)["observationData"]])
    assert found[0] == found[1]
    assert ask(victim, f"f=html&offering={kind}&{filter}")[0] == 200
    _, body = ask(victim, f"f=csv&offering={kind}&{filter}")
    assert len(body.splitlines()) - 1 == len(found[0])


@pytest.mark.parametrize("kind", KINDS)
def test_times_out_of_the_calendar_are_written_in_utc(victim: Application, kind: str) -> None:
    """The finding itself, and its counterpart at the beginning."""
    last = {"+14:00": "9999-12-31T23:59:59+00:00", "-14:00": "9999-12-31T09:59:59-14:00"}
    first = {"+14:00": "0001-01-01T14:00:00+14:00", "-14:00": "0001-01-01T00:00:00+00:00"}
    for zone in ("+14:00", "-14:00"):
        for number, texts in ((0, first), (2, last)):
            where = quote(f"procedure = 'S{number}'")
            day = "0001-01-03" if number == 0 else "9999-12-30"
            filter = quote(f"{'before' if number == 0 else 'after'}:{day}T00:00:00{zone}")
            status, body = ask(victim, f"f=json&offering={kind}&temporalFilter={filter}&where={where}")
            assert status == 200
            assert [row["phenomenonTime"] for row in json.loads(body)["observationData"]] == [texts[zone]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", FORMATS, ids=lambda row: f"{row.name} {row.result_model} {row.strict}")
@pytest.mark.parametrize(
    "time", ["", "0001/9999", "0001-01-01T00:00:00Z/9999-12-31T23:59:59Z", "9999", "0001", "9999-12", "P1D/9999-12-31",
             "9999-12-31/P1D", "0001-01-01/P9998Y", "latest", "first"],
)  # fmt: skip
def test_every_format_is_whole(victim: Application, kind: str, row: ResponseFormat, time: str) -> None:
    query = (
        f"{SOS}GetObservation&offering={kind}&observedProperty=weather&responseFormat={quote(row.name)}"
        + (f"&resultModel={row.result_model}" if row.result_model else "")
        + ("&conformance=strict" if row.strict else "")
        + (f"&eventTime={quote(time)}" if time else "")
    )
    body, headers = judge_any(victim.answer(get(query)))
    assert b"under reference" not in body
    if time in ("", "0001/9999") and "xml" not in headers["Content-Type"] and "text/csv" in headers["Content-Type"]:
        rows = list(csv.reader(io.StringIO(body.decode())))
        assert len(rows) - 1 == (expect(kind) if not time else 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["PT1H", "P1D", "P1W", "P1M", "P1Y", "P9999Y", "P999D", "PT0.5S"])
@pytest.mark.parametrize("zone", ["UTC", "+14:00", "-14:00", "Europe/Berlin", "Pacific/Kiritimati", "America/Adak"])
def test_steps_end_with_the_calendar(victim: Application, kind: str, step: str, zone: str) -> None:
    for format in ("text/csv", "application/json", 'text/xml; subtype="om/1.0.0"'):
        body, _ = judge_any(
            victim.answer(
                get(
                    f"{SOS}GetObservation&offering={kind}&observedProperty=weather&responseFormat={quote(format)}"
                    f"&aggregateInterval={step}&aggregateFunction=count,first,last&timezone={quote(zone)}"
                )
            )
        )
        assert b"under reference" not in body
        if format == "text/csv" and b"ExceptionReport" not in body:
            assert len(body.splitlines()) - 1 == 3, body


def test_descriptions_of_such_data_are_whole(victim: Application) -> None:
    capabilities = judge(victim.answer(get("service=SOS&request=GetCapabilities")))
    assert capabilities.count(b">0001-01-01T00:00:00Z<") == len(KINDS)
    assert capabilities.count(b">9999-12-31T23:59:59Z<") == len(KINDS)
    found, _ = judge_any(victim.answer(get(f"{SOS}GetFeatureOfInterest&FeatureOfInterestId=S0")))
    assert b"ExceptionReport" not in found
    body, _ = judge_any(victim.answer(get(f"{SOS}GetDataAvailability")))
    assert b"under reference" not in body
    for path in ("", "/observations", *(f"/observations/{kind}" for kind in KINDS), "/procedures", "/procedures/S2",
                 "/features", "/features/query"):  # fmt: skip
        for format in ("json", "pjson", "html"):
            assert ask(victim, f"f={format}", f"/exts/SosSOE{path}")[0] == 200
    assert ask(victim, "", "/_mapsos/builder")[0] == 200


@pytest.mark.parametrize(
    "time", ["now/9999", "0001/now", "now/P9999Y", "P9999Y/now", "now/P999999999D", "P999999999Y/now",
             "9999-12-31T24:00:00Z", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00",
             "0001-01-01T00:00:00+14:00", "9999-W52-7", "9999-366", "0001-W01-1", "0000", "9999-12-31T23:59:60Z"],
)  # fmt: skip
def test_requested_times_beyond_the_calendar_are_reported(victim: Application, time: str) -> None:
    for kind in KINDS:
        query = f"{SOS}GetObservation&offering={kind}&observedProperty=weather&responseFormat=text/csv"
        body, _ = judge_any(victim.answer(get(f"{query}&eventTime={quote(time)}")))
        assert b"under reference" not in body
        status, _ = ask(victim, f"f=json&offering={kind}&temporalFilter={quote('equals:' + time)}")
        assert status in (200, 400)
        condition = quote(f"phenomenon_time >= TIMESTAMP '{time}'")
        assert ask(victim, f"f=json&offering={kind}&where={condition}")[0] in (200, 400)


def test_limits_of_rows_propose_times_within_the_calendar(victim: Application) -> None:
    limited = Application(replace(victim.settings, max_rows=1))
    for kind in KINDS:
        for zone in ("+14:00", "-14:00"):
            filter = quote(f"after:0002-01-01T00:00:00{zone}")
            assert ask(limited, f"f=json&offering={kind}&temporalFilter={filter}")[0] in (200, 400)
