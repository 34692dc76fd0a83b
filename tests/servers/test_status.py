"""What programs that watch a server see, and what limits do, over real servers: mapsos serve, gunicorn, mod_wsgi."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apache import MODULES, start_apache, wait_for_server
from tests.support.datasets import provide_dataset
from tests.support.maps import MEASUREMENT, MapLayer, write_map
from tests.support.metrics_pages import read_samples
from tests.support.processes import list_workers
from tests.support.servers import escape, reserve_port
from tests.support.workers import wait_for

COMMAND = Path(sys.executable).parent / "mapsos"
EXAMPLES = Path(__file__).parents[2] / "examples"
WEATHER = EXAMPLES / "mapfiles" / "weather.map"
CAPABILITIES = "service=SOS&request=GetCapabilities"
OBSERVATION = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=nile&observedProperty=discharge"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)


class Answer:
    """One answer of a server on a port of this machine."""

    def __init__(self, port: int, path: str, method: str = "GET", **headers: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            self.status, self.headers = response.status, response.headers
            self.body = response.read()
        finally:
            connection.close()


class Served:
    """`mapsos serve` with a log in a file."""

    def __init__(self, port: int, log: Path, process: subprocess.Popen[str]) -> None:
        self.port, self.log, self.process = port, log, process

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return Answer(self.port, path, method, **headers)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@contextlib.contextmanager
def serving(folder: Path, *arguments: str | Path, **environ: str) -> Iterator[Served]:
    log = folder / "requests.log"
    settings = {"MS_ERRORFILE": str(log), "HOME": str(folder), **environ}
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0", *arguments], env=os.environ | settings, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Served(int(process.stdout.readline().rpartition(":")[2]), log, process)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def test_pages_for_watchers_are_off_by_default(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1", WEATHER) as server:
        for path in ("/healthz", "/metrics"):
            assert server.ask(path).status == 404


def test_all_workers_count_together(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "3", "--threads", "1", WEATHER, MAPSOS_METRICS="on") as server:
        sent = 0
        for _ in range(12):
            assert server.ask(f"/weather?{CAPABILITIES}").status == 200
            sent += len(answer := server.ask(f"/weather?{OBSERVATION}").body)
            assert answer.count(b"<om:member>") == 100
        # An answer is counted when it is closed, which is after the client has its end; then it is no more in flight.
        wait_for(lambda: "\nmapsos_requests_in_flight 0.0\n" in server.ask("/metrics").body.decode(), "the count")
        page = server.ask("/metrics")
        assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = read_samples(page.body.decode())
        assert found['mapsos_requests_total{operation="GetObservation",status="200"}'] == 12
        assert found['mapsos_rows_total{operation="GetObservation"}'] == 1200
        assert found['mapsos_response_bytes_total{operation="GetObservation"}'] == sent
        assert found['mapsos_request_seconds_count{operation="GetCapabilities"}'] == 12
        assert found["mapsos_requests_in_flight"] == 0
        assert server.ask("/metrics", "HEAD").body == b""
        assert server.ask("/metrics", "POST").status == 405
        # Watching is not counted, and not logged either.
        assert sum(value for name, value in found.items() if name.startswith("mapsos_requests_total")) == 24
        assert not [line for line in server.lines() if "/metrics" in line]


def test_requests_are_counted_by_what_they_ask_for(tmp_path: Path) -> None:
    rest = "/weather/exts/SosSOE"
    asked = {
        f"/weather?{CAPABILITIES}": ("GetCapabilities", 200),
        "/weather?service=SOS&request=GetAnything": ("other", 200),
        f"{rest}?f=json": ("REST", 200),
        f"{rest}/observations?f=json": ("REST observations", 200),
        f"{rest}/observations/query?f=json&offering=nothing": ("REST observations/query", 400),
        f"{rest}/observations/nile": ("REST offering", 200),
        f"{rest}/procedures/nothing?f=json": ("REST procedure", 404),
        f"{rest}/anything?f=json": ("other", 404),
        "/weather/openapi.json": ("REST openapi", 200),
        "/arcgis/rest/services": ("REST services", 200),
        "/_mapsos/builder/weather": ("page", 200),
        "/_mapsos/anything": ("page", 404),
    }
    wanted = {f'mapsos_requests_total{{operation="{name}",status="{status}"}}' for name, status in asked.values()}
    with serving(tmp_path, "--workers", "1", WEATHER, MAPSOS_METRICS="on") as server:
        assert {path: server.ask(path).status for path in asked} == {path: asked[path][1] for path in asked}
        wait_for(lambda: "\nmapsos_requests_in_flight 0.0\n" in server.ask("/metrics").body.decode(), "the count")
        found = read_samples(server.ask("/metrics").body.decode())
    assert {name for name, value in found.items() if name.startswith("mapsos_requests_total") and value} == wanted


def test_counts_outlive_workers_but_not_the_server(tmp_path: Path, large: Path) -> None:
    counted = 'mapsos_requests_total{operation="GetCapabilities",status="200"}'
    settings = {"MAPSOS_METRICS": "on", "XDG_RUNTIME_DIR": str(tmp_path)}

    def look(server: Served) -> dict[str, float]:
        return read_samples(server.ask("/metrics").body.decode())

    def count(server: Served, number: int) -> None:
        assert server.ask(f"/{large.stem}?{CAPABILITIES}").status == 200
        wait_for(lambda: look(server).get(counted) == number, f"request {number}")

    def replace_workers(server: Served, end: Callable[[int], None], processes: set[int]) -> None:
        before = list_workers(server.process.pid)
        for process in processes or before:
            end(process)
        wait_for(lambda: len(list_workers(server.process.pid) - before) == 2, "the new workers")
        wait_for(lambda: list_workers(server.process.pid).isdisjoint(before), "the end of the old workers")

    with serving(tmp_path, "--workers", "2", "--threads", "2", large, **settings) as server:
        count(server, 1)
        with socket.create_connection(("127.0.0.1", server.port), 60) as client:
            client.sendall(f"GET /{large.stem}?{escape(MEASUREMENT)} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
            wait_for(lambda: look(server)["mapsos_requests_in_flight"] == 1, "the long answer")
            replace_workers(server, lambda process: os.kill(process, signal.SIGKILL), set())
        found = look(server)
        assert (found[counted], found["mapsos_requests_in_flight"]) == (1, 0)
        count(server, 2)
        # A reload has new workers too.
        replace_workers(server, lambda process: os.kill(process, signal.SIGHUP), {server.process.pid})
        count(server, 3)
        assert 1 <= look(server)["mapsos_processes"] <= 2
        (folder,) = (tmp_path / "mapsos").iterdir()
        # Old and new workers overlap in a reload, not before.
        assert len(list(folder.glob("counter_*.db"))) <= 4
    assert list((tmp_path / "mapsos").iterdir()) == []
    with serving(tmp_path, "--workers", "2", large, **settings) as server:
        count(server, 1)
        workers = list_workers(server.process.pid)
        server.process.kill()
        wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), "the end of the workers")
    (left,) = (tmp_path / "mapsos").iterdir()
    with serving(tmp_path, "--workers", "1", large, **settings) as server:
        count(server, 1)
        assert not left.exists()


@pytest.mark.parametrize(("no_version", "told"), [("", True), ("1", True), (None, False)])
def test_the_version_is_told_unless_it_is_not_to_be(tmp_path: Path, no_version: str | None, told: bool) -> None:
    environ = {"MAPSOS_METRICS": "on"} | ({} if no_version is None else {"MS_NO_VERSION": no_version})
    with serving(tmp_path, "--workers", "1", WEATHER, **environ) as server:
        assert (b"mapsos_info" in server.ask("/metrics").body) != told


def test_health_follows_the_map(tmp_path: Path) -> None:
    mapfile = tmp_path / "own.map"
    shutil.copy(EXAMPLES / "mapfiles" / "minimal.map", mapfile)
    with serving(tmp_path, "--workers", "1", mapfile, WEATHER, MAPSOS_HEALTH="on") as server:
        assert (server.ask("/healthz").status, server.ask("/healthz").body) == (200, b"ok\n")
        mapfile.unlink()
        failing = server.ask("/healthz")
        assert failing.status == 503
        assert failing.body == b"1 of 2 maps cannot be read; see the log for the reasons\n"
        shutil.copy(EXAMPLES / "mapfiles" / "minimal.map", mapfile)
        assert server.ask("/healthz").status == 200


def test_a_map_cannot_take_the_place_of_a_page(tmp_path: Path) -> None:
    mapfile = tmp_path / "healthz.map"
    shutil.copy(WEATHER, mapfile)
    command = [COMMAND, "serve", "--port", "0", mapfile]
    done = subprocess.run(
        command, env=os.environ | {"MAPSOS_HEALTH": "on"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "/healthz" in done.stderr


def test_requests_have_ids(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1", WEATHER, MAPSOS_LOG_FORMAT="json") as server:
        stranger = server.ask(f"/weather?{CAPABILITIES}", X_Request_Id="mine").headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{16}", stranger)
        # A request is logged when its answer is closed, which is after the client has its end.
        wait_for(lambda: len(server.lines()) == 1, "a line")
        assert server.ask("/weather?service=SOS&request=GetX%0a%22").headers["X-Request-Id"]
        wait_for(lambda: len(server.lines()) == 3, "three lines")
        lines: list[dict[str, Any]] = [json.loads(line) for line in server.lines()]
        assert lines[0]["id"] == stranger
        assert (lines[0]["map"], lines[0]["operation"], lines[0]["outcome"]) == (
            "/weather",
            "GetCapabilities",
            "complete",
        )
        assert lines[1]["id"] == lines[2]["id"]
        assert 'GetX\n"' in lines[1]["message"]


def test_a_trusted_proxy_names_requests(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1", WEATHER, MAPSOS_TRUSTED_PROXIES="127.0.0.1") as server:
        assert server.ask(f"/weather?{CAPABILITIES}", X_Request_Id="r-17").headers["X-Request-Id"] == "r-17"
        wait_for(lambda: len(server.lines()) == 1, "a line")
        assert server.ask(f"/weather?{CAPABILITIES}", X_Request_Id="r 17").headers["X-Request-Id"] != "r 17"
        wait_for(lambda: len(server.lines()) == 2, "two lines")
        assert server.lines()[0].endswith(" from 127.0.0.1, id r-17")


def test_browsers_are_answered(tmp_path: Path) -> None:
    page = "https://maps.example.org"
    with serving(tmp_path, "--workers", "1", WEATHER, MAPSOS_CORS=page) as server:
        preflight = server.ask("/weather", "OPTIONS", Origin=page, Access_Control_Request_Method="POST")
        assert preflight.status == 204
        assert preflight.body == b""
        assert preflight.headers["Access-Control-Allow-Origin"] == page
        answer = server.ask(f"/weather?{CAPABILITIES}", Origin=page)
        assert answer.headers["Access-Control-Allow-Origin"] == page
        assert answer.headers.get_all("Vary") == ["Accept-Encoding, Origin"]
        assert "Access-Control-Allow-Origin" not in server.ask(f"/weather?{CAPABILITIES}").headers


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map over 300 000 observations: half a gigabyte of answer."""
    folder = tmp_path_factory.mktemp("large")
    provide_dataset("points", 300_000, folder)
    return write_map(MapLayer("points", 300_000), folder)


def test_too_many_rows_are_refused_by_a_server(tmp_path: Path, large: Path) -> None:
    settings = {"MAPSOS_MAX_ROWS": "50000", "MAPSOS_HTTP_STATUS": "on"}
    with serving(tmp_path, "--workers", "1", large, **settings) as server:
        refused = server.ask(f"/{large.stem}?{escape(MEASUREMENT)}")
        assert refused.status == 400
        found = re.search(
            rb"contain 300000 observations; the limit is 50000.*eventTime=(\S+), which", refused.body
        )
        assert found
        fits = server.ask(f"/{large.stem}?{escape(MEASUREMENT)}&eventTime={found[1].decode()}")
        assert fits.status == 200
        assert 49_800 < fits.body.count(b"<om:member>") <= 50_000


def test_a_client_that_does_not_read_is_cut_off(tmp_path: Path, large: Path) -> None:
    with serving(tmp_path, "--workers", "1", "--threads", "1", large, MAPSOS_MAX_SECONDS="8") as server:
        # The first request of a process pays for what it imports.
        small = f"/{large.stem}?{escape(MEASUREMENT)}&eventTime=1990"
        wait_for(lambda: b"<om:ObservationCollection" in server.ask(small).body, "an answer in time")
        with socket.create_connection(("127.0.0.1", server.port), 60) as client:
            client.sendall(f"GET /{large.stem}?{escape(MEASUREMENT)} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            begun = client.recv(1000)
            assert begun.startswith(b"HTTP/1.1 200 ")
            # Any other line may be that of the small request, which is written after its client has its end.
            ends = ("ms unfinished", "ms broken")
            wait_for(lambda: any(end in line for line in server.lines() for end in ends), "the end of the request")
            rest = b""
            with contextlib.suppress(ConnectionError):
                while piece := client.recv(1 << 20):
                    rest = (rest + piece)[-100:]
            # Neither the document nor the chunks of HTTP come to an end.
            assert b"</om:ObservationCollection>" not in rest
            assert not rest.endswith(b"0\r\n\r\n")
        # The only thread is free again.
        assert server.ask(f"/{large.stem}?{CAPABILITIES}").status == 200


def test_too_little_time_is_an_exception(tmp_path: Path, large: Path) -> None:
    settings = {"MAPSOS_MAX_SECONDS": "0.000001", "MAPSOS_HTTP_STATUS": "on"}
    with serving(tmp_path, "--workers", "1", large, **settings) as server:
        late = server.ask(f"/{large.stem}?{escape(MEASUREMENT)}")
        assert late.status == 503
        assert b'exceptionCode="NoApplicableCode"' in late.body


def check_count(port: int, path: str = "") -> None:
    """Whichever processes have answered: the page of any of them has all requests, and the maps are well."""
    for _ in range(10):
        assert Answer(port, f"{path}/?{CAPABILITIES}").status == 200
    wanted = 'mapsos_requests_total{operation="GetCapabilities",status="200"}'
    wait_for(lambda: read_samples(Answer(port, f"{path}/metrics").body.decode()).get(wanted) == 10, "the count")
    assert Answer(port, f"{path}/healthz").body == b"ok\n"


def test_processes_of_gunicorn_count_together(tmp_path: Path) -> None:
    (tmp_path / "mapsos").mkdir(0o700)
    settings = {
        "MAPSERVER_CONFIG_FILE": str(EXAMPLES / "mapsos.conf"),
        "MS_ERRORFILE": "/dev/null",
        "MAPSOS_METRICS": "on",
        "MAPSOS_HEALTH": "on",
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    command = [COMMAND.with_name("gunicorn"), "--workers", "2", "--no-control-socket", "--log-level", "error"]
    with reserve_port() as port:
        process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}", "mapsos.wsgi:application"],
            env=os.environ | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_for_server(port, process)
            check_count(port)
        finally:
            process.terminate()
            process.communicate(timeout=60)


MOD_WSGI = """\
ServerRoot "{folder}"
ServerName sensors.example.org
Listen 127.0.0.1:{port}
PidFile "{folder}/pid"
ErrorLog "{folder}/error.log"
Timeout 600
{identity}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
WSGISocketPrefix "{folder}/wsgi"
WSGIDaemonProcess mapsos processes=2 threads=2 python-home="{home}" python-path="{root}"
WSGIScriptAlias /sos "{folder}/mapsos.wsgi" process-group=mapsos application-group=%{{GLOBAL}}
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that Apache's user can get to, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="mapsos-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_processes_of_mod_wsgi_count_together(open_folder: Path) -> None:
    if not (MODULES / "mod_wsgi.so").exists():
        pytest.skip("mod_wsgi is not installed here")
    folder = open_folder
    runtime = folder / "run"
    runtime.mkdir(0o700)
    if os.geteuid() == 0:
        shutil.chown(runtime, "www-data", "www-data")
    settings = {
        "MAPSERVER_CONFIG_FILE": str(EXAMPLES / "mapsos.conf"),
        "MAPSOS_METRICS": "on",
        "MAPSOS_HEALTH": "on",
        "MAPSOS_CACHE": "off",
        "XDG_RUNTIME_DIR": str(runtime),
    }
    lines = [f"os.environ[{name!r}] = {value!r}" for name, value in settings.items()]
    program = "\n".join(["import os", *lines, "from mapsos.wsgi import application", ""])
    (folder / "mapsos.wsgi").write_text(program)
    with start_apache(folder, MOD_WSGI, home=sys.prefix, root=EXAMPLES.parent) as port:
        check_count(port, "/sos")
