"""A request ends at its limit and soon after its client has left, whatever the server is doing for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mapsos.config.settings import Settings, read_settings
from mapsos.servers.asynchronous.adapter import AsgiAdapter, read_bounds
from mapsos.servers.asynchronous.exchange import UnfinishedError
from mapsos.servers.routes import MapRoutes
from mapsos.sources.drivers.postgres import time_limits
from mapsos.sources.drivers.postgres.connections import places
from mapsos.sources.drivers.postgres.postgresql import PostgresqlReader
from mapsos.sources.layer import open_layer
from mapsos.sources.pool import close_idle_readers
from mapsos.sources.query import LayerQuery
from mapsos.terms.deadlines import ClientGoneError, DeadlineError, limit_connections, limit_seconds, watch_client
from mapsos.terms.layer_source import LayerSource
from tests.support.asgi_client import AsgiClient, Event, make_scope
from tests.support.postgresql import Cluster
from tests.support.workers import wait_for

from .conftest import READER, by_ogr, by_postgis, end_backends
from .observations import Log, write_map

ROWS = 400_000
SLOW_ROWS = (
    "(SELECT n AS key, $$S1$$ AS station, $$2001-01-01Z$$::timestamptz AS time, 1.0 AS air_temp, 1 AS humidity, "
    "n AS value, ST_SetSRID(ST_MakePoint(1, 2), 4326) AS geom, current_setting($$statement_timeout$$) AS told, "
    f"{{pause}} AS pause FROM generate_series(1, {ROWS}) AS n) AS x"
)
QUICK = SLOW_ROWS.replace("{pause}", "1")
LATE = SLOW_ROWS.replace("{pause}", "CASE WHEN n % 40000 = 0 THEN pg_sleep(1.5) END")
"""Each fetch of tens of thousands of rows takes at least a second and a half."""
NEVER = SLOW_ROWS.replace("{pause}", "CASE WHEN n > 200000 THEN pg_sleep(300) END")
ALL = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=stations&observedProperty=weather&responseFormat=text/csv"
)
TIMED_OUT = "canceling statement due to statement timeout"
CANCELLED = "canceling statement due to user request"


def count_backends(cluster: Cluster, condition: str = "state <> 'idle'") -> int:
    """Sessions of mapsos that run something, or hold a cursor."""
    where = f"usename = '{READER}' AND {condition}"
    return int(cluster.run(f"SELECT count(*) FROM pg_stat_activity WHERE {where}"))


@pytest.fixture(autouse=True)
def _nothing_open(cluster: Cluster) -> Iterator[None]:
    close_idle_readers()
    end_backends(cluster)
    yield
    close_idle_readers()
    limit_connections(32, 10.0)
    assert places.used == 0


def select(connection: str, origin: str, way: str) -> LayerSource:
    return by_postgis(connection, origin) if way == "postgis" else by_ogr(connection, f"SELECT * FROM {origin}")


def read_milliseconds(text: str) -> int:
    """A time as the server writes it, in the largest unit that has no fraction."""
    number = int(text.rstrip("mins"))
    return number if text.endswith("ms") else number * (60_000 if text.endswith("min") else 1000)


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_each_fetch_has_what_is_left(connection: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "_RENEWED_SECONDS", 0.0)
    source = select(connection, QUICK, way)
    told: list[int] = []
    with limit_seconds(1000), open_layer(source) as layer:
        for batch in layer.read(LayerQuery(source, texts=("told",))):
            told += map(read_milliseconds, batch.texts["told"].unique().to_pylist())
    assert told == sorted(told, reverse=True)
    assert 990_000 < told[-1] < told[0] <= 1_000_000


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_the_last_fetch_ends_with_the_request(cluster: Cluster, connection: str, way: str) -> None:
    """Its own time is not as long as that of the request: each takes less."""
    source = select(connection, LATE, way)
    log = Log(cluster)
    with limit_seconds(3), open_layer(source) as layer, pytest.raises(DeadlineError):
        list(layer.read(LayerQuery(source, texts=("pause",))))
    assert TIMED_OUT in log.text()


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_a_statement_ends_soon_after_its_client_has_left(cluster: Cluster, connection: str, way: str) -> None:
    """Without a limit of time. Another one that runs beside it goes on."""
    source = select(connection, NEVER, way)
    gone = threading.Event()
    log = Log(cluster)

    def read() -> None:
        watch_client(gone.is_set)
        with limit_seconds(None), open_layer(source) as layer:
            for _ in layer.read(LayerQuery(source, texts=("pause",))):
                pass

    with ThreadPoolExecutor(2) as threads:
        other = threads.submit(cluster.run, "SELECT pg_sleep(3), 'done'", user=READER)
        reading = threads.submit(copy_context().run, read)
        wait_for(lambda: count_backends(cluster, "wait_event = 'PgSleep'") == 2, "the pause")
        gone.set()
        with pytest.raises(ClientGoneError):
            reading.result(60)
        assert other.result(60).endswith("done")
    assert log.text().count(CANCELLED) == 1
    wait_for(lambda: count_backends(cluster, "true") == 0, "the end of the sessions")


def test_a_session_that_was_cancelled_is_not_used_again(cluster: Cluster, connection: str) -> None:
    """The request to cancel may arrive when the statement has ended: it must not meet the next one."""
    source = by_postgis(connection, '"Mess Netz".kept')
    with open_layer(source) as layer:
        reader = layer._readers.idle
        assert isinstance(reader, PostgresqlReader)
        assert reader._session is not None
        reader._session.cancel()
        assert layer.known_count() == 5
        reader._session.is_spoiled = True
    wait_for(lambda: count_backends(cluster, "true") == 0, "the end of the session")


def make_settings(mapfile: Path, **more: str) -> Settings:
    return read_settings({"MS_MAPFILE": str(mapfile), "MAPSOS_CACHE": "off", **more})


def ask(settings: Settings, mapfile: Path, client: AsgiClient) -> Coroutine[Any, Any, None]:
    adapter = AsgiAdapter(MapRoutes(settings, {"slow": str(mapfile)}), read_bounds(settings))
    return adapter(make_scope("/slow", quote(ALL, safe="=&:;,/<>")), client.receive, client.send)


def test_a_client_that_leaves_the_server_ends_its_fetch(cluster: Cluster, connection: str, tmp_path: Path) -> None:
    """In the midst of an answer that it has begun to read."""
    mapfile = write_map(tmp_path / "slow.map", connection, NEVER, False)
    log = Log(cluster)

    async def run() -> None:
        client = AsgiClient()
        task = asyncio.create_task(ask(make_settings(mapfile), mapfile, client))
        while not (client.body and count_backends(cluster, "wait_event = 'PgSleep'")):
            assert not task.done()
            await asyncio.sleep(0.05)
        client.gone.set()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    wait_for(lambda: count_backends(cluster, "true") == 0, "the end of the session")
    wait_for(lambda: places.used == 0, "the end of the answer")
    assert CANCELLED in log.text()


def test_a_client_that_does_not_read_holds_no_connection_beyond_its_limit(
    cluster: Cluster, connection: str, tmp_path: Path
) -> None:
    mapfile = write_map(tmp_path / "slow.map", connection, QUICK, False)
    held: list[int] = []

    async def run() -> None:
        async def take(event: Event) -> None:
            # The socket is full from the first byte on.
            held.append(places.used)
            await asyncio.Event().wait()

        client = AsgiClient(take=take)
        with pytest.raises(UnfinishedError):
            await asyncio.wait_for(ask(make_settings(mapfile, MAPSOS_MAX_SECONDS="3"), mapfile, client), 60)

    asyncio.run(run())
    assert held == [1]
    wait_for(lambda: places.used == 0, "the end of the answer")
    wait_for(lambda: count_backends(cluster) == 0, "the end of its cursor")
