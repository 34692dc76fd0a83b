"""A folder with maps and data, a CGI program that `mapsos cgi install` wrote, and the workers that it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mapsos.servers.resident.install import write_program
from mapsos.servers.resident.worker_name import PACKAGE
from tests.support.station_rows import write_station_rows
from tests.support.workers import end_workers, find_workers, has_worker, wait_for

MAP = """\
MAP
  NAME "measured"
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "sos_title" "{title}" "sos_onlineresource" "http://h/m" "sos_srs" "EPSG:4326" "sos_enable_request" "*"
  END END
  LAYER
    NAME "rows" TYPE POINT STATUS ON
    CONNECTIONTYPE OGR CONNECTION "{folder}/{data}.gpkg" DATA "rows"
    PROJECTION "init=epsg:4326" END
    METADATA
      "sos_offering_id" "all" "sos_offering_description" "all" "sos_offering_extent" "-180,-90,180,90"
      "sos_offering_timeextent" "2020-01-01/2021-01-01" "sos_observedproperty_id" "height" "sos_timeitem" "time"
      "sos_procedure_item" "station" "sos_describesensor_url" "http://h/%station%.xml" "gml_include_items" "height"
    END
  END
END
"""
CAPABILITIES = "service=SOS&request=GetCapabilities"
OBSERVATIONS = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=all&observedProperty=height"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)
BIG_ROWS = 30_000
"""Some 40 MB of answer: more than all buffers on its way, and several batches."""


@dataclass(frozen=True)
class Answer:
    """What a CGI process left: ``alone`` tells that it answered by itself."""

    code: int
    out: bytes
    log: str
    alone: bool


@dataclass
class Site:
    """A server's folder, short enough for sockets: ``a.map`` has few rows, ``big.map`` many."""

    folder: Path
    program: Path
    package: str
    command: list[str | Path]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def sockets(self) -> Path:
        return self.folder / "run" / "mapsos"

    def cgi_environ(self, query: str, **environ: str) -> dict[str, str]:
        request = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "SCRIPT_NAME": "/m", "HTTP_USER_AGENT": "test"}
        return {**self.environ, **request, "SERVER_NAME": "h", "SERVER_PORT": "80", **environ}

    def start(self, query: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a CGI process; it also tells what it imports, on standard error."""
        return subprocess.Popen(
            self.command,
            env=self.cgi_environ(query, **environ),
            cwd=self.folder,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ask(self, query: str, body: bytes = b"", **environ: str) -> Answer:
        return finish(self.start(query, **environ), body)

    def has_worker(self, **environ: str) -> bool:
        """Whether a worker listens for requests under this environment."""
        return has_worker(self.cgi_environ("", **environ), self.folder, package=self.package, isolated=True)

    def warm(self, **environ: str) -> int:
        """Have a worker under this environment, and give its process: the only one, or that of the newest socket."""

        def listens() -> bool:
            if not self.has_worker(**environ):
                # One that nobody asks leaves again, if it is not to be idle for long.
                self.ask(CAPABILITIES, **environ)
            return self.has_worker(**environ)

        wait_for(listens, "a worker")
        newest = max(self.sockets.glob("*.socket"), key=lambda path: path.stat().st_ctime_ns)
        return int(newest.with_suffix(".lock").read_text())

    def processes(self) -> list[int]:
        """The worker processes of this site that there are."""
        return find_workers(self.folder / "run")

    def write_map(self, name: str, title: str, data: str) -> None:
        """Write a map in one step."""
        beside = self.folder / f"{name}.new"
        beside.write_text(MAP.format(folder=self.folder, title=title, data=data))
        beside.rename(self.folder / f"{name}.map")


def finish(process: subprocess.Popen[bytes], body: bytes = b"") -> Answer:
    """Wait for a CGI process, after giving it the (rest of the) body."""
    out, errors = process.communicate(body or None, timeout=120)
    out = out or b""
    lines = errors.decode().splitlines(keepends=True)
    imports = [line for line in lines if line.startswith("import time:")]
    log = "".join(line for line in lines if not line.startswith("import time:"))
    return Answer(process.returncode, out, log, any("mapsos.config.settings" in line for line in imports))


def change_module(module: Path, old: str, new: str) -> None:
    text = module.read_text()
    assert text.count(old) == 1
    module.write_text(text.replace(old, new))


def copy_package(site: Site) -> Path:
    """Have the site run a copy of the package that tests may change: its folder."""
    package = site.folder / "lib" / "mapsos"
    shutil.copytree(site.package, package, ignore=shutil.ignore_patterns("__pycache__"))
    site.package = str(package)
    site.program.write_text(write_program(sys.executable, str(package.parent), {}))
    return package


def make_impatient(site: Site) -> None:
    """Have CGI processes wait for a worker as long as they usually do."""
    change_module(copy_package(site) / "servers" / "resident" / "client.py", "PATIENCE = 60.0", "PATIENCE = 1.0")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, and a copy of the package: workers leave when somebody works on the original meanwhile.

    CGI processes of the copy give a worker much more time, so that a busy machine does not decide who answers.
    """
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(PACKAGE, folder / "mapsos", ignore=shutil.ignore_patterns("__pycache__"))
    change_module(folder / "mapsos" / "servers" / "resident" / "client.py", "PATIENCE = 1.0", "PATIENCE = 60.0")
    write_station_rows(folder / "few.gpkg", 20, 20)
    write_station_rows(folder / "many.gpkg", BIG_ROWS, 20)
    return folder


@pytest.fixture
def site(data: Path) -> Iterator[Site]:
    """A site for one test."""
    with make_site(data) as made:
        yield made


@pytest.fixture(scope="module")
def lasting_site(data: Path) -> Iterator[Site]:
    """A site for tests that change nothing, so that they share its workers."""
    with make_site(data) as made:
        yield made


@contextmanager
def make_site(data: Path) -> Iterator[Site]:
    # Not below the test's own folder: what sockets are called must not get too long for the system.
    folder = Path(tempfile.mkdtemp(prefix="mapsos-"))
    (folder / "run").mkdir(mode=0o700)
    for source in data.glob("*.gpkg"):
        shutil.copy(source, folder)
    (folder / "mapsos.conf").write_text('CONFIG ENV MS_MAPFILE "a.map" END MAPS big "big.map" END END')
    program = folder / "mapsos"
    program.write_text(write_program(sys.executable, str(data), {}))
    program.chmod(0o755)
    command = [sys.executable, "-IS", "-X", "importtime", program]
    made = Site(folder, program, str(data / "mapsos"), command, {"HOME": str(folder)})
    made.environ |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    made.environ["MAPSOS_LOG_LEVEL"] = "info"
    made.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    made.environ["MAPSERVER_CONFIG_FILE"] = str(folder / "mapsos.conf")
    made.write_map("a", "Few", "few")
    made.write_map("big", "Many", "many")
    try:
        yield made
    finally:
        end_workers(folder / "run")
        shutil.rmtree(folder)
