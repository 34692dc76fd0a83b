"""K10: times as people write them are read where they can mean one time only, and compared by what they mean."""

from __future__ import annotations

import json
import sqlite3

import pytest

from .conftest import Field

AT = "2024-03-01T06:00:00Z"
FORMS = {
    "1709272800": AT,
    "1709272800.0": AT,
    "1709272800000": AT,
    "2024-03-01 07:00:00 +0100": AT,
    "2024-03-01 07:00 +01:00": AT,
    "2024-03-01T07:00+01": AT,
    "2024-03-01T07:00:00+0100": AT,
    "20240301T060000Z": AT,
    "20240301T0600Z": AT,
    "20240301 060000": AT,
    "20240301060000": AT,
    "2024-03-01 06:00": AT,
    "2024-03-01 06:00:00 UTC": AT,
    "2024-03-01 06:00 GMT": AT,
    "2024/03/01 06:00": AT,
    "01.03.2024 06:00": AT,
    "01.03.2024 06:00:00": AT,
    "1.3.2024 6:00": AT,
    "01.03.2024, 06:00": AT,
    "01.03.2024 07:00 +01:00": AT,
    " 2024-03-01T06:00:00Z ": AT,
    "01.03.2024": "2024-03-01T00:00:00Z",
    "20.03.2024 06:00": "2024-03-20T06:00:00Z",
    "19.03.2024 06:00": "2024-03-19T06:00:00Z",
    "2.3.2024 6:00": "2024-03-02T06:00:00Z",
    "31.12.1999 23:59": "1999-12-31T23:59:00Z",
    "978307200": "2001-01-01T00:00:00Z",
    "200000000": "1976-05-03T19:33:20Z",
    "1950000001": "2031-10-17T10:40:01Z",
    "1950000001000": "2031-10-17T10:40:01Z",
}
AMBIGUOUS = ("03/04/2024", "3/4/2024 07:00", "2024030107", "202403010700", "01.13.2024", "32.01.2024", "7:00", "1.3.24")


def write(field: Field, driver: str, texts: list[str]) -> None:
    rows = [(f"S{number}", text, number) for number, text in enumerate(texts)]
    if driver == "csv":
        lines = "".join(f'{station},"{text}",{value}\n' for station, text, value in rows)
        field.write("data.csv", "station,time,value\n" + lines)
        field.publish("data.csv")
    else:
        with sqlite3.connect(field.folder / "data.sqlite") as database:
            database.execute("CREATE TABLE data (id INTEGER PRIMARY KEY, station TEXT, time TEXT, value REAL)")
            database.executemany("INSERT INTO data (station, time, value) VALUES (?, ?, ?)", rows)
            if driver == "indexed":
                database.execute("CREATE INDEX by_time ON data (time)")
        database.close()
        field.publish("data.sqlite", "data")


@pytest.mark.parametrize("driver", ["csv", "sqlite", "indexed"])
def test_each_form_is_found_by_its_time(field: Field, driver: str) -> None:
    write(field, driver, list(FORMS))
    for number, (text, instant) in enumerate(FORMS.items()):
        found = [row["procedure"] for row in field.rows(eventTime=instant)]
        assert f"S{number}" in found, text
        period = f"{instant[:10]}T00:00:00Z/{instant[:10]}T23:59:59Z"
        assert f"S{number}" in [row["procedure"] for row in field.rows(eventTime=period)], text
    assert len(field.rows(eventTime=AT)) == list(FORMS.values()).count(AT)
    assert field.rows(eventTime="2024-03-01T07:00:00Z") == []


def test_every_output_has_the_instant(field: Field) -> None:
    write(field, "csv", list(FORMS))
    block = json.loads(field.observe("application/json"))["blocks"][0]
    assert block["time"] == list(FORMS.values())
    assert [row["time"] for row in field.rows()] == list(FORMS.values())
    found = field.rest("/observations/query")["observationData"]
    assert [each["phenomenonTime"].replace("+00:00", "Z") for each in found] == list(FORMS.values())
    assert b"<gml:beginPosition>1976-05-03T19:33:20Z</gml:beginPosition>" in field.ask("GetCapabilities")
    latest = field.rows(eventTime="latest")
    assert len(latest) == len(FORMS)


def test_latest_and_means_go_by_the_instant(field: Field) -> None:
    field.write(
        "data.csv",
        "station,time,value\nA,1709272800,1\nA,01.03.2024 08:00,4\n"
        "A,2024-03-01 08:00:00 +0100,2\nA,20240301T073000Z,3\n",
    )
    field.publish("data.csv")
    assert [row["value [m]"] for row in field.rows(eventTime="latest")] == ["4"]
    assert [row["value [m]"] for row in field.rows(eventTime="first")] == ["1"]
    counts = field.rows(aggregateInterval="PT1H", aggregateFunction="count")
    assert [list(row.values())[-1] for row in counts] == ["1", "2", "1"]


def test_what_may_be_another_time_is_none(field: Field) -> None:
    write(field, "csv", list(AMBIGUOUS))
    assert field.rows(eventTime="0001-01-01/9999-12-31") == []
    assert len(field.rows()) == len(AMBIGUOUS)


@pytest.mark.parametrize("value", [1709272800, 1709272800000, 1709272800.0, 1709272800000.0])
def test_numbers_are_seconds_or_milliseconds(field: Field, value: float) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"station": f"S{number}", "time": time, "value": 1},
            "geometry": {"type": "Point", "coordinates": [1, 2]},
        }
        for number, time in enumerate((value, value / 1000 if value > 1e12 else value * 1000, None))
    ]
    field.write("data.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    field.publish("data.geojson")
    assert [row["procedure"] for row in field.rows(eventTime=AT)] == ["S0", "S1"]
    assert [row["time"] for row in field.rows()] == [AT, AT, ""]
