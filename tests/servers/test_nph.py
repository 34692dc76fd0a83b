"""CGI programs named nph-: which they are, their heads, and their chunks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mapsos.servers.nph import find_protocol, is_chunked, write_chunks, write_head
from mapsos.web.messages import Response

TEXT = ("Content-Type", "text/xml")


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({}, None),
        ({"SCRIPT_NAME": "/cgi-bin/mapsos", "SERVER_PROTOCOL": "HTTP/1.1"}, None),
        ({"SCRIPT_NAME": "/nph-folder/mapsos", "SERVER_PROTOCOL": "HTTP/1.1"}, None),
        ({"SCRIPT_NAME": "/cgi-bin/nph-mapsos", "SERVER_PROTOCOL": "HTTP/1.1"}, "HTTP/1.1"),
        ({"SCRIPT_NAME": "/sos", "SCRIPT_FILENAME": "/lib/nph-mapsos", "SERVER_PROTOCOL": "HTTP/1.0"}, "HTTP/1.0"),
        ({"SCRIPT_NAME": "/nph-sos", "SCRIPT_FILENAME": "/lib/mapsos", "SERVER_PROTOCOL": "HTTP/1.1"}, None),
        ({"SCRIPT_NAME": "/cgi-bin/nph-mapsos"}, "HTTP/1.0"),
    ],
)
def test_the_file_decides(environ: dict[str, str], protocol: str | None) -> None:
    assert find_protocol(environ) == protocol


@pytest.mark.parametrize(
    ("protocol", "status", "chunked"),
    [
        ("HTTP/1.1", 200, True), ("HTTP/1.1", 500, True), ("HTTP/1.1", 204, False), ("HTTP/1.1", 304, False),
        ("HTTP/1.0", 200, False), ("HTTP/2.0", 200, False), ("INCLUDED", 200, False),
    ],
)  # fmt: skip
def test_chunks_go_where_there_may_be_some(protocol: str, status: int, chunked: bool) -> None:
    response = Response(status, (TEXT,), ())
    assert is_chunked(response, protocol) == chunked
    head = write_head(response, protocol)
    assert (b"\r\nTransfer-Encoding: chunked\r\n" in head) == chunked
    assert head.startswith(b"HTTP/1.1 " if protocol == "HTTP/1.1" else b"HTTP/1.0 ")


def test_a_head() -> None:
    response = Response(200, (TEXT, ("X", "\u00fc\u20ac")), ())
    assert write_head(response, "HTTP/1.1", 784111777) == (
        b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/xml\r\nX: \xfc?\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize("header", [("X", "a\r\nY: b"), ("X", "a\nb"), ("X\r", "a")])
def test_no_header_makes_another(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        write_head(Response(200, (header,), ()), "HTTP/1.1")


@pytest.mark.parametrize(
    ("body", "chunks"),
    [
        ([], b"0\r\n\r\n"),
        ([b"abc", b"", memoryview(b"x" * 26)], b"3\r\nabc\r\n1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n"),
    ],
)
def test_chunks(body: list[bytes], chunks: bytes) -> None:
    assert b"".join(write_chunks(body)) == chunks


def test_what_breaks_off_has_no_last_chunk() -> None:
    def break_off() -> Iterator[bytes]:
        yield b"abc"
        raise OSError

    sent: list[bytes] = []
    with pytest.raises(OSError):  # noqa: PT011
        sent.extend(write_chunks(break_off()))
    assert b"".join(sent) == b"3\r\nabc\r\n"
