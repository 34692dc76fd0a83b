"""Pages of a PostgreSQL table have each row once (K15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource
from tests.support.postgresql import Cluster

from .sources import by_ogr, by_postgis

ROWS = 60_000
PAGES = 6


@pytest.fixture(scope="module")
def _tables(cluster: Cluster) -> None:
    """Tables of 40 MB, above a quarter of the server's memory, from which on scans begin where the last one ended."""
    cluster.run(
        f"""ALTER SYSTEM SET shared_buffers = '16MB';
        CREATE TABLE keyless AS SELECT n::text AS id, 'S' || n % 7 AS station, repeat('x', 600) AS filling,
          ST_SetSRID(ST_MakePoint(n % 100, n % 50), 4326) AS geom FROM generate_series(1, {ROWS}) AS n;
        CREATE TABLE keyed AS SELECT * FROM keyless ORDER BY md5(id);
        ALTER TABLE keyed ADD PRIMARY KEY (id);
        CREATE VIEW seen AS SELECT id, station, geom FROM keyless;
        ANALYZE"""
    )
    cluster.stop("fast")
    cluster.start()


SOURCES = {
    "keyless": lambda c: by_postgis(c, "keyless"),
    "keyed": lambda c: by_ogr(c, "keyed"),
    "view": lambda c: by_postgis(c, "(SELECT * FROM seen) AS x", "USING UNIQUE id"),
    "view-without-key": lambda c: by_ogr(c, "seen"),
}


def read_page(source: LayerSource, predicate: p.Predicate, offset: int, rows: int) -> list[str]:
    """The ids of a page, as REST reads it: up to its end, and no further."""
    found: list[str] = []
    with open_layer(source) as layer:
        query = LayerQuery(source, texts=("id",), predicate=predicate, limit=offset + rows, ordered=True)
        with closing(layer.read(query)) as batches:
            for batch in batches:
                found += batch.texts["id"].to_pylist()
    return found[offset : offset + rows]


@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("predicate", [p.EVERYTHING, p.BBox(-1, -1, 101, 51)], ids=["everything", "filtered"])
def test_pages_have_each_row_once(connection: str, name: str, predicate: p.Predicate) -> None:
    source = SOURCES[name](connection)
    rows = ROWS // PAGES
    pages = [read_page(source, predicate, page * rows, rows) for page in range(PAGES)]
    assert [len(page) for page in pages] == [rows] * PAGES
    assert len({id for page in pages for id in page}) == ROWS


@pytest.fixture
def _changed(cluster: Cluster) -> Iterator[None]:
    yield
    cluster.run("DROP TABLE changed")


@pytest.mark.usefixtures("_changed")
def test_an_update_between_pages_moves_no_row_of_a_table_with_a_key(cluster: Cluster, connection: str) -> None:
    cluster.run("CREATE TABLE changed AS SELECT n AS id, 0 AS flag, ST_MakePoint(n, n) AS geom "
                "FROM generate_series(1, 1000) AS n; ALTER TABLE changed ADD PRIMARY KEY (id)")  # fmt: skip
    source = by_postgis(connection, "changed")
    first = read_page(source, p.EVERYTHING, 0, 500)
    cluster.run("UPDATE changed SET flag = 1 WHERE id <= 100; VACUUM changed; ANALYZE changed")
    assert sorted(map(int, first + read_page(source, p.EVERYTHING, 500, 500))) == list(range(1, 1001))


def test_answers_without_pages_need_no_order(cluster: Cluster, connection: str) -> None:
    cluster.run("CREATE TABLE plain AS SELECT 1 AS id, ST_MakePoint(1, 2) AS geom; ALTER TABLE plain ADD UNIQUE (id)")
    source = by_postgis(connection, "plain", "USING UNIQUE id")
    with open_layer(source) as layer:
        assert sum(batch.rows for batch in layer.read(LayerQuery(source, texts=("id",)))) == 1
    assert not re.search(r"FROM plain ORDER", cluster.log.read_text(errors="replace"))
