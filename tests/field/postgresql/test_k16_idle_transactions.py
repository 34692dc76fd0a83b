"""A client that does not read holds no transaction open without end (K16)."""

from __future__ import annotations

import pytest

from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms.deadlines import limit_seconds
from tests.support.postgresql import Cluster, PostgresqlError

from .sources import READER, by_ogr, by_postgis

ROWS = 200_000


@pytest.fixture(scope="module")
def _table(cluster: Cluster) -> None:
    cluster.run(f"CREATE TABLE slow AS SELECT n AS id, ST_MakePoint(n, n) AS geom FROM generate_series(1, {ROWS}) AS n")


@pytest.mark.usefixtures("_table")
@pytest.mark.parametrize("make", [lambda c: by_postgis(c, "slow"), lambda c: by_ogr(c, "slow")])
def test_a_table_can_be_altered_while_a_client_does_not_read(
    cluster: Cluster, connection: str, monkeypatch: pytest.MonkeyPatch, make: object
) -> None:
    monkeypatch.setattr("mapsos.sources.drivers.postgres.time_limits.IDLE_SECONDS", 1.0)
    source = make(connection)  # type: ignore[operator]
    with open_layer(source) as layer:
        batches = layer.read(LayerQuery(source, texts=("id",)))
        next(batches)
        with pytest.raises(PostgresqlError, match="lock timeout"):
            cluster.run("SET lock_timeout = '200ms'; ALTER TABLE slow ADD COLUMN more integer")
        cluster.run("SET lock_timeout = '20s'; ALTER TABLE slow ADD COLUMN IF NOT EXISTS more integer")
        # The answer breaks off: it would not be complete.
        with pytest.raises(SourceError):
            for _ in batches:
                pass
    cluster.run("ALTER TABLE slow DROP COLUMN more")
    with open_layer(source) as layer:
        assert sum(batch.rows for batch in layer.read(LayerQuery(source, texts=("id",)))) == ROWS


SHOWN = "(SELECT 1 AS id, current_setting('idle_in_transaction_session_timeout') AS t, NULL::geometry AS geom) AS x"


def test_the_bound_is_the_least_that_is_stated(cluster: Cluster, connection: str) -> None:
    def read(connection: str) -> str:
        source = by_postgis(connection, SHOWN)
        with open_layer(source) as layer:
            (batch,) = layer.read(LayerQuery(source, texts=("t",)))
        return str(batch.texts["t"][0])

    assert read(connection) == "5min"
    with limit_seconds(10):
        assert read(connection).startswith(("10s", "99"))
    assert read(f"{connection} options='-c idle_in_transaction_session_timeout=1h'") == "1h"
    cluster.run(f"ALTER ROLE {READER} SET idle_in_transaction_session_timeout = '7s'")
    try:
        assert read(f"{connection} connect_timeout=9") == "7s"
    finally:
        cluster.run(f"ALTER ROLE {READER} RESET ALL")


def test_a_reader_at_rest_holds_no_transaction(cluster: Cluster, connection: str) -> None:
    source = by_postgis(connection, SHOWN)
    with open_layer(source) as layer:
        assert [batch.rows for batch in layer.read(LayerQuery(source, texts=("t",), ordered=True, limit=1))] == [1]
    states = cluster.run(f"SELECT state FROM pg_stat_activity WHERE usename = '{READER}'").split("\n")
    assert "idle in transaction" not in states
