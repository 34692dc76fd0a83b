"""``benchmarks/run``: measure the works and print the table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring import CHECKED_ROWS, Bench
from benchmarks.results import Result, describe_machine, write_table
from benchmarks.works import WORKS
from tests.support.agreement import DisagreementError
from tests.support.processes import ProgramError

DESCRIPTION = """\
Times mapsos beside mapserv 8.0 on the same invented data and prints a table: work, mapsos, mapserv, ratio, peak
memory of both process trees, budget, met or not. Both answers are checked to hold the same observations before
they are timed. Data sets are made from a seed when first needed and kept in a folder (4 GB): benchmarks/.data, or what
MAPSOS_BENCHMARK_DATA or --data names, which checkouts may share one after the other.

The full run (1 M observations, 10 M for the large works, 5 interleaved pairs for every line that has a demand beside
mapserv, 1 for the others) takes 70 minutes and 16 GB of memory, nearly all of it mapserv's. Let nothing else run on the
machine. Lines are told as they are known, and the table so far stands in the file that --table names, so that a run
that is broken off keeps them.

"process" works are timed from the start of a process to its exit, start-up included, output to /dev/null; "in
process" works inside one process that has answered before; "mapsos serve" over HTTP on loopback; "Apache" by ab
against an Apache of its own on a loopback port.
"""

QUICK_ROWS = 20_000
QUICK_CHECKED_ROWS = 4_000


def main() -> int:
    """Run the command; 0 if all was measured and every budget met, 1 if one was not, 2 if a work could not be done."""
    arguments = _read_arguments()
    if arguments.list:
        for name, work in WORKS.items():
            print(f"{name:28} {work.title.format(rows='1 M')}")
        return 0
    names = list(WORKS) if not arguments.only else arguments.only
    bench = Bench(
        folder=arguments.data.resolve(),
        rows=arguments.rows,
        large_rows=arguments.rows * 10,
        features=max(100, arguments.rows // 10),
        pairs=arguments.pairs,
        requests=arguments.requests,
        checked_rows=min(arguments.rows, QUICK_CHECKED_ROWS if arguments.quick else CHECKED_ROWS),
    )
    bench.folder.mkdir(parents=True, exist_ok=True)
    # A run that somebody ends tells what it has.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    heading = describe_machine() + (
        f"sizes: {bench.rows} observations, {bench.large_rows} in large works, {bench.features} lines or polygons; "
        f"{bench.pairs} interleaved pairs, loads of {bench.requests} requests\n"
    )
    if bench.rows < 1_000_000 or bench.pairs < 5:
        heading += "NOTE: smaller than the full run: start-up weighs more; the budgets are those of the full sizes\n"
    print(heading, flush=True)
    report = Report(heading, arguments.table or bench.folder / "table.md", arguments.json)
    finished = _measure(bench, names, report)
    print(report.write())
    if not finished or report.failures:
        return 2
    return 1 if any(result.met is False for result in report.results) else 0


@dataclass
class Report:
    """What is known so far, on disk as well whenever something is added."""

    heading: str
    table: Path
    json: Path | None
    results: list[Result] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, results: Sequence[Result] = (), failure: str | None = None) -> None:
        """Take in the lines of a work, or why it was not measured."""
        self.results += results
        if failure is not None:
            self.failures.append(failure)
        self.table.write_text(f"```\n{self.heading}```\n\n{self.write()}")
        if self.json is not None:
            self.json.write_text(json.dumps([result.as_json() for result in self.results], indent=1) + "\n")

    def write(self) -> str:
        """The table, and what is not in it."""
        return write_table(self.results) + "".join(f"not measured: {failure}\n" for failure in self.failures)


def _measure(bench: Bench, names: list[str], report: Report) -> bool:
    """Measure the works; False if somebody broke it off."""
    began = time.monotonic()
    try:
        for number, name in enumerate(names, 1):
            started = time.monotonic()
            try:
                measured = WORKS[name].measure(bench, name)
            except (ProgramError, DisagreementError) as error:
                report.add(failure=f"{name}: {error}")
                told = f"not measured: {error}"
            else:
                report.add(measured)
                told = "; ".join(" | ".join(result.tell()) for result in measured)
            now = time.monotonic()
            place = f"{number} of {len(names)}, {now - started:.0f} s, {(now - began) / 60:.1f} min in all"
            print(f"[{place}] {name}: {told}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("broken off", file=sys.stderr)
        return False
    finally:
        bench.close()
    return True


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} observations, 1 pair: about 3 minutes")
    parser.add_argument("--only", metavar="NAME", action="append", help="this work (repeatable; --list names them)")
    parser.add_argument("--rows", type=int, metavar="N", help="observations; 10 times as many in large works (1000000)")
    parser.add_argument("--pairs", type=int, metavar="N", help="interleaved runs of each program (5)")
    parser.add_argument("--requests", type=int, metavar="N", help="requests of each load of a web server (60)")
    parser.add_argument("--list", action="store_true", help="name the works and end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        default=Path(os.environ.get("MAPSOS_BENCHMARK_DATA") or Path(__file__).parent / ".data"),
        help="where data sets are kept (MAPSOS_BENCHMARK_DATA, else benchmarks/.data)",
    )
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="where the table grows (table.md in the folder of data sets)"
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.only or () if name not in WORKS]
    if unknown:
        parser.error(f"there is no work {', '.join(unknown)}; --list names them")
    for name, full, quick in (("rows", 1_000_000, QUICK_ROWS), ("pairs", 5, 1), ("requests", 60, 6)):
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else full)
        elif getattr(arguments, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
