"""Columns that GDAL hides, members of arrays that are NULL, and numbers beyond double precision (K21)."""

from __future__ import annotations

import pytest

from mapsos.sources.layer import open_layer
from mapsos.terms import predicates as p
from tests.support.postgresql import Cluster

from .sources import by_ogr, by_postgis, read_texts

TABLES = r"""
CREATE TABLE imported (station text, ogc_fid integer PRIMARY KEY, geom geometry);
INSERT INTO imported VALUES ('A', 7, NULL), ('B', 9, NULL);
CREATE TABLE shouted AS SELECT station, 'f' || ogc_fid AS "OGC_FID", now() AS at, geom FROM imported;
CREATE TABLE arrays (id integer, i integer[], t text[], f double precision[], b boolean[], n numeric[], geom geometry);
INSERT INTO arrays VALUES
 (1, '{1,NULL,3}', '{a,NULL,"NULL","q\"x\\y,z",""}', '{0.1,NULL,89.9}', '{t,NULL,f}', '{1.10,NULL}', NULL),
 (2, '{}', '{}', NULL, '[2:3]={t,f}', NULL, NULL),
 (3, '{{1,2},{3,NULL}}', '{{a,b},{c,d}}', '{NaN,Infinity}', NULL, NULL, NULL);
CREATE TABLE beyond (id integer, exact numeric, geom geometry);
INSERT INTO beyond VALUES (1, 1.00000000000000000001, NULL), (2, 1, NULL), (3, 0.99999999999999999999, NULL),
 (4, 2, NULL), (5, 'NaN', NULL), (6, NULL, NULL), (7, 1e-400, NULL);
"""


@pytest.fixture(scope="module", autouse=True)
def _tables(cluster: Cluster) -> None:
    cluster.run(TABLES)


def test_the_key_that_ogr2ogr_makes_is_a_column(connection: str) -> None:
    for origin in ("imported", "(SELECT * FROM imported) AS x"):
        source = by_postgis(connection, origin, "USING UNIQUE ogc_fid")
        with open_layer(source) as layer:
            assert [column.name for column in layer.columns] == ["station", "ogc_fid"]
        assert read_texts(source, "ogc_fid") == ["7", "9"]
        assert read_texts(source, "station", p.OneOf("ogc_fid", ("9",))) == ["B"]
        assert read_texts(source, "station", p.Compare("ogc_fid", "<", "8")) == ["A"]


def test_it_may_be_a_text_in_capitals(connection: str) -> None:
    source = by_postgis(connection, "shouted")
    with open_layer(source) as layer:
        assert [column.name for column in layer.columns] == ["station", "OGC_FID", "at"]
        assert set(layer.distinct("OGC_FID")) == {"f7", "f9"}
        assert set(layer.extreme_times("at", "OGC_FID")) == {"f7", "f9"}
    assert read_texts(source, "OGC_FID", p.OneOf("OGC_FID", ("f9",))) == ["f9"]


ARRAYS = {
    "i": ["(3:1,,3)", "(0:)", "(4:1,2,3,)"],
    "t": ['(5:a,,NULL,q"x\\y,z,)', None, "(4:a,b,c,d)"],
    "f": ["(3:0.1,,89.90000000000001)", None, "(2:nan,inf)"],
    "b": ["(3:1,,0)", "(2:1,0)", None],
    "n": ["(2:1.1,)", None, None],
}


@pytest.mark.parametrize("column", ARRAYS)
def test_members_that_are_null_are_empty(connection: str, column: str) -> None:
    for source in (by_postgis(connection, "arrays"), by_ogr(connection, "arrays")):
        assert read_texts(source, column) == ARRAYS[column]


@pytest.mark.parametrize(
    ("operator", "literal", "ids"),
    [("=", "1", "123"), ("<>", "1", "457"), (">", "1", "4"), (">=", "1", "1234"), ("<", "1", "7"), ("<=", "1", "1237"),
     ("=", "0", "7"), ("<", "0", "")],
)  # fmt: skip
def test_numbers_are_compared_in_double_precision(connection: str, operator: str, literal: str, ids: str) -> None:
    for source in (by_postgis(connection, "beyond"), by_ogr(connection, "beyond")):
        for push_down in (True, False):
            predicate = p.Compare("exact", operator, literal)  # type: ignore[arg-type]
            assert "".join(map(str, read_texts(source, "id", predicate, push_down))) == ids
