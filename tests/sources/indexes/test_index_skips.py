"""What an index tells in a few seeks is what a pass over the rows tells, or nothing."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.indexes import index_skips
from mapsos.sources.indexes.index_skips import find_extremes, list_distinct
from mapsos.sources.layer import open_layer
from mapsos.sources.passes.whole_layer import bounds_of_time, distinct_texts
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING
from tests.sources.statements import find_scans, make, note_statements

STATIONS = ("B", "A", "b", "", "Ä", "B ", "1", "01")


def make_many(path: Path, rows: int, nulls: bool, index: str = "") -> LayerSource:
    dice = random.Random(rows)
    names = (*STATIONS, None) if nulls else STATIONS
    times = [f"2001-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}T00:00:00Z" for _ in range(rows)]
    source = make(path, [(dice.choice(names), time, "POINT (1 2)") for time in times])
    if index:
        database = sqlite3.connect(path)
        with database:
            database.execute(f"CREATE INDEX found ON obs ({index}")
        database.close()
    return source


def passing(source: LayerSource, column: str) -> tuple[object, object]:
    """The distinct texts, or the bounds of time, by a pass."""
    with open_layer(source) as layer:
        if column == "t":
            return None, bounds_of_time(layer._rows.read_pass((column,), EVERYTHING), column)
        return distinct_texts(layer._rows.read_pass((column,), EVERYTHING), column), None


INDEXES = ("", "stn)", "stn, t)", "t)", "t, stn)", "stn COLLATE NOCASE, t)", "stn) WHERE stn > 'A'", "lower(stn))")


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("nulls", [True, False])
@pytest.mark.parametrize("rows", [0, 3, 400])
def test_the_answers_are_those_of_a_pass(tmp_path: Path, rows: int, nulls: bool, index: str) -> None:
    source = make_many(tmp_path / "a.gpkg", rows, nulls, index)
    with open_layer(source) as layer:
        assert layer.distinct("stn") == passing(source, "stn")[0]
        assert layer.time_bounds("t") == passing(source, "t")[1]


@pytest.mark.parametrize(
    ("index", "distinct", "extremes"),
    [
        ("", False, False),
        ("stn)", True, False),
        ("stn, t)", True, True),
        ("t)", False, True),
        ("stn COLLATE NOCASE, t)", False, False),
        ("stn) WHERE stn > 'A'", False, False),
    ],
)
def test_which_index_answers_what(tmp_path: Path, index: str, distinct: bool, extremes: bool) -> None:
    reader = OgrReader(make_many(tmp_path / "a.gpkg", 100, False, index))
    try:
        assert (list_distinct(reader, "stn") is not None) is distinct
        assert (find_extremes(reader, "t") is not None) is extremes
        assert all(len(key) <= 2 for key in reader.index_keys())
    finally:
        reader.close()


def test_a_table_that_declares_another_order_keeps_all_its_values(tmp_path: Path) -> None:
    source = make_many(tmp_path / "a.gpkg", 200, True)
    database = sqlite3.connect(source.connection)
    with database:
        database.execute("CREATE TABLE other (fid INTEGER PRIMARY KEY, stn TEXT COLLATE NOCASE, t DATETIME)")
        database.execute("INSERT INTO other SELECT fid, stn, t FROM obs")
        database.execute("CREATE INDEX found ON other (stn, t)")
        database.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('other', 'attributes')")
    database.close()
    source = LayerSource("l", source.kind, source.connection, "other")
    with open_layer(source) as layer:
        assert set(layer.distinct("stn")) == set(STATIONS)
        assert layer.distinct("stn") == passing(source, "stn")[0]


def test_values_that_appear_late_or_are_many_are_left_to_a_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_many(tmp_path / "a.gpkg", 100, True, "stn, t)")
    expected = passing(source, "stn")[0]
    for name, value, nothing in (
        ("_FIRST_ROWS", (2, 3), True),
        ("MOST_VALUES", 3, True),
        ("_FIRST_ROWS", (2, 90), False),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(index_skips, name, value)
            reader = OgrReader(source)
            found = list_distinct(reader, "stn")
            assert (found is None) is nothing
            assert found in (None, expected)
            reader.close()
            with open_layer(source) as layer:
                assert layer.distinct("stn") == expected


def test_no_row_is_scanned(tmp_path: Path) -> None:
    """The statements as they are asked, explained: seeks into the index and the first feature ids alone."""
    source = make_many(tmp_path / "a.gpkg", 400, False, "stn, t)")
    reader = OgrReader(source)
    asked = note_statements(reader)
    assert list_distinct(reader, "stn") is not None
    assert find_extremes(reader, "t") is not None
    reader.close()
    assert find_scans(source, asked) == []
