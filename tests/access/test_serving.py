"""Keys under real servers: exact counts by several processes, answers that break off, and what is not imported."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from mapsos.access.keys import Key
from mapsos.config.settings import Settings
from mapsos.ows.operation import Operation
from mapsos.servers import wsgi_adapter
from mapsos.servers.asynchronous.adapter import AsgiAdapter, read_bounds
from mapsos.sos.v1 import interface
from tests.support.asgi_client import AsgiClient, Event, make_scope
from tests.support.keyed_service import ADDRESS, CAPABILITIES, OBSERVE, Question, Server, write_service
from tests.support.serve_command import serving
from tests.support.station_service import write_rows


def test_eight_processes_count_exactly(server: Server) -> None:
    store = server.store
    key = store.add(Key("shared", "", per_day=100))
    store.database.close()
    settings = {name: value for name, value in server.environ.items() if name.startswith("MAPSOS_KEYS")}
    with serving("--workers", "8", server.folder / "service.map", lines=1, **settings) as running:
        with ThreadPoolExecutor(16) as clients:
            asked = [clients.submit(running.ask, f"/?{CAPABILITIES}", "GET", None, **{"X-Api-Key": key})
                     for _ in range(200)]  # fmt: skip
            statuses = [one.result()[0] for one in asked]
        assert statuses.count(200) == 100
        assert statuses.count(429) == 100
    assert server.count("shared") == 100
    # Each process has written what it had collected before it ended.
    assert len([line for line in server.read_log() if line.name == "shared"]) == 100


BIG = 30_000


def write_big(server: Server) -> None:
    (server.folder / "rows.gpkg").unlink()
    rows = [("A", f"2020-01-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z", i / 7) for i in range(BIG)]
    write_rows(server.folder / "rows.gpkg", "GPKG", rows)


MEASUREMENT = OBSERVE.replace("text/csv", "text/xml;subtype=%22om/1.0.0%22")


def test_an_answer_that_breaks_off_is_charged_with_what_was_sent(server: Server) -> None:
    write_big(server)
    headers = {"HTTP_X_API_KEY": server.keys["right"]}
    sent = 0

    async def run() -> None:
        nonlocal sent
        client = AsgiClient()

        async def take(event: Event) -> None:
            nonlocal sent
            sent += len(event.get("body", b""))
            if sent > 1_300_000:
                client.gone.set()
                raise OSError("the client has gone")

        client._take = take
        scope = make_scope("/sos", MEASUREMENT, X_Api_Key=headers["HTTP_X_API_KEY"]) | {"client": (ADDRESS, 5)}
        adapter = AsgiAdapter(wsgi_adapter.application, read_bounds(Settings()))
        with pytest.raises(OSError, match="gone"):
            await adapter(scope, client.receive, client.send)  # type: ignore[arg-type]
        # The thread that closes the answer comes after what it does now.
        adapter.state.work.submit(0, lambda: None).result(60)

    asyncio.run(run())
    whole = server.ask(MEASUREMENT, "right")
    first, second = server.read_log()
    assert (second.rows, second.bytes) == (BIG, len(whole.text))
    assert 0 < first.rows <= BIG
    assert 1_000_000 < first.bytes < len(whole.text)
    assert server.count("right") == 2


def test_an_answer_that_is_made_anew_is_counted_once(server: Server) -> None:
    write_big(server)
    body: Any = ask_body(server)
    next(iter(body))
    assert server.count("right") == 1
    body.discard()
    assert server.count("right") == 0
    body.close()
    assert server.read_log() == []
    for _ in (again := ask_body(server)):
        pass
    again.close()
    assert server.count("right") == 1
    assert len(server.read_log()) == 1


def ask_body(server: Server) -> Any:
    environ: dict[str, Any] = {"QUERY_STRING": MEASUREMENT, "REMOTE_ADDR": ADDRESS, "wsgi.input": io.BytesIO()}
    environ |= {"HTTP_X_API_KEY": server.keys["right"], "PATH_INFO": ""}
    setup_testing_defaults(environ)
    return wsgi_adapter.application(environ, lambda *_: None)  # type: ignore[arg-type]


SHOWN = """
import atexit, sys
def show():
    sys.stderr.write("loaded: " + " ".join(n for n in sys.modules if n.startswith(("mapsos.", "psycopg"))))
atexit.register(show)
import os
os._exit = sys.exit
from mapsos.__main__ import main
main()
"""


@pytest.mark.parametrize("needs_key", [False, True])
def test_without_a_store_nothing_of_keys_is_imported(tmp_path: Path, needs_key: bool) -> None:
    write_service(tmp_path, web="all" if needs_key else "")
    environ = {"PATH": os.environ["PATH"], "MS_MAPFILE": str(tmp_path / "service.map"), "MAPSOS_CGI_WORKER": "off",
               "REQUEST_METHOD": "GET", "QUERY_STRING": OBSERVE, "SERVER_PROTOCOL": "HTTP/1.1",
               "REMOTE_ADDR": ADDRESS, "HTTP_X_API_KEY": 40 * "0"}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", SHOWN], env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Status: 503" if needs_key else "Content-Type")
    loaded = done.stderr.partition("loaded: ")[2].split()
    assert loaded, done.stderr
    assert not [name for name in loaded if name.startswith("mapsos.access")]
    assert "psycopg" not in loaded


def test_on_the_command_line_no_key_is_needed(server: Server) -> None:
    command = [Path(sys.executable).parent / "mapsos", f"QUERY_STRING={OBSERVE}"]
    done = subprocess.run(command, env=server.environ, capture_output=True, text=True, timeout=60)
    assert "1.5" in done.stdout
    assert server.read_log() == []


WRITE = "service=SOS&version=1.0.0&request=InsertObservation"


def test_an_operation_that_writes_needs_a_key_that_may_write(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inserts are to come: the row of their operation is what decides."""
    write_service(server.folder, web="write")
    row: Operation[Any] = Operation("InsertObservation", (), lambda asked: asked, writes=True)
    monkeypatch.setattr(interface, "OPERATIONS", (*interface.OPERATIONS, row))
    assert server.ask(WRITE).status == 401
    rejected = server.ask(WRITE, "right")
    assert rejected.status == 403
    assert ">This API key does not include access permissions to post data." in rejected.text
    assert server.count("right") == 0
    accepted = server.ask(WRITE, "admin")
    assert (accepted.status, "InsertObservation is not supported" in accepted.text) == (200, True)
    # By POST too; and reading by POST is reading.
    form = Question("", body=WRITE, headers={"CONTENT_TYPE": "application/x-www-form-urlencoded"})
    assert server.ask(form, "right").status == 403
    assert server.ask(replace(form, body=OBSERVE), "right").status == 200
