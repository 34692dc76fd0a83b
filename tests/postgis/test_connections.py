"""Connections: kept, bounded, replaced when they break, closed to nobody's harm; statements with a time limit."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.pool import close_idle_readers
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.deadlines import DeadlineError, limit_seconds
from mapsos.terms.layer_source import LayerSource, SourceKind
from tests.support.postgresql import Cluster, PostgresqlError
from tests.support.workers import wait_for

from .conftest import READER, by_ogr, by_postgis, end_backends
from .observations import QUERY, Log, ask, read, write_map

SEEN = '"Mess Netz".seen'


@pytest.fixture(params=["postgis", "ogr"])
def source(request: pytest.FixtureRequest, connection: str) -> LayerSource:
    """The same rows by both connection types."""
    return by_postgis(connection, SEEN) if request.param == "postgis" else by_ogr(connection, "Mess Netz.seen")


def count_rows(source: LayerSource) -> int:
    """Read them."""
    with open_layer(source) as layer:
        return sum(batch.rows for batch in layer.read(LayerQuery(source, values=("key",))))


def list_backends(cluster: Cluster) -> list[str]:
    """Process ids of the server for mapsos."""
    return cluster.run(f"SELECT pid FROM pg_stat_activity WHERE usename = '{READER}' ORDER BY 1").split()


def test_one_connection_for_many_questions(cluster: Cluster, source: LayerSource) -> None:
    # The server may still be ending those that were closed after the test before.
    end_backends(cluster)
    count_rows(source)
    (backend,) = list_backends(cluster)
    log = Log(cluster)
    for _ in range(5):
        assert count_rows(source) == 5
    assert list_backends(cluster) == [backend]
    assert "connection authorized" not in log.text()
    assert "pg_typeof" not in log.text()


@pytest.mark.parametrize("form", ["PG:{}", "pgb:{}", "postgresql://{user}@127.0.0.1:{port}/postgres"])
def test_every_form_of_a_connection_gives_the_same_session(cluster: Cluster, connection: str, form: str) -> None:
    data = "SELECT at::text AS at, current_setting('default_transaction_read_only') AS mode FROM public.placeless"
    text = form.format(connection, user=READER, port=cluster.port)
    with open_layer(LayerSource("layer", SourceKind.OGR, text, data)) as layer:
        assert layer.known_count() == 5
        assert layer.distinct("mode") == ("on",)
        assert "2001-10-30 22:30:00.75+00" in layer.distinct("at")


def test_a_broken_connection_is_replaced_before_it_is_used(cluster: Cluster, source: LayerSource) -> None:
    count_rows(source)
    before = list_backends(cluster)
    end_backends(cluster)
    assert count_rows(source) == 5
    assert set(list_backends(cluster)).isdisjoint(before)


def test_a_restarted_server_is_found_again(cluster: Cluster, source: LayerSource) -> None:
    count_rows(source)
    cluster.stop()
    with pytest.raises(SourceError) as caught:
        count_rows(source)
    assert caught.value.message == "data source of layer layer cannot be read"
    cluster.start()
    assert count_rows(source) == 5


def test_connections_that_run_at_once_are_closed_again(cluster: Cluster, source: LayerSource) -> None:
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(lambda _: count_rows(source), range(20))) == [5] * 20
    # The server ends a session after the client has closed it.
    wait_for(lambda: 1 <= len(list_backends(cluster)) <= 16, "the end of the others")
    close_idle_readers()
    end_backends(cluster)
    assert list_backends(cluster) == []


def test_a_child_process_has_connections_of_its_own(cluster: Cluster, source: LayerSource) -> None:
    assert count_rows(source) == 5
    child = os.fork()
    if child == 0:
        os._exit(0 if count_rows(source) == 5 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert count_rows(source) == 5


def test_changed_columns_are_seen(cluster: Cluster, connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.run("CREATE TABLE changing AS SELECT 1 AS key; GRANT SELECT ON changing TO reader")
    source = by_ogr(connection, "changing")
    with open_layer(source) as layer:
        assert [column.name for column in layer.columns] == ["key"]
    cluster.run("ALTER TABLE changing ADD COLUMN more text")
    monkeypatch.setattr("mapsos.sources.drivers.postgres.postgresql.TRUSTED_SECONDS", -1.0)
    with open_layer(source) as layer:
        assert [column.name for column in layer.columns] == ["key", "more"]
    cluster.run("DROP TABLE changing")


SLOW = '(SELECT key, station, geom, pg_sleep(30) FROM "Mess Netz".kept) AS x'


def test_a_statement_ends_with_the_time_of_the_request(connection: str) -> None:
    source = by_postgis(connection, SLOW)
    with limit_seconds(0.5), pytest.raises(DeadlineError) as caught:
        count_rows(source)
    assert caught.value.seconds == 0.5


def test_the_time_limit_of_the_connection_counts(connection: str) -> None:
    source = by_postgis(f"{connection} options='-c statement_timeout=300'", SLOW)
    with pytest.raises(DeadlineError):
        count_rows(source)
    with limit_seconds(60):
        assert read_timeout(by_postgis(f"{connection} options='-c statement_timeout=7s'", TIMEOUT)) == "7s"


TIMEOUT = "(SELECT 1 AS key, current_setting('statement_timeout') AS told, NULL::geometry AS geom) AS x"


def read_timeout(source: LayerSource) -> str:
    """statement_timeout of the session."""
    with open_layer(source) as layer:
        (batch,) = layer.read(LayerQuery(source, texts=("told",)))
    return str(batch.texts["told"][0])


def test_time_limits_of_role_and_request_and_by_default(cluster: Cluster, connection: str) -> None:
    source = by_postgis(connection, TIMEOUT)
    assert read_timeout(source) == "2min"
    with limit_seconds(3600):
        assert read_timeout(source).startswith(("1h", "359"))
    assert read_timeout(source) == "2min"
    close_idle_readers()
    cluster.run(f"ALTER ROLE {READER} SET statement_timeout = '5s'")
    assert read_timeout(source) == "5s"
    cluster.run(f"ALTER ROLE {READER} RESET statement_timeout")


@pytest.mark.usefixtures("observations")
def test_a_client_reads_that_it_took_too_long(connection: str, tmp_path: Path) -> None:
    slow = "(SELECT *, pg_sleep(1) FROM observations) AS x"
    mapfile = write_map(tmp_path / "slow.map", connection, slow, False)
    response = ask(mapfile, f"{QUERY}&resultModel=om:Measurement", MAPSOS_MAX_SECONDS="1")
    document = read(response)
    assert response.status == 503
    assert b'exceptionCode="NoApplicableCode"' in document
    assert b"exceeded the time limit of 1 seconds" in document


@pytest.mark.usefixtures("observations")
def test_an_answer_breaks_off_with_the_limit_of_its_request(connection: str, tmp_path: Path) -> None:
    """Rows that come late, which another thread reads while the ones before are sent."""
    late = "(SELECT *, CASE WHEN row_number() OVER () > 60000 THEN pg_sleep(60) END FROM observations) AS x"
    mapfile = write_map(tmp_path / "late.map", connection, late, False)
    response = ask(mapfile, f"{QUERY}&resultModel=om:Measurement", MAPSOS_MAX_SECONDS="3")
    assert response.status == 200
    with pytest.raises(DeadlineError) as caught:
        read(response)
    assert caught.value.seconds == 3


def test_sessions_write_nothing(cluster: Cluster) -> None:
    source = by_postgis(cluster.connection(), "(SELECT nextval('counter') AS key, geom FROM \"Mess Netz\".kept) AS x")
    cluster.run("CREATE SEQUENCE counter")
    with pytest.raises(SourceError) as caught:
        count_rows(source)
    assert "read-only transaction" in caught.value.detail
    cluster.run("DROP SEQUENCE counter")


def test_the_account_may_only_select(cluster: Cluster, source: LayerSource) -> None:
    with pytest.raises(PostgresqlError, match="permission denied"):
        cluster.run('DELETE FROM "Mess Netz".kept', user=READER)
    assert count_rows(source) == 5
    with open_layer(source) as layer:
        assert layer.extent() == (-75.0, -5.5, 180.0, 90.0)
        assert set(layer.distinct("station")) == {"S1", "s1", "it's \"q\" \\ \\' ☃", "Ünïcödé", ""}


@pytest.mark.parametrize("predicate", [p.EVERYTHING, p.BBox(-180, -90, 180, 90), p.BBox(-76, 44, 11, 47),
                                       p.OneOf("station", ("S1", "\\"))])  # fmt: skip
def test_what_the_server_says_is_what_its_rows_say(source: LayerSource, predicate: p.Predicate) -> None:
    # A subset without maxfeatures and one with: the latter is read row by row.
    read_by_row = LayerSource(**{**vars(source), "max_features": 1000})
    with open_layer(source) as asked, open_layer(read_by_row) as rows:
        assert sorted(asked.distinct("station", predicate)) == sorted(rows.distinct("station", predicate))
        for column in ("at", "naive", "day", "written"):
            assert asked.time_bounds(column, predicate) == rows.time_bounds(column, predicate)
        for group in (None, "station"):
            for newest in (True, False):
                found = asked.extreme_times("at", group, predicate, newest)
                assert found == rows.extreme_times("at", group, predicate, newest)
            for column in ("at", "naive", "day"):
                assert asked.availability(group, column, predicate) == rows.availability(group, column, predicate)
        assert asked.extent(predicate) == rows.extent(predicate)
