"""The interface behind real ways in: `mapsos serve` and the CGI program, with ids of any characters in paths."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.apache import COMMAND as APACHE_COMMAND
from tests.support.apache import CONFIGURATION, start_apache
from tests.support.serve_command import COMMAND, Server, serving

from .sources import METADATA, STATIONS, write_map, write_source


@pytest.fixture(scope="module")
def mapfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("servers")
    return write_map(folder / "all.map", write_source(folder, "GeoPackage", None), metadata=METADATA)


@pytest.fixture(scope="module")
def server(mapfile: Path) -> Iterator[Server]:
    with serving(mapfile, lines=2) as running:
        yield running


@pytest.mark.parametrize("id", STATIONS)
@pytest.mark.parametrize("safe", ["", "/:"])
@pytest.mark.parametrize("root", ["/all", "", "/arcgis/rest/services/all/MapServer"])
def test_ids_in_paths_of_a_server(server: Server, root: str, id: str, safe: str) -> None:
    status, body = server.ask(f"{root}/exts/SosSOE/procedures/{quote(id, safe=safe)}?f=json")
    assert status == 200, body
    assert json.loads(body)["id"] == id


def test_ids_in_queries_and_forms(server: Server) -> None:
    for id in STATIONS:
        query = f"f=json&feature={quote(id, safe='')}"
        status, body = server.ask(f"/all/exts/SosSOE/features/query?{query}")
        assert (status, [feature["id"] for feature in json.loads(body)["features"]]) == (200, [id])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.ask("/all/exts/SosSOE/features/query", "POST", query.encode(), **form) == (200, body)


PROXY = """\
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
ProxyPass /sos http://127.0.0.1:{backend}{keyword}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Apache's own user may read."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextmanager
def apache(folder: Path, directives: str, **named: str | Path) -> Iterator[int]:
    known = {"conf": "", "command": APACHE_COMMAND, "runtime": folder, "worker": "off", **named}
    with start_apache(folder, CONFIGURATION + directives, **known) as port:
        yield port


def ask_apache(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


@pytest.mark.parametrize("slashes", ["On", "Off"])
def test_ids_in_paths_of_a_program_of_apache(folder: Path, slashes: str) -> None:
    mapfile = write_map(folder / "all.map", write_source(folder, "GeoPackage", None), metadata=METADATA)
    conf = folder / "mapsos.conf"
    conf.write_text(f'CONFIG\nENV\nMS_MAPFILE "{mapfile}"\nMS_MAP_PATTERN "."\nMAPSOS_CACHE "off"\nEND\nEND\n')
    with apache(folder, f"AllowEncodedSlashes {slashes}\n", conf=conf) as port:
        for id in STATIONS:
            status, body = ask_apache(port, f"/cgi-bin/mapsos/exts/SosSOE/procedures/{quote(id, safe='')}?f=json")
            if slashes == "Off" and "/" in id:
                assert (status, body[:1]) == (404, b"<")
            else:
                assert (status, json.loads(body).get("id")) == (200, id), body


@pytest.mark.parametrize(("slashes", "keyword"), [("NoDecode", " nocanon"), ("Off", "")])
def test_ids_in_paths_through_a_proxy(server: Server, folder: Path, slashes: str, keyword: str) -> None:
    directives = f"AllowEncodedSlashes {slashes}\n{PROXY}"
    with apache(folder, directives, backend=str(server.port), keyword=keyword) as port:
        for id in STATIONS:
            status, body = ask_apache(port, f"/sos/all/exts/SosSOE/procedures/{quote(id, safe='')}?f=json")
            if slashes == "Off" and "/" in id:
                assert (status, body[:1]) == (404, b"<")
            else:
                assert (status, json.loads(body).get("id")) == (200, id), body


def ask_cgi(mapfile: Path, path: str, query: str, **environ: str) -> tuple[str, bytes]:
    """Header block and body of the CGI program; the path is decoded, as servers hand it over."""
    variables = {
        "PATH": os.environ["PATH"],
        "MAPSOS_CGI_WORKER": "off",
        "MAPSOS_CACHE": "off",
        "MS_MAPFILE": str(mapfile),
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/cgi-bin/mapsos",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        **environ,
    }
    done = subprocess.run([COMMAND], env=variables, capture_output=True, timeout=120, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return head.decode(), body


def test_the_program_answers_by_its_path(mapfile: Path) -> None:
    id = list(STATIONS)[2]
    head, body = ask_cgi(mapfile, f"/exts/SosSOE/procedures/{id}", "f=json")
    assert "application/json" in head
    assert json.loads(body)["id"] == id
    _, body = ask_cgi(mapfile, "/exts/SosSOE/observations/query", "f=json&procedure=A")
    assert len(json.loads(body)["observationData"]) == 12
    head, body = ask_cgi(mapfile, "/exts/SosSOE/none", "f=json")
    assert "Status: 404" in head
    assert json.loads(body)["error"]["code"] == 404
