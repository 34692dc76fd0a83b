"""With the worker and without it: the same bytes, exit code and log."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support.workers import wait_for

from .conftest import CAPABILITIES, OBSERVATIONS, Answer, Site

FORM = {"REQUEST_METHOD": "POST", "QUERY_STRING": "", "CONTENT_TYPE": "application/x-www-form-urlencoded"}
XML = {"REQUEST_METHOD": "POST", "QUERY_STRING": "", "CONTENT_TYPE": "text/xml"}
SENSOR = OBSERVATIONS.replace("GetObservation", "DescribeSensor").replace("om/1.0.0", "sensorML/1.0.0")
PROXIED = {"HTTP_X_FORWARDED_HOST": "public.example", "REMOTE_ADDR": "192.0.2.1"}
DOCUMENT = b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'

REQUESTS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "capabilities": (CAPABILITIES, b"", {}),
    "observations": (OBSERVATIONS, b"", {}),
    "many": ("map=big&" + OBSERVATIONS, b"", {}),
    "redirect": (SENSOR + "&procedure=S1", b"", {}),
    "exception": ("service=SOS&request=Nonsense", b"", {}),
    "exception-with-status": ("service=SOS&request=Nonsense", b"", {"MAPSOS_HTTP_STATUS": "on"}),
    "no-such-map": ("map=/etc/passwd&" + CAPABILITIES, b"", {}),
    "empty-query": ("", b"", {}),
    "not-ascii": ("service=SOS&request=%ff\udcff", b"", {"HTTP_COOKIE": "\udcfc=ü"}),
    "head": (CAPABILITIES, b"", {"REQUEST_METHOD": "HEAD"}),
    "map-by-name": ("map=big&" + CAPABILITIES, b"", {}),
    "options": (CAPABILITIES, b"", {"REQUEST_METHOD": "OPTIONS"}),
    "small-letters": (CAPABILITIES, b"", {"REQUEST_METHOD": "get"}),
    "strange-proxy": (CAPABILITIES, b"", PROXIED),
    "trusted-proxy": (CAPABILITIES, b"", {**PROXIED, "MAPSOS_TRUSTED_PROXIES": "192.0.2.0/24"}),
    "no-log-file": (CAPABILITIES, b"", {"MS_ERRORFILE": "/nowhere/log"}),
    "put": (CAPABILITIES, b"", {"REQUEST_METHOD": "PUT"}),
    "form": ("", CAPABILITIES.encode(), {**FORM, "CONTENT_LENGTH": str(len(CAPABILITIES))}),
    "form-without-length": ("", CAPABILITIES.encode(), FORM),
    "short-body": ("", b"service=", {**FORM, "CONTENT_LENGTH": "4711"}),
    "document": ("", DOCUMENT, {**XML, "CONTENT_LENGTH": str(len(DOCUMENT))}),
    "long-document": ("", DOCUMENT + b" " * 3_000_000, XML),
    "too-long": ("", DOCUMENT + b" " * 300, {**XML, "MAPSOS_MAX_BODY": "200"}),
    "too-long-announced": ("", DOCUMENT, {**XML, "CONTENT_LENGTH": "999999999"}),
    "body-of-a-get": (CAPABILITIES, b"nobody asked" * 100, {}),
    "no-configuration": (CAPABILITIES, b"", {"MAPSERVER_CONFIG_FILE": "/nowhere/mapsos.conf"}),
    "wrong-option": (CAPABILITIES, b"", {"MAPSOS_MAX_BODY": "many"}),
}


def comparable(answer: Answer) -> tuple[int, bytes, str]:
    """What must be the same: all but times, and what names a request."""
    log = re.sub(r"(?m)^[-0-9]+ [0-9:,]+ ", "", answer.log)
    log = re.sub(r"\bid [0-9a-f]{16}\b", "id", re.sub(r" \d+ ms", " ms", log))
    return answer.code, re.sub(rb"(?m)^X-Request-Id: [0-9a-f]{16}\r?\n", b"", answer.out), log


UNSET = ("no-configuration", "wrong-option")
"""Without settings nothing is started: each process says so by itself."""


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_answer(lasting_site: Site, name: str) -> None:
    query, body, environ = REQUESTS[name]
    expected = lasting_site.ask(query, body, MAPSOS_CGI_WORKER="off", **environ)
    assert expected.alone
    assert expected.out
    if name not in UNSET:
        lasting_site.warm(**{key: value for key, value in environ.items() if key.startswith(("MAPSOS_", "MS_"))})
    answer = lasting_site.ask(query, body, **environ)
    assert answer.alone == (name in UNSET)
    assert comparable(answer) == comparable(expected)


def test_nothing_is_started_where_it_is_off(site: Site) -> None:
    assert site.ask(CAPABILITIES, MAPSOS_CGI_WORKER="off").alone
    (site.folder / "mapsos.conf").write_text('CONFIG ENV MS_MAPFILE "a.map" MAPSOS_CGI_WORKER "off" END END')
    assert site.ask(CAPABILITIES).alone
    assert not site.sockets.exists()


def test_the_installed_command_hands_over_too(site: Site) -> None:
    site.command = [sys.executable, "-X", "importtime", "-m", "mapsos"]
    first = site.ask(CAPABILITIES)
    assert first.alone
    wait_for(lambda: not site.ask(CAPABILITIES).alone, "an answer of the worker")
    assert comparable(site.ask(CAPABILITIES)) == comparable(first)


def test_before_it_is_handed_over_next_to_nothing_is_imported(site: Site) -> None:
    """Each module is paid for by every request."""
    site.warm()
    process = site.start(CAPABILITIES)
    out, errors = process.communicate(timeout=60)
    imported = {line.rpartition("|")[2].strip() for line in errors.decode().splitlines() if "import time:" in line}
    ours = {name for name in imported if name.startswith("mapsos")}
    assert out.startswith(b"Content-Type")
    assert ours == {
        "mapsos",
        "mapsos.__main__",
        "mapsos.files",
        "mapsos.files.private_folder",
        "mapsos.servers",
        "mapsos.servers.resident",
        "mapsos.servers.resident.client",
        "mapsos.servers.resident.worker_name",
        "mapsos.servers.resident.wire",
    }
    assert not imported & {"site", "socket", "struct", "re", "typing", "dataclasses", "logging", "argparse", "json"}
