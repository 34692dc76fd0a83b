"""``mapsos help``, the list of commands, and what is said about an unknown one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mapsos.command.arguments import suggest
from mapsos.command.parsers import ALL_PARSERS, make_help_parser

USAGE = """\
Usage: mapsos [--help] [--version] [-v] [-nh] [QUERY_STRING=value] [PATH_INFO=value]
              [-conf filename]
       mapsos serve MAPFILE|SOURCE... [--host HOST] [--port PORT] [--bind unix:PATH] [--workers N]
              [--threads N] [--conf FILE]
       mapsos init SOURCE... [-o FILE] [--layer NAME]
       mapsos check MAPFILE... [--strict] [--format FORMAT] [--quiet] [--mapserver VERSION]
       mapsos get MAPFILE REQUEST [-o FILE] [-d DATA]
       mapsos keys add|list|show|disable|enable|limit|rotate|remove|log [NAME]
       mapsos cgi install FOLDER [--conf FILE] [--map FILE]
       mapsos completion bash|zsh|fish
       mapsos help [COMMAND]

Options :
  -h, --help          Display this help message.
  --version           Display the version alone.
  -v                  Display version and supported inputs.
  -nh                 Suppress HTTP headers.
  -conf filename      Filename of the configuration file, instead of MAPSERVER_CONFIG_FILE.
  QUERY_STRING=value  Answer a GET request with this query.
  PATH_INFO=value     Path after the program's name in such a request.

Commands :
  serve               Serve mapfiles over HTTP, each at /NAME; or data, without a mapfile.
  init                Draft a mapfile from data sets, folders or database tables.
  check               Report problems of mapfiles and their data.
  get                 Print the answer of a mapfile to one request.
  keys                Manage API keys, their limits, and the log of their requests.
  cgi install         Write a CGI program that starts faster than this one.
  completion          Print the completion of commands and options for a shell.
  help                Explain a command: mapsos help get.

As a CGI program (QUERY_STRING is in the environment) it reads no arguments.
"""

OPTIONS = ("--help", "--version", "-h", "-v", "-nh", "-conf")
"""The options of the program itself."""


def run_help(arguments: Sequence[str]) -> int:
    """Run ``mapsos help``. Return 0, or 2 for an unknown command."""
    words = make_help_parser().parse_args(arguments).command
    name = " ".join(words)
    if not name:
        sys.stdout.write(USAGE)
        return 0
    found = ALL_PARSERS.get("cgi install" if name == "cgi" else name)
    if found is None:
        sys.stderr.write(f"mapsos help: {describe_unknown(name)}\n")
        return 2
    sys.stdout.write(found().format_help())
    return 0


def describe_unknown(word: str) -> str:
    """Return the message about a first argument that is not a command, with the one that it resembles."""
    if word.startswith("-"):
        return f"unknown argument: {word}{suggest(word, OPTIONS)}"
    return f"unknown command: {word}{suggest(word, [*ALL_PARSERS, 'cgi'])}"
