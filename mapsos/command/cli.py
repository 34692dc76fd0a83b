"""The ``mapsos`` command: mapserv's command line and CGI program in one, and the commands serve, check and get."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mapsos import __version__

if TYPE_CHECKING:
    from argparse import ArgumentParser

USAGE = """\
Usage: mapsos [--help] [--version] [-v] [-nh] [QUERY_STRING=value] [PATH_INFO=value]
              [-conf filename]
       mapsos serve MAPFILE... [--host HOST] [--port PORT] [--bind unix:PATH] [--workers N] [--threads N]
              [--conf FILE]
       mapsos check MAPFILE... [--strict] [--json]
       mapsos get MAPFILE QUERY
       mapsos cgi install FOLDER [--conf FILE] [--map FILE]

Options :
  -h, --help          Display this help message.
  --version           Display the version alone.
  -v                  Display version and supported inputs.
  -nh                 Suppress HTTP headers.
  -conf filename      Filename of the configuration file, instead of MAPSERVER_CONFIG_FILE.
  QUERY_STRING=value  Answer a GET request with this query.
  PATH_INFO=value     Path after the program's name in such a request.

Commands :
  serve               Serve mapfiles over HTTP, each at /NAME (mapsos serve --help).
  check               Say what clients will miss in mapfiles (mapsos check --help).
  get                 Print what a mapfile answers to a query (mapsos get --help).
  cgi install         Write a CGI program that starts faster than this one (mapsos cgi install --help).

As a CGI program (QUERY_STRING is in the environment) it reads no arguments.
"""


class UsageError(Exception):
    """An argument that is unknown or lacks its value."""


@dataclass(frozen=True)
class CgiArguments:
    """What mapserv's command line says; ``shown`` is a text to print instead of answering a request."""

    shown: str | None = None
    headers: bool = True
    conf: str | None = None
    environ: tuple[tuple[str, str], ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: ``argv`` without the program's name, the process's if None. Gives the exit code."""
    environ = os.environ
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "QUERY_STRING" in environ:
        # A web server passes words of some queries on as arguments: a client must not steer the program.
        return _run_cgi(environ, CgiArguments())
    from_server = "REQUEST_METHOD" in environ or "GATEWAY_INTERFACE" in environ
    try:
        if arguments and arguments[0] in _COMMANDS and not from_server:
            return _COMMANDS[arguments[0]](arguments[1:])
        read = read_arguments(arguments)
    except UsageError as error:
        sys.stderr.write(f"mapsos: {error}\nTry mapsos --help.\n")
        return 2
    if read.shown is not None:
        sys.stdout.write(read.shown)
        return 0
    return _run_cgi({**environ, **dict(read.environ)}, read)


def read_arguments(arguments: Sequence[str]) -> CgiArguments:
    """Read mapserv's arguments (docs/mapserver-sos.md, "Command line").

    Raises
    ------
    UsageError
        An argument is unknown, which mapserv ignores, or lacks its value.
    """
    shown: str | None = None
    headers = True
    conf: str | None = None
    environ: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument in ("-h", "--help"):
            shown = shown or USAGE
        elif argument == "--version":
            shown = shown or f"mapsos {__version__}\n"
        elif argument == "-v":
            if shown is None:
                from mapsos.command.versions import write_version

                shown = write_version() + "\n"
        elif argument == "-nh":
            headers = False
        elif argument == "-conf":
            conf = next(rest, None)
            if conf is None:
                raise UsageError("-conf needs a file name")
        elif equals and name in ("QUERY_STRING", "PATH_INFO"):
            environ |= {name: value, "REQUEST_METHOD": "GET"}
        else:
            raise UsageError(f"unknown argument: {argument}")
    return CgiArguments(shown, headers, conf, tuple(environ.items()))


def _run_cgi(environ: Mapping[str, str], arguments: CgiArguments) -> int:
    from mapsos.servers.cgi import NO_REQUEST, serve_request

    if "REQUEST_METHOD" not in environ:
        sys.stdout.write(NO_REQUEST)
        return 0
    return serve_request(environ, sys.stdin.buffer, sys.stdout.buffer, conf=arguments.conf, headers=arguments.headers)


def run_serve(arguments: Sequence[str]) -> int:
    """Run ``mapsos serve``: 2 if it cannot start, else 0 when it was ended."""
    parser = _make_parser("serve", "Serve mapfiles over HTTP, each at /NAME, its file name without .map.")
    parser.add_argument("mapfiles", metavar="MAPFILE", nargs="+")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=port, help="port to listen on, 0 for any free one (8080)")
    parser.add_argument("--bind", type=unix_path, metavar="unix:PATH", help="Unix socket, instead of host and port")
    parser.add_argument("--workers", type=count, default=len(os.sched_getaffinity(0)), help="processes (%(default)s)")
    parser.add_argument("--threads", type=count, default=4, help="threads of each process (%(default)s)")
    parser.add_argument("--conf", metavar="FILE", help="configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--requests", metavar="FILE", help="print the paths in FILE, one a line, as URLs to try")
    options = parser.parse_args(arguments)

    from mapsos.config.settings import SettingsError, read_settings
    from mapsos.servers.listening import is_handed_over
    from mapsos.servers.process import prepare_process
    from mapsos.servers.routes import ServingError
    from mapsos.servers.serve import ServerOptions, serve

    on_port = options.host is not None or options.port is not None
    if on_port and options.bind is not None:
        parser.error("--bind says where to listen: leave out --host and --port")
    if is_handed_over(os.environ) and (on_port or options.bind is not None):
        parser.error("systemd says where to listen: leave out --host, --port and --bind")
    try:
        settings = read_settings(os.environ, options.conf)
        prepare_process(settings, sys.stdout)
        server = ServerOptions(
            host=ServerOptions.host if options.host is None else options.host,
            port=ServerOptions.port if options.port is None else options.port,
            path=options.bind,
            workers=options.workers,
            threads=options.threads,
            requests=options.requests,
        )
        serve(settings, options.mapfiles, server)
    except (ServingError, SettingsError) as error:
        sys.stderr.write(f"mapsos serve: {error}\n")
        return 2
    return 0


def run_check(arguments: Sequence[str]) -> int:
    """Run ``mapsos check``: 0 if all is well, 1 for warnings with ``--strict``, 2 for errors."""
    parser = _make_parser("check", "Say what clients of mapfiles will miss, and what to write instead.")
    parser.add_argument("mapfiles", metavar="MAPFILE", nargs="+")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where there are warnings")
    parser.add_argument("--json", action="store_true", help="write the findings as JSON")
    options = parser.parse_args(arguments)

    from mapsos.check.report import run

    return run(options.mapfiles, strict=options.strict, as_json=options.json)


def run_get(arguments: Sequence[str]) -> int:
    """Run ``mapsos get``: 0, or 1 if the answer reports an error, or 2 if there is no such mapfile."""
    parser = _make_parser("get", "Print what a mapfile answers to a query, without a server.")
    parser.add_argument("mapfile", metavar="MAPFILE")
    parser.add_argument("query", metavar="QUERY", help='for example "service=SOS&request=GetCapabilities"')
    options = parser.parse_args(arguments)

    from mapsos.config.settings import SettingsError, read_settings
    from mapsos.servers.cgi import get_response
    from mapsos.servers.routes import ServingError, name_mapfiles, serve_only

    try:
        mapfiles = name_mapfiles([options.mapfile])
        (name,) = mapfiles
        settings = serve_only(read_settings(os.environ), mapfiles, name)
    except (ServingError, SettingsError) as error:
        sys.stderr.write(f"mapsos get: {error}\n")
        return 2
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": options.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": f"/{name}",
    }
    return get_response(settings, environ, sys.stdout.buffer)


def run_cgi(arguments: Sequence[str]) -> int:
    """Run ``mapsos cgi install``: 2 if the program cannot be written."""
    if not arguments or arguments[0] != "install":
        raise UsageError("mapsos cgi can do one thing: install")
    parser = _make_parser("cgi install", "Write a CGI program named mapsos that starts faster than the command.")
    parser.add_argument("folder", metavar="FOLDER", help="where the web server looks for CGI programs")
    parser.add_argument("--conf", metavar="FILE", help="its configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--map", metavar="FILE", help="the map of requests without map=, instead of MS_MAPFILE")
    options = parser.parse_args(arguments[1:])

    from mapsos.servers.resident.install import InstallError, install_program

    try:
        sys.stdout.write(install_program(options.folder, options.conf, options.map) + "\n")
    except InstallError as error:
        sys.stderr.write(f"mapsos cgi install: {error}\n")
        return 2
    return 0


def _make_parser(name: str, description: str) -> ArgumentParser:
    from argparse import ArgumentParser

    return ArgumentParser(prog=f"mapsos {name}", description=description, allow_abbrev=False)


def port(text: str) -> int:
    """Read a port; ValueError if it is none."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def unix_path(text: str) -> str:
    """Read the path of ``unix:PATH``; ValueError if it is none."""
    scheme, _, path = text.partition(":")
    if scheme != "unix" or not path:
        raise ValueError(text)
    return path


def count(text: str) -> int:
    """Read a number of at least one; ValueError if it is none."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


_COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "serve": run_serve,
    "check": run_check,
    "get": run_get,
    "cgi": run_cgi,
}

if __name__ == "__main__":
    sys.exit(main())
