"""The programs that are tested and compared, as they are started: mapsos, and mapserv beside it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.support.processes import Program, ProgramError, start_program, stop_program

ROOT = Path(__file__).parents[2]
MAPSOS = Path(sys.executable).parent / "mapsos"
MAPSERV = shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
APACHE_MODULES = Path("/usr/lib/apache2/modules")
START_SECONDS = 60


def mapsos_program(mapfile: Path, query: str) -> Program:
    """One request by ``mapsos get``, as a process of its own."""
    return Program((str(MAPSOS), "get", str(mapfile), query), {"HOME": str(mapfile.parent)}, mapfile.parent)


def rest_program(mapfile: Path, path: str) -> Program:
    """One request for a path of the REST interface with its query, as a web server would start mapsos."""
    path, _, query = path.partition("?")
    environment = {
        "HOME": str(mapfile.parent),
        "MS_MAPFILE": str(mapfile),
        "MAPSOS_CACHE": "off",
        "MAPSOS_CGI_WORKER": "off",
        "MAPSOS_LOG_LEVEL": "error",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/mapsos",
        "PATH_INFO": path,
        "QUERY_STRING": escape(query),
    }
    return Program((str(MAPSOS),), environment, mapfile.parent)


def mapserv_program(mapfile: Path, query: str, configuration: Path) -> Program:
    """One request by mapserv as a web server would start it, header and all."""
    environment = {
        "MAPSERVER_CONFIG_FILE": str(configuration),
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": f"map={mapfile}&{escape(query)}",
    }
    return Program((MAPSERV,), environment, mapfile.parent)


def escape(query: str) -> str:
    """A query as a client sends it."""
    return quote(query, safe="=&:;,/")


@contextmanager
def reserve_port() -> Iterator[int]:
    """A port of the loopback address for a server that sets SO_REUSEADDR, as all of those here do.

    It is bound, so that the system gives it to no other server and no client until the block ends, and not listened on,
    so that the server can.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server: its process, its port on 127.0.0.1, and where its CGI programs keep their workers' sockets."""

    pid: int
    port: int
    runtime: Path | None = None


@contextmanager
def serving(mapfile: Path, *options: str) -> Iterator[Server]:
    """``mapsos serve`` on the map, with one worker unless the options say otherwise, until the block ends."""
    environment = {"HOME": str(mapfile.parent), "MAPSOS_LOG_LEVEL": "error"}
    with reserve_port() as port:
        command = (str(MAPSOS), "serve", "--port", str(port), *(options or ("--workers", "1")), str(mapfile))
        with running(Program(command, environment, mapfile.parent), port) as server:
            yield server


@contextmanager
def running(program: Program, port: int) -> Iterator[Server]:
    process = start_program(program, subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None:
                raise ProgramError(f"{program.command[0]} ended with {process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ProgramError(f"{program.command[0]} does not listen on port {port}") from error
                time.sleep(0.02)
        yield Server(process.pid, port)
    finally:
        stop_program(process)
