"""The ways to measure: whole processes in pairs, one warm process, the first byte, web servers under load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.clients import fetch, load_server, median, time_first_byte
from benchmarks.results import Result
from benchmarks.servers import find_workers, serving_apache
from tests.support.agreement import (
    Contents,
    DisagreementError,
    compare,
    count_members,
    read_measurements,
    read_procedures,
    read_records,
    reading,
)
from tests.support.maps import (
    CAPABILITIES,
    DATABLOCK,
    MEASUREMENT,
    OBSERVATIONS,
    MapLayer,
    write_configuration,
    write_map,
)
from tests.support.observations import STATIONS
from tests.support.processes import MemoryWatch, Program, ProgramError, Run, run_program
from tests.support.servers import Server, escape, mapserv_program, mapsos_program, serving

CHECKED_ROWS = 20_000


@dataclass
class Bench:
    """Sizes and counts of a run, the folder of its files, and what later works need of earlier ones.

    Attributes
    ----------
    folder
        Data sets, maps, configuration.
    rows, large_rows, features
        Observations of most works; of the large ones; lines and polygons.
    pairs
        Interleaved runs of mapsos and mapserv, where a line has a demand beside mapserv; one for the others.
    requests
        Requests of one load of a web server.
    checked_rows
        Observations that are compared before a work is timed.
    """

    folder: Path
    rows: int
    large_rows: int
    features: int
    pairs: int
    requests: int
    checked_rows: int = CHECKED_ROWS
    peaks: dict[str, float] = field(default_factory=dict)
    checked: set[object] = field(default_factory=set)
    counted: list[tuple[Program, int]] = field(default_factory=list)
    finished: dict[str, list[Result]] = field(default_factory=dict)
    _closing: ExitStack = field(default_factory=ExitStack)
    _apache: Server | None = None

    @property
    def configuration(self) -> Path:
        """A configuration file for mapserv that admits every map of the folder, and those of web works by name."""
        web = write_map(WEB_LAYER, self.folder)
        return write_configuration(self.folder, {"web": web, LISTED: write_listed_map(web)})

    @property
    def apache(self) -> Server:
        """The Apache of this run, started when first asked for."""
        if self._apache is None:
            self._apache = self._closing.enter_context(serving_apache(self.folder, self.configuration))
        return self._apache

    def close(self) -> None:
        """Stop what still runs."""
        self._closing.close()


WEB_LAYER = MapLayer("points", 500)
LISTED = "listed"
"""The map that lists its procedures, which mapserv need not look for in the data then."""
Size = Callable[[Bench], int]


def all_rows(bench: Bench) -> int:
    """The million."""
    return bench.rows


def all_features(bench: Bench) -> int:
    """The lines or polygons."""
    return bench.features


@dataclass(frozen=True)
class ProcessWork:
    """A request answered by a process of its own, from start to exit, into /dev/null; beside mapserv in pairs.

    Attributes
    ----------
    layer
        What mapsos is asked for; its number of rows comes from ``size``.
    their_layer
        What mapserv is asked for if that is another one.
    faster, megabytes
        The demands.
    forget
        Touch the data before each run of mapsos, so that nothing kept from an earlier run counts.
    together
        Other works, by name, for which mapserv is asked the same: they are timed in the same rounds, beside the same
        runs of mapserv.
    """

    title: str
    query: str
    layer: MapLayer
    size: Size = all_rows
    their_layer: MapLayer | None = None
    faster: float | None = None
    megabytes: float | None = 300
    forget: bool = False
    note: str = ""
    together: tuple[tuple[str, ProcessWork], ...] = ()

    def measure(self, bench: Bench, name: str) -> list[Result]:
        """Check that both answers agree, then time them in turn."""
        if name in bench.finished:
            return bench.finished.pop(name)
        works = ((name, self), *self.together)
        rows = self.size(bench)
        pairs = bench.pairs if self.faster is not None else 1
        programs, small_programs = [], []
        small_rows = min(bench.checked_rows, rows)
        for _, work in works:
            check_agreement(bench, work)
            ours, theirs = work._programs(bench, rows)
            small_ours, small_theirs = work._programs(bench, small_rows)
            small_programs.append(small_ours)
            # A line without a demand is not worth another whole answer of mapserv.
            count_both(bench, work, ours, theirs if self.faster is not None else None, rows)
            programs.append(ours)
        our_runs: list[list[Run]] = [[] for _ in works]
        their_runs: list[Run] = []
        for _ in range(pairs):
            if self.forget:
                os.utime(write_map(at(self.layer, rows), bench.folder).parent / data_name(bench, self.layer, rows))
            for (_, work), program, small, runs in zip(works, programs, small_programs, our_runs, strict=True):
                load_pages(small, bench.folder, data_name(bench, work.layer, rows))
                runs.append(run_program(program))
            load_pages(small_theirs, bench.folder, data_name(bench, self.their_layer or self.layer, rows))
            their_runs.append(run_program(theirs))
        for (other, work), runs in zip(works, our_runs, strict=True):
            bench.peaks[other] = max(run.megabytes for run in runs)
            bench.finished[other] = [work._tell(rows, runs, their_runs, bench.pairs)]
        return bench.finished.pop(name)

    def _tell(self, rows: int, our_runs: list[Run], their_runs: list[Run], wanted: int) -> Result:
        pairs = [] if len(our_runs) >= wanted else [tell_pairs(len(our_runs))]
        return Result(
            self.title.format(rows=tell_number(rows)),
            median([run.seconds for run in our_runs]),
            median([run.seconds for run in their_runs]),
            max(run.megabytes for run in our_runs),
            max(run.megabytes for run in their_runs),
            faster=self.faster,
            megabytes=self.megabytes,
            note=", ".join([*filter(None, [self.note]), *pairs]),
        )

    def _programs(self, bench: Bench, rows: int) -> tuple[Program, Program]:
        ours = write_map(at(self.layer, rows), bench.folder)
        theirs = write_map(at(self.their_layer or self.layer, rows), bench.folder)
        return mapsos_program(ours, self.query), mapserv_program(theirs, self.query, bench.configuration)


def load_pages(small: Program, folder: Path, data: str) -> None:
    """Have the program's libraries, and its data, in the page cache, so that no run waits for a disk.

    ``small`` is the program over a small piece of the same data. A run that takes the memory of the whole machine
    leaves the next one nothing of either.
    """
    run_program(small)
    for path in folder.glob(f"{Path(data).stem}.*"):
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass


def check_agreement(bench: Bench, work: ProcessWork) -> None:
    """Compare the answers to the work's request over a small piece of the same data. Raises DisagreementError."""
    key = (work.query, work.layer, work.their_layer)
    if key in bench.checked:
        return
    rows = min(bench.checked_rows, work.size(bench))
    ours, theirs = work._programs(bench, rows)
    read: Callable[..., Contents] = {CAPABILITIES: read_procedures, DATABLOCK: read_records}.get(
        work.query, read_measurements
    )
    count = compare(partial(_read, ours, read), partial(_read, theirs, read), work.title)
    if work.query in (MEASUREMENT, DATABLOCK) and count != rows:
        raise DisagreementError(f"{work.title}: {count} of {rows} observations are answered")
    bench.checked.add(key)


def count_both(bench: Bench, work: ProcessWork, ours: Program, theirs: Program | None, rows: int) -> None:
    """Count the observations of whole answers, each once, which also warms the page cache. Raises DisagreementError."""
    if work.query == CAPABILITIES:
        return
    for name, program in (("mapsos", ours), ("mapserv", theirs)):
        if program is None or (program, rows) in bench.counted:
            continue
        with reading(program) as document:
            count = count_members(document)
        if count != rows:
            raise DisagreementError(f"{work.title}: {count} observations of {name}, not {rows}")
        bench.counted.append((program, rows))


def _read(program: Program, read: Callable[..., Contents]) -> Contents:
    with reading(program) as document:
        return read(document)


@dataclass(frozen=True)
class MemoryWork:
    """The same request over ten times the rows, mapsos alone: its peak against that of another work."""

    title: str
    query: str
    layer: MapLayer
    reference: str
    within: float = 1.1

    def measure(self, bench: Bench, name: str) -> list[Result]:
        """Measure the reference too where it has not been, three times each."""
        if self.reference not in bench.peaks:
            bench.peaks[self.reference] = max(run.megabytes for run in self._run(bench, bench.rows))
        runs = self._run(bench, bench.large_rows)
        return [
            Result(
                self.title.format(rows=tell_number(bench.large_rows)),
                median([run.seconds for run in runs]),
                None,
                max(run.megabytes for run in runs),
                times_memory=self.within,
                compared_peak=bench.peaks[self.reference],
                note=f"peak against that of {tell_number(bench.rows)}",
            )
        ]

    def _run(self, bench: Bench, rows: int) -> list[Run]:
        program = mapsos_program(write_map(at(self.layer, rows), bench.folder), self.query)
        return [run_program(program) for _ in range(min(3, bench.pairs))]


@dataclass(frozen=True)
class ModeWork:
    """A request answered by processes of mapsos alone, in turn with and without ``more``: what that costs in time."""

    title: str
    query: str
    more: str
    layer: MapLayer
    times_seconds: float
    megabytes: float | None = 300

    def measure(self, bench: Bench, name: str) -> list[Result]:
        """Time both in pairs. That the answers hold the same is for the tests to show."""
        mapfile = write_map(at(self.layer, bench.rows), bench.folder)
        plain, other = mapsos_program(mapfile, self.query), mapsos_program(mapfile, self.query + self.more)
        plain_runs: list[Run] = []
        other_runs: list[Run] = []
        for _ in range(bench.pairs):
            plain_runs.append(run_program(plain))
            other_runs.append(run_program(other))
        without = median([run.seconds for run in plain_runs])
        ours = median([run.seconds for run in other_runs])
        return [
            Result(
                self.title.format(rows=tell_number(bench.rows)),
                ours,
                None,
                max(run.megabytes for run in other_runs),
                seconds=without * self.times_seconds,
                megabytes=self.megabytes,
                note=f"{ours / without:.2f} times the {without:.2f} s of the mode like MapServer's",
            )
        ]


@dataclass(frozen=True)
class WarmWork:
    """A request answered again and again inside one process of mapsos, against a bound of time.

    Attributes
    ----------
    asked
        Makes the request from the sizes.
    seconds
        The demand, None for none.
    checked
        Makes the request for the same observations that mapserv is sent before; none is timed: the level is another.
    forget
        Keep no summary from one answer for the next.
    """

    title: str
    layer: MapLayer
    asked: Callable[[Bench], str]
    seconds: float | None
    size: Size = all_rows
    checked: Callable[[Bench], str] | None = None
    times: int = 30
    forget: bool = False

    def measure(self, bench: Bench, name: str) -> list[Result]:
        """Check the answer, then time it."""
        rows = self.size(bench)
        mapfile = write_map(at(self.layer, rows), bench.folder)
        query = self.asked(bench)
        note = ""
        if self.checked is not None:
            theirs = mapserv_program(mapfile, self.checked(bench), bench.configuration)
            ours = mapsos_program(mapfile, query)
            count = compare(
                partial(_read, ours, read_measurements), partial(_read, theirs, read_measurements), self.title
            )
            note = f"{count} observations, "
        command = [sys.executable, "-m", "benchmarks.warm", str(mapfile), query, str(self.times)]
        command += ["--forget"] if self.forget else []
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ProgramError(f"{self.title}: {done.stderr}")
        timing = json.loads(done.stdout)
        seconds = median(timing["seconds"])
        title = self.title.format(rows=tell_number(rows))
        note += f"the first time {timing['first'] * 1000:.0f} ms, {timing['processor'] * 1000:.1f} ms of processor time"
        return [Result(title, seconds, None, seconds=self.seconds, note=note)]


@dataclass(frozen=True)
class FirstByteWork:
    """The first byte of a whole answer from ``mapsos serve`` over loopback, and from mapserv as a process."""

    title: str
    layer: MapLayer
    query: str
    seconds: float
    times: int = 20

    def measure(self, bench: Bench, name: str) -> list[Result]:
        """Time it on new connections to a server that has answered before."""
        mapfile = write_map(at(self.layer, bench.rows), bench.folder)
        with serving(mapfile) as server, MemoryWatch([server.pid]) as memory:
            path = f"/{mapfile.stem}?{escape(self.query)}"
            time_first_byte(server.port, path, 1)
            ours = time_first_byte(server.port, path, self.times)
        return [
            Result(
                self.title.format(rows=tell_number(bench.rows)),
                median(ours),
                None,
                memory.megabytes,
                seconds=self.seconds,
                note=f"slowest of {self.times}: {max(ours) * 1000:.0f} ms",
            )
        ]


@dataclass(frozen=True)
class WebWork:
    """A request to both programs behind one Apache, by so many clients at once, in pairs of loads.

    Attributes
    ----------
    ours, theirs
        Their paths in `serving_apache`.
    rate
        Whether the line tells requests per second or the mean time of a request.
    faster
        The demand.
    their_map
        The map that mapserv is asked for: the same one, or `LISTED`.
    """

    title: str
    query: str
    ours: str
    theirs: str
    process: str
    clients: int = 1
    rate: bool = False
    faster: float | None = 1
    their_map: str = "web"

    def measure(self, bench: Bench, name: str) -> list[Result]:
        """Check that both answer, then load them in turn; memory comes from the loads of the first pair."""
        port = bench.apache.port
        paths = [
            f"{path}?map={name}&{escape(self.query)}"
            for path, name in ((self.ours, "web"), (self.theirs, self.their_map))
        ]
        answers = [fetch(port, path) for path in paths]
        if self.query.startswith(OBSERVATIONS):
            counts = [answer.count(b"<om:member>") for answer in answers]
            if counts != [WEB_LAYER.rows] * 2:
                raise DisagreementError(f"{self.title}: {counts} observations, not {WEB_LAYER.rows}")
        runtime = bench.apache.runtime
        roots = [os.getpid(), *(find_workers(runtime) if runtime is not None else ())]
        peaks = []
        for path, process in zip(paths, (self.process, "mapserv"), strict=True):
            with MemoryWatch(roots, process) as memory:
                load_server(port, path, max(self.clients, bench.requests // 4), self.clients)
            peaks.append(memory.megabytes)
        loads: tuple[list[float], list[float]] = ([], [])
        pairs = bench.pairs if self.faster is not None else 1
        for _ in range(pairs):
            for path, load in zip(paths, loads, strict=True):
                rate, seconds = load_server(port, path, bench.requests, self.clients)
                load.append(rate if self.rate else seconds)
        ours, theirs = (median(load) for load in loads)
        note = "" if pairs >= bench.pairs else tell_pairs(pairs)
        return [Result(self.title, ours, theirs, *peaks, faster=self.faster, rate=self.rate, note=note)]


def write_listed_map(mapfile: Path) -> Path:
    """Write a copy of the map beside it in which the procedures are listed, and return its path."""
    names = " ".join(f"S{number:03d}" for number in range(STATIONS))
    text = mapfile.read_text().replace('"sos_procedure_item" "station"', f'"sos_procedure" "{names}"')
    path = mapfile.with_name(f"{mapfile.stem}-{LISTED}.map")
    path.write_text(text)
    return path


def at(layer: MapLayer, rows: int) -> MapLayer:
    """The layer over so many rows."""
    return MapLayer(layer.dataset, rows, layer.aliased, layer.extents, layer.projection)


def data_name(bench: Bench, layer: MapLayer, rows: int) -> str:
    """The file name of a layer's data."""
    from tests.support.datasets import provide_dataset

    return provide_dataset(layer.dataset, rows, bench.folder).name


def tell_pairs(pairs: int) -> str:
    """How many pairs were run, where that is fewer than elsewhere."""
    return "1 pair" if pairs == 1 else f"{pairs} pairs"


def tell_number(rows: int) -> str:
    """1 M, 100 k, 500."""
    for unit, letter in ((1_000_000, " M"), (1000, " k")):
        if rows >= unit and rows % (unit // 10) == 0:
            return f"{rows / unit:g}{letter}"
    return str(rows)
