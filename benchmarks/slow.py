"""``benchmarks/slow``: clients that read, or send, slowly or not at all, and quick questions beside them."""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import _count_files, _percentile, _read_memory
from benchmarks.load_clients import Load, Tally, Target
from benchmarks.load_questions import WrongAnswerError, make_questions
from tests.support.datasets import provide_dataset
from tests.support.maps import MEASUREMENT, MapLayer, write_map
from tests.support.processes import Program, ProgramError
from tests.support.servers import MAPSOS, Server, escape, reserve_port, running, serving

DESCRIPTION = """\
Puts 8, 40, 500 and 2000 clients on `mapsos serve` that ask for 1.4 million observations and read nothing of them, or
1 kB a second; then as many whose request never ends (its head, or its body of one byte a second), or that keep an
idle connection. Beside them 4 clients ask quick questions (capabilities, one week of one sensor) for some seconds,
each answer held against the data. Then one client reads everything as fast as it comes beside 40 that ask for weeks.
With --others the same for gunicorn with threads. All on 127.0.0.1; everything ends by itself.

It exits with 0 if each quick question was answered rightly, 95 % of them within 0.5 seconds, in less than 1.5 GB, and
the server has closed the files of clients that have gone; 1 if not, 2 if something could not be run.
"""

QUICK_SECONDS = 0.5
MOST_BYTES = 1.5e9
KINDS = ("reads nothing", "reads 1 kB/s", "head never ends", "body of 1 byte/s", "idle connection")


@dataclass(frozen=True)
class Line:
    """What quick questions experienced beside slow clients of one kind."""

    server: str
    kind: str
    clients: int
    served: int
    tally: Tally
    memory: int
    files_before: int
    files_after: int

    @property
    def seconds(self) -> list[float]:
        """The times of all right answers in order."""
        return sorted(value for values in self.tally.seconds.values() for value in values)

    @property
    def is_good(self) -> bool:
        """Whether the demand is met."""
        seconds = self.seconds
        return (
            bool(seconds)
            and not self.tally.failures
            and _percentile(seconds, 0.95) < QUICK_SECONDS
            and self.memory < MOST_BYTES
            and self.files_after <= self.files_before + 8
        )


class SlowClients:
    """Connections that ask, and then read or send next to nothing."""

    def __init__(self, port: int, path: str, kind: str) -> None:
        self._port = port
        self._path = path
        self._kind = kind
        self._sockets: list[socket.socket] = []

    async def connect(self, count: int) -> None:
        """Open so many connections, a few at a time."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", self._port))
            await loop.sock_sendall(client, self._write_request())
            self._sockets.append(client)

    def _write_request(self) -> bytes:
        if self._kind == "head never ends":
            return b"GET / HTTP/1.1\r\nHost: h\r\nX: "
        if self._kind == "body of 1 byte/s":
            return b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n"
        path = "/healthz" if self._kind == "idle connection" else self._path
        return f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode("ascii")

    async def go_on(self) -> None:
        """Read or send a little each second, until cancelled."""
        while True:
            for client in self._sockets:
                try:
                    if self._kind in ("head never ends", "body of 1 byte/s"):
                        client.send(b"a")
                    elif self._kind == "reads 1 kB/s":
                        client.recv(1024)
                except OSError:
                    continue
            await asyncio.sleep(1)

    def count_served(self) -> int:
        """Return how many have a connection that is still open and, of readers, an answer that is not a refusal."""
        served = 0
        for client in self._sockets:
            try:
                begin = client.recv(64, socket.MSG_PEEK)
            except BlockingIOError:
                served += 1
            except OSError:
                continue
            else:
                served += bool(begin) and b" 503 " not in begin
        return served

    def close(self) -> None:
        """Leave."""
        for client in self._sockets:
            client.close()


@asynccontextmanager
async def _slow(port: int, path: str, kind: str, count: int) -> AsyncIterator[SlowClients]:
    clients = SlowClients(port, path, kind)
    going = None
    try:
        await clients.connect(count)
        going = asyncio.create_task(clients.go_on())
        yield clients
    finally:
        if going is not None:
            going.cancel()
        clients.close()


async def measure(name: str, server: Server, load: Load, path: str, kind: str, count: int, seconds: float) -> Line:
    """Return what quick questions experience beside slow clients."""
    files = _count_files(server.pid)
    peak = 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, _read_memory(server.pid))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        async with _slow(server.port, path, kind, count) as clients:
            tally = await load.run(4, seconds=seconds)
            served = clients.count_served()
    finally:
        watching.cancel()
    after = 0
    for _ in range(100):
        after = _count_files(server.pid)
        if after <= files + 8:
            break
        await asyncio.sleep(0.2)
    return Line(name, kind, count, served, tally, peak, files, after)


async def measure_long(name: str, server: Server, load: Load, path: str, seconds: float) -> tuple[Line, Line]:
    """Return what 40 clients that ask for weeks experience alone, and beside one that reads everything."""
    alone = await load.run(40, seconds=seconds)

    async def read_all() -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode("ascii"))
            while await reader.read(1 << 20):
                pass
            writer.close()

    reading = asyncio.create_task(read_all())
    try:
        beside = await load.run(40, seconds=seconds)
    finally:
        reading.cancel()
    memory, files = _read_memory(server.pid), _count_files(server.pid)
    return (
        Line(name, "40 clients alone", 0, 0, alone, memory, files, files),
        Line(name, "40 beside a long answer", 1, 1, beside, memory, files, files),
    )


def write_row(line: Line) -> str:
    """Return a row of the table."""
    seconds = line.seconds
    times = [f"{_percentile(seconds, share) * 1000:.0f} ms" for share in (0.5, 0.95, 1.0)] if seconds else ["-"] * 3
    return (
        f"| {line.server} | {line.kind} | {line.clients} | {line.served} | {len(seconds)} "
        f"| {line.tally.failures.total()} | {' | '.join(times)} | {line.memory / 1e6:.0f} "
        f"| {line.files_before}, {line.files_after} |"
    )


@contextmanager
def _serving_gunicorn(mapfile: Path) -> Iterator[Server]:
    environment = {"HOME": str(mapfile.parent), "MAPSOS_LOG_LEVEL": "error", "MS_MAPFILE": str(mapfile)}
    with reserve_port() as port:
        command = [MAPSOS.with_name("gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
        command += ["--worker-class", "gthread", "--log-level", "error", "mapsos.wsgi:application"]
        with running(Program(tuple(map(str, command)), environment, mapfile.parent), port) as server:
            yield server


def raise_open_files(wanted: int) -> int:
    """Let this process and its children open so many files, or what the system allows; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        with suppress(OSError, ValueError):
            # Only an administrator can.
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def main() -> int:
    """Run the command."""
    arguments = _read_arguments()
    raise_open_files(2 * max(arguments.clients) + 1000)
    folder = arguments.data.resolve()
    try:
        data = provide_dataset("points", arguments.rows, folder)
        mapfile = write_map(MapLayer("points", arguments.rows), folder)
        questions = make_questions(data, arguments.rows, 50)
        servers: list[tuple[str, str, Callable[[], AbstractContextManager[Server]]]] = [
            ("mapsos serve", f"/{mapfile.stem}?", lambda: serving(mapfile, "--workers", "2"))
        ]
        if arguments.others:
            servers.append(("gunicorn, 2 x 4 threads", "/?", lambda: _serving_gunicorn(mapfile)))
        head = "server | clients | number | served | quick answers | failed | median | 95 % | longest | MB | open files"
        print(f"| {head} |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
        good = True
        for name, prefix, start in servers:
            path = prefix + escape(MEASUREMENT)
            for kind in arguments.kinds:
                for count in arguments.clients:
                    with start() as server:
                        load = Load(Target(server.port, prefix), questions, 0.05)
                        asyncio.run(load.check_all())
                        line = asyncio.run(measure(name, server, load, path, kind, count, arguments.seconds))
                    print(write_row(line), flush=True)
                    for reason, number in line.tally.failures.most_common(3):
                        print(f"  {number} failed: {reason}")
                    good &= line.is_good or name != "mapsos serve"
            with start() as server:
                load = Load(Target(server.port, prefix), questions, 0)
                asyncio.run(load.check_all())
                pair = asyncio.run(measure_long(name, server, load, path, arguments.seconds))
            print("\n".join(map(write_row, pair)), flush=True)
    except (ProgramError, WrongAnswerError) as error:
        print(f"benchmarks/slow: {error}", file=sys.stderr)
        return 2
    load_average = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{os.cpu_count()} processors, load at the end {load_average}")
    return 0 if good else 1


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/slow", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clients", type=_read_numbers, default=(8, 40, 500, 2000), help="slow clients, by commas (8,40,500,2000)")
    add("--kinds", type=_read_kinds, default=KINDS, help=f"their kinds, by commas ({', '.join(KINDS)})")
    add("--seconds", type=float, default=15.0, help="how long quick questions are asked each time (15)")
    add("--rows", type=int, default=1_400_000, help="observations (1400000)")
    add("--others", action="store_true", help="gunicorn with threads too")
    add("--data", type=Path, default=Path("benchmarks/.data"), help="folder of the data (benchmarks/.data)")
    return parser.parse_args()


def _read_numbers(text: str) -> Sequence[int]:
    return tuple(map(int, text.split(",")))


def _read_kinds(text: str) -> Sequence[str]:
    kinds = tuple(text.split(","))
    if not set(kinds) <= set(KINDS):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(KINDS)}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
