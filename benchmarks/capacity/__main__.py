"""``python -m benchmarks.capacity``: what a site needs; or measure and check what that is computed from."""

from __future__ import annotations

import argparse
import asyncio
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.capacity.sizing import Site, size_site, write_plan
from benchmarks.capacity.tables import write_check, write_model, write_works
from benchmarks.capacity.times import MEASURED, SOURCES, Measured, read_measured

DOCUMENT = Path(__file__).parents[2] / "docs" / "scaling.md"
TABLES: dict[str, Callable[[Measured], str]] = {"data": write_model, "works": write_works, "check": write_check}
DESCRIPTION = """\
Prints how many processors, workers, machines, PostgreSQL servers, memory and disk a site needs, computed from the times
in benchmarks/capacity/measured.json; docs/scaling.md describes the model. Lines beyond what was measured are marked as
extrapolated.

--measure measures them anew, over HTTP on loopback: `--measure geopackage` 1.4 million rows (two minutes), `--measure
postgis` a PostgreSQL server that it starts, with --measured-rows rows in partitions of a month (100 million: half an
hour, 14 GB beside the temporary folder). --check measures the mix of benchmarks/load, predicts three
loads of it, runs each for --seconds, and prints both; it exits with 1 if one is not within a quarter. Both write
measured.json, unless --keep is given. --document writes the tables and examples of docs/scaling.md anew.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 if done, 1 if the check failed, 2 if it could not be run."""
    options = read_arguments(arguments)
    if options.measure or options.check:
        # Only here: servers and data sets are not needed to compute.
        from benchmarks.capacity.running import check_loads, measure_geopackage, measure_postgis
        from benchmarks.load_questions import WrongAnswerError
        from tests.support.postgresql import PostgresqlError
        from tests.support.processes import ProgramError

        target = None if options.keep else MEASURED
        try:
            if options.measure == "geopackage":
                measure_geopackage(options.data.resolve(), options.file_rows, target)
            elif options.measure:
                measure_postgis(options.measured_rows, target)
            if options.check:
                folder, rows = options.data.resolve(), options.file_rows
                return asyncio.run(check_loads(folder, rows, options.seconds, options.uses, target))
        except (ProgramError, PostgresqlError, WrongAnswerError) as error:
            print(f"benchmarks.capacity: {error}", file=sys.stderr)
            return 2
        return 0
    measured = read_measured()
    if options.document:
        DOCUMENT.write_text(fill(DOCUMENT.read_text("utf-8"), measured), "utf-8")
        return 0
    print(describe_site(options, measured), end="")
    return 0


def describe_site(options: argparse.Namespace, measured: Measured) -> str:
    """Return what a site needs. Raises OverloadError where no number of processors is enough."""
    site = Site(
        options.stations, options.rows, options.requests, options.source, options.answer_rows, options.minutes,
        options.long_rows, options.processors, options.utilisation,
    )  # fmt: skip
    return write_plan(site, size_site(site, measured))


def fill(text: str, measured: Measured) -> str:
    """Return the document with its tables, and with what its commands print, as they are now."""

    def run(match: re.Match[str]) -> str:
        return f"{match[1]}{describe_site(read_arguments(shlex.split(match[2])), measured)}```"

    text = re.sub(
        r"(<!-- capacity: (\w+) -->\n).*?(?=<!-- end -->)",
        lambda match: f"{match[1]}\n{TABLES[match[2]](measured)}\n",
        text,
        flags=re.S,
    )
    example = r"(```sh\npython -m benchmarks\.capacity (--stations[^\n]*)\n```\n\n```text\n).*?```"
    return re.sub(example, run, text, flags=re.S)


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; None for that of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.capacity",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    usual = Site(0, 0, 0.0)
    add("--stations", type=_read_count, metavar="S", help="sensors")
    add("--rows", type=_read_count, metavar="R", help="observations")
    add("--requests", type=_read_positive, metavar="Q", help="requests a second in the busiest minutes")
    add("--source", choices=SOURCES, default=usual.source, help="where the rows are (%(default)s)")
    add("--answer-rows", type=_read_count, default=usual.answer_rows, help="rows of a usual answer (%(default)s)")
    add("--minutes", type=_read_positive, default=usual.minutes, help="between rows of a station (%(default)g)")
    add("--long-rows", type=float, default=0.0, help="rows a second in downloads (%(default)g)")
    add("--processors", type=_read_count, default=usual.processors, help="of each machine (%(default)s)")
    add("--utilisation", type=_read_share, default=usual.utilisation, help="the most of a processor (%(default)g)")
    add("--measure", choices=SOURCES, help="measure instead")
    add("--check", action="store_true", help="run three loads beside their predictions instead")
    add("--document", action="store_true", help="write the tables of docs/scaling.md instead")
    add("--uses", type=_read_shares, default=(0.3, 0.6, 0.8), help="processors used by the three loads (0.3,0.6,0.8)")
    add("--seconds", type=_read_positive, default=30.0, help="of each load (%(default)g)")
    add("--measured-rows", type=_read_count, default=100_000_000, help="rows in PostgreSQL (%(default)s)")
    add("--file-rows", type=_read_count, default=1_400_000, help="rows in the GeoPackage (%(default)s)")
    add("--keep", action="store_true", help="print only, and keep measured.json as it is")
    add("--data", type=Path, default=Path("benchmarks/.data"), help="folder of the data (%(default)s)")
    found = parser.parse_args(arguments)
    if not (found.measure or found.check or found.document) and None in (found.stations, found.rows, found.requests):
        parser.error("expected --stations, --rows and --requests, or --measure, --check or --document")
    return found


def _read_count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return number


def _read_positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("expected more than 0")
    return number


def _read_share(text: str) -> float:
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError("expected a number between 0 and 1")
    return number


def _read_shares(text: str) -> tuple[float, ...]:
    return tuple(map(_read_share, text.split(",")))


if __name__ == "__main__":
    sys.exit(main())
