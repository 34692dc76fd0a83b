"""The WSGI adapter (PEP 3333): a request from the server's environment, a response to its ``start_response``."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from io import BytesIO
from typing import IO, TYPE_CHECKING, cast

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.wsgi import LimitedStream, get_input_stream

from mapsos.app import Application
from mapsos.config.settings import Settings, SettingsError, read_settings
from mapsos.ows.kvp import MAX_PAIRS
from mapsos.servers.process import log_break, prepare_process
from mapsos.servers.status import STATUS_PATHS, answer_status, open_metrics
from mapsos.servers.unconfigured import refuse_all
from mapsos.web.access_log import LoggedBody
from mapsos.web.messages import Request, Response, read_content_length
from mapsos.web.proxies import correct_environ
from mapsos.web.request_ids import choose_request_id

if TYPE_CHECKING:
    import socket
    from wsgiref.types import StartResponse, WSGIEnvironment

    from mapsos.web.metrics import Metrics

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]+))?")

_applications: dict[str | None, tuple[Application, Metrics | None]] = {}
_lock = threading.Lock()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request from the maps that the settings of the process allow; also /healthz and /metrics.

    The result is iterated and then closed, as PEP 3333 requires. An exception while iterating means that the document
    is unfinished: the server must end the connection.
    """
    started = time.monotonic()
    name_server(environ)
    try:
        ours, metrics = _find_application(environ.get("MAPSERVER_CONFIG_FILE"))
    except SettingsError as error:
        request = Request(environ["REQUEST_METHOD"], environ.get("QUERY_STRING"))
        response = refuse_all(error)
        return _start(request, response, start_response, WsgiBody(LoggedBody(request, response, started)))
    path = environ.get("PATH_INFO", "")
    if path in STATUS_PATHS:
        return answer_watcher(path, environ, start_response, ours.settings, (ours,), metrics)
    return answer(ours, environ, start_response, started, metrics)


def name_server(environ: WSGIEnvironment, *, always: bool = False) -> None:
    """Set SERVER_NAME and SERVER_PORT from a well-formed Host header, as Apache does: gunicorn has the socket's.

    Other servers are not affected, unless ``always``.
    """
    is_needed = always or "gunicorn.socket" in environ
    found = _HOST.fullmatch(environ.get("HTTP_HOST", "")) if is_needed else None
    if found:
        environ["SERVER_NAME"] = found["name"]
        environ["SERVER_PORT"] = found["port"] or ("443" if environ["wsgi.url_scheme"] == "https" else "80")


def answer(
    application: Application,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    started: float,
    metrics: Metrics | None = None,
) -> Iterable[bytes]:
    """Answer one request by an existing application; ``started`` is a `time.monotonic` for the log."""
    request = read_request(environ, application.settings)
    if metrics is not None:
        metrics.begin()
    response = application.answer(request, environ.get("mapsos.failure"))
    body = LoggedBody(request, response, started, metrics)
    seconds = application.settings.max_seconds
    end = None if seconds is None else started + seconds
    try:
        return _start(request, response, start_response, WsgiBody(body, environ.get("gunicorn.socket"), end))
    except BaseException:
        body.close()
        raise


def answer_watcher(
    path: str,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    settings: Settings,
    applications: Collection[Application],
    metrics: Metrics | None,
) -> Iterable[bytes]:
    """Answer a request for one of `STATUS_PATHS`; it is neither logged nor counted."""
    method = environ["REQUEST_METHOD"]
    response = answer_status(path, method, settings, applications, metrics)
    body = b"".join(map(bytes, response.body))
    start_response(response.status_line, [*response.headers, ("Content-Length", str(len(body)))])
    return [] if method == "HEAD" else [body]


def read_request(environ: WSGIEnvironment, settings: Settings) -> Request:
    """Read a request from a WSGI environment. The body ends after CONTENT_LENGTH bytes, whatever the server does."""
    length = read_content_length(environ.get("CONTENT_LENGTH") or "")
    texts = {name: _decode(value) for name, value in environ.items() if isinstance(value, str) and "." not in name}
    if environ.get("wsgi.url_scheme") == "https":
        texts["HTTPS"] = "on"
    corrected = correct_environ(texts, settings.trusted_proxies)
    # A client without an address, as of a Unix socket, is unknown, and in no list of addresses.
    corrected.setdefault("REMOTE_ADDR", "")
    content_type = texts.get("CONTENT_TYPE", "")
    return Request(
        method=environ["REQUEST_METHOD"],
        query=texts.get("QUERY_STRING"),
        content_type=content_type,
        content_length=length,
        read=_open_body(environ, length).read,
        read_form=partial(_read_form, content_type),
        environ=corrected,
        id=choose_request_id(corrected),
    )


def _find_application(config: str | None) -> tuple[Application, Metrics | None]:
    with _lock:
        if config not in _applications:
            settings = read_settings(os.environ, config)
            prepare_process(settings, sys.stdout)
            _applications[config] = Application(settings), open_metrics(settings)
        return _applications[config]


def _start(
    request: Request, response: Response, start_response: StartResponse, body: WsgiBody
) -> Iterable[bytes]:
    headers = list(response.headers)
    bodiless = response.status in (204, 304)
    if not bodiless and not any(name.lower() == "content-type" for name, _ in headers):
        # Not needed for a redirect, but servers and PEP 3333's validator require it.
        headers.append(("Content-Type", "text/plain; charset=UTF-8"))
    if isinstance(response.body, (tuple, list)) and request.method != "HEAD" and not bodiless:
        headers.append(("Content-Length", str(sum(map(len, response.body)))))
    start_response(response.status_line, headers)
    return body


class WsgiBody:
    """A body in bytes, as PEP 3333 requires: each piece is copied when the server is ready for it.

    ``client`` is the socket that gunicorn writes to, None if not available; ``end`` the `time.monotonic` until which
    writing may continue, None without a limit. A client that reads its answer too slowly is disconnected then.
    """

    def __init__(self, body: LoggedBody, client: socket.socket | None = None, end: float | None = None) -> None:
        self._body = body
        self._client = client
        self.end = end

    def __iter__(self) -> Iterator[bytes]:
        begun = False
        try:
            for chunk in self._body:
                if self._client is not None and self.end is not None:
                    self._client.settimeout(max(self.end - time.monotonic(), 0.001))
                yield bytes(chunk)
                begun = True
        except Exception as error:
            log_break(error)
            if self._client is None or not begun:
                raise
            # gunicorn would log it once more, with its own traceback; after this it only ends the connection.
            raise BrokenPipeError(errno.EPIPE, "the response broke off") from error

    def discard(self) -> None:
        """Close the body without a line in the log: the request is answered anew later."""
        self._body.discard()

    def close(self) -> None:
        """Close the body; the next request on the connection has its own time limit."""
        try:
            if self._client is not None and self.end is not None:
                with contextlib.suppress(OSError):
                    self._client.settimeout(None)
        finally:
            self._body.close()


def _decode(value: str) -> str:
    """Decode a native string of PEP 3333: its bytes as UTF-8, other bytes as surrogates."""
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "surrogateescape")


class _AnnouncedBody(LimitedStream):
    """A body that ends where the client announced, or where the client left: decoding reports one that is short."""

    def on_disconnect(self, error: Exception | None = None) -> None:
        """End the body."""


def _open_body(environ: WSGIEnvironment, length: int | None) -> IO[bytes]:
    """Return the body as a stream that never waits for more than was announced."""
    if length is None:
        # Empty, unless the server ends the stream by itself.
        return get_input_stream(environ)
    return cast(IO[bytes], _AnnouncedBody(environ["wsgi.input"], length))


def _read_form(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Parse a multipart form (RFC 7578). Raises ValueError for a faulty one, one with files, or too many parts."""
    boundary = parse_options_header(content_type)[1].get("boundary", "").encode("ascii", "replace")
    if not boundary or not body.rstrip().endswith(b"--" + boundary + b"--"):
        raise ValueError("its last boundary is missing")
    # The whole body at once: with smaller pieces, werkzeug 3.1 loses an empty value that begins at the end of a piece.
    parser = MultiPartParser(max_form_memory_size=None, max_form_parts=MAX_PAIRS, buffer_size=len(body))
    try:
        form, files = parser.parse(BytesIO(body), boundary, len(body))
    except RequestEntityTooLarge as error:
        raise ValueError(f"it has more than {MAX_PAIRS} parts") from error
    for _, file in files.items(multi=True):
        file.close()
    if files:
        raise ValueError(f"{next(iter(files))} is a file")
    return [(name, value) for name, values in form.lists() for value in values]
