"""The ASGI adapter: what it holds while a client does not read, and what is left when one has gone."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mapsos.config.settings import Settings, read_settings
from mapsos.servers.asynchronous import adapter as adapter_module
from mapsos.servers.asynchronous.adapter import AsgiAdapter, Bounds, read_bounds
from mapsos.servers.asynchronous.exchange import UnfinishedError
from mapsos.servers.routes import MapRoutes
from mapsos.terms.deadlines import current_deadline
from mapsos.web.request_ids import current_request_id
from tests.support.asgi_client import AsgiClient, Event, make_scope
from tests.support.maps import CAPABILITIES, MEASUREMENT, MapLayer, write_map
from tests.support.open_files import count_open
from tests.support.servers import escape

BOUNDS = Bounds(work=2, long_answers=2, least_rate=1000, most_wait=10, max_body=1000)
PIECE = b"x" * 300_000


class Pieces:
    """A WSGI application that answers with pieces, and notes what becomes of them."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count = count
        self.error = error
        self.made = 0
        self.closed = 0
        self.failures: list[Any] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "mapsos.failure" in environ:
            self.failures.append(environ["mapsos.failure"])
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"busy"]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.count):
            self.made += 1
            yield PIECE
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


def test_bounds_are_those_of_the_settings() -> None:
    stated = {"MAPSOS_WORK_AT_ONCE": "3", "MAPSOS_LONG_ANSWERS": "5", "MAPSOS_MIN_RATE": "7", "MAPSOS_MAX_WAIT": "0.5"}
    settings = read_settings({**stated, "MAPSOS_MAX_BODY": "9"})
    assert read_bounds(settings) == Bounds(3, 5, 7, 0.5, 9)
    assert read_bounds(settings, 4) == Bounds(4, 5, 7, 0.5, 9)
    assert read_bounds(Settings()).work == 2 * len(os.sched_getaffinity(0))


def ask(
    application: Any, bounds: Bounds = BOUNDS, body: bytes = b"", take: Any = None, scope: Event | None = None
) -> AsgiClient:
    async def run() -> AsgiClient:
        client = AsgiClient(body, take)
        await AsgiAdapter(application, bounds)(scope or make_scope(), client.receive, client.send)
        return client

    return asyncio.run(run())


def test_a_short_answer_is_complete_before_it_is_sent() -> None:
    pieces = Pieces(3)
    closed_at_start: list[int] = []

    async def take(event: Event) -> None:
        if event["type"] == "http.response.start":
            closed_at_start.append(pieces.closed)

    client = ask(pieces, take=take)
    assert (client.body, client.is_complete) == (PIECE * 3, True)
    assert ("content-length", "900000") in client.headers
    assert closed_at_start == [1]


def test_a_long_answer_is_made_as_it_is_taken() -> None:
    """A client that reads nothing holds one piece more than what was sent, and no thread."""
    pieces = Pieces(100)
    most_ahead = 0

    async def run() -> AsgiClient:
        client = AsgiClient(take=take)
        await AsgiAdapter(pieces, BOUNDS)(make_scope(), client.receive, client.send)
        return client

    sent = 0

    async def take(event: Event) -> None:
        nonlocal sent, most_ahead
        await asyncio.sleep(0)
        sent += len(event.get("body", b""))
        most_ahead = max(most_ahead, pieces.made - sent // len(PIECE))

    client = asyncio.run(run())
    assert (len(client.body), client.is_complete) == (100 * len(PIECE), True)
    assert "content-length" not in dict(client.headers)
    assert most_ahead <= 6
    assert pieces.closed == 1


def test_a_thousand_clients_that_read_nothing_hold_no_thread() -> None:
    async def run() -> int:
        stuck = asyncio.Event()

        async def take(event: Event) -> None:
            await stuck.wait()

        adapter = AsgiAdapter(Pieces(3), BOUNDS)
        clients = [AsgiClient(take=take) for _ in range(1000)]
        tasks = [asyncio.create_task(adapter(make_scope(), one.receive, one.send)) for one in clients]
        quick = AsgiClient()
        await asyncio.wait_for(adapter(make_scope(), quick.receive, quick.send), 60)
        threads = threading.active_count()
        stuck.set()
        await asyncio.gather(*tasks)
        assert all(client.is_complete for client in clients)
        return threads

    before = threading.active_count()
    assert asyncio.run(run()) <= before + BOUNDS.work + 1


def test_a_failure_before_anything_is_sent_is_reported() -> None:
    error = OSError("the disk has gone")
    pieces = Pieces(2, error)
    client = ask(pieces)
    assert (client.status, client.body, client.is_complete) == (503, b"busy", True)
    assert pieces.failures == [error]
    assert pieces.closed == 1


def test_a_failure_later_is_the_servers_to_end() -> None:
    pieces = Pieces(10, OSError("the disk has gone"))
    client = AsgiClient()
    with pytest.raises(UnfinishedError):
        asyncio.run(AsgiAdapter(pieces, BOUNDS)(make_scope(), client.receive, client.send))
    assert client.status == 200
    assert not client.is_complete


@pytest.mark.parametrize(("method", "is_known"), [("GET", True), ("POST", False)])
def test_only_a_query_is_known_to_have_a_long_answer(method: str, is_known: bool) -> None:
    """What a body asks is not known before it is read: a short answer never waits for a place because of another."""

    async def run() -> tuple[bool, AsgiClient]:
        adapter = AsgiAdapter(Pieces(10), replace(BOUNDS, long_answers=1, most_wait=0.01))
        first = AsgiClient()
        await adapter(make_scope(method=method), first.receive, first.send)
        adapter.state = replace(adapter.state, application=Pieces(1))
        second = AsgiClient()
        async with adapter.state.longs.take(lambda: None):
            await adapter(make_scope(method=method), second.receive, second.send)
        return adapter.state.longs.expects(("/", "")), second

    known, second = asyncio.run(run())
    assert known == is_known
    assert second.body == (b"busy" if is_known else PIECE)


def test_a_queue_that_is_too_long_is_told() -> None:
    async def run() -> AsgiClient:
        adapter = AsgiAdapter(pieces, BOUNDS)
        adapter.state.work._seconds = 100.0
        held = threading.Event()
        for _ in range(3):
            adapter.state.work.submit(2, lambda: held.wait(60))
        client = AsgiClient()
        await adapter(make_scope(), client.receive, client.send)
        held.set()
        return client

    pieces = Pieces(1)
    client = asyncio.run(run())
    assert client.status == 503
    assert pieces.made == 0


@pytest.mark.parametrize("size", [1001, 5000])
def test_a_body_that_is_announced_too_large_is_not_received(size: int) -> None:
    client = ask(Pieces(1), body=b"a" * size, scope=make_scope(content_length=str(size)))
    assert ("connection", "close") in client.headers


def test_a_body_that_does_not_come_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_module, "_BODY_SECONDS", 0.01)

    async def run() -> AsgiClient:
        client = AsgiClient()

        async def receive() -> Event:
            await asyncio.Event().wait()
            raise AssertionError

        await AsgiAdapter(Pieces(1), BOUNDS)(make_scope(method="POST"), receive, client.send)
        return client

    client = asyncio.run(run())
    assert client.status == 200
    assert ("connection", "close") in client.headers


def test_threads_have_the_request_and_its_deadline(tmp_path: Path) -> None:
    seen: list[tuple[str, bool]] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        current_request_id.set(environ["PATH_INFO"])
        start_response("200 OK", [])

        def chunks() -> Iterator[bytes]:
            for _ in range(8):
                seen.append((current_request_id.get(), current_deadline() is not None))
                yield PIECE

        return chunks()

    ask(application, scope=make_scope("/one"))
    assert seen == [("/one", True)] * 8


@pytest.fixture(scope="module")
def mapfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(MapLayer("points", 20_000), tmp_path_factory.mktemp("maps"))


def wait_until(condition: Callable[[], bool]) -> Awaitable[None]:
    async def wait() -> None:
        for _ in range(2000):
            if condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it did not happen")

    return wait()


@pytest.mark.parametrize("query", [CAPABILITIES, MEASUREMENT])
def test_a_client_that_leaves_at_any_moment_leaves_no_file_open(mapfile: Path, query: str) -> None:
    """The task is cancelled at its first, second ... step of the event loop until it comes to its end by itself."""
    routes = MapRoutes(Settings(log_level="critical"), {"points": str(mapfile)})

    async def run() -> int:
        adapter = AsgiAdapter(routes, read_bounds(Settings()))

        async def answer(steps: int | None) -> bool:
            client = AsgiClient()
            scope = make_scope("/points", escape(query))
            task = asyncio.create_task(adapter(scope, client.receive, client.send))
            if steps is None:
                await task
                return client.is_complete
            for _ in range(steps):
                await asyncio.sleep(0)
                if task.done():
                    break
            if task.done():
                return True
            # Steps within threads take many turns of the loop.
            for _ in range(steps):
                await asyncio.sleep(0.0004)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return False

        assert await answer(None)
        files = count_open(mapfile.parent)
        ended = 0
        for steps in range(1, 60):
            ended += await answer(steps)
        await wait_until(lambda: count_open(mapfile.parent) <= files + 2)
        assert await answer(None)
        return ended

    assert asyncio.run(run()) < 59


def test_a_client_that_disconnects_ends_the_work() -> None:
    made = threading.Event()
    ended = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        from mapsos.terms.deadlines import limit_seconds

        start_response("200 OK", [])
        with limit_seconds(None) as deadline:
            made.set()
            try:
                while True:
                    deadline.check()
            finally:
                ended.set()

    async def run() -> None:
        client = AsgiClient()
        task = asyncio.create_task(AsgiAdapter(application, BOUNDS)(make_scope(), client.receive, client.send))
        await wait_until(made.is_set)
        client.gone.set()
        await asyncio.wait_for(task, 60)

    asyncio.run(run())
    assert ended.is_set()
