"""observations/query: every parameter, and the same observations as the SOS gives for the same question."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from mapsos.app import Application
from mapsos.web.messages import Request

from .conftest import ROOT, Ask

QUERY = ROOT + "/observations/query"
JULY = "during:2010-07-01T00:00:00Z,2010-07-02T00:00:00Z"


def read(ask: Ask, **parameters: str) -> list[dict[str, Any]]:
    answer = ask(QUERY, f="json", **parameters)
    assert answer.status == 200, answer.body
    return list(answer.value["observationData"])


def ask_sos(application: Application, **parameters: str) -> list[dict[str, str]]:
    query = urlencode(
        {"service": "SOS", "version": "1.0.0", "request": "GetObservation", "responseFormat": "text/csv", **parameters}
    )
    environ = {"QUERY_STRING": query, "SCRIPT_NAME": "/sos", "SERVER_NAME": "h", "SERVER_PORT": "80"}
    response = application.answer(Request("GET", query, environ=environ))
    text = b"".join(bytes(chunk) for chunk in response.body).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_an_observation_has_the_keys_of_the_example(ask: Ask) -> None:
    found = read(ask, offering="hourly", procedure="SEA", temporalFilter="equals:2010-07-01T00:00:00+02:00")
    assert found == [
        {
            "id": "hourly_temperature.SEA.2010-06-30T22:00:00Z",
            "type": "OM_Measurement",
            "phenomenonTime": "2010-07-01T00:00:00+02:00",
            "resultTime": "2010-07-01T00:00:00+02:00",
            "observedProperty": "urn:ogc:def:property:OGC::AirTemperature",
            "procedure": "SEA",
            "featureOfInterest": "SEA",
            "result": {"type": "numerical", "uom": "[degF]", "value": 69.9},
        }
    ]


@pytest.mark.parametrize(
    ("rest", "sos"),
    [
        ({"offering": "hourly", "temporalFilter": JULY}, {"eventTime": "2010-07-01T00:00:00Z/2010-07-02T00:00:00Z"}),
        (
            {"offering": "hourly", "procedure": "SFO", "temporalFilter": "before:2010-01-03"},
            {"procedure": "SFO", "eventTime": "2010-01-01/2010-01-02"},
        ),
        (
            {"offering": "hourly", "where": "numeric_value > 75"},
            {
                "result": "<Filter><PropertyIsGreaterThan><PropertyName>temperature</PropertyName>"
                "<Literal>75</Literal></PropertyIsGreaterThan></Filter>"
            },
        ),
        (
            {
                "offering": "hourly",
                "spatialFilter": "{xmin:-123,ymin:40,xmax:-122,ymax:48,spatialReference:{wkid:4326}}",
                "temporalFilter": JULY,
            },
            {"bbox": "-123,40,-122,48", "eventTime": "2010-07-01T00:00:00Z/2010-07-02T00:00:00Z"},
        ),
    ],
)
def test_the_same_question_gives_the_same_observations(
    ask: Ask, application: Application, rest: dict[str, str], sos: dict[str, str]
) -> None:
    ours = [(row["procedure"], row["phenomenonTime"], row["result"]["value"]) for row in read(ask, **rest)]
    theirs = [
        (row["procedure"], row["time"].replace("Z", "+00:00"), float(row["temperature [degF]"]))
        for row in ask_sos(application, offering="hourly", observedProperty="air_temperature", **sos)
    ]
    assert ours == theirs
    assert ours


def test_a_layer_of_several_values_gives_an_observation_for_each(ask: Ask) -> None:
    found = read(ask, offering="daily", temporalFilter="equals:2012-01-01")
    assert len({row["observedProperty"] for row in found}) == len(found) > 1
    assert len({row["id"] for row in found}) == len(found)
    one = found[0]["observedProperty"]
    assert [row["observedProperty"] for row in read(ask, observedProperty=one, temporalFilter="equals:2012-01-01")] == [
        one
    ]


def test_texts_are_textual(ask: Ask) -> None:
    (row,) = [
        row
        for row in read(ask, offering="daily", temporalFilter="equals:2012-01-01")
        if row["type"] == "OM_TextObservation"
    ]
    assert row["result"]["type"] == "textual"
    assert isinstance(row["result"]["value"], str)
    same = read(
        ask, offering="daily", temporalFilter="equals:2012-01-01", where=f"text_value = '{row['result']['value']}'"
    )
    assert same == [row]


@pytest.mark.parametrize(
    "parameters",
    [
        {"procedure": "SEA", "featureOfInterest": "SFO"},
        {"offering": "hourly", "where": "1=0"},
        {"offering": "hourly", "where": "uom = 'm'"},
        {"offering": "hourly", "where": "NOT type = 'OM_Measurement'"},
        {"offering": "hourly", "where": "text_value = 'x' or not text_value = 'x'"},
        {"temporalFilter": "after:3000-01-01"},
        {"spatialFilter": "0,0,1,1"},
        {"spatialFilter": "{x:0,y:0,spatialReference:{wkid:4326}}"},
    ],
)
def test_a_filter_that_matches_nothing_gives_nothing(ask: Ask, parameters: dict[str, str]) -> None:
    assert ask(QUERY, f="json", **parameters).value == {"observationData": []}


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({"where": "uom = '[degF]' and procedure in ('SEA')"}, 25),
        ({"where": "procedure like 'S%' and phenomenonTime < TIMESTAMP '2010-07-01 01:00:00'"}, 2),
        ({"where": "type = 'OM_Measurement'", "procedure": "SEA,SFO"}, 50),
        ({"featureOfInterest": "SFO"}, 25),
        # Of a text that all rows share; tried one after the other, the ways to meet it would take years.
        ({"where": f"observed_property like '{'%_' * 30}!'"}, 0),
        ({"featureOfInterest": "SFO", "procedure": "SEA"}, 0),
        ({"where": "numeric_value is not null"}, 50),
        ({"where": "text_value is null"}, 50),
        ({"where": "numeric_value between 50 and 60 or numeric_value not between 50 and 60"}, 50),
    ],
)
def test_parameters_are_joined_by_and_lists_by_or(ask: Ask, parameters: dict[str, str], rows: int) -> None:
    assert len(read(ask, offering="hourly", temporalFilter=JULY, **parameters)) == rows


def test_pages_join_to_the_whole(ask: Ask) -> None:
    whole = read(ask, offering="hourly", temporalFilter=JULY)
    pages = []
    for offset in range(0, 60, 20):
        answer = ask(
            QUERY, f="json", offering="hourly", temporalFilter=JULY, resultOffset=str(offset), resultRecordCount="20"
        ).value
        pages += answer["observationData"]
        assert answer.get("exceededTransferLimit", False) is (offset < 40)
    assert pages == whole
    last = ask(QUERY, f="json", offering="hourly", temporalFilter=JULY, resultRecordCount="50").value
    assert "exceededTransferLimit" not in last


@pytest.mark.parametrize(
    "parameters",
    [
        {"where": "numeric_value >"},
        {"where": "id = 'x'"},
        {"temporalFilter": "sometime"},
        {"spatialFilter": "somewhere"},
        {"resultOffset": "-1"},
        {"resultRecordCount": "0"},
        {"resultRecordCount": "many"},
    ],
)
def test_what_cannot_be_read_is_refused_by_name(ask: Ask, parameters: dict[str, str]) -> None:
    answer = ask(QUERY, f="json", **parameters)
    assert answer.status == 400
    (name,) = parameters
    assert answer.value["error"]["message"].startswith(f"{name} cannot be")


def test_the_answer_is_streamed(ask: Ask) -> None:
    assert ask(QUERY, f="json", offering="hourly").response.body is not None
    assert "Content-Length" not in ask(QUERY, f="json", offering="hourly").headers


def test_pretty_json_is_a_page(ask: Ask) -> None:
    value = ask(QUERY, f="pjson", offering="hourly").value
    assert len(value["observationData"]) == 100
    assert value["exceededTransferLimit"] is True


@pytest.mark.parametrize(
    "parameters",
    [
        {"offering": "hourly", "temporalFilter": JULY},
        {"offering": "hourly", "temporalFilter": "equals:2010-07-01T00:00:00+02:00"},
        {"offering": "hourly", "resultOffset": "1000"},
        {"offering": "daily", "temporalFilter": "equals:2012-01-01"},
        {"temporalFilter": "during:2012-01-01,2012-01-03"},
        {"offering": "hourly", "where": "1=0"},
    ],
)
def test_pretty_json_has_the_values_of_the_stream(ask: Ask, parameters: dict[str, str]) -> None:
    stream, pretty = (ask(QUERY, f=f, resultRecordCount="40", **parameters) for f in ("json", "pjson"))
    assert pretty.body.decode() == json.dumps(stream.value, ensure_ascii=False, indent=2)


@pytest.mark.parametrize("format", ["json", "pjson", "html"])
@pytest.mark.parametrize(
    ("page", "rows"),
    [
        ({}, 24),
        ({"resultRecordCount": "7"}, 7),
        ({"resultRecordCount": "7", "resultOffset": "20"}, 4),
        ({"resultOffset": "30"}, 0),
    ],
)
def test_the_log_is_told_how_many_observations_were_sent(
    ask: Ask, format: str, page: dict[str, str], rows: int
) -> None:
    answer = ask(
        QUERY, f=format, offering="hourly", procedure="SEA",
        temporalFilter="during:2010-07-01T00:00:00Z,2010-07-01T23:00:00Z", **page,
    )  # fmt: skip
    assert answer.status == 200
    assert answer.response.operation == "REST observations/query"
    assert answer.response.count_rows() == rows
    if format != "html":
        assert len(answer.value["observationData"]) == rows
    assert ask(ROOT, f="json").response.count_rows() == 0
