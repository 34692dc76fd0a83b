"""Maps that fail in every way that maps can fail, and the same question asked through each adapter."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from mapsos.servers import wsgi_adapter
from tests.support.station_rows import write_station_rows

from . import sitecustomize

COMMAND = Path(sys.executable).parent / "mapsos"
MAP = """\
MAP
  NAME "measured"
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "sos_title" "Measured" "sos_onlineresource" "http://h/m" "sos_srs" "EPSG:4326" "sos_enable_request" "*"
  END END
  LAYER
    NAME "rows" TYPE POINT STATUS ON
    CONNECTIONTYPE OGR CONNECTION "{folder}/{data}.gpkg" DATA "rows"
    PROJECTION "init=epsg:4326" END
    METADATA
      "sos_offering_id" "all" "sos_offering_description" "all" "sos_offering_extent" "-180,-90,180,90"
      "sos_offering_timeextent" "2020-01-01/2021-01-01" "sos_observedproperty_id" "height" "sos_timeitem" "time"
      "sos_procedure" "S0,S1" "sos_procedure_item" "station" "gml_include_items" "height" "sos_height_alias" "height"
    END
  END
END
"""
ROWS = 40_000
"""Several batches, so that the first is sent before the end of the data is read."""


@dataclass(frozen=True)
class Question:
    """One request: the path below the program, and the query as the client writes it."""

    path: str
    query: str
    method: str = "GET"
    explode: bool = False
    """Whether a static file must fail in a way that nobody expects (`sitecustomize`)."""


@dataclass(frozen=True)
class Reply:
    """What came back, and what the log has of it; ``whole`` is whether the client can take the body for complete."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    log: list[dict[str, Any]]

    @property
    def request(self) -> dict[str, Any]:
        """The line of the request in the log."""
        (line,) = [line for line in self.log if "outcome" in line]
        return line


class Adapter(Protocol):
    """One way in."""

    def ask(self, question: Question, options: Mapping[str, str]) -> Reply:
        """Ask under the options."""


class Site:
    """The folder of maps and data, the configuration, and the log of one adapter."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self._log = log
        self._read = 0

    def environ(self, options: Mapping[str, str]) -> dict[str, str]:
        return {
            "MAPSERVER_CONFIG_FILE": str(self.folder / "mapsos.conf"),
            "MS_ERRORFILE": str(self._log),
            "MAPSOS_LOG_FORMAT": "json",
            "MAPSOS_CACHE": "off",
            **options,
        }

    def request(self, question: Question) -> dict[str, str]:
        explode = {"HTTP_X_EXPLODE": "1"} if question.explode else {}
        return {
            "REQUEST_METHOD": question.method,
            "QUERY_STRING": question.query,
            "SCRIPT_NAME": "/sos",
            "PATH_INFO": question.path,
            "SERVER_NAME": "h",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
            **explode,
        }

    def read_log(self) -> list[dict[str, Any]]:
        """Return the lines of the log since the last call."""
        text = self._log.read_text() if self._log.exists() else ""
        new, self._read = text[self._read :], len(text)
        return [json.loads(line) for line in new.splitlines()]


class Wsgi:
    """The WSGI application, held to PEP 3333."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def ask(self, question: Question, options: Mapping[str, str]) -> Reply:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wsgi_adapter, "_applications", {})
            for name, value in self._site.environ(options).items():
                patch.setenv(name, value)
            sitecustomize.break_parts()
            try:
                return self._ask(question)
            finally:
                sitecustomize.mend_parts()

    def _ask(self, question: Question) -> Reply:
        environ: dict[str, Any] = {**self._site.request(question), "wsgi.input": io.BytesIO()}
        setup_testing_defaults(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            started.append((status, headers))

        body, whole = b"", True
        result = validator(wsgi_adapter.application)(environ, start_response)
        try:
            for chunk in result:
                body += chunk
        except Exception:
            # The server ends the connection, so that the client sees that the document is broken off.
            whole = False
        finally:
            result.close()  # type: ignore[attr-defined]
        status, headers = started[0]
        return Reply(int(status.split()[0]), dict(headers), body, whole, self._site.read_log())


class Cgi:
    """The installed command, which answers by itself."""

    worker = "off"

    def __init__(self, site: Site, runtime: Path) -> None:
        self._site = site
        self._runtime = runtime

    def ask(self, question: Question, options: Mapping[str, str]) -> Reply:
        done = self._run(question, options)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        assert done.stderr == b""
        return Reply(status, headers, body, done.returncode == 0, self._site.read_log())

    def _run(self, question: Question, options: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PATH", "TMP"))}
        environ = kept | {
            "PYTHONPATH": str(Path(__file__).parent),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "MAPSOS_CGI_WORKER": self.worker,
        }
        environ |= self._site.environ(options) | self._site.request(question)
        return subprocess.run([COMMAND], env=environ, input=b"", capture_output=True, timeout=60, check=False)


class CgiWithWorker(Cgi):
    """The installed command, which hands the request over to the resident worker."""

    worker = "on"

    def __init__(self, site: Site, runtime: Path) -> None:
        super().__init__(site, runtime)
        self._started: set[tuple[tuple[str, str], ...]] = set()

    def ask(self, question: Question, options: Mapping[str, str]) -> Reply:
        key = tuple(sorted(options.items()))
        if key not in self._started:
            # Each set of options has a worker, which the first request starts.
            before = self._list_sockets()
            self._run(Question("", "service=SOS&request=GetCapabilities&map=good"), options)
            wait_for(lambda: self._list_sockets() - before)
            self._started.add(key)
            self._site.read_log()
        return super().ask(question, options)

    def _list_sockets(self) -> set[Path]:
        return set(self._runtime.glob("mapsos/*.socket"))

    def end(self) -> None:
        """End the workers."""
        for lock in self._runtime.glob("mapsos/*.lock"):
            os.kill(int(lock.read_text()), signal.SIGTERM)
        wait_for(lambda: not self._list_sockets())


def wait_for(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="session")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration of good and bad maps."""
    folder = tmp_path_factory.mktemp("maps")
    for name in ("good", "exploding"):
        write_station_rows(folder / f"{name}.gpkg", 20, 2)
    write_station_rows(folder / "damaged.gpkg", ROWS, 2)
    for name, data in (("good", "good"), ("exploding", "exploding"), ("gone", "gone"), ("damaged", "damaged")):
        (folder / f"{name}.map").write_text(MAP.format(folder=folder, data=data))
    (folder / "broken.map").write_text("MAP\n  LAYER\n    NONSENSE 1\n  END\nEND\n")
    named = "\n".join(f'{name} "{name}.map"' for name in ("good", "exploding", "gone", "damaged", "broken"))
    (folder / "mapsos.conf").write_text(f"CONFIG\nMAPS\n{named}\nEND\nEND\n")
    return folder


@pytest.fixture(scope="session", params=["wsgi", "cgi", "cgi with worker"])
def adapter(request: pytest.FixtureRequest, maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """Each adapter in turn."""
    site = Site(maps, tmp_path_factory.mktemp("log") / "log.json")
    if request.param == "wsgi":
        yield Wsgi(site)
        return
    # Not below the folder of the tests: the path of a socket must not be long.
    with tempfile.TemporaryDirectory(prefix="mapsos-") as runtime:
        if request.param == "cgi":
            yield Cgi(site, Path(runtime))
            return
        with_worker = CgiWithWorker(site, Path(runtime))
        try:
            yield with_worker
        finally:
            with_worker.end()
