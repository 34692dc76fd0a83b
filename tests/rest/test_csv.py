"""observations/query as CSV: the observations of the JSON, value by value, for each kind of filter."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest

from tests.rest.limited import Limited

from .conftest import ROOT, Ask

QUERY = ROOT + "/observations/query"
HOUR = "during:2010-07-01T00:00:00+02:00,2010-07-01T02:00:00+02:00"


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    return Limited(tmp_path)


def read_csv(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


@pytest.mark.parametrize(
    "parameters",
    [
        {"offering": "nile"},
        {"offering": "nile,daily", "resultRecordCount": "150"},
        {"offering": "nile", "resultOffset": "7", "resultRecordCount": "5"},
        {"offering": "nile", "resultOffset": "1000"},
        {"observedProperty": "air_temperature", "temporalFilter": HOUR},
        {"procedure": "SEA,urn:ogc:def:procedure:SFO", "temporalFilter": HOUR},
        {"featureOfInterest": "SEA", "temporalFilter": HOUR},
        {"temporalFilter": "equals:2010-07-01T00:00:00+02:00"},
        {"temporalFilter": "after:2010-12-31T20:00:00Z", "offering": "hourly"},
        {"temporalFilter": "before:1900-01-01"},
        {"temporalFilter": "last:1000,+02:00"},
        {"spatialFilter": "-122.3138,47.4444", "temporalFilter": HOUR},
        {"spatialFilter": "-123,40,-122,48", "temporalFilter": HOUR},
        {"spatialFilter": "{xmin:-13692500,ymin:4.5e6,xmax:-13580000,ymax:6.1e6,spatialReference:{wkid:102100}}",
         "temporalFilter": HOUR},
        {"spatialFilter": "{\"points\":[[-122.3138,47.4444]]}", "temporalFilter": HOUR},
        {"spatialFilter": "{rings:[[[-123,40],[-123,48],[-122,48],[-123,40]]]}", "temporalFilter": HOUR},
        {"spatialFilter": "{paths:[[[-122.3138,47],[-122.3138,48]]]}", "temporalFilter": HOUR},
        {"where": "numeric_value BETWEEN 39 AND 40 AND procedure IN ('SEA')"},
        {"where": "phenomenon_time < TIMESTAMP '2010-01-01 02:00:00' AND NOT (procedure LIKE 'S%')"},
        {"offering": "hourly", "where": "1=0"},
    ],
    ids=lambda parameters: " ".join(parameters),
)  # fmt: skip
def test_the_observations_are_those_of_the_json(ask: Ask, parameters: dict[str, str]) -> None:
    found = ask(QUERY, f="json", **parameters).value["observationData"]
    answer = ask(QUERY, f="csv", **parameters)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=UTF-8; header=present")
    assert answer.body.startswith(b"time,procedure,feature_id,observed_property,value,uom\r\n")
    rows = read_csv(answer.body)
    assert len(rows) == len(found)
    for row, observation in zip(rows, found, strict=True):
        assert datetime.fromisoformat(row["time"]) == datetime.fromisoformat(observation["phenomenonTime"])
        result = observation["result"]
        assert row["procedure"] == (observation["procedure"] or "")
        assert row["observed_property"] == observation["observedProperty"]
        assert row["uom"] == (result["uom"] or "")
        assert (float(row["value"]) if row["value"] else None) == result["value"]
        # Of these layers that of the Nile alone has a column of ids; elsewhere the interface makes them up.
        of_nile = observation["observedProperty"].endswith("Discharge")
        assert row["feature_id"] == (observation["id"] if of_nile else "")


def test_texts_are_quoted_as_they_need_it(limited: Limited) -> None:
    answer = limited.ask(f="csv")
    rows = read_csv(answer.body)
    assert len(rows) == 36
    found = limited.ask().value["observationData"]
    for row, observation in zip(rows, found, strict=True):
        value = observation["result"]["value"]
        assert row["procedure"] == observation["procedure"]
        read = float(row["value"]) if isinstance(value, int | float) else row["value"]
        assert read == ("" if value is None else value)


def test_limits_hold_for_tables_too(limited: Limited) -> None:
    limited.settings = {"max_rows": 10}
    refused = limited.ask(f="csv")
    assert (refused.status, refused.value["error"]["code"]) == (400, 400)
    assert len(read_csv(limited.ask(f="csv", resultRecordCount="10").body)) == 10
    limited.settings = {}
    limited.map = {"web": '"sos_maxfeatures" "7"'}
    answer = limited.ask(f="csv")
    assert (len(read_csv(answer.body)), answer.headers["Mapsos-Max-Features"]) == (7, "7")


def test_other_resources_are_no_tables(ask: Ask) -> None:
    for resource in ("", "/observations", "/features/query"):
        answer = ask(ROOT + resource, f="csv")
        assert answer.status == 400
        assert answer.value["error"]["message"] == "f=csv is not supported"


def test_the_head_alone(ask: Ask) -> None:
    answer = ask(QUERY, "HEAD", f="csv", offering="nile")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="nile.csv"'
