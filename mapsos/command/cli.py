"""The ``mapsos`` command: mapserv's command line and CGI program in one, and the commands serve, check and get."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from mapsos import __version__
from mapsos.command.arguments import suggest
from mapsos.command.install import run_install
from mapsos.command.versions import write_version
from mapsos.config.config_file import SettingsError
from mapsos.config.installation import require_gdal
from mapsos.terms.values import dataclass

USAGE = """\
Usage: mapsos [--help] [--version] [-v] [-nh] [QUERY_STRING=value] [PATH_INFO=value]
              [-conf filename]
       mapsos serve MAPFILE... [--host HOST] [--port PORT] [--bind unix:PATH] [--workers N] [--threads N]
              [--conf FILE]
       mapsos check MAPFILE... [--strict] [--format FORMAT] [--quiet] [--mapserver VERSION]
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
  check               Report problems of mapfiles and their data (mapsos check --help).
  get                 Print the answer of a mapfile to a query (mapsos get --help).
  cgi install         Write a CGI program that starts faster than this one (mapsos cgi install --help).

As a CGI program (QUERY_STRING is in the environment) it reads no arguments.
"""


class UsageError(Exception):
    """An argument that is unknown or lacks its value."""


@dataclass(frozen=True)
class CgiArguments:
    """The arguments of mapserv's command line; ``shown`` is text to print instead of answering a request."""

    shown: str | None = None
    headers: bool = True
    conf: str | None = None
    environ: tuple[tuple[str, str], ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (without the program's name), or the process's arguments. Return the exit code."""
    environ = os.environ
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "QUERY_STRING" in environ:
        # A web server passes words of some queries as arguments: a client must not control the program.
        return _run_cgi(environ, CgiArguments())
    from_server = "REQUEST_METHOD" in environ or "GATEWAY_INTERFACE" in environ
    try:
        if arguments and arguments[0] in _COMMANDS and not from_server:
            if arguments[0] != "cgi":
                require_gdal()
            return _COMMANDS[arguments[0]](arguments[1:])
        read = read_arguments(arguments)
    except SettingsError as error:
        sys.stderr.write(f"mapsos {arguments[0]}: {error}\n")
        return 2
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
        An argument is unknown (mapserv ignores it) or lacks its value.
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
            meant = suggest(name if equals else argument, (*_COMMANDS, *_WORDS))
            raise UsageError(f"unknown argument: {argument}{meant}")
    return CgiArguments(shown, headers, conf, tuple(environ.items()))


_WORDS = ("--help", "--version", "-conf", "QUERY_STRING", "PATH_INFO")


def _run_cgi(environ: Mapping[str, str], arguments: CgiArguments) -> int:
    from mapsos.command.get import run_cgi

    return run_cgi(environ, arguments.conf, headers=arguments.headers)


def run_serve(arguments: Sequence[str]) -> int:
    """Run ``mapsos serve``."""
    from mapsos.command.serve import run_serve

    return run_serve(arguments)


def run_check(arguments: Sequence[str]) -> int:
    """Run ``mapsos check``."""
    from mapsos.command.check import run_check

    return run_check(arguments)


def run_get(arguments: Sequence[str]) -> int:
    """Run ``mapsos get``."""
    from mapsos.command.get import run_get

    return run_get(arguments)


def run_cgi(arguments: Sequence[str]) -> int:
    """Run ``mapsos cgi install``."""
    if not arguments or arguments[0] != "install":
        raise UsageError("usage: mapsos cgi install FOLDER")
    return run_install(arguments[1:])


_COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "serve": run_serve,
    "check": run_check,
    "get": run_get,
    "cgi": run_cgi,
}

if __name__ == "__main__":
    sys.exit(main())
