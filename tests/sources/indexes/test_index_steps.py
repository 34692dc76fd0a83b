"""The first and last rows of steps by an index are those of a pass, which finds them where that is not certain."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsos.columns.calendar_steps import CalendarSteps
from mapsos.columns.summarizer import Summarizer, SummaryColumn
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.filtering.pushdown import narrow
from mapsos.sources.indexes import index_steps
from mapsos.sources.indexes.index_steps import find_span
from mapsos.sources.indexes.time_texts import find_digits
from mapsos.sources.layer import Layer, open_layer
from mapsos.sources.passes.groups import facts_of_groups
from mapsos.sources.passes.whole_layer import bounds_of_time
from mapsos.sources.query import LayerQuery, StepEnds
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, BBox, Compare, OneOf, Predicate, Time, all_of
from mapsos.terms.times import Duration, parse_duration, parse_period
from tests.sources.statements import find_scans, make, note_statements

Row = tuple[str | None, object, float | None, str | None]
BY_BOTH, BY_TIME = "(stn, t)", "(t)"


def write_table(path: Path, rows: list[Row], index: str, column: str = "DATETIME") -> LayerSource:
    """A GeoPackage of stations, times as they are given, a real ``v`` and a text ``w``."""
    source = make(path, [])
    database = sqlite3.connect(path)
    with database:
        # A table of its own: without the counts, the spatial index and the triggers that GDAL has made.
        for name in ("obs", "rtree_obs_geom"):
            database.execute(f"DROP TABLE {name}")
        database.execute("DELETE FROM gpkg_extensions")
        database.execute("DELETE FROM gpkg_ogr_contents")
        database.execute(
            f"CREATE TABLE obs (fid INTEGER PRIMARY KEY, geom POINT, stn TEXT, t {column}, v REAL, w TEXT)"
        )
        blob = bytes.fromhex("47500001e6100000" + "0101000000" + "000000000000f03f" + "0000000000000040")
        database.executemany(
            "INSERT INTO obs (geom, stn, t, v, w) VALUES (?, ?, ?, ?, ?)", [(blob, *row) for row in rows]
        )
        if index:
            database.execute(f"CREATE INDEX found ON obs {index}")
    database.close()
    return source


def summarize(layer: Layer, ends: StepEnds, predicate: Predicate, by_index: bool) -> list[tuple[object, ...]]:
    """The rows of the summary: station, begin, end, position, and the first and last of each column."""
    functions = tuple(name for name in ("first", "last") if getattr(ends, name))
    columns = [SummaryColumn(name, functions) for name in ends.columns]
    summarizer = Summarizer(ends.steps, ends.time, ends.group, columns, 10**6)
    query = LayerQuery(
        layer.source,
        values=ends.columns,
        texts=() if ends.group is None else (ends.group,),
        times=(ends.time,),
        predicate=predicate,
        geometry=True,
        ends=ends if by_index else None,
    )
    summarizer.take(layer.read(query))
    found = summarizer.finish()
    stations = [summarizer.series[number] for number in found.series.tolist()]
    if not len(found.begins):
        return []
    states = [found.states[(number, name)].to_pylist() for number in range(len(columns)) for name in functions]
    places = found.wkb.to_pylist() if found.wkb is not None else [None] * len(stations)
    return list(zip(stations, found.begins.tolist(), found.ends.tolist(), places, *states, strict=True))


def cut(step: str, zone: str = "UTC") -> CalendarSteps:
    return CalendarSteps(parse_duration(step), ZoneInfo(zone))


def end_of(steps: CalendarSteps, **more: object) -> StepEnds:
    whole = StepEnds(steps, "t", "stn", ("v", "w"), first=True, last=True)
    return replace(whole, **more)  # type: ignore[arg-type]


@contextmanager
def counted(layer: Layer) -> Iterator[list[int]]:
    """How many rows the driver delivers for each reading."""
    delivered: list[int] = []
    reader = layer._readers.idle
    assert isinstance(reader, OgrReader)
    rows_of = reader.rows

    def rows(plan: object) -> Iterator[object]:
        delivered.append(0)
        for rows in rows_of(plan):  # type: ignore[arg-type]
            delivered[-1] += rows.count
            yield rows

    reader.rows = rows  # type: ignore[method-assign, assignment]
    try:
        yield delivered
    finally:
        del reader.rows  # type: ignore[method-assign]


def check(source: LayerSource, ends: StepEnds, predicate: Predicate = EVERYTHING) -> bool:
    """Hold the answer against that of a pass: whether it was found by the index."""
    with open_layer(source) as layer:
        expected = summarize(layer, ends, predicate, by_index=False)
        assert summarize(layer, ends, predicate, by_index=True) == expected
        return layer._find_ends(LayerQuery(source, predicate=predicate, ends=ends)) is not None


def text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def invent(count: int, stations: tuple[str, ...] = ("B", "A", "c")) -> list[Row]:
    dice = random.Random(count)
    begin = datetime(2001, 1, 1, tzinfo=UTC)
    return [
        (
            dice.choice(stations),
            text(begin + timedelta(seconds=600 * dice.randrange(30_000))) if dice.random() > 0.02 else None,
            dice.choice([None, 1.5, 2.5, -1.0]),
            dice.choice([None, "", "x"]),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("step", "zone"),
    [("PT7H", "America/St_Johns"), ("P1D", "Europe/Berlin"), ("P1W", "UTC"), ("P1M", "UTC"), ("P1Y", "Asia/Kolkata")],
)
def test_the_answer_is_that_of_a_pass(tmp_path: Path, step: str, zone: str) -> None:
    source = write_table(tmp_path / "a.gpkg", invent(3000), BY_BOTH)
    period = Time("t", (parse_period("2001-02-03T04:05:06Z/2001-05-01"),))
    for names in (None, ("A",), ("A", "B", "none"), ("none",)):
        named: Predicate = EVERYTHING if names is None else OneOf("stn", names)
        for wanted in (named, all_of(all_of(named, BBox(0, 0, 5, 5)), period)):
            assert check(source, end_of(cut(step, zone)), wanted)
    assert check(source, end_of(cut(step, zone), last=False), period)


@pytest.mark.parametrize(
    ("index", "group", "names", "stations", "by_index"),
    [
        (BY_TIME, None, None, ("A", "B"), True),
        (BY_TIME, "stn", ("A",), ("A",), True),
        (BY_TIME, "stn", ("A",), ("A", "B"), False),
        (BY_TIME, "stn", ("A", "B"), ("A",), False),
        (BY_TIME, "stn", None, ("A",), False),
        ("", "stn", ("A",), ("A",), False),
        ("(stn)", "stn", ("A",), ("A",), False),
        ("(stn, t) WHERE stn > 'A'", "stn", ("A",), ("A",), False),
        ("(stn COLLATE NOCASE, t)", "stn", ("A",), ("A",), False),
        ("(stn, t, v)", "stn", ("A",), ("A", "B"), True),
    ],
)
def test_which_index_is_of_use(
    tmp_path: Path, index: str, group: str | None, names: tuple[str, ...] | None, stations: tuple[str, ...],
    by_index: bool,
) -> None:  # fmt: skip
    source = write_table(tmp_path / "a.gpkg", invent(500, stations), index)
    predicate = EVERYTHING if names is None else OneOf("stn", names)
    assert check(source, end_of(cut("P1W"), group=group), predicate) is by_index


USUAL: list[Row] = [("A", f"2001-01-{day:02d}T{hour:02d}:30:00Z", 1.0, "a") for day in range(1, 29) for hour in (0, 12)]
ODD = [
    ("2001-01-08T01:00:00+02:00", False),
    ("2001-01-07T23:00:00-02:00", False),
    ("2001-01-08T13:59:00+14:00", False),
    ("2001-01-12T12:45:00+02:00", True),  # Too far from the ends of a week to matter.
    ("2001-01-05", False),
    ("2001-01", False),
    ("2001", False),
    (2001, False),
    (20010105, False),
    ("2001-W02", False),
    ("2001-004", False),
    ("20010105T000000Z", False),
    ("2001-01-05 00:00:00", False),
    ("2001/01/05 00:00:00", False),
    ("2001-01-05t00:00:00z", False),
    (" 2001-01-05T00:00:00Z", False),
    ("2001-01-07T24:00:00Z", False),
    ("2001-01-07T23:59:60Z", False),
    ("2001-01-08T0000Z", False),
    ("2001-01-08T00:00:00.5Z", False),
    ("2001-01-08T00:00:00", False),
    ("2001-01-08T00Z", False),
    ("2001-02-31T00:00:00Z", False),
    ("0000-01-01T00:00:00Z", False),
    ("junk", False),
    ("", False),
    (b"2001-01-05T00:00:00Z", False),
    (None, True),
]


@pytest.mark.parametrize(("odd", "by_index"), ODD)
@pytest.mark.parametrize("column", ["DATETIME", "TEXT"])
def test_times_of_another_form_are_left_to_a_pass(tmp_path: Path, odd: object, by_index: bool, column: str) -> None:
    source = write_table(tmp_path / "a.gpkg", [*USUAL, ("A", odd, 7.0, "odd")], BY_BOTH, column)
    assert check(source, end_of(cut("P1W")), OneOf("stn", ("A",))) is by_index


CERTAIN = ("2001-01-09T00:00:00Z", "2001-01-12T12:45:00+02:00", None)
"""What cannot move the ends of the usual rows: the second is in another zone, but in their midst."""


@pytest.mark.parametrize(("index", "stations"), [(BY_BOTH, ("A", "B")), (BY_TIME, ("A", None)), ("(stn)", ("A",))])
def test_bounds_of_time_are_those_of_a_pass(tmp_path: Path, index: str, stations: tuple[str | None, ...]) -> None:
    for number, (odd, _) in enumerate([("2001-01-09T00:00:00Z", True), *ODD]):
        rows: list[Row] = [(stations[day % len(stations)], *row[1:]) for day, row in enumerate(USUAL)]
        source = write_table(tmp_path / f"{number}.gpkg", [*rows, ("A", odd, 1.0, "")], index)
        with open_layer(source) as layer:
            expected = bounds_of_time(layer._rows.read_pass(("t",), EVERYTHING), "t")
            assert layer.time_bounds("t") == expected, odd
        reader = OgrReader(source)
        digits = find_digits(reader, "t")
        span = None if digits is None else find_span(reader, "t", digits)
        reader.close()
        assert span in (None, expected), odd
        if index == "(stn)":
            assert span is None
        elif odd in CERTAIN:
            assert span == expected, odd


def test_facts_of_stations_at_one_place_are_those_of_a_pass(tmp_path: Path) -> None:
    """The spatial index and the extent are those that GDAL keeps."""
    times = [f"2001-01-{day:02d}T00:00:00Z" for day in range(1, 29)]
    around = BBox(-180, -90, 180, 90)
    for number, (places, index, quick) in enumerate(
        [
            (["POINT (8.1 50.2)"], "(stn, t)", True),
            (["POINT (8.1 50.2)"], "(stn)", True),
            (["POINT (8.1 50.2)"], "(t)", False),
            (["POINT (8.1 50.2)", "POINT (8.1 50.3)"], "(stn, t)", False),
            (["POINT (8.1 50.2)", None], "(stn, t)", False),
        ]
    ):
        rows = [("BA"[day % 2], time, places[day % len(places)]) for day, time in enumerate(times)]
        source = make(tmp_path / f"{number}.gpkg", rows)
        database = sqlite3.connect(source.connection)
        with database:
            database.execute(f"CREATE INDEX found ON obs {index}")
        database.close()
        for predicate in (EVERYTHING, around):
            for crs in (None, Crs("EPSG:3857", "EPSG:3857")):
                with open_layer(source) as layer:
                    passing = layer._rows.read_pass(("stn",), predicate, geometry=True)
                    expected = facts_of_groups(passing, "stn", None, (), layer.crs, crs)
                    with counted(layer) as delivered:
                        found = layer.group_facts("stn", None, (), predicate, crs)
                    assert found == expected
                    assert list(found) == list(expected)
                    assert (sum(delivered) == 2) is quick, (places, index, predicate)


def test_fractions_that_all_have(tmp_path: Path) -> None:
    rows: list[Row] = [(stn, str(time).replace("Z", f".{hour}Z"), v, w) for hour in (5, 2) for stn, time, v, w in USUAL]
    assert check(write_table(tmp_path / "a.gpkg", rows, BY_BOTH), end_of(cut("P1D")))


def test_the_first_row_with_a_value_counts_of_each_column(tmp_path: Path) -> None:
    """Several rows of the same time too: the first read is the first, the last read the last."""
    moment = "2001-01-01T00:00:00Z"
    rows: list[Row] = [
        ("A", "2001-01-01T00:00:01Z", 9.0, "later"),
        ("A", moment, None, "one"),
        ("A", moment, 2.0, None),
        ("A", moment, 3.0, "three"),
        ("A", "2000-12-01T00:00:00Z", None, None),
    ]
    assert check(write_table(tmp_path / "a.gpkg", rows, BY_BOTH), end_of(cut("P1D")))
    assert check(write_table(tmp_path / "b.gpkg", rows, BY_TIME), end_of(cut("P1D")), OneOf("stn", ("A",)))


def test_a_column_with_few_values_is_left_to_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [(stn, time, None if number < 40 else 1.0, w) for number, (stn, time, _, w) in enumerate(USUAL)]
    source = write_table(tmp_path / "a.gpkg", rows, BY_BOTH)
    assert check(source, end_of(cut("P1M")))
    monkeypatch.setattr(index_steps, "_ROWS_WITHOUT_VALUE", 30)
    assert not check(source, end_of(cut("P1M")))
    assert check(source, end_of(cut("P1M"), last=True, first=False))


@pytest.mark.parametrize(("name", "most"), [("MOST_STEPS", 3), ("_MOST_DAYS", 3)])
def test_many_steps_are_left_to_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    source = write_table(tmp_path / "a.gpkg", USUAL, BY_BOTH)
    assert check(source, end_of(cut("P1D")))
    monkeypatch.setattr(index_steps, name, most)
    assert not check(source, end_of(cut("P1D")))


@pytest.mark.parametrize(
    "predicate",
    [
        Compare("v", ">", "0"),
        OneOf("stn", ("a",), match_case=False),
        Time("t", (parse_period("2001-01-02/2001-01-03"), parse_period("2001-01-05/2001-01-06"))),
        Time("t", (parse_period("2001-01-02/2001-01-03"),), "after"),
        BBox(5, 5, 6, 6),
    ],
)
def test_other_questions_are_left_to_a_pass(tmp_path: Path, predicate: Predicate) -> None:
    assert not check(write_table(tmp_path / "a.gpkg", USUAL, BY_BOTH), end_of(cut("P1D")), predicate)


def test_work_does_not_grow_with_rows(tmp_path: Path) -> None:
    """Two hundred thousand rows by the month: a row for each is read, and no statement goes through the table."""
    begin = datetime(2001, 1, 1, tzinfo=UTC)
    rows: list[Row] = [("A", text(begin + timedelta(minutes=15 * number)), 1.0, "x") for number in range(200_000)]
    source = write_table(tmp_path / "a.gpkg", rows, BY_BOTH)
    ends = end_of(cut("P1M"), last=False)
    with open_layer(source) as layer, counted(layer) as delivered:
        reader = layer._readers.idle
        assert isinstance(reader, OgrReader)
        asked = note_statements(reader)
        found = summarize(layer, ends, OneOf("stn", ("A",)), by_index=True)
    assert delivered == [len(found)] == [69]
    assert len(asked) < 10
    assert [scan for scan in find_scans(source, asked) if "LIMIT 1" not in scan.rsplit("obs", 1)[1]] == []


@settings(max_examples=40)
@given(data=st.data())
def test_any_rows(data: st.DataObject) -> None:
    times = st.one_of(
        st.integers(0, 9 * 86400).map(
            lambda second: text(datetime(2001, 3, 23, tzinfo=UTC) + timedelta(seconds=second))
        ),
        st.integers(0, 20).map(lambda hours: text(datetime(2001, 3, 24, tzinfo=UTC) + timedelta(hours=12 * hours))),
        st.sampled_from([odd for odd, _ in ODD]) if data.draw(st.booleans()) else st.none(),
    )
    values = st.sampled_from([None, 1.0, 2.0, 3.0])
    rows = data.draw(
        st.lists(st.tuples(st.sampled_from(["A", "B"]), times, values, st.sampled_from([None, "x", "y"])), max_size=40)
    )
    index = data.draw(st.sampled_from([BY_BOTH, BY_TIME]))
    step = data.draw(st.sampled_from([parse_duration(step) for step in ("PT1H", "PT5H", "P1D", "P2D", "P1M")]))
    zone = ZoneInfo(data.draw(st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"])))
    names = data.draw(st.sampled_from([None, ("A",), ("A", "B")]))
    ends = end_of(CalendarSteps(step, zone), group=data.draw(st.sampled_from(["stn", None])))
    # The folder goes with its file also where the check fails, for hypothesis tries the same rows again.
    with TemporaryDirectory() as folder:
        source = write_table(Path(folder, "a.gpkg"), rows, index)
        check(source, ends, EVERYTHING if names is None else OneOf("stn", names))


def test_steps_are_cut_as_instants_are_grouped() -> None:
    import numpy as np

    for step in (Duration(0, 3600 * 7_000_000), *map(parse_duration, ("PT1H", "P1D", "P3D", "P1W", "P1M", "P3M"))):
        for zone in ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata"):
            steps = CalendarSteps(step, ZoneInfo(zone))
            begin = int(datetime(2001, 3, 20, 5, 7, tzinfo=UTC).timestamp()) * 10**6
            end = begin + 20 * 86400 * 10**6
            _, begins, ends = steps.group(np.append(np.arange(begin, end, 600 * 10**6), end - 1))
            found = steps.cut(begin, end, 10_000)
            assert found is not None
            assert (found[0].tolist(), found[1].tolist()) == (begins.tolist(), ends.tolist())
            assert steps.cut(begin, end, len(begins) - 1) is None
            assert steps.cut(end, begin, 5) is not None


def test_the_tables_of_a_test_are_what_they_say(tmp_path: Path) -> None:
    with open_layer(write_table(tmp_path / "a.gpkg", USUAL, BY_BOTH)) as layer:
        batch = next(layer.read(LayerQuery(layer.source, values=("v",), times=("t",), geometry=True)))
        assert batch.rows == len(USUAL)
        assert batch.times["t"].null_count == 0
        assert batch.values["v"].type == pa.float64()
    with open_layer(layer.source) as layer:
        assert layer.tells_steps("T", "STN")
        assert layer.tells_steps("t", None) is False


def test_a_period_of_a_station_is_sought_in_an_index_of_both(tmp_path: Path) -> None:
    """Also where most rows are of that station, and SQLite has counted them."""
    begin = datetime(2001, 1, 1, tzinfo=UTC)
    rows: list[Row] = [("A", text(begin + timedelta(hours=number)), 1.0, "x") for number in range(20_000)]
    source = write_table(tmp_path / "a.gpkg", rows, BY_BOTH)
    database = sqlite3.connect(source.connection)
    with database:
        database.execute("ANALYZE")
    wanted = all_of(all_of(OneOf("stn", ("A",)), BBox(0, 0, 5, 5)), Time("t", (parse_period("2002-02-01/2002-02-28"),)))
    reader = OgrReader(source)
    condition = narrow(wanted, reader, None).condition
    reader.close()
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN SELECT v FROM obs WHERE {condition}")]
    database.close()
    assert plan[0] == "MULTI-INDEX OR"
    assert all("(stn=? AND t" in step for step in plan if "SEARCH" in step), plan
    with open_layer(source) as layer:
        assert layer.count(wanted) == 28 * 24
