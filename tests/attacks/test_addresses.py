"""Clients whose address is not known, or is written in another way: lists of addresses fail closed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.rest import ROOT
from fuzz.victim import observe, read, write_victim
from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.servers import cgi, wsgi_adapter
from mapsos.web.messages import Request

LISTS = {
    "allowed": '"sos_allowed_ip_list" "192.0.2.0/24"',
    "everybody allowed": '"sos_allowed_ip_list" "0.0.0.0/0 ::/0"',
    "denied": '"sos_denied_ip_list" "192.0.2.0/24"',
    "absent file": '"sos_allowed_ip_list" "file:absent.txt"',
}
UNKNOWN: dict[str, tuple[str, dict[str, str]]] = {
    "a Unix socket": ("", {"REMOTE_ADDR": ""}),
    "no variable": ("", {}),
    "a name of a socket": ("", {"REMOTE_ADDR": "unix:"}),
    "a Unix socket that claims to be a proxy": ("", {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}),
    "a trusted socket that says nothing": ("unix", {"REMOTE_ADDR": ""}),
    "a trusted socket and unknown": ("unix", {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "unknown"}),
    "unknown": ("192.0.2.9", {"REMOTE_ADDR": "192.0.2.9", "HTTP_X_FORWARDED_FOR": "unknown"}),
    "a client before unknown": (
        "192.0.2.9",
        {"REMOTE_ADDR": "192.0.2.9", "HTTP_X_FORWARDED_FOR": "192.0.2.1, unknown"},
    ),
    "unknown before a proxy": ("192.0.2.8/30", {"REMOTE_ADDR": "192.0.2.9", "HTTP_X_FORWARDED_FOR": "x, 192.0.2.8"}),
    "hidden": ("192.0.2.9", {"REMOTE_ADDR": "192.0.2.9", "HTTP_FORWARDED": "for=_hidden"}),
    "a hop without a client": (
        "192.0.2.9",
        {"REMOTE_ADDR": "192.0.2.9", "HTTP_FORWARDED": "for=192.0.2.1, proto=http"},
    ),
}
REQUESTS = {
    "capabilities": ("", "service=SOS&request=GetCapabilities", b"<sos:ObservationOffering"),
    "observations": ("", observe("table"), b"ObservationCollection"),
    "REST": (f"{ROOT}/observations/query", "offering=table&f=json", b"numericValue"),
    "pages": (f"{ROOT}", "f=html", b"table"),
}


def open_map(folder: Path, metadata: str, trusted: str, where: str) -> Application:
    """An application whose WEB, or each LAYER, has the lists."""
    web, layer = (metadata, "") if where == "WEB" else ("", metadata)
    path = write_victim(folder, web=web, metadata=layer)
    options = {"MS_MAPFILE": str(path), "MAPSOS_CACHE": "off", "MAPSOS_TRUSTED_PROXIES": trusted}
    return Application(read_settings(options))


def over_wsgi(application: Application, environ: dict[str, str]) -> Request:
    return wsgi_adapter.read_request({"wsgi.input": io.BytesIO(), **environ}, application.settings)


def over_cgi(application: Application, environ: dict[str, str]) -> Request:
    return cgi.read_request({"GATEWAY_INTERFACE": "CGI/1.1", **environ}, io.BytesIO(), application.settings)


def ask(path: str, query: str, more: dict[str, str]) -> dict[str, str]:
    base = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "SCRIPT_NAME": "", "SERVER_NAME": "a", "SERVER_PORT": "80"}
    return base | ({"PATH_INFO": path} if path else {}) | more


@pytest.mark.parametrize("where", ["WEB", "LAYER"])
@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize("listed", LISTS)
def test_a_client_whose_address_is_unknown_is_barred(tmp_path: Path, listed: str, unknown: str, where: str) -> None:
    trusted, environ = UNKNOWN[unknown]
    application = open_map(tmp_path, LISTS[listed], trusted, where)
    for path, query, marker in REQUESTS.values():
        for adapt in (over_wsgi, over_cgi):
            body = read(application.answer(adapt(application, ask(path, query, environ))))
            if marker == b"table":
                # The page has no offering to show.
                assert b"observations/query" not in body
            else:
                assert marker not in body


@pytest.mark.parametrize(
    ("trusted", "environ"),
    [
        ("", {"REMOTE_ADDR": "192.0.2.1"}),
        ("", {"REMOTE_ADDR": "::ffff:192.0.2.1"}),
        ("unix", {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}),
        ("10.0.0.1", {"REMOTE_ADDR": "::ffff:10.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}),
        ("::ffff:10.0.0.0/120", {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "::ffff:192.0.2.1"}),
    ],
)
def test_a_known_address_counts_however_it_is_written(tmp_path: Path, trusted: str, environ: dict[str, str]) -> None:
    for listed, expected in (("allowed", True), ("denied", False)):
        application = open_map(tmp_path, LISTS[listed], trusted, "WEB")
        for adapt in (over_wsgi, over_cgi):
            path, query, marker = REQUESTS["capabilities"]
            body = read(application.answer(adapt(application, ask(path, query, environ))))
            assert (marker in body) is expected, (listed, adapt)


def test_the_command_line_is_not_restricted(tmp_path: Path) -> None:
    path = write_victim(tmp_path, web=LISTS["allowed"] + ' "sos_onlineresource" "https://a.example/"')
    query = REQUESTS["capabilities"][1]
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    alone = {"MS_MAPFILE": str(path), "MAPSOS_CACHE": "off", "MAPSOS_CGI_WORKER": "off"}
    program = [sys.executable, "-m", "mapsos"]
    runs = (
        ([*program, "get", str(path), query], {}),
        ([*program, f"QUERY_STRING={query}"], {"REQUEST_METHOD": "GET"}),
        (program, {"REQUEST_METHOD": "GET", "QUERY_STRING": query}),
    )
    for command, environ in runs:
        found = subprocess.run(command, env=bare | alone | environ, capture_output=True, check=False)
        assert REQUESTS["capabilities"][2] in found.stdout, (command, found)
    served = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "GATEWAY_INTERFACE": "CGI/1.1"}
    found = subprocess.run(program, env=bare | alone | served, capture_output=True, check=False)
    assert REQUESTS["capabilities"][2] not in found.stdout
