"""What requests of each kind take of the processors of `mapsos serve`, of PostgreSQL and of the client."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.maps import CAPABILITIES, MEASUREMENT, SENSOR
from tests.support.processes import ProgramError, list_tree
from tests.support.servers import Server, escape

LONG, PAGE = "a million rows", "page of a sensor"
WARMING = 2


@dataclass(frozen=True)
class Data:
    """The data that are asked for: stations, the minutes between two rows of one, its first time, how many steps."""

    stations: int
    minutes: int
    first: datetime
    steps: int

    @property
    def days(self) -> int:
        """Whole days that the data cover."""
        return self.steps * self.minutes // (24 * 60)


@dataclass(frozen=True)
class Work:
    """A kind of request: its paths, used in turn, after the name of the map, and how often it is asked."""

    kind: str
    paths: Sequence[str]
    times: int


@dataclass(frozen=True)
class Taken:
    """What one request took on average: processor seconds of each side, seconds in all, bytes and rows."""

    kind: str
    server: float
    client: float
    database: float
    wall: float
    size: int
    rows: int


def list_works(data: Data, times: int, *, with_pages: bool = True) -> list[Work]:
    """Return the works of a table; ``times`` for those that take milliseconds."""
    weeks = [
        _ask(data, data.first + timedelta(days=number * 13 % max(1, data.days - 7)), timedelta(days=7), number)
        for number in range(40)
    ]
    span = timedelta(minutes=data.minutes * 500)
    hundreds = [
        _ask(data, data.first + timedelta(days=number * 11 % max(1, data.days - span.days - 1)), span, number)
        for number in range(40)
    ]
    middle = data.first + timedelta(days=data.days // 2)
    million = timedelta(minutes=data.minutes * (1_000_000 // data.stations))
    works = [
        Work("GetCapabilities", [f"?{CAPABILITIES}"], times),
        Work("DescribeSensor", [f"?{SENSOR}"], times),
        Work("one station, one week", weeks, times),
        Work("one station, 500 rows", hundreds, times),
        Work("latest of one station", [_write("S007", "latest")], max(1, times // 4)),
        Work("latest of all stations", [_write(None, "latest")], max(1, times // 40)),
        Work("one day of all stations", [_ask(data, middle, timedelta(days=1))], max(1, times // 40)),
        Work(LONG, [_ask(data, data.first, million)], max(1, times // 100)),
    ]
    if with_pages:
        works.append(Work(PAGE, ["/exts/SosSOE/procedures/urn:ogc:def:procedure:S007"], max(1, times // 4)))
    return works


def _ask(data: Data, first: datetime, span: timedelta, station: int | None = None) -> str:
    # The end is between two rows, so that an interval holds the same number everywhere.
    last = first + span - timedelta(minutes=data.minutes / 2)
    name = None if station is None else f"S{station * 7 % data.stations:03d}"
    return _write(name, f"{first:%Y-%m-%dT%H:%M:%SZ}/{last:%Y-%m-%dT%H:%M:%SZ}")


def _write(station: str | None, time: str) -> str:
    procedure = f"&procedure=urn:ogc:def:procedure:{station}" if station else ""
    return f"?{MEASUREMENT}{procedure}&eventTime={time}"


async def _fetch(port: int, path: str, language: str) -> tuple[int, int]:
    """Return bytes and members of an answer, read as it comes. Raises ProgramError for an error."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    size = rows = 0
    rest = b""
    try:
        # Not in chunks, whose borders may divide what is counted.
        head = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept: {language}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode("ascii"))
        while piece := await reader.read(1 << 20):
            if not size and piece[9:12] not in (b"200", b"302"):
                raise ProgramError(f"{path}: {piece[:300]!r}")
            size += len(piece)
            whole = rest + piece
            rows += whole.count(b"<om:member>")
            # One that a border of pieces divides is counted with the next.
            rest = whole[-10:]
    finally:
        writer.close()
    return size, rows


def measure(
    server: Server, name: str, work: Work, database: Callable[[], float] | None = None, *, warm: bool = True
) -> Taken:
    """Ask one after the other and return the means; ``warm`` asks some times before, which do not count."""
    accept = "text/html" if "SosSOE" in work.paths[0] else "*/*"
    paths = [f"/{name}?{escape(path[1:])}" if path[0] == "?" else f"/{name}{path}" for path in work.paths]

    async def ask(count: int) -> tuple[int, int]:
        found = (0, 0)
        for number in range(count):
            found = await _fetch(server.port, paths[number % len(paths)], accept)
        return found

    if warm:
        asyncio.run(ask(max(WARMING, work.times // 8)))
    before = _read_all(server, database)
    size, rows = asyncio.run(ask(work.times))
    used = [(after - first) / work.times for first, after in zip(before, _read_all(server, database), strict=True)]
    return Taken(work.kind, used[0], used[1], used[2], used[3], size, rows)


def _read_all(server: Server, database: Callable[[], float] | None) -> tuple[float, float, float, float]:
    stored = database() if database else 0.0
    return read_processors(list_tree([server.pid])), time.process_time(), stored, time.monotonic()


def read_processors(processes: Iterable[int], *, ended: bool = False) -> float:
    """Return processor seconds of processes; with ``ended`` also those of their children that have ended."""
    ticks = 0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11 : 15 if ended else 13])
    return ticks / os.sysconf("SC_CLK_TCK")
