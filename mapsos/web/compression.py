"""Compress responses with gzip or zstd, chunk by chunk, for clients that accept it (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from mapsos.web.messages import Chunk, Response, add_vary, close_body

CODINGS = ("zstd", "gzip")
"""The codings offered, the better one first: zstd compresses observations like gzip at a third of the cost."""


class Compressor(Protocol):
    """The common interface of zlib and zstandard; both accept any bytes-like chunk."""

    def compress(self, data: Chunk, /) -> bytes:
        """Compress a chunk; the result may be empty."""

    def flush(self) -> bytes:
        """Return the rest and the end of the stream."""


def choose_coding(accept_encoding: str) -> str | None:
    """Return the coding preferred by an Accept-Encoding header, None for no coding.

    The highest weight wins, of equal ones the first of `CODINGS`. ``identity`` wins over a coding with a smaller
    weight. A malformed header means no coding.
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    return None
        if name:
            weights[name] = weight
    rest = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: weights.get(coding, rest))
    weight = weights.get(best, rest)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def compress_response(response: Response, accept_encoding: str) -> Response:
    """Return the response in the coding that the client prefers.

    Memory: the compressor's window. The first chunk is flushed, so that the first byte is not delayed. The last few
    documents with an entity tag are cached in their compressed forms.
    """
    headers = add_vary(response.headers, "Accept-Encoding")
    coding = choose_coding(accept_encoding)
    if coding is None:
        return replace(response, headers=headers)
    headers = (*headers, ("Content-Encoding", coding))
    tag = next((value for name, value in headers if name == "ETag"), None)
    if tag is not None and isinstance(response.body, tuple):
        return replace(response, headers=headers, body=(_compress_once(tag, response.body, coding),))
    return replace(response, headers=headers, body=CompressedBody(response.body, coding))


_KEPT_DOCUMENTS = 32
_KEPT_BYTES = 4 << 20
_kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
_lock = threading.Lock()


def _compress_once(tag: str, body: tuple[Chunk, ...], coding: str) -> bytes:
    """Return a document compressed. ``tag`` is a digest of its content: the same one is compressed once."""
    key = tag, coding
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    compressor = _make_compressor(coding)
    packed = b"".join([*map(compressor.compress, body), compressor.flush()])
    with _lock:
        _kept[key] = packed
        while len(_kept) > _KEPT_DOCUMENTS or sum(map(len, _kept.values())) > _KEPT_BYTES:
            _kept.popitem(last=False)
    return packed


class CompressedBody:
    """The chunks of a body, compressed; closing it closes that body."""

    def __init__(self, body: object, coding: str) -> None:
        self._body = body
        self._coding = coding

    def __iter__(self) -> Iterator[Chunk]:
        compressor = _make_compressor(self._coding)
        first = True
        for chunk in self._body:  # type: ignore[attr-defined]
            packed = compressor.compress(chunk)
            if first:
                packed += _flush_block(compressor, self._coding)
                first = False
            if packed:
                yield packed
        yield compressor.flush()

    def close(self) -> None:
        """Close the body."""
        close_body(self._body)


def _make_compressor(coding: str) -> Compressor:
    if coding == "gzip":
        import zlib

        # Level 1 already shrinks markup to a thirtieth; a higher level would cost more than the observations do.
        return zlib.compressobj(1, zlib.DEFLATED, 31)
    import zstandard

    compressor: Compressor = zstandard.ZstdCompressor(level=1).compressobj()
    return compressor


def _flush_block(compressor: Compressor, coding: str) -> bytes:
    if coding == "gzip":
        import zlib

        return compressor.flush(zlib.Z_SYNC_FLUSH)  # type: ignore[call-arg]
    import zstandard

    return compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)  # type: ignore[call-arg]
