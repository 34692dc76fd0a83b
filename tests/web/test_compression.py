"""Compressed answers: which coding, what comes out, and when."""

from __future__ import annotations

import io
import os
import zlib
from collections import OrderedDict
from collections.abc import Iterator

import pytest
import zstandard

from mapsos.web import compression
from mapsos.web.compression import choose_coding, compress_response
from mapsos.web.messages import Chunk, Request, Response
from mapsos.web.responses import finish_response


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("GZIP, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", "zstd"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("br", None),
        ("gzip;q=much", None),
        (" , ;", None),
    ],
)
def test_coding_follows_the_header(header: str, expected: str | None) -> None:
    assert choose_coding(header) == expected


class Body:
    def __init__(self, chunks: list[Chunk]) -> None:
        self.chunks = chunks
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk

    def close(self) -> None:
        self.closed = True


CHUNKS: list[Chunk] = [b"<a>", memoryview(b"<b/>" * 50_000), b"</a>"]


def unpack(coding: str, data: bytes) -> bytes:
    if coding == "gzip":
        return zlib.decompress(data, 31)
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_comes_out_is_what_went_in(coding: str) -> None:
    response = compress_response(Response(headers=(("Content-Type", "text/xml"),), body=CHUNKS), coding)
    headers = dict(response.headers)
    assert (headers["Content-Encoding"], headers["Vary"]) == (coding, "Accept-Encoding")
    packed = b"".join(response.body)
    assert len(packed) < 5_000
    assert unpack(coding, packed) == b"".join(CHUNKS)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_first_chunk_leaves_before_the_second_is_made(coding: str) -> None:
    body = Body(CHUNKS)
    first = next(iter(compress_response(Response(body=body), coding).body))
    assert first
    assert body.taken == 1


def test_without_coding_the_body_is_untouched() -> None:
    body = Body(CHUNKS)
    response = compress_response(Response(body=body), "br")
    assert response.body is body
    assert dict(response.headers) == {"Vary": "Accept-Encoding"}


def test_304_is_not_compressed() -> None:
    request = Request("GET", "", environ={"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_ACCEPT_ENCODING": "gzip"})
    assert dict(finish_response(Response(compressible=True), request).headers)["Content-Encoding"] == "gzip"
    known = Response(304, (("ETag", '"1"'), ("Vary", "Accept-Encoding")), compressible=True)
    assert finish_response(known, request) == known


def test_what_the_document_depends_on_is_listed_once() -> None:
    response = compress_response(Response(headers=(("Vary", "Accept, Accept-Encoding"),)), "")
    assert response.headers == (("Vary", "Accept, Accept-Encoding"),)


def test_closing_closes_the_body() -> None:
    body = Body(CHUNKS)
    compress_response(Response(body=body), "gzip").body.close()  # type: ignore[attr-defined]
    assert body.closed


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_tagged_document_is_compressed_once(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = compression._make_compressor

    def count(named: str) -> compression.Compressor:
        made.append(named)
        return make(named)

    monkeypatch.setattr(compression, "_make_compressor", count)
    monkeypatch.setattr(compression, "_kept", OrderedDict())
    document = (b"<Capabilities>" * 1000,)
    for _ in range(3):
        response = Response(headers=(("ETag", 'W/"of the document"'),), body=document, compressible=True)
        packed = b"".join(map(bytes, compress_response(response, coding).body))
        assert decompress(packed, coding) == document[0]
    assert made == [coding]
    other = Response(headers=(("ETag", 'W/"of another"'),), body=(b"other",), compressible=True)
    assert decompress(b"".join(map(bytes, compress_response(other, coding).body)), coding) == b"other"


def test_compressed_documents_are_cached_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
    monkeypatch.setattr(compression, "_kept", kept)
    for number in range(100):
        compress_response(Response(headers=(("ETag", f'W/"{number}"'),), body=(os.urandom(200_000),)), "gzip")
    assert 0 < len(kept) <= 32
    assert sum(map(len, kept.values())) <= 4 << 20
    assert ('W/"99"', "gzip") in kept


def decompress(packed: bytes, coding: str) -> bytes:
    if coding == "gzip":
        return zlib.decompress(packed, 31)
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read()
