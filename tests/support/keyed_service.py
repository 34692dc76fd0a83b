"""Maps of two layers, of which one may need a key, and one question for every interface and adapter."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

import pytest

from mapsos.access import gate as gates
from mapsos.access.keys import Key
from mapsos.access.log_store import LogEntry, read_entries
from mapsos.access.store import KeyStore, open_store
from mapsos.config.settings import Settings
from mapsos.servers import wsgi_adapter
from mapsos.servers.asynchronous.adapter import AsgiAdapter, read_bounds
from mapsos.terms.times import current_time
from tests.support.asgi_client import AsgiClient, make_scope
from tests.support.station_service import name_source, write_layer, write_rows

COMMAND = Path(sys.executable).parent / "mapsos"
ADDRESS = "192.0.2.7"
SOS = "http://www.opengis.net/sos/1.0"
_OBSERVATION = (
    f'<GetObservation xmlns="{SOS}" service="SOS" version="1.0.0"><offering>open</offering>'
    "<observedProperty>level</observedProperty><responseFormat>text/csv</responseFormat></GetObservation>"
)


@dataclass(frozen=True)
class Question:
    """One request for a map: the path below the program, the query, and the body of a POST."""

    query: str = ""
    path: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = ""

    @property
    def verb(self) -> str:
        return self.method or ("POST" if self.body else "GET")


@dataclass(frozen=True)
class Reply:
    """An answer as a client sees it."""

    status: int
    headers: Mapping[str, str]
    text: str


KVP = "service=SOS&version=1.0.0&request="
OBSERVE = f"{KVP}GetObservation&offering=open&observedProperty=level&responseFormat=text/csv"
CAPABILITIES = "service=SOS&request=GetCapabilities"
INTERFACES = {
    "capabilities": Question(CAPABILITIES),
    "observations": Question(OBSERVE),
    "sensor": Question(f"{KVP}DescribeSensor&procedure=A&outputFormat=text/xml;subtype=%22sensorML/1.0.0%22"),
    "features": Question(f"{KVP}GetFeatureOfInterest&featureOfInterestId=A"),
    "availability": Question(f"{KVP}GetDataAvailability"),
    "schema": Question("service=WFS&version=1.1.0&request=DescribeFeatureType&typename=open"),
    "form": Question("", body=CAPABILITIES, headers={"CONTENT_TYPE": "application/x-www-form-urlencoded"}),
    "xml": Question("", body=_OBSERVATION, headers={"CONTENT_TYPE": "text/xml"}),
    "soap": Question(
        "",
        body='<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        f"{_OBSERVATION}</e:Body></e:Envelope>",
        headers={"CONTENT_TYPE": "application/soap+xml"},
    ),
    "rest": Question("f=json", "/exts/SosSOE/observations/query"),
    "rest root": Question("f=json", "/exts/SosSOE"),
    "openapi": Question("", "/openapi.json"),
    "page": Question("f=html", "/exts/SosSOE/observations"),
    "builder": Question("", "/_mapsos/builder"),
}
"""A question for each interface and operation, answered by 200 where no key is needed or a right one is there."""


def write_service(folder: Path, web: str = "", open_layer: str = "", closed_layer: str = "") -> Path:
    """Write a map with the layers ``open`` and ``closed``; a text is the level that sos_require_key states."""
    rows = folder / "rows.gpkg"
    if not rows.exists():
        write_rows(rows, "GPKG", [("A", "2020-01-01T00:00:00Z", 1.5), ("B", "2020-01-02T00:00:00Z", 2.5)])
        write_rows(folder / "secret.gpkg", "GPKG", [("SECRET", "2021-01-01T00:00:00Z", 99.5)])
    layers = write_layer(name_source(rows), "open", sos_offering_id="open", sos_require_key=open_layer,
                         sos_describesensor="generate")  # fmt: skip
    layers += write_layer(
        name_source(folder / "secret.gpkg"), "closed", sos_offering_id="closed", sos_require_key=closed_layer,
        sos_describesensor="generate", sos_observedproperty_id="level",
    )  # fmt: skip
    keys = (
        '"sos_title" "T" "sos_enable_request" "*" "sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326" '
        '"sos_conformance" "mapserver strict" ' + (f'"sos_require_key" "{web}"' if web else "")
    )
    path = folder / "service.map"
    path.write_text(f'MAP NAME "m" PROJECTION "init=epsg:4326" END WEB METADATA {keys} END END {layers} END\n')
    return path


def make_keys(folder: Path) -> dict[str, str]:
    """Make a store ``keys/keys.db`` with a key of each kind, and return their digits by name."""
    place = folder / "keys"
    place.mkdir(mode=0o700, exist_ok=True)
    store = open_store(str(place / "keys.db"))
    store.create()
    digits = {
        "right": store.add(Key("right", "")),
        "full": store.add(Key("full", "", per_day=1)),
        "disabled": store.add(Key("disabled", "", active=False)),
        "expired": store.add(Key("expired", "", expires=1)),
        "elsewhere": store.add(Key("elsewhere", "", maps=("/another.map",))),
        "admin": store.add(Key("admin", "", may_write=True, may_admin=True)),
        "wrong": "0123456789" * 4,
    }
    assert store.count("full", 1, current_time())
    store.database.close()
    return digits


def set_environment(folder: Path, **options: str) -> dict[str, str]:
    """The settings of a server of the map in a folder, and an environment of its own."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE")},
        "MS_MAPFILE": str(folder / "service.map"),
        "MAPSOS_KEYS": str(folder / "keys" / "keys.db"),
        "MAPSOS_CACHE": str(folder / "cache"),
        "MS_ERRORFILE": str(folder / "log"),
        "MS_DEBUGLEVEL": "5",
        "XDG_RUNTIME_DIR": str(runtime),
        "TMPDIR": str(folder / "temporary"),
        "MAPSOS_CGI_WORKER": "off",
        **options,
    }


def _describe(question: Question) -> dict[str, str]:
    environ = {
        "REQUEST_METHOD": question.verb,
        "SCRIPT_NAME": "/sos",
        "PATH_INFO": question.path,
        "QUERY_STRING": question.query,
        "REQUEST_URI": f"/sos{question.path}?{question.query}",
        "REMOTE_ADDR": ADDRESS,
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        **question.headers,
    }
    if question.body:
        environ["CONTENT_LENGTH"] = str(len(question.body))
    return environ


def ask_cgi(environ: Mapping[str, str], question: Question) -> Reply:
    """Ask by a CGI process."""
    done = subprocess.run(
        [COMMAND], env={**environ, **_describe(question)}, input=question.body.encode(), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
    status = int(headers.pop("Status", "200 OK").split()[0])
    return Reply(status, headers, body.decode("utf-8", "replace"))


def ask_wsgi(environ: Mapping[str, str], question: Question) -> Reply:
    """Ask the WSGI application of this process, whose environment has the settings."""
    given: dict[str, Any] = {**_describe(question), "wsgi.input": io.BytesIO(question.body.encode())}
    setup_testing_defaults(given)
    seen: list[Any] = []
    body = wsgi_adapter.application(given, lambda status, headers, *more: seen.extend([status, headers]))  # type: ignore
    try:
        text = b"".join(body).decode("utf-8", "replace")
    finally:
        body.close()  # type: ignore[attr-defined]
    return Reply(int(seen[0].split()[0]), dict(seen[1]), text)


def ask_asgi(environ: Mapping[str, str], question: Question) -> Reply:
    """Ask the ASGI application of this process, whose environment has the settings."""
    headers = {name.removeprefix("HTTP_"): value for name, value in question.headers.items()}
    if question.body:
        headers["CONTENT_LENGTH"] = str(len(question.body))
    scope = make_scope(f"/sos{question.path}", question.query, question.verb, **headers)
    scope |= {"root_path": "/sos", "client": (ADDRESS, 5)}
    scope["raw_path"] = quote(scope["path"]).encode()
    client = AsgiClient(question.body.encode())

    async def run() -> None:
        adapter = AsgiAdapter(wsgi_adapter.application, read_bounds(Settings()))
        await adapter(scope, client.receive, client.send)  # type: ignore[arg-type]

    asyncio.run(run())
    names = {"etag": "ETag", "www-authenticate": "WWW-Authenticate"}
    found = {names.get(name, name.title()): value for name, value in client.headers}
    return Reply(client.status, found, client.body.decode("utf-8", "replace"))


Ask = Callable[[Mapping[str, str], Question], Reply]
ADAPTERS: dict[str, Ask] = {"cgi": ask_cgi, "wsgi": ask_wsgi, "asgi": ask_asgi}


NEEDED = "api-key is needed"


class Server:
    """A map in a folder, with keys, whose settings are those of this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        (folder / "temporary").mkdir(exist_ok=True)
        self.keys = make_keys(folder)
        self.environ: dict[str, str] = {}
        self.configure()

    def configure(self, **options: str) -> None:
        self.close()
        self.environ = set_environment(self.folder, **options)
        for name in ("MAPSOS_KEYS_OPEN_CAPABILITIES", "MAPSOS_CORS", "MAPSOS_HTTP_STATUS"):
            self._monkeypatch.delenv(name, raising=False)
        for name, value in self.environ.items():
            if name.startswith(("MS_", "MAPSOS_")):
                self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(wsgi_adapter, "_applications", {})

    def ask(self, question: Question | str, key: str = "", ask: Ask = ask_wsgi, **headers: str) -> Reply:
        """Ask with the key of a name in X-Api-Key."""
        asked = Question(question) if isinstance(question, str) else question
        if key:
            headers["HTTP_X_API_KEY"] = self.keys[key]
        return ask(self.environ, replace(asked, headers={**asked.headers, **headers}))

    def close(self) -> None:
        """Close the store that the application uses."""
        if self.environ.get("MAPSOS_KEYS", "off") != "off":
            store, log = gates._share_store(self.environ["MAPSOS_KEYS"], 90)
            # What waits would be written later, with a new connection.
            log.flush()
            store.database.close()

    @property
    def store(self) -> KeyStore:
        return open_store(self.environ["MAPSOS_KEYS"])

    def read_log(self) -> list[LogEntry]:
        gates._share_store(self.environ["MAPSOS_KEYS"], 90)[1].flush()
        store = self.store
        try:
            return list(read_entries(store.database))
        finally:
            store.database.close()

    def count(self, name: str) -> int:
        store = self.store
        try:
            return store.count_days(gates.current_time(), name)[name][-1]
        finally:
            store.database.close()


def read_text(question: Question, reply: Reply) -> str:
    """The text of a rejection in the form of its interface."""
    if reply.headers["Content-Type"].startswith("application/json"):
        error = json.loads(reply.text)["error"]
        assert error["code"] == reply.status
        return str(error["message"])
    if question.path:
        assert reply.headers["Content-Type"].startswith("text/html")
        return reply.text.partition('<p class="error">')[2] or reply.text[reply.text.index("<h1") :]
    assert 'exceptionCode="NoApplicableCode" locator="api-key"' in reply.text
    return reply.text.partition("<ows:ExceptionText>")[2]
