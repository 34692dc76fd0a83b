"""``benchmarks/run``: measure the works and print the table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.agreement import DisagreementError
from benchmarks.measuring import CHECKED_ROWS, Bench
from benchmarks.processes import ProgramError
from benchmarks.results import Result, describe_machine, write_table
from benchmarks.works import WORKS

DESCRIPTION = """\
Times mapsos beside mapserv 8.0 on the same invented data and prints a table: work, mapsos, mapserv, ratio, peak
memory of both process trees, budget, met or not. Both answers are checked to hold the same observations before
they are timed. Data sets are made from a seed when first needed and kept in benchmarks/.data (4 GB).

The full run (1 M observations, 10 M for the large works, 5 interleaved pairs) takes over an hour and 16 GB of memory,
nearly all of it mapserv's. Let nothing else run on the machine.

"process" works are timed from the start of a process to its exit, start-up included, output to /dev/null; "in
process" works inside one process that has answered before; "mapsos serve" over HTTP on loopback; "Apache" by ab
against an Apache of its own on a loopback port.
"""

QUICK_ROWS = 25_000
QUICK_CHECKED_ROWS = 5_000


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
    print(describe_machine(), end="")
    print(
        f"sizes: {bench.rows} observations, {bench.large_rows} in large works, {bench.features} lines or polygons; "
        f"{bench.pairs} interleaved pairs, loads of {bench.requests} requests"
    )
    if bench.rows < 1_000_000 or bench.pairs < 5:
        print("NOTE: smaller than the full run: start-up weighs more, and the budgets are those of the full sizes")
    print(flush=True)
    results, failures = _measure(bench, names, arguments.verbose)
    print(write_table(results))
    for failure in failures:
        print(f"not measured: {failure}")
    if arguments.json:
        arguments.json.write_text(json.dumps([result.as_json() for result in results], indent=1) + "\n")
    if failures:
        return 2
    return 1 if any(result.met is False for result in results) else 0


def _measure(bench: Bench, names: list[str], verbose: bool) -> tuple[list[Result], list[str]]:
    results: list[Result] = []
    failures: list[str] = []
    try:
        for name in names:
            started = time.monotonic()
            try:
                measured = WORKS[name].measure(bench, name)
            except (ProgramError, DisagreementError) as error:
                failures.append(f"{name}: {error}")
                print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)
                continue
            results += measured
            if verbose:
                for result in measured:
                    cells = " | ".join(result.tell())
                    print(f"{name} ({time.monotonic() - started:.0f} s): {cells}", file=sys.stderr, flush=True)
    finally:
        bench.close()
    return results, failures


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} observations, 1 pair: under 3 minutes")
    parser.add_argument("--only", metavar="NAME", action="append", help="this work (repeatable; --list names them)")
    parser.add_argument("--rows", type=int, metavar="N", help="observations; 10 times as many in large works (1000000)")
    parser.add_argument("--pairs", type=int, metavar="N", help="interleaved runs of each program (5)")
    parser.add_argument("--requests", type=int, metavar="N", help="requests of each load of a web server (200)")
    parser.add_argument("--list", action="store_true", help="name the works and end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        default=Path(__file__).parent / ".data",
        help="where data sets are kept (benchmarks/.data)",
    )
    parser.add_argument("--verbose", "-v", action="store_true", help="say each line when it is known")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.only or () if name not in WORKS]
    if unknown:
        parser.error(f"there is no work {', '.join(unknown)}; --list names them")
    for name, full, quick in (("rows", 1_000_000, QUICK_ROWS), ("pairs", 5, 1), ("requests", 200, 8)):
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else full)
        elif getattr(arguments, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
