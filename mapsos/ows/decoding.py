"""From an HTTP request to its parameters: query string, form body or XML body (docs/mapserver-sos.md, "Requests")."""

from __future__ import annotations

import re
from collections.abc import Callable

from mapsos.ows.error_page import PageError
from mapsos.ows.exceptions import OwsException
from mapsos.ows.kvp import decode_kvp
from mapsos.ows.raw_request import RawRequest
from mapsos.web.messages import Request

FORM = "application/x-www-form-urlencoded"
_CHUNK = 65536
# A key-value body: OWSLib posts one without saying so.
_LOOKS_LIKE_FORM = re.compile(rb"\s*[A-Za-z_.]+=")


def decode_query(request: Request) -> RawRequest:
    """The parameters of the query string alone. Raises OwsException for text that is not UTF-8."""
    return decode_kvp(request.query or "")


def decode_request(
    request: Request, query: RawRequest, max_body: int, read_body: Callable[[bytes], RawRequest]
) -> RawRequest:
    """Return all parameters: a form body's come before the query string's, an XML body's override them.

    ``read_body`` reads an XML body, as the protocol has it.

    Reads the body, at most ``max_body`` bytes of it. Raises OwsException (413 for a larger body; a compressed body; a
    body that is no request), PageError for a body shorter than announced.
    """
    if request.method != "POST":
        return query
    _check_coding(request.environ.get("HTTP_CONTENT_ENCODING", ""))
    body = _read_body(request, max_body)
    media_type = request.content_type.split(";")[0].strip().lower()
    if media_type == FORM or (_LOOKS_LIKE_FORM.match(body) and media_type in ("", "text/plain")):
        return _join(decode_kvp(body.decode("utf-8", "surrogateescape").strip()), query)
    return _override(query, read_body(body))


def _read_body(request: Request, max_body: int) -> bytes:
    announced = request.content_length
    if announced is not None and announced > max_body:
        raise _refuse_size(max_body)
    pieces: list[bytes] = []
    size = 0
    while announced is None or size < announced:
        piece = request.read(_CHUNK if announced is None else min(_CHUNK, announced - size))
        if not piece:
            break
        size += len(piece)
        if size > max_body:
            raise _refuse_size(max_body)
        pieces.append(piece)
    if announced is not None and size < announced:
        raise PageError("readPostBody", "Web application error.", "POST body is short.")
    return b"".join(pieces)


def _check_coding(coding: str) -> None:
    """Refuse a compressed body: a few kilobytes of it may stand for gigabytes."""
    if coding.strip().lower() in ("", "identity"):
        return
    raise OwsException(
        "InvalidParameterValue",
        "request",
        "msSOSDispatch",
        f"The request body has the Content-Encoding {coding}; it must have none.",
        status=415,
    )


def _refuse_size(max_body: int) -> OwsException:
    return OwsException(
        "NoApplicableCode",
        "request",
        "msSOSDispatch",
        f"The request body is larger than {max_body} bytes, the most that this server reads.",
        status=413,
    )


def _join(first: RawRequest, second: RawRequest) -> RawRequest:
    values = dict(first.values)
    for name, found in second.values.items():
        values[name] = values.get(name, ()) + found
    return RawRequest(values, nameless=first.nameless or second.nameless)


def _override(query: RawRequest, body: RawRequest) -> RawRequest:
    return RawRequest({**query.values, **body.values}, from_xml=True, root=body.root)
