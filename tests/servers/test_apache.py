"""Apache runs the installed command by ScriptAlias, as admins have it run mapserv."""

from __future__ import annotations

import http.client
import os
import shutil
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest

from tests.support.apache import run_apache
from tests.support.workers import find_workers, runtime_folder, wait_for

CAPABILITIES = "service=SOS&request=GetCapabilities"


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








def ask(
    port: int, query: str, method: str = "GET", body: bytes | None = None, kind: str = "text/xml", accept: str = "*/*"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, f"/cgi-bin/mapsos{query}", body, {
        "Accept": accept, **({"Content-Type": kind} if body else {})
    })  # fmt: skip
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


def test_a_browser_is_led_to_the_page(port: int) -> None:
    response, text = ask(port, "", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (response.status, response.headers["Vary"]) == (302, "Accept")
    page = urljoin("/cgi-bin/mapsos", response.headers["Location"])
    assert page == "/cgi-bin/mapsos/exts/SosSOE"
    response, text = ask(port, page.removeprefix("/cgi-bin/mapsos"), accept="text/html")
    assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert b"Weather, ocean and river observations" in text


@pytest.mark.parametrize("query", ["?-v", "?--help", "?serve"])
def test_the_query_steers_no_program(port: int, query: str) -> None:
    """Apache hands words without an equals sign on as arguments."""
    response, text = ask(port, query)
    assert response.status == 200
    assert b"mapsos version" not in text
    assert b"Usage" not in text
