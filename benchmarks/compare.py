"""Two checkouts beside each other, without mapserv: ``python -m benchmarks.compare OTHER``.

Prints a table: the median of each work in the other checkout and in this one, the ratios of elapsed and of processor
time, and the largest resident set. Runs are interleaved and read the same files. Each checkout has its own .venv/.
With ``--instructions`` it prints the processor's instructions instead, counted by valgrind: other work on the machine
does not change them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.maps import (
    CAPABILITIES,
    DATABLOCK,
    MEASUREMENT,
    REST_OBSERVATIONS,
    SENSOR,
    STRICT,
    MapLayer,
    ask_table,
    write_map,
)
from tests.support.servers import escape

ROOT = Path(__file__).parents[1]
SMALL = 2000
TABLES = {
    "CSV": "text/csv",
    "JSON": "application/json",
    "GeoJSON": "application/geo+json",
    "Parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, seconds of processors, resident bytes. The latter two are 0 within a process."""

    seconds: float
    processors: float = 0.0
    resident: int = 0


def run_process(mapfile: Path, query: str, checkout: Path) -> list[Run]:
    """Answer the query in a new CGI process without the worker, with a cache folder beside the data."""
    cache = mapfile.parent / f"cache-{zlib.crc32(os.fsencode(checkout.resolve())):08x}"
    environment = {
        "PATH": os.environ["PATH"],
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": escape(query),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "/sos",
        "MS_MAPFILE": str(mapfile),
        "MAPSOS_CGI_WORKER": "off",
        "MAPSOS_LOG_LEVEL": "error",
        "MAPSOS_CACHE": str(cache),
    }
    command = [checkout / ".venv" / "bin" / "mapsos"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return [Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)]


def run_warm(mapfile: Path, query: str, times: int, checkout: Path) -> list[Run]:
    """Answer the query again and again in one process, the first time uncounted."""
    command = [checkout / ".venv" / "bin" / "python", "-m", "benchmarks.warm", mapfile, query, str(times)]
    found = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout
    return [Run(seconds) for seconds in json.loads(found)["seconds"]]


def compare(other: Path, pairs: int, run: Callable[[Path], list[Run]]) -> tuple[list[Run], list[Run]]:
    """Return the runs of the other checkout and of this one; each begins every second pair."""
    theirs: list[Run] = []
    ours: list[Run] = []
    for number in range(pairs):
        sides = [(other, theirs), (ROOT, ours)]
        for checkout, runs in sides if number % 2 else sides[::-1]:
            runs += run(checkout)
    return theirs, ours


def write_line(work: str, theirs: Iterable[Run], ours: Iterable[Run]) -> str:
    """Return a row of the table."""
    before, after = ([statistics.median(values) for values in zip(*map(_tell, runs), strict=True)]
                     for runs in (theirs, ours))  # fmt: skip
    processors = f"{after[1] / before[1]:.2f}" if before[1] else ""
    resident = [f"{side[2] / 1e6:.0f}" if side[2] else "" for side in (before, after)]
    times = [f"{side[0] * 1000:.{0 if side[0] > 0.1 else 2}f} ms" for side in (before, after)]
    return f"| {work} | {' | '.join(times)} | {after[0] / before[0]:.2f} | {processors} | {' | '.join(resident)} |"


def _tell(run: Run) -> tuple[float, float, float]:
    return run.seconds, run.processors, float(run.resident)


def count_instructions(mapfile: Path, query: str, times: tuple[int, int], checkout: Path) -> float:
    """Return the instructions of one answer within a process: what more answers add, in millions."""
    counts = []
    for number in times:
        with tempfile.NamedTemporaryFile() as out:
            command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out.name}"]
            command += [checkout / ".venv" / "bin" / "python", "-m", "benchmarks.warm", mapfile, query, str(number)]
            # Sets are walked in the same order each time, and no thread of BLAS waits in a loop.
            environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
            run = subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True, text=True)
        found = re.search(r"I\s+refs:\s+([\d,]+)", run.stderr)
        assert found is not None, run.stderr
        counts.append(int(found.group(1).replace(",", "")))
    return (counts[1] - counts[0]) / (times[1] - times[0]) / 1e6


def print_instructions(other: Path, data: Path) -> None:
    """Print the instructions of answers of 2,000 and of 10,000 observations in both checkouts."""
    few, some = (write_map(MapLayer("points", rows), data) for rows in (SMALL, 10_000))
    works = {
        "GetCapabilities again": (few, CAPABILITIES, (20, 420)),
        f"om:Measurement, {SMALL}": (few, MEASUREMENT, (5, 55)),
        **{
            name: (some, query, (3, 13))
            for name, query in {
                "om:Measurement, 10000": MEASUREMENT,
                "om:Observation, 10000": DATABLOCK,
                "om:Measurement, 10000, valid": MEASUREMENT + STRICT,
                **{f"{name}, 10000": ask_table(kind) for name, kind in TABLES.items()},
                "JSON of the REST interface, 10000": REST_OBSERVATIONS,
            }.items()
        },
    }
    print("| in process | other, million | this, million | ratio |")
    print("| --- | ---: | ---: | ---: |", flush=True)
    for work, (mapfile, query, times) in works.items():
        before, after = (count_instructions(mapfile, query, times, checkout) for checkout in (other, ROOT))
        print(f"| {work} | {before:.2f} | {after:.2f} | {after / before:.3f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("other", type=Path, help="the other checkout, with its .venv/")
    parser.add_argument("--rows", type=int, default=1_000_000, help="observations of the large works")
    parser.add_argument("--pairs", type=int, default=5, help="interleaved pairs of the large works; small ones have 4x")
    parser.add_argument("--data", type=Path, default=ROOT / "benchmarks" / ".data", help="folder of the data")
    parser.add_argument("--instructions", action="store_true", help="count instructions instead; needs valgrind")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    if given.instructions:
        print_instructions(given.other, given.data)
        return
    few, many = (write_map(MapLayer("points", rows), given.data) for rows in (SMALL, given.rows))
    shapefile = write_map(MapLayer("points_shapefile", given.rows), given.data)
    print("| work | other | this | ratio | processors | peak MB other | peak MB this |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    processes = {
        "process: GetCapabilities": (few, CAPABILITIES, given.pairs * 4),
        "process: DescribeSensor": (few, SENSOR, given.pairs * 4),
        f"process: om:Measurement, {SMALL}": (few, MEASUREMENT, given.pairs * 4),
        f"process: om:Measurement, {given.rows}, GeoPackage": (many, MEASUREMENT, given.pairs),
        f"process: om:Measurement, {given.rows}, shapefile": (shapefile, MEASUREMENT, given.pairs),
        f"process: om:Observation, {given.rows}, GeoPackage": (many, DATABLOCK, given.pairs),
        f"process: om:Measurement, {given.rows}, valid": (many, MEASUREMENT + STRICT, given.pairs),
    }
    for work, (mapfile, query, pairs) in processes.items():
        run = partial(run_process, mapfile, query)
        # The first run compiles the map.
        compare(given.other, 1, run)
        print(write_line(work, *compare(given.other, pairs, run)), flush=True)
    warm = {
        "in process: GetCapabilities again": (few, CAPABILITIES, 200),
        f"in process: om:Measurement, {SMALL}": (few, MEASUREMENT, 60),
        **{f"in process: {name}, {given.rows}": (many, ask_table(kind), 3) for name, kind in TABLES.items()},
        f"in process: JSON of the REST interface, {given.rows}": (many, REST_OBSERVATIONS, 3),
    }
    for work, (mapfile, query, times) in warm.items():
        run = partial(run_warm, mapfile, query, times)
        print(write_line(work, *compare(given.other, max(2, given.pairs // 2), run)), flush=True)


if __name__ == "__main__":
    main()
