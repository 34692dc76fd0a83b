"""A condition by which an index finds most of the rows is not pushed down: to read all of them costs less."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from mapsos.sources.filtering.pushdown import narrow
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.times import Interval, parse_time
from tests.support.station_service import write_rows

STATIONS, STEPS = 20, 1500
FIRST = datetime(2001, 1, 1, tzinfo=UTC)


def write_time(step: int) -> str:
    return f"{FIRST + timedelta(hours=step):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> LayerSource:
    """Thirty thousand rows of two months with indexes of station and time, and of time."""
    path = tmp_path_factory.mktemp("wide") / "rows.sqlite"
    write_rows(path, "SQLite", [("S0", write_time(0), 0.0)])
    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO rows (station, time, value) VALUES (?, ?, ?)",
            ((f"S{n % STATIONS}", write_time(n // STATIONS), n / 7) for n in range(1, STATIONS * STEPS)),
        )
        database.execute("CREATE INDEX by_station ON rows (station, time)")
        database.execute("CREATE INDEX by_time ON rows (time)")
    database.close()
    return LayerSource("rows", SourceKind.OGR, str(path), "rows")


def select_times(*steps: int) -> p.Time:
    return p.Time("time", tuple(parse_time(write_time(step)) for step in steps))


SOME = tuple(range(0, STEPS, 15))
STATION = p.OneOf("station", ("S3",))
EVERY = p.OneOf("station", tuple(f"S{n}" for n in range(STATIONS)))
DAY = p.Time("time", (Interval(parse_time(write_time(0)).begin, parse_time(write_time(24)).begin),))
CASES = {
    "a hundred instants over all the time": (select_times(*SOME), 20 * len(SOME), False, False),
    "one instant": (select_times(700), 20, False, True),
    "one station": (STATION, STEPS, True, False),
    "all stations": (EVERY, STATIONS * STEPS, False, False),
    "one station and many instants": (p.And((STATION, select_times(*SOME))), len(SOME), True, True),
    "all stations and one day": (p.And((EVERY, DAY)), 24 * STATIONS, True, True),
    "all stations and many instants": (p.And((EVERY, select_times(*SOME))), 20 * len(SOME), False, False),
}


@pytest.mark.parametrize("name", CASES)
def test_conditions_are_pushed_down_where_they_find_few(source: LayerSource, name: str) -> None:
    predicate, rows, by_station, by_time = CASES[name]
    with open_layer(source) as layer:
        reader = layer._readers.idle
        assert reader is not None
        condition = narrow(predicate, reader, None).condition
        assert ('"station"' in condition, '"time"' in condition) == (by_station, by_time)
        read = layer.read(LayerQuery(source, texts=("station",), predicate=predicate))
        assert sum(batch.rows for batch in read) == rows


def test_conditions_without_an_index_stay(source: LayerSource) -> None:
    predicate = p.And((EVERY, p.Compare("value", ">", "-1")))
    with open_layer(source) as layer:
        reader = layer._readers.idle
        assert reader is not None
        assert narrow(predicate, reader, None).condition.count('"value"') == 1
