"""PostgreSQL stopped, restarted and failed over, between requests and in the midst of an answer, over HTTP."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.postgresql import Cluster, require_cluster

from .conftest import READER, SETTINGS, end_backends
from .observations import A_DAY, DAYS, QUERY, STATIONS, TABLE, write_map

COMMAND = Path(sys.executable).parent / "mapsos"
ALL = f"{QUERY}&resultModel=om:Measurement"
DAY = f"{ALL}&eventTime=2001-06-04/2001-06-04"
ROWS = STATIONS * DAYS * A_DAY


@pytest.fixture(scope="module")
def clusters() -> Iterator[tuple[Cluster, Cluster]]:
    """Two servers with the same observations, to be stopped and started at will."""
    with ExitStack() as stack:
        both = stack.enter_context(require_cluster(SETTINGS)), stack.enter_context(require_cluster(SETTINGS))
        for cluster in both:
            cluster.run(f"CREATE EXTENSION postgis; CREATE ROLE {READER} LOGIN; SET timezone = 'UTC'; {TABLE}")
        yield both


@pytest.fixture
def _started(clusters: tuple[Cluster, Cluster]) -> Iterator[None]:
    """Whatever a test stopped runs again after it."""
    yield
    for cluster in clusters:
        if not cluster.is_running():
            cluster.start()


class Service:
    """``mapsos serve`` with one worker, over HTTP."""

    def __init__(self, mapfile: Path) -> None:
        command = [COMMAND, "serve", "--port", "0", "--workers", "1", mapfile]
        environment = {**os.environ, "MS_ERRORFILE": "/dev/null", "MAPSOS_HTTP_STATUS": "on"}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self._port = int(self.process.stdout.readline().rpartition(":")[2])

    @contextmanager
    def begin(self, query: str) -> Iterator[http.client.HTTPResponse]:
        """A response of which nothing has been read but its head."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)) as connection:
            connection.request("GET", f"/?{quote(query, safe='=&:;,/')}")
            with connection.getresponse() as response:
                yield response

    def ask(self, query: str) -> tuple[int, bytes]:
        """Status and body."""
        with self.begin(query) as response:
            return response.status, response.read()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(params=[False, True], ids=["postgis", "ogr"])
def make_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    """Starts the service over the observations of a connection."""
    made: list[Service] = []

    def make(connection: str) -> Service:
        made.append(Service(write_map(tmp_path / "faults.map", connection, "observations", request.param)))
        return made[-1]

    yield make
    for service in made:
        service.stop()


def break_off(service: Service, fault: Callable[[], object]) -> bytes:
    """What a client has of a large answer in the midst of which the fault happens; it must see that this is not all."""
    with service.begin(ALL) as response:
        assert response.status == 200
        head = response.read(100_000)
        fault()
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
    return head + caught.value.partial


def assert_whole(service: Service) -> None:
    """A small answer is complete."""
    status, document = service.ask(DAY)
    assert (status, document.count(b"<om:member>")) == (200, STATIONS * A_DAY)
    assert document.rstrip().endswith(b"</om:ObservationCollection>")


@pytest.mark.usefixtures("_started")
@pytest.mark.parametrize("mode", ["fast", "immediate", "session"])
def test_stopped_in_the_midst_of_an_answer(
    clusters: tuple[Cluster, Cluster], make_service: Callable[[str], Service], mode: str
) -> None:
    cluster = clusters[0]
    service = make_service(cluster.connection(READER))
    assert_whole(service)
    partial = break_off(service, lambda: end_backends(cluster) if mode == "session" else cluster.stop(mode))
    assert 0 < partial.count(b"<om:member>") < ROWS
    assert b"</om:ObservationCollection>" not in partial
    assert b"Exception" not in partial
    if mode != "session":
        status, document = service.ask(DAY)
        assert status == 500
        assert b'exceptionCode="NoApplicableCode"' in document
        assert b"data source of layer observations cannot be read" in document
        for secret in (b"host", READER.encode(), b"refused", str(cluster.port).encode()):
            assert secret not in document
        cluster.start()
    assert_whole(service)


@pytest.mark.usefixtures("_started")
def test_restarted_between_requests(clusters: tuple[Cluster, Cluster], make_service: Callable[[str], Service]) -> None:
    service = make_service(clusters[0].connection(READER))
    assert_whole(service)
    clusters[0].stop()
    clusters[0].start()
    assert_whole(service)


@pytest.mark.usefixtures("_started")
def test_failed_over_in_the_midst_of_an_answer(
    clusters: tuple[Cluster, Cluster], make_service: Callable[[str], Service]
) -> None:
    first, second = clusters
    service = make_service(f"host=127.0.0.1,127.0.0.1 port={first.port},{second.port} user={READER} dbname=postgres")
    assert_whole(service)
    partial = break_off(service, lambda: first.stop("immediate"))
    assert b"</om:ObservationCollection>" not in partial
    assert_whole(service)
    assert second.run(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = '{READER}'") == "t"
