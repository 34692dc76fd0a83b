"""Rows that the server counts are as many as a pass finds, to the microsecond."""

from __future__ import annotations

import pytest

from mapsos.sources.layer import open_layer
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, And, BBox, Compare, Not, OneOf, Predicate, Time
from mapsos.terms.times import Interval, parse_time
from tests.support.postgresql import Cluster

from .conftest import by_ogr, by_postgis

TABLE = """
DROP TABLE IF EXISTS public.counted;
CREATE TABLE public.counted (station text, at timestamptz, naive timestamp);
INSERT INTO public.counted SELECT s, t::timestamptz, replace(t, '+00', '')::timestamp
FROM (VALUES ('A'), ('a'), ('A '), (NULL)) AS x (s) CROSS JOIN (VALUES
  ('2001-10-30 14:24:55+00'), ('2001-10-30 14:24:55.000001+00'), ('2001-10-30 14:24:56+00'),
  ('2001-10-31 23:59:59.999999+00'), ('2001-11-01 00:00:00+00'), ('0044-03-15 00:00:00+00 BC'),
  ('0001-01-01 00:00:00+00'), ('9999-12-31 23:59:59.999999+00'), ('12001-01-01 00:00:00+00'),
  ('infinity'), ('-infinity'), (NULL)) AS y (t);
GRANT SELECT ON public.counted TO reader;
"""
MOMENT = parse_time("2001-10-30T14:24:55Z")
INTERVALS = (MOMENT, Interval(MOMENT.begin + 1, MOMENT.end + 1), parse_time("2001-10"))
TIMES = [
    Time(column, chosen, relation)
    for column in ("at", "naive")
    for chosen in (*((interval,) for interval in INTERVALS), INTERVALS[:2])
    for relation in ("during", "before", "after")
]
STATION = OneOf("Station", ("A", "absent"))


def count_both(source: LayerSource, predicate: Predicate) -> tuple[int | None, int]:
    with open_layer(source) as layer:
        return layer.known_count(predicate), sum(rows.count for rows in layer._rows.read_pass((), predicate))


@pytest.fixture(scope="module", autouse=True)
def _counted(cluster: Cluster) -> None:
    cluster.run("SET timezone = 'UTC';" + TABLE)


@pytest.mark.parametrize("predicate", [EVERYTHING, STATION, *TIMES, And((STATION, *TIMES[:1]))], ids=repr)
def test_the_server_counts_as_a_pass_does(connection: str, predicate: Predicate) -> None:
    known, passed = count_both(by_ogr(connection, "counted"), predicate)
    assert known == passed


@pytest.mark.parametrize("predicate", [BBox(-76, 44, 11, 46), And((BBox(-76, 44, 11, 46), OneOf("station", ("S1",))))])
def test_rows_in_a_rectangle_are_counted(connection: str, predicate: Predicate) -> None:
    known, passed = count_both(by_postgis(connection, '"Mess Netz".parted'), predicate)
    assert known == passed > 0


@pytest.mark.parametrize("predicate", [Compare("station", "=", "A"), OneOf("station", ("a",), False), Not(STATION)])
def test_the_rest_is_not_counted_by_the_server(connection: str, predicate: Predicate) -> None:
    assert count_both(by_ogr(connection, "counted"), predicate)[0] is None
