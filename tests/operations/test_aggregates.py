"""aggregateInterval, held against sums done by hand in Python."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.ipc
import pytest
from lxml import etree
from osgeo import ogr, osr

from mapsos.operations.observations import aggregates
from tests.operations.table_answers import ARROW, CSV, get, get_arrow, get_csv, get_json, get_parquet, join_blocks

from .conftest import LAYER, NS, WEB, World, layer_text, refusal

UTC = UTC
BEGIN = datetime(2001, 1, 1, tzinfo=UTC)
METADATA = (
    '"sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure_item" "stn" "sos_timeitem" "t" '
    '"sos_v_alias" "value" "sos_v_uom" "m" "sos_n_alias" "number" "sos_n_uom" "1" "sos_w_alias" "weather" '
    '"sos_d_alias" "day"'
)


def invent(count: int) -> Iterator[tuple[str, datetime | None, float | None, int | None, str | None]]:
    """Rows in no order, with gaps: station, time, a real, an integer, a text."""
    numbers = random.Random(5)
    for number in range(count):
        yield (
            f"S{numbers.randrange(3)}",
            None if number % 97 == 0 else BEGIN + timedelta(seconds=numbers.randrange(400 * 86400)),
            None if number % 5 == 0 else numbers.uniform(-50, 50),
            None if number % 7 == 0 else numbers.randrange(-(10**12), 10**12),
            None if number % 11 == 0 else numbers.choice(["rain", "sun", ""]),
        )


ROWS = list(invent(3000))


def write_rows(path: Path) -> None:
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("obs", reference, ogr.wkbPoint)
    kinds = (("stn", ogr.OFTString), ("t", ogr.OFTDateTime), ("v", ogr.OFTReal), ("n", ogr.OFTInteger64))
    for name, kind in (*kinds, ("w", ogr.OFTString), ("d", ogr.OFTDate)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    layer.StartTransaction()
    for station, time, real, integer, text in ROWS:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["stn"] = station
        for name, value in (("v", real), ("n", integer), ("w", text)):
            if value is not None:
                feature[name] = value
        if time is not None:
            feature["t"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
            feature["d"] = time.strftime("%Y-%m-%d")
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT({station[1]} 50)"))
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    dataset = layer = None


@pytest.fixture
def many(world: World) -> World:
    write_rows(world.folder / "many.gpkg")
    world.write_map(layer_text(data="many.gpkg", metadata=METADATA))
    return world


def month_of(time: datetime, zone: Any) -> datetime:
    return time.astimezone(zone).replace(day=1, hour=0, minute=0, second=0)


def day_of(time: datetime, zone: Any) -> datetime:
    return time.astimezone(zone).replace(hour=0, minute=0, second=0)


FUNCTIONS = {
    "avg": lambda values: math.fsum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


def summarize(column: int, function: str, begin: Any, zone: Any) -> dict[tuple[str, datetime], Any]:
    """By station and begin of the step: None where there is a row without a value."""
    groups: dict[tuple[str, datetime], list[Any]] = defaultdict(list)
    ordered = sorted((row for row in ROWS if row[1] is not None), key=lambda row: row[1])
    for row in ordered:
        group = groups[row[0], begin(row[1], zone).astimezone(UTC)]
        if row[column] is not None:
            group.append(row[column])
    if function == "count":
        return {key: len(values) for key, values in groups.items()}
    return {key: FUNCTIONS[function](values) if values else None for key, values in groups.items()}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(("step", "begin"), [("P1M", month_of), ("P1D", day_of)])
def test_every_function_is_what_it_says(many: World, step: str, begin: Any, zone: str) -> None:
    names = "avg,min,max,sum,count,first,last"
    table = get_arrow(many, aggregateInterval=step, aggregateFunction=names, timezone=zone)
    keys = list(zip(table["procedure"].to_pylist(), table["time"].to_pylist(), strict=True))
    assert len(set(keys)) == len(keys)
    for alias, column in (("value", 2), ("number", 3)):
        for function in names.split(","):
            expected = summarize(column, function, begin, ZoneInfo(zone))
            found = dict(zip(keys, table[f"{alias}_{function}"].to_pylist(), strict=True))
            assert set(found) == set(expected)
            for key, value in expected.items():
                assert found[key] == (value if value is None else pytest.approx(value, rel=1e-12, abs=1e-9)), (
                    key,
                    function,
                )
    assert table["number_sum"].type == table["number_max"].type == pa.int64()
    assert set(summarize(4, "count", begin, ZoneInfo(zone)).values()) >= set(table["weather_count"].to_pylist())


def test_rows_are_ordered_by_procedure_and_time(many: World) -> None:
    table = get_arrow(many, aggregateInterval="P1M")
    keys = [(row["procedure"], row["time"]) for row in table.to_pylist()]
    assert keys == sorted(keys)
    assert list(dict.fromkeys(row[0] for row in ROWS)) != sorted({row[0] for row in ROWS})


def test_names_units_and_kinds(many: World) -> None:
    table = get_arrow(many, aggregateInterval="P1M", aggregateFunction="COUNT, first,min")
    assert table.schema.names == [
        "time",
        "end_time",
        "procedure",
        *("value_count", "value_first", "value_min"),
        *("number_count", "number_first", "number_min"),
        *("weather_count", "weather_first"),
        *("day_count", "day_first", "day_min"),
        "geometry",
    ]
    assert table.schema.field("value_min").metadata[b"unit"] == b"m"
    assert b"unit" not in table.schema.field("value_count").metadata
    assert table.schema.field("weather_first").type == pa.large_string()
    assert table.schema.field("day_min").type == pa.date32()


def test_the_average_is_what_is_meant_if_nothing_is_said(many: World) -> None:
    assert [name for name in get_csv(many, aggregateInterval="P1Y")[0] if "value" in name] == ["value_avg [m]"]
    assert not [name for name in get_csv(many, aggregateInterval="P1Y")[0] if "weather" in name]


def test_filters_hold_first(many: World) -> None:
    table = get_arrow(
        many,
        aggregateInterval="P1Y",
        aggregateFunction="count",
        procedure="S1",
        eventTime="2001-06",
        result="<PropertyIsGreaterThan><PropertyName>value</PropertyName><Literal>0</Literal></PropertyIsGreaterThan>",
    )
    expected = [
        row
        for row in ROWS
        if row[0] == "S1" and row[1] and row[1].strftime("%Y-%m") == "2001-06" and row[2] is not None and row[2] > 0
    ]
    assert table.select(["procedure", "value_count"]).to_pylist() == [{"procedure": "S1", "value_count": len(expected)}]


def test_all_tables_say_the_same(many: World) -> None:
    asked = {"aggregateInterval": "P1M", "aggregateFunction": "min,count"}
    table = get_arrow(many, **asked)
    assert get_parquet(many, **asked).to_pylist() == table.to_pylist()
    columns = join_blocks(get_json(many, **asked))
    for name in ("procedure", "value_min", "number_count", "weather_count"):
        assert columns[name] == table[name].to_pylist()
    header, *rows = get_csv(many, **asked)
    assert [int(row[header.index("number_count")]) for row in rows] == table["number_count"].to_pylist()
    assert columns["x"] == [int(name[1]) for name in columns["procedure"]]
    features = json.loads(get(many, "application/geo+json", **asked))["features"]
    assert [feature["properties"]["value_min"] for feature in features] == columns["value_min"]


def test_measurements_have_the_interval_as_sampling_time(many: World) -> None:
    root = many.observe(aggregateInterval="P1Y", aggregateFunction="max", timezone="+01:00", procedure="S0")
    periods = [
        (period.findtext("gml:beginPosition", "", NS), period.findtext("gml:endPosition", "", NS))
        for period in root.iterfind(".//om:samplingTime/gml:TimePeriod", NS)
    ]
    assert periods == [
        ("2000-12-31T23:00:00Z", "2001-12-31T23:00:00Z"),
        ("2001-12-31T23:00:00Z", "2002-12-31T23:00:00Z"),
    ]
    table = get_arrow(many, aggregateInterval="P1Y", aggregateFunction="max", timezone="+01:00", procedure="S0")
    values = [element.text for element in root.iterfind(".//ms:value_max", NS)]
    assert [float(value or "nan") for value in values] == pytest.approx(table["value_max"].to_pylist())


def test_records_of_observations_begin_with_the_interval(many: World) -> None:
    root = many.observe(
        aggregateInterval="P1Y", aggregateFunction="count", procedure="S0", resultModel="om:Observation"
    )
    (result,) = root.iterfind(".//om:result", NS)
    first, *_ = (result.text or "").split("\n")
    assert first.split(",")[0] == "2001-01-01T00:00:00Z/2002-01-01T00:00:00Z"
    fields = [field.get("name") for field in root.iterfind(".//swe:field", NS)]
    assert fields == ["time", "value_count", "number_count", "weather_count", "day_count"]


def test_a_body_asks_for_the_same(many: World) -> None:
    import io

    body = b"""<GetObservation xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">
      <offering>off</offering><observedProperty>op</observedProperty><responseFormat>text/csv</responseFormat>
      <aggregateInterval>P1M</aggregateInterval><aggregateFunction>sum,last</aggregateFunction>
      <timezone>Europe/Berlin</timezone></GetObservation>"""
    answer = many.send("", method="POST", content_type="text/xml", content_length=len(body), read=io.BytesIO(body).read)
    asked = {"aggregateInterval": "P1M", "aggregateFunction": "sum,last", "timezone": "Europe/Berlin"}
    assert b"".join(map(bytes, answer.body)) == get(many, CSV, **asked)


@pytest.mark.parametrize(
    ("parameters", "code", "locator", "part"),
    [
        ({"aggregateInterval": "daily"}, "InvalidParameterValue", "aggregateinterval", "P1Y, P1M, P1D, PT10M"),
        ({"aggregateInterval": "P1DT1H"}, "InvalidParameterValue", "aggregateinterval", "P1DT1H"),
        ({"aggregateInterval": "PT0S"}, "InvalidParameterValue", "aggregateinterval", "PT0S"),
        (
            {"aggregateInterval": "P1D", "aggregateFunction": "median"},
            "InvalidParameterValue",
            "aggregatefunction",
            "avg, min, max, sum, count, first, last",
        ),
        ({"aggregateInterval": "P1D", "aggregateFunction": ""}, "InvalidParameterValue", "aggregatefunction", "avg"),
        ({"aggregateInterval": "P1D", "timezone": "Mars"}, "InvalidParameterValue", "timezone", "Europe/Berlin"),
        ({"aggregateFunction": "avg"}, "MissingParameterValue", "aggregateinterval", "aggregatefunction"),
        ({"timezone": "UTC"}, "MissingParameterValue", "aggregateinterval", "timezone"),
    ],
)
def test_what_is_refused(many: World, parameters: dict[str, str], code: str, locator: str, part: str) -> None:
    found = refusal(etree.fromstring(get(many, CSV, **parameters)))
    assert found[:2] == (code, locator)
    assert part in found[2]


@pytest.mark.parametrize("function", ["avg", "sum", "min", "max"])
def test_functions_of_numbers_are_refused_where_there_is_only_text(many: World, function: str) -> None:
    texts = (
        METADATA.replace("sos_v_alias", "sos_v_x").replace("sos_n_alias", "sos_n_x").replace("sos_d_alias", "sos_d_x")
    )
    many.write_map(layer_text(data="many.gpkg", metadata=texts))
    code, locator, text = refusal(
        etree.fromstring(get(many, CSV, aggregateInterval="P1D", aggregateFunction=f"count,{function}"))
    )
    assert (code, locator) == ("InvalidParameterValue", "aggregatefunction")
    assert f"aggregateFunction {function} applies to no property of layer l1" in text


def test_layers_without_time_are_refused(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER.replace('"sos_timeitem" "t"', "")))
    assert refusal(etree.fromstring(get(world, CSV, aggregateInterval="P1D")))[1] == "aggregateinterval"


def test_more_summaries_than_memory_holds_are_refused(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregates, "MOST_GROUPS", 42)
    assert len(get_csv(many, aggregateInterval="P1M")) == 1 + 3 * 14
    found = refusal(etree.fromstring(get(many, CSV, aggregateInterval="P1D")))
    assert found[:2] == ("InvalidParameterValue", "aggregateinterval")
    assert "more than 42 summaries" in found[2]


def test_maxfeatures_counts_summaries(many: World) -> None:
    many.write_map(layer_text(data="many.gpkg", metadata=METADATA), web=WEB + ' "sos_maxfeatures" "2"')
    header, *rows = get_csv(many, aggregateInterval="P1Y", aggregateFunction="count")
    counts = summarize(2, "count", lambda time, zone: datetime(time.year, 1, 1, tzinfo=UTC), UTC)
    assert len(rows) == 2
    assert int(rows[0][header.index("value_count")]) == counts[rows[0][2], datetime(2001, 1, 1, tzinfo=UTC)]


def test_one_procedure_for_the_whole_layer(many: World) -> None:
    one = METADATA.replace('"sos_procedure_item" "stn"', '"sos_procedure" "all"')
    many.write_map(layer_text(data="many.gpkg", metadata=one))
    table = get_arrow(many, aggregateInterval="P1Y", aggregateFunction="count")
    assert table["procedure"].to_pylist() == ["all", "all"]
    assert sum(table["value_count"].to_pylist()) == sum(1 for row in ROWS if row[1] and row[2] is not None)


def test_text_that_is_meant_as_numbers(many: World) -> None:
    (many.folder / "text.csv").write_text("stn,t,v\nA,2001-01-01,1.5\nA,2001-01-01,n/a\nA,2001-01-02,2.5\n")
    stated = METADATA + ' "sos_v_type" "Real"'
    layer = layer_text(data="text.csv", metadata=stated).replace('DATA "obs"', 'DATA "text"')
    many.write_map(layer)
    table = get_arrow(many, aggregateInterval="P1M", aggregateFunction="avg,count")
    assert (table["value_avg"].to_pylist(), table["value_count"].to_pylist()) == ([2.0], [2])
    plain = get_arrow(many)
    assert plain["value"].to_pylist() == [1.5, None, 2.5]


def test_partial_summaries_are_merged(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from mapsos.columns import summarizer as summaries

    asked = {"aggregateInterval": "P1M", "aggregateFunction": "avg,min,max,sum,count,first,last"}
    query = {"service": "SOS", "version": "1.0.0", "request": "GetObservation", "offering": "off"}
    query |= {"observedProperty": "op", "responseFormat": ARROW, **asked}
    whole = get_arrow(many, **asked)
    monkeypatch.setattr(summaries, "_MOST_PARTIAL", 0)
    monkeypatch.setattr("mapsos.operations.observe.BATCH_ROWS", 100)
    parts = pa.ipc.open_stream(b"".join(map(bytes, many.send(urlencode(query)).body))).read_all()
    for name in whole.schema.names:
        if whole.schema.field(name).type == pa.float64():
            assert parts[name].to_pylist() == pytest.approx(whole[name].to_pylist())
        else:
            assert parts[name].to_pylist() == whole[name].to_pylist()
