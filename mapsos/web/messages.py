"""A request and a response as values, so that CGI, WSGI and the command line share one application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from http import HTTPStatus
from typing import Literal

from mapsos.terms.values import dataclass

Outcome = Literal["complete", "unfinished", "broken", "discarded"]

Chunk = bytes | memoryview
"""A piece of a body. A view avoids copying gigabytes; servers that require bytes convert each piece."""


_MOST_DIGITS = 18
ENDLESS = 10**_MOST_DIGITS
"""A length above every bound."""


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes
    ----------
    method
        As the client sent it (GET, POST, HEAD ...).
    query
        The raw query string, percent-encoded, without the question mark; None if not set.
    content_type
        The value of Content-Type, empty if absent.
    content_length
        The announced length, None if missing (then ``read`` ends by itself).
    read
        Reads at most so many bytes of the body, b"" at its end. Nothing is read before the first call.
    read_form
        Parses a body of type multipart/form-data into pairs of name and value. Raises ValueError for a faulty form, or
        one with files. None where the adapter cannot: under CGI, where the parser would cost more than the request.
    environ
        CGI variables as text (REMOTE_ADDR, SERVER_NAME, SCRIPT_NAME, HTTPS, HTTP_* ...), already corrected for
        trusted proxies by the adapter.
    id
        The id of the request in the log, generated or accepted by the adapter.
    """

    method: str
    query: str | None
    content_type: str = ""
    content_length: int | None = None
    read: Callable[[int], bytes] = lambda size: b""
    environ: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    read_form: Callable[[bytes], list[tuple[str, str]]] | None = None


def read_content_length(text: str) -> int | None:
    """Return the length that a request announces; None if it is missing or not a number.

    Numbers of more digits than any body has bytes count as `ENDLESS`.
    """
    text = text.strip(" \t")
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else ENDLESS


@dataclass(frozen=True)
class Ending:
    """The end of a response, as it is logged and charged.

    Attributes
    ----------
    operation, status
        Those of the response.
    rows, bytes
        Observations and bytes of the body that were passed to the server.
    seconds
        Time since the request began.
    outcome
        ``complete``; ``unfinished``: the client disconnected; ``broken``: it failed midway; ``discarded``: the request
        is answered anew later.
    """

    operation: str
    status: int
    rows: int
    bytes: int
    seconds: float
    outcome: Outcome


@dataclass(frozen=True)
class Response:
    """One HTTP response. ``body`` is consumed once; if it has a ``close`` method, that is called in any case.

    An exception out of ``body`` means that the document is unfinished: an adapter must end the connection so that the
    client notices, never complete it. ``error`` is whether the response reports a failure. ``operation`` is the
    requested operation, empty if unknown; ``count_rows`` returns the number of observations in the body so far.
    ``compressible`` is whether compressing the body is worth it. ``ignored`` are the names of parameters that had no
    effect, for the log. ``note_end`` is called once, when the body is closed.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: Iterable[Chunk] = ()
    error: bool = False
    operation: str = ""
    count_rows: Callable[[], int] = lambda: 0
    compressible: bool = False
    ignored: tuple[str, ...] = ()
    note_end: Callable[[Ending], None] | None = None

    @property
    def status_line(self) -> str:
        """Return the status with its reason phrase, for example ``302 Found``."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


def close_body(body: object) -> None:
    """Close the body of a response, if it has a ``close`` method."""
    close = getattr(body, "close", None)
    if close is not None:
        close()


def add_vary(headers: Iterable[tuple[str, str]], name: str) -> tuple[tuple[str, str], ...]:
    """Return the headers with the request header ``name`` listed in Vary, once (RFC 9110, section 12.5.5)."""
    headers = tuple(headers)
    listed = [word.strip() for header, value in headers if header == "Vary" for word in value.split(",")]
    if name in listed:
        return headers
    return (*(pair for pair in headers if pair[0] != "Vary"), ("Vary", ", ".join([*listed, name])))


def is_over_http(environ: Mapping[str, str]) -> bool:
    """Return whether a web server asks: on the command line the header block is exactly MapServer's."""
    return "SERVER_PROTOCOL" in environ


def read_condition(request: Request) -> str | None:
    """Return If-None-Match of a GET or HEAD, None without: other methods have no 304 (RFC 9110, section 13.1.2)."""
    return request.environ.get("HTTP_IF_NONE_MATCH") if request.method in ("GET", "HEAD") else None
