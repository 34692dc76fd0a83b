"""The ``mapsos`` command: mapserv's command line and CGI program in one, and the commands of mapsos."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from mapsos import __version__
from mapsos.command.arguments import suggest
from mapsos.command.check import run_check
from mapsos.command.completion import run_completion
from mapsos.command.help import OPTIONS, USAGE, describe_unknown, run_help
from mapsos.command.install import run_install
from mapsos.command.keys.parsers import ACTIONS, make_keys_parser
from mapsos.command.versions import write_version
from mapsos.config.config_file import SettingsError
from mapsos.config.installation import require_gdal
from mapsos.terms.values import dataclass

CLOSED_PIPE, INTERRUPTED = 128 + 13, 128 + 2
"""Exit codes of a program that SIGPIPE or SIGINT ended."""


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
    """Run the command with ``argv`` (without the program's name), or the process's arguments. Return the exit code.

    Where the reader of the output has gone, it is the one that a shell reports of a program that SIGPIPE ended.
    """
    try:
        try:
            code = _run(os.environ, list(sys.argv[1:] if argv is None else argv))
        except SystemExit as ended:
            # By argparse, after help or a wrong argument, or by a process of the server.
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        # Here and not when the interpreter ends, which would report a closed pipe.
        sys.stdout.flush()
        sys.stderr.flush()
        return code
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            discard_stream(stream)
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(environ: Mapping[str, str], arguments: list[str]) -> int:
    if "QUERY_STRING" in environ:
        # A web server passes words of some queries as arguments: a client must not control the program.
        return _run_cgi(environ, CgiArguments())
    from_server = "REQUEST_METHOD" in environ or "GATEWAY_INTERFACE" in environ
    try:
        if arguments and arguments[0] in _COMMANDS and not from_server:
            if arguments[0] not in ("cgi", "completion", "help"):
                require_gdal()
            return _COMMANDS[arguments[0]](arguments[1:])
        if not arguments and not from_server and sys.stdout.isatty():
            sys.stdout.write(USAGE)
            return 0
        if arguments and not from_server and re.fullmatch("[A-Za-z]+", arguments[0]):
            raise UsageError(describe_unknown(arguments[0]))
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


def discard_stream(stream: TextIO) -> None:
    """Discard what a stream still holds if it cannot be written: the interpreter flushes once more when it ends."""
    try:
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


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
            meant = suggest(name if equals else argument, (*OPTIONS, "QUERY_STRING", "PATH_INFO"))
            raise UsageError(f"unknown argument: {argument}{meant}")
    return CgiArguments(shown, headers, conf, tuple(environ.items()))


def _run_cgi(environ: Mapping[str, str], arguments: CgiArguments) -> int:
    from mapsos.command.get import run_cgi

    return run_cgi(environ, arguments.conf, headers=arguments.headers)


def run_serve(arguments: Sequence[str]) -> int:
    """Run ``mapsos serve``."""
    from mapsos.command.serve import run_serve

    return run_serve(arguments)


def run_init(arguments: Sequence[str]) -> int:
    """Run ``mapsos init``."""
    from mapsos.command.init import run_init

    return run_init(arguments)


def run_get(arguments: Sequence[str]) -> int:
    """Run ``mapsos get``."""
    from mapsos.command.get import run_get

    return run_get(arguments)


def run_cgi(arguments: Sequence[str]) -> int:
    """Run ``mapsos cgi install``."""
    if not arguments or arguments[0] != "install":
        raise UsageError("usage: mapsos cgi install FOLDER [--conf FILE] [--map FILE]")
    return run_install(arguments[1:])


def run_keys(arguments: Sequence[str]) -> int:
    """Run ``mapsos keys``."""
    if not arguments:
        sys.stderr.write(make_keys_parser().format_help())
        return 2
    if arguments[0] in ACTIONS:
        options = ACTIONS[arguments[0]]().parse_args(arguments[1:])
        # Help and wrong arguments need no store.
        from mapsos.command.keys.run import run_action

        return run_action(arguments[0], options)
    if not arguments[0].startswith("-"):
        meant = suggest(arguments[0], ACTIONS) or f". Known: {', '.join(ACTIONS)}"
        raise UsageError(f"unknown action: keys {arguments[0]}{meant}")
    make_keys_parser().parse_args(arguments)
    return 2


_COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "serve": run_serve,
    "init": run_init,
    "check": run_check,
    "get": run_get,
    "keys": run_keys,
    "cgi": run_cgi,
    "completion": run_completion,
    "help": run_help,
}

if __name__ == "__main__":
    sys.exit(main())
