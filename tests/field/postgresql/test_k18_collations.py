"""Strings that a collation takes for equal are different sensors (K18)."""

from __future__ import annotations

import pytest

from mapsos.sources.layer import open_layer
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.times import parse_period
from tests.support.postgresql import Cluster

from .sources import by_ogr, by_postgis, read_texts

HOURS = 2000


@pytest.fixture(scope="module")
def _table(cluster: Cluster) -> None:
    cluster.run(
        f"""CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO reader;
        CREATE COLLATION other."C i" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE merged AS SELECT n AS id, (CASE WHEN n % 2 = 0 THEN 'S1' ELSE 's1' END) COLLATE ci AS station,
          to_timestamp(n * 3600) AS at, to_char(to_timestamp(n * 3600) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
          COLLATE ci AS written, ST_SetSRID(ST_MakePoint(1, 2), 4326) AS geom FROM generate_series(1, {HOURS}) AS n;
        CREATE INDEX ON merged (station, at);
        CREATE TABLE quoted_collation AS SELECT id, station COLLATE other."C i" AS station, at,
          written COLLATE other."C i" AS written, geom FROM merged;
        CREATE VIEW seen_merged AS SELECT * FROM merged;
        ANALYZE"""
    )


@pytest.fixture(params=["table", "view", "ogr", "quoted"])
def source(request: pytest.FixtureRequest, connection: str, _table: None) -> LayerSource:
    """The rows in several forms."""
    if request.param == "ogr":
        return by_ogr(connection, "merged")
    return by_postgis(
        connection, {"table": "merged", "view": "seen_merged", "quoted": "quoted_collation"}[request.param]
    )


def test_facts_are_those_of_the_rows(source: LayerSource) -> None:
    read_by_row = LayerSource(**{**vars(source), "max_features": 10 * HOURS})
    with open_layer(source) as asked, open_layer(read_by_row) as rows:
        assert sorted(asked.distinct("station")) == ["S1", "s1"]
        for predicate in (p.EVERYTHING, p.OneOf("station", ("s1",)), p.OneOf("station", ("S1", "x"))):
            assert sorted(asked.distinct("station", predicate)) == sorted(rows.distinct("station", predicate))
            for column in ("at", "written"):
                assert asked.time_bounds(column, predicate) == rows.time_bounds(column, predicate)
            for newest in (True, False):
                found = asked.extreme_times("at", "station", predicate, newest)
                assert found == rows.extreme_times("at", "station", predicate, newest)
                assert found
            assert asked.availability("station", "at", predicate) == rows.availability("station", "at", predicate)


def test_rows_of_one_of_them(source: LayerSource) -> None:
    times = p.Time("at", (parse_period("1970-01-01/1970-01-02"),))
    for push_down in (True, False):
        predicate = p.And((p.OneOf("station", ("s1",)), times))
        assert set(read_texts(source, "station", predicate, push_down)) == {"s1"}
        written = p.Time("written", (parse_period("1970-01-02/1970-01-02"),))
        assert len(read_texts(source, "id", written, push_down)) == 24
