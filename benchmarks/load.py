"""``benchmarks/load``: many clients at once, and many requests after each other."""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load_clients import Load, Tally, Target
from benchmarks.load_questions import SHARES, WEEK_KIND, WrongAnswerError, make_questions
from benchmarks.servers import serving_apache
from tests.support.datasets import provide_dataset
from tests.support.maps import MapLayer, write_configuration, write_map
from tests.support.processes import ProgramError, list_tree
from tests.support.servers import Server, serving

DESCRIPTION = """\
Loads `mapsos serve` and, beside it, mapserv as FastCGI under Apache (mod_fcgid, two processes) with the same mix:
10 % GetCapabilities, 10 % DescribeSensor, 80 % GetObservation of one week of one procedure, out of 1.4 million
observations of 200 procedures in a GeoPackage. The load is a closed loop: each client opens a connection, asks, reads
the answer to its end, pauses (anything from nothing to twice --pause seconds) and only then asks again, so that a slow
server is asked less often. With the pause of 5 seconds 500 clients ask at most 100 times a second; with --pause 0 each
asks again at once, and 500 requests wait all the time. It ends by itself after --seconds, when the answers that are
under way have come, at the latest 120 seconds later.

Before, every question is asked once and its answer held against the rows of the file, value by
value; under load every answer must be the same to the byte. Clients and servers share the processors.

It exits with 0 if no request failed and the median and 95th percentile of GetObservation stayed below the demand (0.43
seconds, a hundredth of what istSOS was published to need with 500 clients), 1 if not, 2 if something could not be run.
"""

DEMAND = 0.43
FIRST_REQUESTS = 1000
GROWTH = 0.05


@dataclass(frozen=True)
class Line:
    """What one server did under one load: wall seconds, and processor seconds of the server and of the clients."""

    name: str
    clients: int
    pause: float
    tally: Tally
    wall: float
    server: float
    own: float


def main() -> int:
    """Run the command; 0 if the demand is met, 1 if not, 2 if it could not be run."""
    arguments = _read_arguments()
    folder = arguments.data.resolve()
    try:
        data = provide_dataset("points", arguments.rows, folder)
        mapfile = write_map(MapLayer("points", arguments.rows), folder)
        questions = make_questions(data, arguments.rows, arguments.questions)
        options = ("--workers", str(arguments.workers), "--threads", str(arguments.threads))
        if arguments.soak:
            with serving(mapfile, *options) as server:
                load = Load(Target(server.port, f"/{mapfile.stem}?"), questions, 0)
                return asyncio.run(_soak(load, server, arguments.soak))
        lines = []
        if arguments.only_mapserv:
            print(_write_table([_measure_mapserv(folder, mapfile, arguments, data)]))
            return 0
        with serving(mapfile, *options) as server:
            load = Load(Target(server.port, f"/{mapfile.stem}?"), questions, arguments.pause)
            lines.append(asyncio.run(_measure("mapsos serve", load, server, arguments)))
        print(_write_table(lines), flush=True)
        if not arguments.alone:
            lines.append(_measure_mapserv(folder, mapfile, arguments, data))
            print(_write_table(lines[1:]))
    except (ProgramError, WrongAnswerError) as error:
        print(f"benchmarks/load: {error}", file=sys.stderr)
        return 2
    return 0 if _is_met(lines[0]) else 1


def _measure_mapserv(folder: Path, mapfile: Path, arguments: argparse.Namespace, data: Path) -> Line:
    # It takes many seconds for a question here: only as many as clients will get to are checked before.
    count = min(arguments.questions, arguments.mapserv_questions)
    questions = make_questions(data, arguments.rows, count, by_filter=True)
    clients = arguments.clients if arguments.mapserv_clients is None else arguments.mapserv_clients
    configuration = write_configuration(folder, {"load": mapfile})
    with serving_apache(folder, configuration) as server:
        load = Load(Target(server.port, f"/fcgi/mapserv?map={mapfile}&"), questions, arguments.pause)
        limited = argparse.Namespace(**{**vars(arguments), "clients": clients})
        return asyncio.run(_measure("mapserv, mod_fcgid", load, server, limited))


async def _measure(name: str, load: Load, server: Server, arguments: argparse.Namespace) -> Line:
    await load.check_all()
    before, own = _read_processor(server.pid), time.process_time()
    started = time.monotonic()
    tally = await load.run(arguments.clients, seconds=arguments.seconds)
    wall = time.monotonic() - started
    used = _read_processor(server.pid) - before
    return Line(name, arguments.clients, arguments.pause, tally, wall, used, time.process_time() - own)


async def _soak(load: Load, server: Server, requests: int) -> int:
    """So many requests by 8 clients: memory and open files after the first thousand and after all."""
    await load.check_all()
    first = min(FIRST_REQUESTS, requests // 2)
    tally = await load.run(8, requests=first)
    memory, files = _read_memory(server.pid), _count_files(server.pid)
    told = f"{memory / 1e6:.1f} MB resident in all workers, {files} open files"
    print(f"after {tally.answered} requests: {told}", flush=True)
    started, processor = time.monotonic(), _read_processor(server.pid)
    rest = await load.run(8, requests=requests - first)
    used = _read_processor(server.pid) - processor
    later, open_later = _read_memory(server.pid), _count_files(server.pid)
    failed = tally.failures.total() + rest.failures.total()
    print(
        f"after {tally.answered + rest.answered} requests: {later / 1e6:.1f} MB ({later / memory - 1:+.1%}), "
        f"{open_later} open files, {failed} requests failed, "
        f"{rest.answered / (time.monotonic() - started):.0f} requests per second, "
        f"{used / max(1, rest.answered) * 1000:.1f} ms of the server's processors each"
    )
    for reason, count in (tally.failures + rest.failures).most_common(5):
        print(f"  {count} {reason}")
    return 0 if not failed and later <= memory * (1 + GROWTH) and open_later <= files else 1


def _is_met(line: Line) -> bool:
    seconds = sorted(line.tally.seconds[WEEK_KIND])
    return not line.tally.failures and bool(seconds) and _percentile(seconds, 0.95) < DEMAND


def _write_table(lines: Sequence[Line]) -> str:
    """The table of all lines, as Markdown."""
    rows = [
        "| server | clients, mean pause | operation | answers | failed | per second | median | 95 % | 99 % | longest |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    notes = []
    for line in lines:
        for kind in SHARES:
            seconds = sorted(line.tally.seconds[kind])
            failed = sum(count for reason, count in line.tally.failures.items() if reason.startswith(kind))
            times = [_write_percentile(seconds, share) for share in (0.5, 0.95, 0.99, 1.0)]
            rows.append(
                f"| {line.name} | {line.clients}, {line.pause:g} s | {kind} | {len(seconds)} | {failed} "
                f"| {len(seconds) / line.wall:.1f} | {' | '.join(times)} |"
            )
        count = max(1, line.tally.answered)
        notes.append(
            f"{line.name}: {line.tally.answered} right answers in {line.wall:.0f} s; processor time of a request: "
            f"server {line.server / count * 1000:.1f} ms, client {line.own / count * 1000:.1f} ms"
        )
        notes += [f"  {count} failed: {reason}" for reason, count in line.tally.failures.most_common(5)]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join([*rows, "", *notes, f"{os.cpu_count()} processors, load at the end {load}"])


def _percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share does not exceed; ``values`` in order."""
    return values[max(0, math.ceil(share * len(values)) - 1)]


def _write_percentile(values: Sequence[float], share: float) -> str:
    if not values:
        return "-"
    seconds = _percentile(values, share)
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _read_processor(pid: int) -> float:
    """Processor seconds of the processes of a tree that live."""
    ticks = 0
    for process in list_tree([pid]):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _read_memory(pid: int) -> int:
    """Bytes resident in the children of a process."""
    return sum(
        int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for process in list_tree([pid])
        if process != pid
    )


def _count_files(pid: int) -> int:
    """Open files of the children of a process."""
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in list_tree([pid]) if process != pid)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/load", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clients", type=int, default=500, help="clients at once (500)")
    add("--seconds", type=float, default=60.0, help="how long (60)")
    add("--pause", type=float, default=5.0, help="mean seconds from answer to the client's next request (5), 0: none")
    add("--rows", type=int, default=1_400_000, help="observations (1400000)")
    add("--questions", type=int, default=200, help="different weeks of procedures that are asked for (200)")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes of mapsos serve (number of processors)")
    add("--threads", type=int, default=4, help="threads of each (4)")
    add("--alone", action="store_true", help="without mapserv")
    add("--only-mapserv", action="store_true", help="mapserv alone")
    add("--mapserv-clients", type=int, help="clients of mapserv (as many as of mapsos)")
    add("--mapserv-questions", type=int, default=2, help="different weeks that mapserv is asked for (2)")
    add("--soak", type=int, default=0, metavar="N", help="instead: N requests by 8 clients; memory and open files")
    add("--data", type=Path, default=Path("benchmarks/.data"), help="folder of the data (benchmarks/.data)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
