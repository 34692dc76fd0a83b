"""The parsers of all commands, for the commands themselves, for help, completion and the manual page.

Nothing here imports what a command needs to do its work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mapsos.command.arguments import count, make_parser, port, unix_path
from mapsos.command.check import make_check_parser
from mapsos.command.keys.parsers import ACTIONS, make_keys_parser

if TYPE_CHECKING:
    from argparse import ArgumentParser

SHELLS = ("bash", "zsh", "fish")


def make_init_parser() -> ArgumentParser:
    """Return the parser of ``mapsos init``."""
    parser = make_parser(
        "init",
        "Draft a mapfile from data sets (GeoPackage, shapefile, FlatGeobuf, GeoJSON, CSV with columns of coordinates, "
        "and more that GDAL reads), from folders of them, or from tables of a PostgreSQL database. Decisions that "
        'remain are marked "decide".',
    )
    parser.add_argument(
        "sources", metavar="SOURCE", nargs="+",
        help="file, folder, or database (PG:dbname=... or postgresql://...), the latter followed by its tables",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="write the mapfile there instead of standard output")
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    parser.add_argument("--layer", metavar="NAME", action="append", help="only this layer or table; may be repeated")
    parser.add_argument("--name", metavar="NAME", help="name of the map (that of FILE, else of the first SOURCE)")
    parser.add_argument(
        "--url", metavar="URL", default="http://127.0.0.1:8080",
        help="address of the server, which the name of the map follows in sos_onlineresource (%(default)s)",
    )  # fmt: skip
    return parser


def make_serve_parser() -> ArgumentParser:
    """Return the parser of ``mapsos serve``."""
    parser = make_parser(
        "serve",
        "Serve mapfiles over HTTP, each at /NAME, its file name without .map. Data sets, folders and databases, as of "
        "mapsos init, are served without a mapfile, for a look.",
    )
    parser.add_argument("mapfiles", metavar="MAPFILE|SOURCE", nargs="+", help="mapfiles, or sources of data")
    parser.add_argument("--host", metavar="HOST", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", metavar="PORT", type=port, help="port to listen on, 0 for any free one (8080)")
    parser.add_argument("--bind", type=unix_path, metavar="unix:PATH", help="Unix socket, instead of host and port")
    parser.add_argument(
        "--workers", metavar="N", type=count, default=len(os.sched_getaffinity(0)),
        help="processes (one for each processor)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", metavar="N", type=count,
        help="threads of each process that make responses, however many clients there are (MAPSOS_WORK_AT_ONCE, else "
        "two for each processor)",
    )  # fmt: skip
    parser.add_argument("--conf", metavar="FILE", help="configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--requests", metavar="FILE", help="print the paths in FILE, one per line, as URLs to try")
    return parser


def make_get_parser() -> ArgumentParser:
    """Return the parser of ``mapsos get``."""
    parser = make_parser(
        "get",
        "Print the answer of a mapfile to one request, without a server. The exit code is 1 if the answer reports an "
        "error or the mapfile is faulty.",
    )
    parser.add_argument("mapfile", metavar="MAPFILE")
    parser.add_argument(
        "query", metavar="REQUEST", nargs="?",
        help='a query ("service=SOS&request=GetCapabilities"), a path ("/exts/SosSOE/procedures?f=json"), or a whole '
        "URL, of which query and path count; optional with --data",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="write the answer there, once it is complete")
    parser.add_argument(
        "-d", "--data", metavar="DATA",
        help="send a POST request with this body; @FILE for that of a file, @- for standard input",
    )  # fmt: skip
    parser.add_argument(
        "--content-type", metavar="TYPE", help="type of the body (text/xml for XML, else that of a form)"
    )
    return parser


def make_install_parser() -> ArgumentParser:
    """Return the parser of ``mapsos cgi install``."""
    parser = make_parser("cgi install", "Write a CGI program named mapsos that starts faster than the command.")
    parser.add_argument("folder", metavar="FOLDER", help="the folder in which the web server looks for CGI programs")
    parser.add_argument("--conf", metavar="FILE", help="its configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--map", metavar="FILE", help="the map of requests without map=, instead of MS_MAPFILE")
    return parser


def make_completion_parser() -> ArgumentParser:
    """Return the parser of ``mapsos completion``."""
    parser = make_parser("completion", "Print the completion of commands and options for a shell.")
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    return parser


def make_help_parser() -> ArgumentParser:
    """Return the parser of ``mapsos help``."""
    parser = make_parser("help", "Explain a command, or list all of them.")
    parser.add_argument("command", metavar="COMMAND", nargs="*", help="the command to explain")
    return parser


PARSERS: Mapping[str, Callable[[], ArgumentParser]] = {
    "serve": make_serve_parser,
    "init": make_init_parser,
    "check": make_check_parser,
    "get": make_get_parser,
    "keys": make_keys_parser,
    "cgi install": make_install_parser,
    "completion": make_completion_parser,
    "help": make_help_parser,
}
"""By command, in the order in which they are listed."""

ALL_PARSERS: Mapping[str, Callable[[], ArgumentParser]] = {
    **PARSERS,
    **{f"keys {action}": make for action, make in ACTIONS.items()},
}
"""Those of the actions of commands too."""
