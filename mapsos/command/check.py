"""``mapsos check``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapsos.check.formats import FORMATS
from mapsos.command.arguments import make_parser, version

if TYPE_CHECKING:
    from argparse import ArgumentParser


def make_check_parser() -> ArgumentParser:
    """Return the parser of ``mapsos check``."""
    parser = make_parser("check", "Report problems of mapfiles as their clients experience them.")
    parser.add_argument("mapfiles", metavar="MAPFILE", nargs="+")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if there are warnings")
    parser.add_argument("--quiet", action="store_true", help="do not count findings and show no progress")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="how to write findings: text (a line each, the default), json, github (annotations of its workflows), "
        "sarif (SARIF 2.1.0)",
    )
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument(
        "--mapserver",
        metavar="VERSION",
        type=version,
        default="8.0",
        help="hold keywords against this version of MapServer; default: 8.0",
    )
    return parser


def run_check(arguments: Sequence[str]) -> int:
    """Run ``mapsos check``. Return 0 without problems, 1 for warnings with ``--strict``, 2 for errors."""
    options = make_check_parser().parse_args(arguments)
    # Help and completion need the parser alone.
    from mapsos.check.report import run

    major, minor = options.mapserver
    return run(
        options.mapfiles,
        strict=options.strict,
        quiet=options.quiet,
        form=options.format,
        mapserver=float(f"{major}.{minor}"),
    )
