"""``mapsos cgi install``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mapsos.command.parsers import make_install_parser
from mapsos.servers.resident.install import InstallError, install_program


def run_install(arguments: Sequence[str]) -> int:
    """Run ``mapsos cgi install``. Return 0, or 2 if the program cannot be written."""
    options = make_install_parser().parse_args(arguments)

    try:
        sys.stdout.write(install_program(options.folder, options.conf, options.map) + "\n")
    except InstallError as error:
        sys.stderr.write(f"mapsos cgi install: {error}\n")
        return 2
    return 0
