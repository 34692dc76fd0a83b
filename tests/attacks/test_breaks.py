"""Answers that break off, by a web server that ends them normally: no reader takes what it gets for complete."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from lxml import etree

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.errors import SourceError
from mapsos.sources.reader import ReadPlan
from mapsos.terms.layer_source import LayerSource, SourceKind
from tests.support.station_rows import write_station_rows
from tests.support.station_service import StationService, write_layer
from tests.support.workers import wait_for

COMMAND = Path(sys.executable).parent / "mapsos"
ROWS = 100_000
PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "rows.gpkg"
    write_station_rows(path, ROWS, 7)
    return path


def list_leaves(data: bytes) -> list[int]:
    """Return where the pages of the table begin."""
    starts = range(0, len(data), PAGE)
    return [start for start in starts if data[start] == 0x0D and b"2020-01-" in data[start : start + PAGE]]


def damage(whole: Path, copy: Path, share: float) -> None:
    """Copy a file, with zeros in a page that is so far in the table."""
    shutil.copy(whole, copy)
    leaves = list_leaves(whole.read_bytes())
    with copy.open("r+b") as file:
        file.seek(leaves[min(int(share * len(leaves)), len(leaves) - 1)])
        file.write(bytes(PAGE))


@pytest.fixture(scope="module")
def damaged(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> StationService:
    """A service of rows of which two thirds can be read."""
    folder = tmp_path_factory.mktemp("damaged")
    damage(whole, folder / "rows.gpkg", 2 / 3)
    source = f'CONNECTIONTYPE OGR CONNECTION "{folder}/rows.gpkg" DATA "rows"'
    extent = {"sos_offering_timeextent": "2020-01-01/2021-01-01", "sos_procedure": "S0"}
    return StationService(folder, write_layer(source, sos_height_alias="height", sos_procedure_item="", **extent))


@pytest.fixture(scope="module", params=["off", "on"], ids=["by itself", "by its worker"])
def worker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """How the program runs: by itself, or by a worker that its first answer has started."""
    runtime = tmp_path_factory.mktemp("runtime")
    yield {"MAPSOS_CGI_WORKER": request.param, "XDG_RUNTIME_DIR": str(runtime)}
    locks = list(runtime.glob("mapsos/*.lock"))
    assert bool(locks) == (request.param == "on")
    for lock in locks:
        os.kill(int(lock.read_text()), signal.SIGTERM)
    wait_for(lambda: not list(runtime.glob("mapsos/*.socket")))


def wait_for_worker(runtime: Path, environ: dict[str, str]) -> None:
    """Start the worker of an environment by a first request, which is answered without it."""
    subprocess.run([COMMAND], env=environ, input=b"", capture_output=True, timeout=120, check=False)
    wait_for(lambda: list(runtime.glob("mapsos/*.socket")))


def run_cgi(service: StationService, query: str, path: str = "", **environ: str) -> tuple[str, bytes]:
    """Return the headers, and what a client gets of an answer that breaks off."""
    variables = {
        "REQUEST_METHOD": "GET", "QUERY_STRING": query, "SCRIPT_NAME": "/sos", "PATH_INFO": path, "SERVER_NAME": "h",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "192.0.2.7", "MS_MAPFILE": str(service.map),
        "MAPSOS_CACHE": "off", "MS_ERRORFILE": "/dev/null", "PATH": os.environ["PATH"], **environ,
    }  # fmt: skip
    runtime = Path(environ["XDG_RUNTIME_DIR"])
    if environ["MAPSOS_CGI_WORKER"] == "on" and not list(runtime.glob("mapsos/*.socket")):
        wait_for_worker(runtime, variables)
    done = subprocess.run([COMMAND], env=variables, input=b"", capture_output=True, timeout=120)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    # What has not begun is a report of the failure.
    assert done.returncode == 1 or b"ExceptionReport" in body, done.stderr
    return head.decode(), body


def observe(form: str, **more: str) -> str:
    usual = {"service": "SOS", "version": "1.0.0", "request": "GetObservation", "offering": "all",
             "observedProperty": "level", "responseFormat": form}  # fmt: skip
    return urlencode(usual | more)


def read_csv(body: bytes) -> object:
    return list(csv.reader(io.StringIO(body.decode(), newline="")))


READERS: dict[str, tuple[str, str, Callable[[bytes], object]]] = {
    "CSV": ("text/csv", "", read_csv),
    "CSV by Arrow": ("text/csv", "", lambda body: pyarrow.csv.read_csv(io.BytesIO(body))),
    "JSON": ("application/json", "", json.loads),
    "GeoJSON": ("application/geo+json", "", json.loads),
    "Arrow": ("application/vnd.apache.arrow.stream", "", lambda body: pa.ipc.open_stream(body).read_all()),
    "Parquet": ("application/vnd.apache.parquet", "", lambda body: pyarrow.parquet.read_table(io.BytesIO(body))),
    "om:Measurement": ('text/xml; subtype="om/1.0.0"', "om:Measurement", etree.fromstring),
    "om:Observation": ('text/xml; subtype="om/1.0.0"', "om:Observation", etree.fromstring),
}


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_a_part_for_the_whole(damaged: StationService, worker: dict[str, str], name: str) -> None:
    form, model, read = READERS[name]
    head, body = run_cgi(damaged, observe(form, **({"resultModel": model} if model else {})), **worker)
    assert form.partition(";")[0] in head or name == "Parquet"
    assert len(body) > 100 or name == "Parquet"
    with pytest.raises((csv.Error, ValueError, pa.ArrowException, etree.XMLSyntaxError)):
        read(body)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_nor_of_the_rest_interface(damaged: StationService, worker: dict[str, str], form: str) -> None:
    query = urlencode({"f": form, "resultRecordCount": str(ROWS)})
    _, body = run_cgi(damaged, query, "/exts/SosSOE/observations/query", **worker)
    assert len(body) > 100_000
    with pytest.raises((csv.Error, ValueError)):
        read_csv(body) if form == "csv" else json.loads(body)


def test_nor_of_a_compressed_answer(damaged: StationService, worker: dict[str, str]) -> None:
    head, body = run_cgi(damaged, observe("text/csv"), HTTP_ACCEPT_ENCODING="gzip", **worker)
    assert "Content-Encoding: gzip" in head
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_nor_where_time_is_over(whole: Path, tmp_path: Path) -> None:
    """A table that a request has no time to finish ends in the same way as one that cannot be read."""
    from mapsos.app import Application
    from mapsos.config.settings import read_settings
    from mapsos.web.messages import Request

    source = f'CONNECTIONTYPE OGR CONNECTION "{whole}" DATA "rows"'
    service = StationService(tmp_path, write_layer(source, sos_height_alias="height"))
    settings = {"MS_MAPFILE": str(service.map), "MAPSOS_CACHE": "off", "MAPSOS_MAX_SECONDS": "2"}
    response = Application(read_settings(settings)).answer(Request("GET", observe("text/csv")))
    chunks = iter(response.body)
    body = bytes(next(chunks))
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        time.sleep(0.1)
    rest: list[bytes] = []
    with pytest.raises(Exception, match="time limit"):
        rest.extend(map(bytes, chunks))
    assert 0 < len(rest) < 3
    with pytest.raises(csv.Error):
        read_csv(body + b"".join(rest))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("columns", [(), ("station", "time")])
def test_a_damaged_page_is_always_noticed(whole: Path, tmp_path: Path, share: float, columns: tuple[str, ...]) -> None:
    """GDAL 3.6 delivers a table without its last batch, and reports no error, where that batch cannot be read."""
    damage(whole, tmp_path / "rows.gpkg", share)
    source = LayerSource("layer", SourceKind.OGR, str(tmp_path / "rows.gpkg"), "rows")
    with pytest.raises(SourceError):
        count_rows(source, columns)


def count_rows(source: LayerSource, columns: tuple[str, ...]) -> int:
    return sum(rows.count for rows in OgrReader(source).rows(ReadPlan(columns, True)))
