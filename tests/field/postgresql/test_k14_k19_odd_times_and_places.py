"""Dates before 1970 (K14), and values that no calendar, clock or map has (K19)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.times import parse_period, parse_time
from tests.support.postgresql import Cluster

from .sources import by_ogr, by_postgis, read_texts

TABLE = """
CREATE TABLE odd (id integer, station text, day date, at timestamptz, clock time, geom geometry(Point, 4326));
INSERT INTO odd VALUES
 (1, 'A', '1969-12-31', '1969-12-31 23:59:59+00', '10:00', ST_SetSRID(ST_MakePoint(1, 2), 4326)),
 (2, 'A', '12021-05-05', '12021-05-05 00:00+00', '23:59:59.9996', ST_SetSRID(ST_MakePoint('NaN', 'NaN'), 4326)),
 (3, 'B', 'infinity', 'infinity', '24:00', ST_SetSRID(ST_MakePoint('Infinity', 3), 4326)),
 (4, 'B', '0044-03-15 BC', '0044-03-15 00:00+00 BC', '00:00:00.123456', ST_SetSRID(ST_MakePoint(7, 'NaN'), 4326)),
 (5, 'B', '1899-01-01', '1899-01-01 12:00+00', NULL, ST_SetSRID(ST_MakePoint(10, 20), 4326)),
 (6, 'C', '1950-06-01', '2001-01-01 00:00+00', '12:00', ST_GeomFromText('POINT EMPTY', 4326));
"""
MAKERS: dict[str, Callable[[str], LayerSource]] = {
    "postgis": lambda connection: by_postgis(connection, "odd"),
    "ogr": lambda connection: by_ogr(connection, "odd"),
    "select": lambda connection: by_ogr(connection, "SELECT * FROM odd"),
}


@pytest.fixture(scope="module")
def _table(cluster: Cluster) -> None:
    cluster.run(TABLE)


@pytest.fixture(params=MAKERS)
def source(request: pytest.FixtureRequest, connection: str, _table: None) -> LayerSource:
    """The rows, by each connection type."""
    return MAKERS[request.param](connection)


def test_dates_are_those_of_the_table(source: LayerSource) -> None:
    assert read_texts(source, "day") == ["1969-12-31", None, None, None, "1899-01-01", "1950-06-01"]


@pytest.mark.parametrize(("day", "id"), [("1969-12-31", "1"), ("1899-01-01", "5"), ("1950-06-01", "6")])
@pytest.mark.parametrize("push_down", [True, False])
def test_days_before_1970_are_found(source: LayerSource, day: str, id: str, push_down: bool) -> None:
    assert read_texts(source, "id", p.Time("day", (parse_period(f"{day}/{day}"),)), push_down) == [id]


def test_date_times_and_times_of_day_beyond_the_calendar_are_missing(source: LayerSource) -> None:
    assert read_texts(source, "at") == [
        "1969-12-31T23:59:59Z", None, None, None, "1899-01-01T12:00:00Z", "2001-01-01T00:00:00Z",
    ]  # fmt: skip
    assert read_texts(source, "clock") == ["10:00:00", "23:59:59", None, "00:00:00", None, "12:00:00"]


def test_facts_are_those_of_the_values_that_there_are(source: LayerSource) -> None:
    # One with maxfeatures is read row by row.
    for asked in (source, LayerSource(**{**vars(source), "max_features": 1000})):
        with open_layer(asked) as layer:
            assert layer.extent() == (1.0, 2.0, 10.0, 20.0)
            for column, first, last in (
                ("day", "1899-01-01", "1969-12-31"),
                ("at", "1899-01-01T12:00:00Z", "2001-01-01T00:00:00Z"),
            ):
                bounds = layer.time_bounds(column)
                assert bounds is not None
                assert (bounds.begin, bounds.end - 1) == (parse_time(first).begin, parse_time(last).begin)
            assert set(layer.extreme_times("at", "station")) == {"A", "B", "C"}
            found = layer.availability("station", "at")
            assert {key: facts.rows for key, facts in found.items()} == {"A": 2, "B": 3, "C": 1}
            assert layer.known_count(p.BBox(-180, -90, 180, 90)) in (2, None)


def test_points_that_are_not_finite_are_no_points(source: LayerSource) -> None:
    with open_layer(source) as layer:
        (batch,) = layer.read(LayerQuery(source, texts=("id",), geometry=True))
    assert batch.geometry is not None
    points = batch.geometry.point_coordinates()
    assert points is not None
    assert [tuple(point) if point[0] == point[0] else None for point in points.tolist()] == [
        (1.0, 2.0), None, None, None, (10.0, 20.0), None,
    ]  # fmt: skip
    assert read_texts(source, "id", p.BBox(-180, -90, 180, 90)) == ["1", "5"]
