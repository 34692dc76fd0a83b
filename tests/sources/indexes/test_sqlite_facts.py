"""What a GeoPackage says by itself is what a pass over its rows would say, or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from osgeo import ogr

from mapsos.sources.layer import open_layer
from mapsos.sources.open_reader import open_facts, open_reader
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.predicates import EVERYTHING, And, BBox, Compare, Not, OneOf, Predicate, Time
from mapsos.terms.times import Interval, parse_time
from tests.sources.statements import make

AROUND = BBox(-180, -90, 180, 90)








ROWS = [
    ("B", "2001-01-02T00:00:00Z", "POINT (1 2)"),
    ("A", "2001-01-01T00:00:00Z", "POINT (3 4)"),
    ("B", "2001-01-03T00:00:00Z", "POINT (5 6)"),
    (None, "2001-01-01T12:00:00Z", "POINT (7 8)"),
]


def ask(source: LayerSource, question: str, *arguments: object) -> object:
    reader = open_reader(source)
    try:
        facts = open_facts(reader)
        return None if facts is None else getattr(facts, question)(*arguments)
    finally:
        reader.close()


def test_a_plain_table_answers(tmp_path: Path) -> None:
    source = make(tmp_path / "a.gpkg", ROWS)
    for predicate in (EVERYTHING, AROUND, BBox(1, 2, 7, 8, "EPSG:4326")):
        assert ask(source, "distinct", "stn", predicate) == ("B", "A", "")
        bounds = ask(source, "time_bounds", "t", predicate)
        assert bounds == Interval(parse_time("2001-01-01").begin, parse_time("2001-01-03").begin + 1)
    assert ask(source, "extent") == (1, 2, 7, 8)


def test_a_part_of_the_rows_is_not_its_to_answer(tmp_path: Path) -> None:
    source = make(tmp_path / "a.gpkg", ROWS)
    for predicate in (BBox(1, 2, 6, 8), BBox(-1e7, -1e7, 1e7, 1e7, "EPSG:3857"), Compare("stn", "=", "A")):
        assert ask(source, "distinct", "stn", predicate) is None
        assert ask(source, "time_bounds", "t", predicate) is None
    with open_layer(source) as layer:
        assert layer.distinct("stn", BBox(1, 2, 6, 8)) == ("B", "A")


def test_rows_without_geometry_are_not_around(tmp_path: Path) -> None:
    source = make(tmp_path / "a.gpkg", [*ROWS, ("C", "2001-01-01T00:00:00Z", None)])
    assert ask(source, "distinct", "stn", AROUND) is None
    with open_layer(source) as layer:
        assert layer.distinct("stn", AROUND) == ("B", "A", "")
        assert layer.distinct("stn") == ("B", "A", "", "C")


@pytest.mark.parametrize("time", ["2001-01-01T00:00:00+02:00", "2001-01-01T00:00:00"])
def test_mixed_zones_do_not_sort_as_text(tmp_path: Path, time: str) -> None:
    source = make(tmp_path / "a.gpkg", [*ROWS, ("C", time, "POINT (1 1)")])
    assert ask(source, "time_bounds", "t", EVERYTHING) is None
    with open_layer(source) as layer:
        found = layer.time_bounds("t")
    assert found is not None
    assert found.begin == parse_time(time).begin


@pytest.mark.parametrize(
    "more",
    [{"native_filter": "stn = 'A'"}, {"max_features": 1}, {"encoding": "latin-1"}],
    ids=lambda more: next(iter(more)),
)
def test_a_layer_that_the_map_narrows_is_read(tmp_path: Path, more: dict[str, object]) -> None:
    source = make(tmp_path / "a.gpkg", ROWS, **more)
    assert ask(source, "distinct", "stn", EVERYTHING) is None


def test_a_filter_of_the_map_is_no_plain_table(tmp_path: Path) -> None:
    source = make(tmp_path / "a.gpkg", ROWS, row_filter=Compare("stn", "=", "A"))
    assert ask(source, "distinct", "stn", EVERYTHING) is None
    assert ask(source, "extent") is None
    with open_layer(source) as layer:
        assert layer.extent() == (3, 4, 3, 4)


def test_an_empty_table_has_no_times(tmp_path: Path) -> None:
    source = make(tmp_path / "a.gpkg", [])
    with open_layer(source) as layer:
        assert layer.time_bounds("t") is None
        assert layer.distinct("stn") == ()
        assert layer.extent() is None


@pytest.mark.parametrize(("driver", "keeps"), [("GPKG", True), ("FlatGeobuf", True), ("SQLite", False)])
def test_only_an_extent_that_the_file_keeps_counts(tmp_path: Path, driver: str, keeps: bool) -> None:
    """An estimate, such as PostgreSQL's, is good for choosing how to read and for nothing else."""
    gpkg = make(tmp_path / "a.gpkg", ROWS)
    path = tmp_path / f"copy.{driver.lower()}"
    original = ogr.Open(gpkg.connection)
    copy = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    copy.CopyLayer(original.GetLayer(0), "obs")
    original = copy = None
    source = LayerSource("l", SourceKind.OGR, str(path), "obs", crs=gpkg.crs)
    assert ask(source, "extent") == ((1, 2, 7, 8) if keeps else None)
    with open_layer(source) as layer:
        assert layer.extent() == (1, 2, 7, 8)


STATION_A = OneOf("STN", ("A", "B", "absent"))
DAY = parse_time("2001-01-02")
COUNTED: list[Predicate] = [
    EVERYTHING,
    AROUND,
    STATION_A,
    *(Time("t", (DAY, parse_time("2001-01-01T12:00:00Z")), relation) for relation in ("during", "before", "after")),
    Time("t", (Interval(DAY.begin, DAY.begin + 1),)),
    Time("t", (Interval(DAY.begin + 1, DAY.end + 1),)),
    And((STATION_A, Time("t", (DAY,), "before"), AROUND)),
]


def add_index(source: LayerSource) -> LayerSource:
    """Times are counted by the database where it need not look at those of all rows."""
    with closing(sqlite3.connect(source.connection)) as database, database:
        database.execute("CREATE INDEX by_time ON obs (t)")
    database.close()
    return source


def count_both(source: LayerSource, predicate: Predicate) -> tuple[int | None, int]:
    with open_layer(source) as layer:
        return layer.known_count(predicate), sum(rows.count for rows in layer._rows.read_pass((), predicate))


@pytest.mark.parametrize("predicate", COUNTED)
def test_rows_are_counted_as_by_a_pass(tmp_path: Path, predicate: Predicate) -> None:
    more = [("A", "2001-01-01T23:59:59.999Z", "POINT (1 2)"), ("b", "2001-01-02T23:59:59Z", "POINT (3 4)")]
    known, passed = count_both(add_index(make(tmp_path / "a.gpkg", [*ROWS, *more])), predicate)
    assert known == passed


def test_times_that_no_index_leads_to_are_left_to_a_pass(tmp_path: Path) -> None:
    source = make(tmp_path / "a.gpkg", ROWS)
    assert count_both(source, Time("t", (DAY,)))[0] is None
    assert count_both(source, STATION_A) == (3, 3)
    with closing(sqlite3.connect(source.connection)) as database, database:
        database.execute("CREATE INDEX by_station ON obs (stn, t)")
    database.close()
    assert count_both(source, Time("t", (DAY,)))[0] is None
    assert count_both(source, And((STATION_A, Time("t", (DAY,))))) == (1, 1)


@pytest.mark.parametrize(
    "time",
    [
        "2001-01-02T12:00:00+05:00",
        "2001-01-02T12:00:00Z",
        "2001-02-31T00:00:00.000Z",
        "2001-01-02",
        "2001",
        "2001-01-02 12:00:00",
        "x",
        "20010102",
    ],
)
def test_times_that_are_not_all_written_in_utc_are_not_counted_by_the_database(tmp_path: Path, time: str) -> None:
    source = add_index(make(tmp_path / "a.gpkg", ROWS))
    with closing(sqlite3.connect(source.connection)) as database, database:
        functions = ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")
        for name in functions:
            database.create_function(name, 1, lambda _: 0)
        database.execute("UPDATE obs SET t = ? WHERE stn = 'A'", (time,))
    database.close()
    for predicate in COUNTED:
        known, passed = count_both(source, predicate)
        assert known in (None, passed)


@pytest.mark.parametrize(
    "predicate",
    [
        OneOf("stn", ("a",), match_case=False),
        OneOf("stn", ("",)),
        Compare("stn", "=", "A"),
        BBox(0, 0, 4, 5),
        Not(STATION_A),
    ],
)
def test_what_is_not_surely_the_same_in_sql_is_not_counted_by_it(tmp_path: Path, predicate: Predicate) -> None:
    assert count_both(make(tmp_path / "a.gpkg", ROWS), predicate)[0] is None


def test_texts_are_counted_by_their_characters_whatever_the_column_compares_by(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE obs (id INTEGER PRIMARY KEY, stn TEXT COLLATE NOCASE, code CHARINT)")
        rows = [("A", "1"), ("a", "1.0"), ("A ", "01"), (None, None), (b"A", 1), ("\u00e4", 2)]
        database.executemany("INSERT INTO obs (stn, code) VALUES (?, ?)", rows)
    database.close()
    source = LayerSource("l", SourceKind.OGR, str(path), "obs")
    for values in (("A",), ("a",), ("\u00e4", "A"), ("A ",)):
        known, passed = count_both(source, OneOf("stn", values))
        assert known == passed == len(values)
    for values in (("1",), ("1.0",), ("01",)):
        known, passed = count_both(source, OneOf("code", values))
        assert known in (None, passed)
