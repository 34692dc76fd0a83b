"""Apache runs the installed command by ScriptAlias, as admins have it run mapserv."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.servers import reserve_port

from .workers import find_workers, runtime_folder, wait_for

COMMAND = Path(sys.executable).parent / "mapsos"
EXAMPLES = Path(__file__).parent.parent / "examples"
MODULES = Path("/usr/lib/apache2/modules")
CAPABILITIES = "service=SOS&request=GetCapabilities"
CONFIGURATION = """\
ServerRoot "{folder}"
ServerName sensors.example.org
Listen 127.0.0.1:{port}
PidFile "{folder}/pid"
ErrorLog "{folder}/error.log"
Timeout 600
{identity}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule env_module {modules}/mod_env.so
LoadModule cgi_module {modules}/mod_cgi.so
StartServers 1
SetEnv MAPSERVER_CONFIG_FILE "{conf}"
SetEnv MAPSOS_LOG_LEVEL warning
SetEnv MAPSOS_CGI_WORKER {worker}
SetEnv XDG_RUNTIME_DIR "{runtime}"
ScriptAlias /cgi-bin/mapsos "{command}"
"""


@pytest.fixture(scope="module", params=["off", "on"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running Apache; without and with the resident worker of its CGI programs."""
    with runtime_folder() as runtime:
        if os.geteuid() == 0:
            shutil.chown(runtime, "www-data", "www-data")
        with run_apache(tmp_path_factory.mktemp("apache"), runtime, request.param) as number:
            yield number
        # It does not wait for the worker, which goes on without it.
        if request.param == "on":
            wait_for(lambda: find_workers(runtime), "a worker")
        else:
            assert find_workers(runtime) == []


@contextmanager
def run_apache(
    folder: Path, runtime: Path, worker: str, command: Path = COMMAND, conf: Path = EXAMPLES / "mapsos.conf"
) -> Iterator[int]:
    """The port of an Apache that runs the program by CGI."""
    named = {"conf": conf, "command": command, "runtime": runtime, "worker": worker}
    with start_apache(folder, CONFIGURATION, **named) as number:
        yield number


@contextmanager
def start_apache(folder: Path, configuration: str, **named: str | Path) -> Iterator[int]:
    """The port of an Apache with this configuration, in which names stand for what they are given as.

    ``folder``, ``port``, ``modules`` and ``identity`` (whom it works as) are given here. It is ended with the block,
    and must have said nothing.
    """
    apache = shutil.which("apache2", path=f"{os.environ['PATH']}:/usr/sbin")
    if apache is None:
        pytest.skip("apache2 is not installed here")
    identity = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    with reserve_port() as number:
        (folder / "apache.conf").write_text(
            configuration.format(folder=folder, port=number, modules=MODULES, identity=identity, **named)
        )
        # It ends its whole process group with itself: that must not be ours.
        process = subprocess.Popen(
            [apache, "-f", folder / "apache.conf", "-DFOREGROUND"],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            wait_for_server(number, process)
            yield number
        finally:
            process.terminate()
            _, complaints = process.communicate(timeout=60)
    assert complaints == ""


def wait_for_server(port: int, process: subprocess.Popen[str]) -> None:
    """Come back as soon as somebody listens; the process must not end meanwhile."""

    def listens() -> bool:
        assert process.poll() is None, process.communicate()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, "a server that listens")


def ask(
    port: int, query: str, method: str = "GET", body: bytes | None = None, kind: str = "text/xml"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, f"/cgi-bin/mapsos{query}", body, {"Content-Type": kind} if body else {})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response, text


def test_get(port: int) -> None:
    response, text = ask(port, f"?{CAPABILITIES}")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert text.rstrip().endswith(b"</sos:Capabilities>")


def test_the_online_resource_is_the_address_that_was_asked(port: int) -> None:
    _, text = ask(port, f"?{CAPABILITIES}")
    assert f'xlink:href="http://127.0.0.1:{port}/cgi-bin/mapsos?"'.encode() in text


def test_head(port: int) -> None:
    response, text = ask(port, f"?{CAPABILITIES}", "HEAD")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert text == b""


def test_a_form(port: int) -> None:
    _, text = ask(port, "", "POST", CAPABILITIES.encode(), "application/x-www-form-urlencoded")
    assert b"<sos:Capabilities" in text


def test_an_xml_body(port: int) -> None:
    _, text = ask(port, "", "POST", b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>')
    assert b"<sos:Capabilities" in text


def test_a_redirect(port: int) -> None:
    query = "?service=SOS&version=1.0.0&request=DescribeSensor&procedure=SEA"
    response, _ = ask(port, query + "&outputFormat=text/xml;%20subtype=%22sensorML/1.0.0%22")
    assert response.status == 302
    assert response.headers["Location"] == "https://example.org/sensors/SEA.xml"


@pytest.mark.parametrize("query", ["?-v", "?--help", "?serve"])
def test_the_query_steers_no_program(port: int, query: str) -> None:
    """Apache hands words without an equals sign on as arguments."""
    response, text = ask(port, query)
    assert response.status == 200
    assert b"mapsos version" not in text
    assert b"Usage" not in text
