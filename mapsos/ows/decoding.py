"""Decode an HTTP request into parameters: query string, form body or XML body (docs/mapserver-sos.md, "Requests")."""

from __future__ import annotations

import re
from collections.abc import Callable

from mapsos.ows.error_page import PageError
from mapsos.ows.exceptions import DecodingError
from mapsos.ows.kvp import NAMELESS, decode_kvp
from mapsos.ows.raw_request import RawRequest
from mapsos.web.messages import Request

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_CHUNK = 65536
# White space and byte order marks may stand before the first tag.
_LOOKS_LIKE_XML = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")
# A key-value body: OWSLib posts one without its media type.
_LOOKS_LIKE_FORM = re.compile(rb"\s*[A-Za-z_.]+=")


def decode_query(request: Request) -> RawRequest:
    """Return the parameters of the query string. Raises DecodingError if it is not UTF-8."""
    return decode_kvp(request.query or "")


def decode_request(
    request: Request, query: RawRequest, max_body: int, read_body: Callable[[bytes], RawRequest]
) -> RawRequest:
    """Return all parameters: a form body's come before the query string's, an XML body's override them.

    A body that begins with ``<`` is XML whatever its content type is: ``curl -d @request.xml`` sends it as a form.

    Parameters
    ----------
    query
        The parameters of the query string.
    max_body
        Maximum size of the body in bytes; no more is read.
    read_body
        Parses an XML body of the protocol.

    Raises
    ------
    DecodingError
        The body is too large (413), compressed (415) or a form that is not UTF-8. ``read_body`` raises its own errors.
    PageError
        The body is shorter than announced.
    """
    if request.method != "POST":
        return query
    _check_coding(request.environ.get("HTTP_CONTENT_ENCODING", ""))
    media_type = request.content_type.split(";")[0].strip().lower()
    body = _read_body(request, max_body)
    if _LOOKS_LIKE_XML.match(body):
        return _override(query, read_body(body))
    if media_type == MULTIPART:
        return _join(_read_multipart(request, body), query)
    if media_type == FORM or (_LOOKS_LIKE_FORM.match(body) and media_type in ("", "text/plain")):
        return _join(decode_kvp(body.decode("utf-8", "surrogateescape").strip()), query)
    return _override(query, read_body(body))


def _read_multipart(request: Request, body: bytes) -> RawRequest:
    if request.read_form is None:
        message = f"A body of {MULTIPART} is not read by this program; send {FORM}."
        raise DecodingError("InvalidParameterValue", "request", message, status=415)
    try:
        pairs = request.read_form(body)
    except ValueError as error:
        message = f"The multipart form in the body cannot be read: {error}."
        raise DecodingError("InvalidParameterValue", "request", message) from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
    nameless = values.pop("", None) is not None
    return RawRequest({name: tuple(found) for name, found in values.items()}, ignored=(NAMELESS,) if nameless else ())


def _read_body(request: Request, max_body: int) -> bytes:
    announced = request.content_length
    if announced is not None and announced > max_body:
        raise _reject_size(max_body)
    pieces: list[bytes] = []
    size = 0
    while announced is None or size < announced:
        piece = request.read(_CHUNK if announced is None else min(_CHUNK, announced - size))
        if not piece:
            break
        size += len(piece)
        if size > max_body:
            raise _reject_size(max_body)
        pieces.append(piece)
    if announced is not None and size < announced:
        raise PageError("readPostBody", "Web application error.", "POST body is short.")
    return b"".join(pieces)


def _check_coding(coding: str) -> None:
    """Reject a compressed body: a few kilobytes may expand to gigabytes."""
    if coding.strip().lower() in ("", "identity"):
        return
    raise DecodingError(
        "InvalidParameterValue",
        "request",
        f"The request body has the Content-Encoding {coding}; it must have none.",
        status=415,
    )


def _reject_size(max_body: int) -> DecodingError:
    return DecodingError(
        "NoApplicableCode",
        "request",
        f"The request body is larger than {max_body} bytes, the most that this server reads.",
        status=413,
    )


def _join(first: RawRequest, second: RawRequest) -> RawRequest:
    values = dict(first.values)
    for name, found in second.values.items():
        values[name] = values.get(name, ()) + found
    return RawRequest(values, ignored=tuple(dict.fromkeys(first.ignored + second.ignored)))


def _override(query: RawRequest, body: RawRequest) -> RawRequest:
    values = {**query.values, **body.values}
    return RawRequest(values, from_xml=True, root=body.root, ignored=query.ignored + body.ignored)
