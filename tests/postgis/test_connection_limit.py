"""Never more connections than the settings allow: requests wait for them, and go on with fewer than they would use."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from urllib.parse import quote

import pytest

from mapsos.app import Application
from mapsos.config.settings import Settings, read_settings
from mapsos.operations.layers.facts import FactStore
from mapsos.operations.layers.open_layers import ask_layer, hold_layers, read_layer
from mapsos.servers.asynchronous.adapter import AsgiAdapter, read_bounds
from mapsos.servers.routes import MapRoutes
from mapsos.sources.drivers.postgres.connections import ConnectionPlaces, places
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.pool import ReaderPool, close_idle_readers
from mapsos.sources.query import LayerQuery
from mapsos.sources.reader import Reader
from mapsos.terms.deadlines import ConnectionLimits, limit_connections, limit_seconds
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.web.messages import Request, Response, close_body
from tests.support.asgi_client import AsgiClient, make_scope
from tests.support.postgresql import Cluster
from tests.support.station_service import write_layer, write_rows
from tests.support.workers import wait_for

from .conftest import READER, by_postgis, end_backends

TABLES = 4
ROWS = 40_000
FEW = 30
OBSERVE = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=all&observedProperty=level&responseFormat=text/csv"
)


@pytest.fixture(scope="module")
def _tables(cluster: Cluster) -> Iterator[None]:
    """Tables of many rows, and of few."""
    for number in range(TABLES):
        for name, rows in (("many", ROWS), ("few", FEW)):
            cluster.run(
                f"CREATE TABLE {name}_{number} AS SELECT n AS id, 'S' || n % 7 AS station, "
                "'2001-01-01Z'::timestamptz + n * interval '1 s' AS time, n / 10.0 AS value, "
                f"ST_SetSRID(ST_MakePoint(1, 2), 4326) AS geom FROM generate_series(1, {rows}) AS n;"
                f"GRANT SELECT ON {name}_{number} TO {READER}"
            )
    yield
    for number in range(TABLES):
        cluster.run(f"DROP TABLE many_{number}, few_{number}")


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    close_idle_readers()
    yield
    close_idle_readers()
    limit_connections(32, 10.0)
    assert places.used == 0


@contextmanager
def bound_by_server(cluster: Cluster, most: int) -> Iterator[None]:
    """Let the server take a few connections more than mapsos may have: it ends them after the client has."""
    end_backends(cluster)
    cluster.run(f"ALTER ROLE {READER} CONNECTION LIMIT {most + 3}")
    try:
        yield
    finally:
        cluster.run(f"ALTER ROLE {READER} CONNECTION LIMIT -1")


def write_map(folder: Path, connection: str, *tables: str) -> Path:
    layers = "".join(
        write_layer(
            f'CONNECTIONTYPE POSTGIS CONNECTION "{connection}" DATA "geom FROM {table} USING UNIQUE id"', name=table
        )
        for table in tables
    )
    keys = '"sos_title" "T" "sos_enable_request" "*" "sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326"'
    path = folder / "connections.map"
    path.write_text(f'MAP NAME "m" PROJECTION "init=epsg:4326" END WEB METADATA {keys} END END {layers} END\n')
    return path


def make_settings(mapfile: Path, connections: int, **more: str) -> Settings:
    stated = {"MS_MAPFILE": str(mapfile), "MAPSOS_CACHE": "off", "MAPSOS_HTTP_STATUS": "on", "MS_MAP_PATTERN": "."}
    return read_settings({**stated, "MAPSOS_POSTGRESQL_CONNECTIONS": str(connections), **more})


def ask(application: Application, query: str = OBSERVE) -> Response:
    return application.answer(Request("GET", quote(query, safe="=&:;,/<>")))


def read(response: Response) -> bytes:
    try:
        return b"".join(bytes(chunk) for chunk in response.body)
    finally:
        close_body(response.body)


@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize(("name", "rows"), [("few", FEW), ("many", ROWS)])
@pytest.mark.parametrize("connections", [1, 3])
def test_answers_over_several_layers_share_few_connections(
    cluster: Cluster, connection: str, tmp_path: Path, name: str, rows: int, connections: int
) -> None:
    """Each would use one for each layer; together they would wait for each other."""
    mapfile = write_map(tmp_path, connection, *(f"{name}_{number}" for number in range(TABLES)))
    with bound_by_server(cluster, connections), ThreadPoolExecutor(12) as threads:
        application = Application(make_settings(mapfile, connections, MAPSOS_MAX_WAIT="100"))
        answers = [threads.submit(lambda: read(ask(application))) for _ in range(12)]
        assert [answer.result(300).count(b"\n") for answer in answers] == [1 + TABLES * rows] * 12


@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize("rest", [False, True])
def test_rows_are_counted_with_the_connection_of_the_answer(
    cluster: Cluster, connection: str, tmp_path: Path, rest: bool
) -> None:
    mapfile = write_map(tmp_path, connection, "many_0", "many_1")
    with bound_by_server(cluster, 1):
        limited = Application(make_settings(mapfile, 1, MAPSOS_MAX_ROWS=str(ROWS), MAPSOS_MAX_WAIT="100"))
        text = read(ask(limited))
        assert b"would contain" in text
        assert str(2 * ROWS).encode() in text
        enough = Application(make_settings(mapfile, 1, MAPSOS_MAX_ROWS=str(2 * ROWS), MAPSOS_MAX_WAIT="100"))
        if rest:
            path = "/exts/SosSOE/observations/query"
            environ = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "", "PATH_INFO": path}
            query = "f=json&resultRecordCount=20"
            answer = enough.answer(Request("GET", query, environ=environ))
            assert answer.status == 200
            assert b"exceededTransferLimit" in read(answer)
        else:
            assert read(ask(enough)).count(b"\n") == 1 + 2 * ROWS


@pytest.mark.usefixtures("_tables")
def test_idle_connections_are_closed_for_others(cluster: Cluster, connection: str) -> None:
    limit_connections(2, 1.0)
    with bound_by_server(cluster, 2):
        for number in (0, 1, 2, 3, 0):
            source = by_postgis(connection, f"few_{number}", more="USING UNIQUE id")
            with open_layer(source) as layer:
                assert sum(batch.rows for batch in layer.read(LayerQuery(source, texts=("id",)))) == FEW
        count = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{READER}'"
        wait_for(lambda: cluster.run(count) == "2", "the end of the others")


class Meanwhile:
    """A lock, and what happens once as soon as it is free again."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens: Callable[[], object] | None = happens

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()


@pytest.mark.usefixtures("_tables")
def test_a_reader_that_another_takes_at_once_gives_back_both_places(
    connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is idle before its place is free: another request may take it in between."""
    source = by_postgis(connection, "few_0", more="USING UNIQUE id")
    taken = ConnectionPlaces(ConnectionLimits(2, 1.0))
    pool = ReaderPool(connections=taken)
    others: list[Reader] = []
    reader = pool.acquire(source)
    monkeypatch.setattr(pool, "_closing", Meanwhile(lambda: others.append(pool.acquire(source))))
    pool.release(reader)
    assert others == [reader]
    assert taken.used == 1
    pool.discard(reader)
    assert taken.used == 0


@pytest.mark.usefixtures("_tables")
def test_an_idle_reader_that_cannot_be_closed_keeps_no_place(
    connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [by_postgis(connection, f"few_{number}", more="USING UNIQUE id") for number in range(2)]
    taken = ConnectionPlaces(ConnectionLimits(2, 1.0))
    pool = ReaderPool(most=1, connections=taken)
    first, second = map(pool.acquire, sources)
    pool.release(first)

    def fail() -> None:
        raise SourceError("cannot be closed")

    with monkeypatch.context() as patch:
        patch.setattr(first, "close", fail)
        with pytest.raises(SourceError):
            pool.release(second)
    assert taken.used == 0
    first.close()
    pool.close_idle()


@pytest.mark.usefixtures("_tables")
def test_an_answer_that_nobody_closes_gives_its_places_back(connection: str, tmp_path: Path) -> None:
    """With the memory: neither the pool nor a session holds it."""
    mapfile = write_map(tmp_path, connection, "many_0", "many_1")
    answer = ask(Application(make_settings(mapfile, 2)))
    chunks = iter(answer.body)
    next(chunks)
    assert places.used > 0
    del answer, chunks
    gc.collect()
    assert places.used == 0


@pytest.mark.usefixtures("_tables")
def test_one_that_waits_for_what_another_finds_holds_no_connection(connection: str) -> None:
    """Two requests that need the facts of the same layers, in another order."""
    one, other = (by_postgis(connection, f"few_{number}", more="USING UNIQUE id") for number in range(2))
    limit_connections(1, 50.0)
    store = FactStore()
    begun = threading.Event()

    def find_other() -> int:
        begun.set()
        wait_for(lambda: places.used == 1, "the one that holds the connection")
        with read_layer(other) as layer:
            return layer.count()

    def ask_both() -> int:
        with limit_seconds(60), hold_layers():
            ask_layer(one, lambda layer: layer.count())
            return store.recall(other, "number", lambda: 0)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: store.recall(other, "number", find_other))
        assert begun.wait(60)
        second = threads.submit(copy_context().run, ask_both)
        assert (first.result(40), second.result(40)) == (FEW, FEW)


@pytest.mark.usefixtures("_tables")
def test_a_vrt_counts_for_the_servers_that_it_names(connection: str, tmp_path: Path) -> None:
    layers = "".join(
        f'<OGRVRTLayer name="few_{number}"><SrcDataSource>PG:{connection}</SrcDataSource></OGRVRTLayer>'
        for number in range(2)
    )
    inner, outer = tmp_path / "inner.vrt", tmp_path / "outer.vrt"
    inner.write_text(f"<OGRVRTDataSource>{layers}</OGRVRTDataSource>")
    named = '<SrcDataSource relativeToVRT="1">inner.vrt</SrcDataSource>'
    outer.write_text(f'<OGRVRTDataSource><OGRVRTLayer name="few_0">{named}</OGRVRTLayer></OGRVRTDataSource>')
    source = LayerSource("l", SourceKind.OGR, str(outer), "few_0")
    with open_layer(source) as layer:
        assert places.used == 2
        assert sum(batch.rows for batch in layer.read(LayerQuery(source, texts=("id",)))) == FEW
    assert places.used == 0


@pytest.mark.usefixtures("_tables")
def test_a_client_is_told_when_to_come_back(connection: str, tmp_path: Path) -> None:
    application = Application(make_settings(write_map(tmp_path, connection, "few_0"), 1, MAPSOS_MAX_WAIT="0.5"))
    source = by_postgis(connection, "few_1", more="USING UNIQUE id")
    path = "/exts/SosSOE/observations/query"
    environ = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "", "PATH_INFO": path}
    with open_layer(source):
        report = ask(application)
        document = read(report)
        assert (report.status, dict(report.headers)["Retry-After"]) == (503, "1")
        assert b'exceptionCode="NoApplicableCode"' in document
        assert b"The server is busy" in document
        report = application.answer(Request("GET", "f=json", environ=environ))
        assert (report.status, dict(report.headers)["Retry-After"]) == (503, "1")
        assert b'"error"' in read(report)
    assert read(ask(application)).count(b"\n") == 1 + FEW


def test_a_server_without_free_connections_is_busy(cluster: Cluster, connection: str, tmp_path: Path) -> None:
    application = Application(make_settings(write_map(tmp_path, connection, "few_0"), 1))
    end_backends(cluster)
    cluster.run(f"ALTER ROLE {READER} CONNECTION LIMIT 0")
    try:
        report = ask(application)
        assert (report.status, dict(report.headers)["Retry-After"]) == (503, "10")
        assert b"connections" not in read(report)
    finally:
        cluster.run(f"ALTER ROLE {READER} CONNECTION LIMIT -1")


@pytest.mark.usefixtures("_tables")
def test_those_that_wait_hold_no_thread_of_others(connection: str, tmp_path: Path) -> None:
    """Two threads, and ten requests that wait for a connection: one for a file is answered meanwhile."""
    rows = tmp_path / "rows.gpkg"
    write_rows(rows, "GPKG", [("S1", "2001-01-01T00:00:00Z", 1.0)])
    mapfile = write_map(tmp_path, connection, "few_0")
    by_file = tmp_path / "file.map"
    data = mapfile.read_text().partition("LAYER")[0]
    layer = write_layer(f'CONNECTIONTYPE OGR CONNECTION "{rows}" DATA "rows"')
    by_file.write_text(f"{data}{layer} END\n")
    settings = make_settings(mapfile, 1, MAPSOS_MAX_WAIT="100", MAPSOS_WORK_AT_ONCE="2")
    adapter = AsgiAdapter(MapRoutes(settings, {"few": str(mapfile), "file": str(by_file)}), read_bounds(settings))

    async def run() -> None:
        path = make_scope("/few", OBSERVE), make_scope("/file", OBSERVE)
        waiting = [AsgiClient() for _ in range(10)]
        with open_layer(by_postgis(connection, "few_1", more="USING UNIQUE id")):
            tasks = [asyncio.create_task(adapter(dict(path[0]), one.receive, one.send)) for one in waiting]
            quick = AsgiClient()
            while not places._first or adapter.state.work._lent < 10:
                await asyncio.sleep(0.01)
            await asyncio.wait_for(adapter(path[1], quick.receive, quick.send), 60)
            assert (quick.status, quick.body.count(b"\n")) == (200, 2)
            # One that leaves is not waited for, be it the one that waits for the connection or for what that one finds.
            for number in (0, 5):
                waiting[number].gone.set()
                await asyncio.wait_for(tasks[number], 60)
        await asyncio.wait_for(asyncio.gather(*tasks), 100)
        left = [one for number, one in enumerate(waiting) if number not in (0, 5)]
        assert [(one.status, one.body.count(b"\n")) for one in left] == [(200, 1 + FEW)] * 8

    asyncio.run(run())
    wait_for(lambda: places.used == 0, "the end")
    # Threads beyond the two end when they have nothing to do.
    wait_for(lambda: adapter.state.work._threads <= 2, "the end of the threads")
