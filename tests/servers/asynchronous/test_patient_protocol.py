"""Connections as clients make them, against uvicorn with our protocol: what is waited for, and for how long."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from mapsos.servers.asynchronous import patient_protocol
from mapsos.servers.asynchronous.adapter import AsgiAdapter, Bounds
from mapsos.servers.asynchronous.patient_protocol import PatientProtocol

BOUNDS = Bounds(work=2, long_answers=2, least_rate=1000, most_wait=10, max_body=1000)
PIECE = b"x" * 500_000


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers with its path and body, with 100 kB, or with many pieces."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path in ("/long", "/short"):
        return [PIECE] * 6 if path == "/long" else [PIECE[:100_000]]
    return [path.encode(), environ["wsgi.input"].read()]


@contextmanager
def serving() -> Iterator[int]:
    with socket.socket() as listener:
        # Of all connections that it accepts: what is not read stays in the server's own buffer.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(
            AsgiAdapter(application, BOUNDS), http=PatientProtocol, ws="none", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(60)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as found:
        yield found


def send(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    """All that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(data)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while piece := client.recv(1 << 20):
                received += piece
        except ConnectionResetError:
            pass
        return received


def test_a_client_that_ends_its_side_gets_its_answer(port: int) -> None:
    assert send(port, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", half_close=True).endswith(b"\r\n\r\n/a")


def test_requests_one_after_the_other_are_answered_in_order(port: int) -> None:
    first, second = (b"GET /%d HTTP/1.1\r\nHost: h\r\n" % number for number in (1, 2))
    received = send(port, first + b"\r\n" + second + b"Connection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200") == 2
    assert received.index(b"\r\n\r\n/1") < received.index(b"\r\n\r\n/2")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /?" + b"a" * 8200 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 8200 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(101)) + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 140_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: a\r\n" * 30_000, b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
    ids=["line", "header", "headers", "endless header", "endless headers", "nonsense"],
)
def test_a_head_that_is_too_long_ends_the_connection(port: int, data: bytes, status: bytes) -> None:
    received = send(port, data)
    assert received == b"" or received.startswith(b"HTTP/1.1 " + status)
    assert received.count(b"HTTP/1.1 ") <= 1


def test_an_endless_head_behind_a_request_ends_the_connection(port: int) -> None:
    """While the first answer waits for its reader, the second head must not grow."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nX: ")
        with pytest.raises(ConnectionError):
            client.sendall(b"a" * 100_000_000)


def test_clients_of_http_1_0_get_no_chunks(port: int) -> None:
    head, _, body = send(port, b"GET /long HTTP/1.0\r\nHost: h\r\n\r\n").partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == PIECE * 6
    head, _, body = send(port, b"GET /a HTTP/1.0\r\nHost: h\r\n\r\n").partition(b"\r\n\r\n")
    assert (b"content-length: 2" in head, body) == (True, b"/a")


def test_bodies_come_in_any_way(port: int) -> None:
    head = b"POST /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    assert send(port, head + b"Content-Length: 3\r\n\r\nabc").endswith(b"/babc")
    assert send(port, head + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n").endswith(b"/babc")
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(head + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"abc")
        assert b"".join(iter(lambda: client.recv(1000), b"")).endswith(b"/babc")


def test_a_body_that_is_too_large_is_not_asked_for(port: int) -> None:
    head = b"POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n"
    received = send(port, head)
    assert b"100 Continue" not in received
    assert b"connection: close" in received.lower()


@pytest.mark.parametrize("begin", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\nX: "])
def test_a_head_that_does_not_come_ends_the_connection(begin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_protocol, "HEAD_SECONDS", 0.05)
    with serving() as port:
        assert send(port, begin) == b""


def test_a_second_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_protocol, "HEAD_SECONDS", 0.5)
    with serving() as port:
        received = send(port, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HT")
    assert received.count(b"HTTP/1.1 200") == 1


def test_the_end_of_an_answer_that_is_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_protocol, "_UNREAD_SECONDS", 0.05)
    dropped = threading.Event()
    lose = PatientProtocol.connection_lost

    def connection_lost(self: PatientProtocol, error: Exception | None) -> None:
        dropped.set()
        lose(self, error)

    monkeypatch.setattr(PatientProtocol, "connection_lost", connection_lost)
    with serving() as port, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /short HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert dropped.wait(60)
