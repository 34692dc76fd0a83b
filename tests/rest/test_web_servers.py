"""The interface and its pages behind web servers: Apache's mod_wsgi, and nginx and Apache before `mapsos serve`."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from lxml import html

from tests.support.apache import CONFIGURATION, start_apache, wait_for_server
from tests.support.serve_command import serving
from tests.support.servers import reserve_port

from .sources import METADATA, STATIONS, write_map, write_source

ARCGIS = "/arcgis/rest/services/all/MapServer"
ROOT = Path(__file__).resolve().parents[2]
MOD_WSGI = """\
LoadModule wsgi_module {modules}/mod_wsgi.so
WSGISocketPrefix "{folder}/wsgi"
WSGIDaemonProcess mapsos python-home="{prefix}" python-path="{root}" processes=1 threads=4 lang=C.UTF-8
WSGIScriptAlias "/sensors" "{folder}/mapsos.wsgi" process-group=mapsos application-group=%{{GLOBAL}}
<Directory "{folder}">
    Require all granted
</Directory>
SetEnv MAPSERVER_CONFIG_FILE "{conf}"
AllowEncodedSlashes {slashes}
"""
APACHE_PROXY = """\
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule headers_module {modules}/mod_headers.so
AllowEncodedSlashes NoDecode
ProxyPass "/sensors/" "http://127.0.0.1:{backend}/" nocanon
<Location "/sensors/">
    ProxyPreserveHost On
    ProxyAddHeaders Off
    RequestHeader set X-Forwarded-Prefix "/sensors"
</Location>
"""
NGINX = """\
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    merge_slashes {merge};
    location /sensors/ {{
      proxy_pass http://127.0.0.1:{backend}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Prefix /sensors;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Site:
    """A web server, by its port; ``root`` is where the application is."""

    port: int
    root: str = "/sensors"

    def ask(self, path: str, form: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request("GET" if form is None else "POST", path, form, headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body


@contextmanager
def make_folder() -> Iterator[Path]:
    """A folder with data, a map and a configuration file that the web server's own user may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        mapfile = write_map(folder / "all.map", write_source(folder, "GeoPackage", None), metadata=METADATA)
        (folder / "mapsos.wsgi").write_text("from mapsos.wsgi import application  # noqa: F401\n")
        (folder / "mapsos.conf").write_text(
            f'CONFIG\nENV\nMS_MAP_NO_PATH "1"\nMAPSOS_CACHE "off"\nEND\nMAPS\nALL "{mapfile}"\nEND\nEND\n'
        )
        yield folder


@contextmanager
def start_mod_wsgi(slashes: str) -> Iterator[Site]:
    if not Path("/usr/lib/apache2/modules/mod_wsgi.so").exists():
        pytest.skip("mod_wsgi is not installed here")
    with make_folder() as folder:
        named = {"conf": folder / "mapsos.conf", "command": "", "runtime": folder, "worker": "off"}
        apache = CONFIGURATION.replace('ScriptAlias /cgi-bin/mapsos "{command}"\n', "") + MOD_WSGI
        with start_apache(folder, apache, **named, prefix=sys.prefix, root=ROOT, slashes=slashes) as port:
            yield Site(port)


@contextmanager
def start_apache_proxy() -> Iterator[Site]:
    with make_folder() as folder, serving(folder / "all.map", lines=2, MAPSOS_TRUSTED_PROXIES="127.0.0.1") as server:
        named = {"conf": "", "command": "/bin/false", "runtime": folder, "worker": "off"}
        with start_apache(folder, CONFIGURATION + APACHE_PROXY, **named, backend=str(server.port)) as port:
            yield Site(port)


@contextmanager
def start_nginx(merge: str = "off") -> Iterator[Site]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed here")
    with (
        make_folder() as folder,
        serving(folder / "all.map", lines=2, MAPSOS_TRUSTED_PROXIES="127.0.0.1") as server,
        reserve_port() as port,
    ):
        user = "user www-data;" if os.geteuid() == 0 else ""
        configuration = folder / "nginx.conf"
        configuration.write_text(
            NGINX.format(folder=folder, port=port, backend=server.port, merge=merge, user=user), "utf-8"
        )
        process = subprocess.Popen([program, "-c", configuration], stderr=subprocess.PIPE, text=True)
        try:
            wait_for_server(port, process)
            yield Site(port)
        finally:
            process.terminate()
            process.communicate(timeout=60)


SITES = {
    "mod_wsgi, slashes on": lambda: start_mod_wsgi("On"),
    "mod_wsgi, slashes as they are": lambda: start_mod_wsgi("NoDecode"),
    "Apache before serve": start_apache_proxy,
    "nginx before serve": start_nginx,
}


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with SITES[request.param]() as started:
        yield started


@pytest.mark.parametrize("service", ["/all", ARCGIS])
@pytest.mark.parametrize("safe", ["", "/:"], ids=["encoded slashes", "slashes"])
def test_ids_of_any_characters(site: Site, service: str, safe: str) -> None:
    for id in STATIONS:
        base = f"{site.root}{service}/exts/SosSOE"
        status, body = site.ask(f"{base}/procedures/{quote(id, safe=safe)}?f=json")
        assert (status, json.loads(body).get("id")) == (200, id), body
        query = f"f=json&feature={quote(id, safe='')}"
        status, body = site.ask(f"{base}/features/query?{query}")
        assert (status, [one["id"] for one in json.loads(body)["features"]]) == (200, [id])
        assert site.ask(f"{base}/features/query", query) == (200, body)


@pytest.mark.parametrize("service", ["/all", ARCGIS])
def test_links_of_pages_lead_to_pages(site: Site, service: str) -> None:
    base = f"{site.root}{service}/exts/SosSOE"
    paths = [base, f"{base}/procedures", f"{base}/observations/query?resultRecordCount=2"]
    paths += [f"{base}/procedures/{quote(id, safe='')}" for id in STATIONS]
    checked: set[str] = set()
    for path in paths:
        status, body = site.ask(path)
        assert status == 200, body
        page = html.fromstring(body)
        links = set(page.xpath("//a/@href | //link/@href | //script/@src"))
        assert any(unquote(link) == unquote(base) for link in links)
        for link in sorted(links - checked):
            if urlsplit(link).netloc or link.startswith("#"):
                continue
            checked.add(link)
            assert link.startswith((f"{site.root}/", f"{site.root}?")), (path, link)
            if "openapi" in link or "/procedures" in link or "/_mapsos/" in link or link == base:
                assert site.ask(link.partition("#")[0])[0] == 200, (path, link)
    assert len(checked) > 10


def test_the_server_of_the_description_is_the_one_that_was_asked(site: Site) -> None:
    status, body = site.ask(f"{site.root}/all/openapi.json")
    (server,) = json.loads(body)["servers"]
    assert (status, server["url"]) == (200, f"{site.root}/all/exts")
    assert site.ask(f"{server['url']}/SosSOE/observations?f=json")[0] == 200


def test_apache_refuses_encoded_slashes_unless_it_is_told_otherwise() -> None:
    with start_mod_wsgi("Off") as site:
        for id in STATIONS:
            status, _ = site.ask(f"{site.root}/all/exts/SosSOE/procedures/{quote(id, safe='')}?f=json")
            assert status == (404 if "/" in id else 200)


def test_nginx_makes_one_slash_of_two_unless_it_is_told_otherwise() -> None:
    with start_nginx("on") as site:
        for id in STATIONS:
            status, _ = site.ask(f"{site.root}/all/exts/SosSOE/procedures/{quote(id, safe='')}?f=json")
            assert status == (404 if "//" in id else 200)
