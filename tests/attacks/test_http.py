"""HTTP as attackers speak it, against `mapsos serve`: requests that two servers read differently, and slow ones."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz.victim import FOLDER_SECRET, write_victim
from tests.attacks.smuggling import GET, POST, SMUGGLED
from tests.support.servers import Server, serving

pytestmark = pytest.mark.slow
BODY = b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(write_victim(tmp_path_factory.mktemp("victim"))) as running:
        yield running


def send(port: int, data: bytes, *, patience: float = 10) -> bytes:
    """What comes back until the server closes, or says nothing for a while."""
    with socket.create_connection(("127.0.0.1", port), patience) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while piece := client.recv(65536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
    return received




@pytest.mark.parametrize("name", SMUGGLED)
def test_ambiguous_requests_are_refused(server: Server, name: str) -> None:
    """One refusal, and then the connection ends: what follows is never taken for a request."""
    received = send(server.port, SMUGGLED[name])
    assert received.count(b"HTTP/1.1 ") <= 1
    assert b"sections" not in received
    assert b"hidden" not in received
    assert b"</sos:Capabilities>" not in received
    assert b"Traceback" not in received
    assert FOLDER_SECRET.encode() not in received


@pytest.mark.parametrize(
    "data",
    [
        b"GET /victim?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        GET + b"X: " + b"a" * 9000 + b"\r\n\r\n",
        GET + b"".join(b"X%d: a\r\n" % number for number in range(200)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10,
        b"GET /victim HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0" * 1000,
    ],
    ids=["line", "header", "headers", "tls", "version", "http/2", "nothing"],
)
def test_oversized_and_foreign_requests_are_refused(server: Server, data: bytes) -> None:
    received = send(server.port, data)
    assert b"</sos:Capabilities>" not in received
    assert not received or received.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    assert FOLDER_SECRET.encode() not in received
    assert b"</sos:Capabilities>" in send(server.port, GET + b"Connection: close\r\n\r\n", patience=60)


def test_compressed_bodies_are_refused(server: Server) -> None:
    head = POST + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    assert b"Content-Encoding gzip; it must have none" in send(server.port, head + BODY, patience=60)


def test_the_server_names_no_version(server: Server) -> None:
    import gunicorn

    head = send(server.port, GET + b"Connection: close\r\n\r\n").split(b"\r\n\r\n")[0]
    assert gunicorn.__version__.encode() not in head
    assert b"Python" not in head


def ask_slowly(port: int) -> list[socket.socket]:
    """Far more clients than threads, that never finish their headers."""
    clients = []
    for number in range(40):
        client = socket.create_connection(("127.0.0.1", port), 60)
        client.sendall((GET, GET[:20], b"\r\n" * 4 + GET, b"G")[number % 4])
        clients.append(client)
    return clients


def test_slow_headers_hold_up_nobody(server: Server) -> None:
    slow = ask_slowly(server.port)
    try:
        answer = send(server.port, GET + b"Connection: close\r\n\r\n", patience=60)
        assert b"</sos:Capabilities>" in answer
        # None of them was given up meanwhile: each goes on where it was.
        slow[0].sendall(b"Connection: close\r\n\r\n")
        slow[1].sendall(GET[20:] + b"Connection: close\r\n\r\n")
        for client in slow[:2]:
            received = b""
            while piece := client.recv(65536):
                received += piece
            assert received.partition(b"\r\n\r\n")[2] == answer.partition(b"\r\n\r\n")[2]
    finally:
        for client in slow:
            client.close()
    assert Path(f"/proc/{server.pid}").exists()
