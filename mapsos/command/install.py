"""``mapsos cgi install``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mapsos.command.arguments import make_parser
from mapsos.servers.resident.install import InstallError, install_program


def run_install(arguments: Sequence[str]) -> int:
    """Run ``mapsos cgi install``. Return 0, or 2 if the program cannot be written."""
    parser = make_parser("cgi install", "Write a CGI program named mapsos that starts faster than the command.")
    parser.add_argument("folder", metavar="FOLDER", help="the folder in which the web server looks for CGI programs")
    parser.add_argument("--conf", metavar="FILE", help="its configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--map", metavar="FILE", help="the map of requests without map=, instead of MS_MAPFILE")
    options = parser.parse_args(arguments)

    try:
        sys.stdout.write(install_program(options.folder, options.conf, options.map) + "\n")
    except InstallError as error:
        sys.stderr.write(f"mapsos cgi install: {error}\n")
        return 2
    return 0
