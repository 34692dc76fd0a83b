"""CGI: one request from the environment and standard input, one response to standard output."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

from mapsos.app import Application
from mapsos.config.settings import Settings, SettingsError, read_settings
from mapsos.servers.nph import find_protocol, is_chunked, write_chunks, write_head
from mapsos.servers.process import log_break, prepare_process
from mapsos.servers.unconfigured import refuse_all
from mapsos.web.access_log import LoggedBody
from mapsos.web.messages import Chunk, Request, Response, read_content_length
from mapsos.web.proxies import correct_environ
from mapsos.web.request_ids import choose_request_id

NO_REQUEST = (
    "This script can only be used to decode form results and \n"
    "should be initiated as a CGI process via a httpd server.\n"
    "For other options please try using the --help switch.\n"
)
"""The answer without REQUEST_METHOD (docs/mapserver-sos.md, "Methods and headers")."""

_SERVED = ("GATEWAY_INTERFACE", "SERVER_SOFTWARE", "SERVER_PROTOCOL", "HTTP_HOST", "REMOTE_PORT", "REQUEST_URI")
"""Variables of web servers, which set at least one of them; a command line sets none."""


def serve_request(
    environ: Mapping[str, str],
    stdin: BinaryIO,
    stdout: BinaryIO,
    *,
    conf: str | None = None,
    headers: bool = True,
    prepare: Callable[[Settings], None] | None = None,
) -> int:
    """Answer the request of a CGI environment.

    Parameters
    ----------
    environ
        CGI variables, and the options of docs/mapserver-sos.md, "Configuration and choice of map"; REQUEST_METHOD is
        required.
    stdin, stdout
        The body of the request, read only on demand; and where the response goes.
    conf
        The configuration file, None for the one that the environment names.
    headers
        False omits the header block (``-nh``). A redirect, which has only headers, is then its URL alone.
    prepare
        Called with the settings once they are read and the log is open, before the request is answered.

    Returns
    -------
    int
        Exit code: 0 for every answer, including one that reports an error, and when the client disconnected; 1 if the
        body broke off, which leaves the document unfinished so that clients do not take it for complete.
    """
    try:
        settings = read_settings(environ, conf)
    except SettingsError as error:
        return refuse_request(error, stdout, headers=headers, environ=environ)
    prepare_process(settings)
    if prepare is not None:
        prepare(settings)
    application = Application(settings)
    try:
        return answer_request(application, environ, stdin, stdout, headers=headers)
    finally:
        application.host.finish()


def refuse_request(
    error: SettingsError, stdout: BinaryIO, *, headers: bool = True, environ: Mapping[str, str] | None = None
) -> int:
    """Answer, as `serve_request`, where the settings are not usable."""
    return write_response(refuse_all(error), stdout, headers=headers, environ=environ)


def answer_request(
    application: Application, environ: Mapping[str, str], stdin: BinaryIO, stdout: BinaryIO, *, headers: bool = True
) -> int:
    """Answer, as `serve_request`, with an existing application in a prepared process."""
    started = time.monotonic()
    request = read_request(environ, stdin, application.settings)
    response = application.answer(request)
    with closing(LoggedBody(request, response, started)) as body:
        return write_response(replace(response, body=body), stdout, headers=headers, environ=environ)


def get_response(
    application: Application,
    environ: Mapping[str, str],
    stdin: BinaryIO,
    open_output: Callable[[Response], BinaryIO],
) -> int:
    """Write the body of the answer to a request, as with ``-nh``. Return 1 if it reports an error or broke off.

    ``open_output`` is called with the response, and returns where its body goes.
    """
    started = time.monotonic()
    request = read_request(environ, stdin, application.settings)
    response = application.answer(request)
    with closing(LoggedBody(request, response, started)) as body:
        output = open_output(response)
        return write_response(replace(response, body=body), output, headers=False) or int(response.error)


def read_request(environ: Mapping[str, str], stdin: BinaryIO, settings: Settings) -> Request:
    """Read a request from CGI variables. A CONTENT_LENGTH that is not a number counts as absent."""
    corrected = correct_environ(environ, settings.trusted_proxies)
    if any(name in environ for name in _SERVED):
        # A client of a web server without an address is unknown, and in no list; a command line has no client.
        corrected.setdefault("REMOTE_ADDR", "")
    return Request(
        method=environ.get("REQUEST_METHOD", ""),
        query=environ.get("QUERY_STRING"),
        content_type=environ.get("CONTENT_TYPE", ""),
        content_length=read_content_length(environ.get("CONTENT_LENGTH", "")),
        read=stdin.read,
        environ=corrected,
        id=choose_request_id(corrected),
    )


def write_response(
    response: Response, stdout: BinaryIO, *, headers: bool = True, environ: Mapping[str, str] | None = None
) -> int:
    """Write a response chunk by chunk and return the exit code, as `serve_request`; ``environ`` decides about NPH."""
    protocol = find_protocol(environ) if headers and environ is not None else None
    chunks: Iterator[Chunk] = iter(response.body)
    # The answer to HEAD has the headers of the one to GET, and nothing after them.
    if protocol and environ and is_chunked(response, protocol) and environ.get("REQUEST_METHOD") != "HEAD":
        chunks = write_chunks(response.body)
    try:
        # A body that fails at once is not a response: the web server reports that better than half a document.
        first = next(chunks, b"")
        if protocol is not None:
            stdout.write(write_head(response, protocol))
        else:
            stdout.write(write_headers(response) if headers else _write_bare_redirect(response))
        stdout.write(first)
        for chunk in chunks:
            stdout.write(chunk)
        stdout.flush()
    except BrokenPipeError:
        discard_output(stdout)
    except Exception as error:
        log_break(error)
        try:
            stdout.flush()
        except BrokenPipeError:
            discard_output(stdout)
        return 1
    return 0


def write_headers(response: Response) -> bytes:
    """Write the header block: lines end in CR LF; a Status line is only written if it is not 200, as in MapServer.

    Raises ValueError for a line break in a header.
    """
    lines = []
    if response.status != 200:
        lines.append(f"Status: {response.status_line}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header has a line break")
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1", "replace")


def discard_output(stdout: BinaryIO) -> None:
    """Discard buffered output: the client has disconnected, and the interpreter flushes once more when it exits."""
    try:
        number = stdout.fileno()
    except (OSError, io.UnsupportedOperation):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _write_bare_redirect(response: Response) -> bytes:
    location = next((value for name, value in response.headers if name.lower() == "location"), None)
    return b"" if location is None else f"{location}\n".encode()
