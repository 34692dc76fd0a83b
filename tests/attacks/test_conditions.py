"""Filters, times and steps of many parts: the rows that they ask for, at no more than a pass over the data costs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mapsos.columns.calendar_steps import CalendarSteps
from mapsos.sos.v1.reading.time_zones import find_time_zone
from mapsos.terms.times import parse_duration, parse_time
from tests.attacks.many_parts import CONDITIONS, FILTERS, QUESTIONS, ROWS, count
from tests.support.station_service import DRIVERS, StationService, name_source, write_layer, write_rows

from .bounds import bounded

FORMATS = [*DRIVERS.values(), "csv", "indexed"]


@pytest.fixture(scope="module", params=FORMATS)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StationService:
    """The rows in one format; ``indexed`` is a GeoPackage with indexes of its stations and times."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "csv":
        lines = [f"{station},{time},{value},n{number}\n" for number, (station, time, value) in enumerate(ROWS)]
        (folder / "levels.csv").write_text("station,time,value,id\n" + "".join(lines))
        (folder / "levels.csvt").write_text("String,String,Real,String\n")
        path = folder / "levels.csv"
    elif request.param == "indexed":
        path = folder / "levels.gpkg"
        write_rows(path, "GPKG", ROWS)
        add_indexes(path)
    else:
        path = folder / f"levels.{request.param}"
        write_rows(path, next(name for name, end in DRIVERS.items() if end == request.param), ROWS)
    return StationService(folder, write_layer(name_source(path), sos_featureid="station"))


def add_indexes(path: Path) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute("CREATE INDEX by_station ON levels (station, time)")
        database.execute("CREATE INDEX by_time ON levels (time)")
    database.close()


@pytest.mark.parametrize("name", FILTERS)
def test_filters_of_many_parts_select_their_rows(service: StationService, name: str) -> None:
    text, expected = FILTERS[name]
    with bounded(5, 200):
        found = service.observe(result=f"<Filter>{text}</Filter>")
    assert count(found) == expected


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_of_many_parts_select_their_rows(service: StationService, name: str) -> None:
    where, expected = CONDITIONS[name]
    with bounded(5, 200):
        found = service.query(where=where, resultRecordCount="5000")
    assert found.status == 200, found.text[:300]
    assert len(found.value["observationData"]) == expected


@pytest.mark.parametrize("name", QUESTIONS)
def test_long_lists_of_times_and_names_select_their_rows(service: StationService, name: str) -> None:
    parameters, expected = QUESTIONS[name]
    with bounded(5, 200):
        found = service.observe(**parameters)
    assert count(found) == expected


@pytest.fixture(scope="module")
def long_service(tmp_path_factory: pytest.TempPathFactory) -> StationService:
    """A hundred thousand rows in a table with indexes."""
    folder = tmp_path_factory.mktemp("long")
    path = folder / "levels.sqlite"
    write_rows(path, "SQLite", [])
    database = sqlite3.connect(path)
    with database:
        database.executemany(
            "INSERT INTO levels (station, time, value) VALUES (?, ?, ?)",
            (
                (f"S{n % 50}", f"2001-{n // 2000 % 3 + 1:02}-{n // 6000 % 28 + 1:02}T{n // 100 % 24:02}:00:00Z", n % 9)
                for n in range(100_000)
            ),
        )
    database.close()
    add_indexes(path)
    return StationService(folder, write_layer(name_source(path)))


@pytest.mark.parametrize("length", [100, 1000])
@pytest.mark.parametrize("more", [{}, {"procedure": "S1"}, {"procedure": ",".join(f"S{n}" for n in range(50))}])
def test_many_instants_cost_no_more_than_a_pass(
    long_service: StationService, length: int, more: dict[str, str]
) -> None:
    """A hundred took 5 s of processor time, as each of them searched the same days again."""
    times = [f"2001-{n % 3 + 1:02}-{n % 28 + 1:02}T{n % 24:02}:00:00Z" for n in range(length)]
    with bounded(2, 200):
        found = long_service.observe(eventTime=",".join(times), **more)
    assert count(found) > 0


STEPS: dict[str, tuple[str, str]] = {
    "milliseconds": ("PT0.004S", "2001-01-01T00:00:00Z/2001-01-01T01:00:00Z"),
    "microseconds": ("PT0.000001S", "2001-01-01T00:00:00Z/2001-01-03T00:00:00Z"),
    "seconds": ("PT1S", "2001-01-01T00:00:00Z/2001-12-31T00:00:00Z"),
    "seconds of ten thousand years": ("PT1S", "0001-01-01T00:00:00Z/9999-01-01T00:00:00Z"),
    "days of ten thousand years": ("P1D", "0001-01-01T00:00:00Z/9999-01-01T00:00:00Z"),
    "months of ten thousand years": ("P1M", "0001-01-01T00:00:00Z/9999-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("function", ["first", "last", "min,max,avg,sum,count"])
@pytest.mark.parametrize("name", STEPS)
def test_there_are_no_more_steps_than_rows(long_service: StationService, name: str, function: str) -> None:
    """Seven rows in steps of milliseconds took a gigabyte."""
    step, period = STEPS[name]
    with bounded(5, 100):
        found = long_service.observe(
            procedure="S1", eventTime=period, aggregateInterval=step, aggregateFunction=function
        )
    rows = count(long_service.observe(procedure="S1", eventTime=period))
    assert 0 < count(found) <= rows


@pytest.mark.parametrize("step", ["PT0.000001S", "PT1S", "P1D", "P1M"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_steps_are_counted_before_they_are_made(step: str, zone: str) -> None:
    steps = CalendarSteps(parse_duration(step), find_time_zone(zone))
    with bounded(2, 20):
        assert steps.cut(parse_time("0001").begin, parse_time("9999").begin, 20_000) is None


@pytest.mark.parametrize("step", [2, 7])
def test_times_far_apart_are_few_ranges(long_service: StationService, step: int) -> None:
    times = [f"{1000 + n * step % 3000}-{n * step % 12 + 1:02}" for n in range(1000)]
    with bounded(2, 100):
        assert long_service.observe(eventTime=",".join(times)).text.startswith("time,")


def test_summaries_of_many_columns_and_functions_are_bounded(tmp_path: Path) -> None:
    """Two hundred values of each second took gigabytes."""
    columns = [f"c{number}" for number in range(30)]
    path = tmp_path / "wide.sqlite"
    write_rows(path, "SQLite", [])
    database = sqlite3.connect(path)
    with database:
        for column in columns:
            database.execute(f"ALTER TABLE wide ADD COLUMN {column} REAL")
        database.executemany(
            f"INSERT INTO wide (station, time, value, {', '.join(columns)}) VALUES (?, ?, ?{', ?' * len(columns)})",
            (
                (f"S{n % 5}", f"2001-01-{n // 86400 + 1:02}T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z", n)
                + tuple(range(30))
                for n in range(150_000)
            ),
        )
    database.close()
    service = StationService(
        tmp_path, write_layer(name_source(path), **{f"sos_{column}_alias": column for column in columns})
    )
    with bounded(15, 400):
        found = service.observe(aggregateInterval="PT1S", aggregateFunction="first,last,min,max,avg,sum,count")
    assert "Request longer intervals or a shorter period" in found.text
    assert count(service.observe(aggregateInterval="P1D", aggregateFunction="first,last,min,max,avg,sum,count")) == 10
