"""Answer a single request from the command line: ``mapsos get``, and the arguments of mapserv."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from mapsos.app import Application
from mapsos.check.failures import explain_failure
from mapsos.check.formats import write_line
from mapsos.command.parsers import make_get_parser
from mapsos.command.progress import ReportedOutput
from mapsos.command.requests import RequestError, ShellRequest, read_request
from mapsos.config.settings import SettingsError, read_settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.servers.cgi import NO_REQUEST, get_response, serve_request
from mapsos.servers.routes import ServingError, name_mapfiles, serve_only
from mapsos.web.messages import Response


def run_get(arguments: Sequence[str]) -> int:
    """Run ``mapsos get``.

    Return 0, 1 if the answer reports an error or the mapfile is faulty, or 2 if the mapfile is missing or the answer
    cannot be written.
    """
    parser = make_get_parser()
    options = parser.parse_args(arguments)
    if options.query is None and options.data is None:
        parser.error("the following arguments are required: REQUEST")
    try:
        request = read_request(options.query, options.data, options.content_type)
        mapfiles = name_mapfiles([options.mapfile])
        (name,) = mapfiles
        settings = serve_only(read_settings(os.environ), mapfiles, name)
    except (RequestError, ServingError, SettingsError) as error:
        sys.stderr.write(f"mapsos get: {error}\n")
        return 2
    # A server goes on with the last valid version of a map; here the map as it is was asked.
    catalog = ServiceCatalog(settings, falls_back=False)
    try:
        catalog.find(mapfiles[name])
    except MapfileError as error:
        sys.stderr.write(write_line(explain_failure(error)) + "\n")
        return 1
    application = Application(settings, catalog)
    if options.output is None:
        return _answer(application, request, name, lambda response: sys.stdout.buffer)
    try:
        return _answer_to_file(application, request, name, Path(options.output))
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"mapsos get: cannot write {options.output}: {error.strerror}\n")
        return 2


def _answer_to_file(application: Application, request: ShellRequest, name: str, path: Path) -> int:
    """Write the answer to a file once it is complete; one that reports an error goes to standard error instead."""
    with _replace_file(path) as (output, keep):
        code = _answer(
            application, request, name, lambda response: sys.stderr.buffer if response.error else output
        )
        if code == 0:
            keep()
        return code


def _answer(
    application: Application, request: ShellRequest, name: str, choose_output: Callable[[Response], BinaryIO]
) -> int:
    reported: list[ReportedOutput] = []

    def open_output(response: Response) -> BinaryIO:
        output = choose_output(response)
        shows = sys.stderr.isatty() and not output.isatty()
        reported.append(ReportedOutput(output, sys.stderr if shows else None))
        return cast("BinaryIO", reported[0])

    try:
        return get_response(application, request.list_variables(name), io.BytesIO(request.body or b""), open_output)
    finally:
        for output in reported:
            output.finish()


@contextmanager
def _replace_file(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], None]]]:
    """Open a file that replaces the one at ``path`` if the second value is called, and else leaves no trace.

    What is not a file, such as /dev/null, is written to. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as output:
            yield output, lambda: None
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as output:

            def keep() -> None:
                output.flush()
                os.replace(temporary, target)

            yield output, keep
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def run_cgi(environ: Mapping[str, str], conf: str | None, *, headers: bool) -> int:
    """Answer the request in the environment, as a CGI program does. Return the exit code.

    Parameters
    ----------
    environ
        The variables of CGI.
    conf
        The configuration file, None for that of the environment.
    headers
        Whether to write HTTP headers.
    """
    if "REQUEST_METHOD" not in environ:
        sys.stdout.write(NO_REQUEST)
        return 0
    return serve_request(environ, sys.stdin.buffer, sys.stdout.buffer, conf=conf, headers=headers)
