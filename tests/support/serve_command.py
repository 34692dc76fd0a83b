"""`mapsos serve` with the maps of the examples, and what it prints."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = Path(sys.executable).parent / "mapsos"
EXAMPLES = Path(__file__).parents[2] / "examples"
WEATHER = EXAMPLES / "mapfiles" / "weather.map"
MINIMAL = EXAMPLES / "mapfiles" / "minimal.map"
CAPABILITIES = "service=SOS&request=GetCapabilities"


class Server:
    """A running server: what it printed, and its port."""

    def __init__(self, process: subprocess.Popen[str], lines: list[str]) -> None:
        self.process = process
        self.lines = lines
        self.port = int(lines[0].rpartition(":")[2])

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def serving(*arguments: str | Path, lines: int, **environ: str) -> Iterator[Server]:
    """Run the server until it has printed so many lines, and end it."""
    command = [COMMAND, "serve", "--port", "0", "--workers", "1", *arguments]
    process = subprocess.Popen(
        command, env=os.environ | {"MS_ERRORFILE": "/dev/null"} | environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Server(process, [process.stdout.readline().rstrip("\n") for _ in range(lines)])
    finally:
        process.terminate()
        code = process.wait(60)
        process.stdout.close()
    assert code == 0
