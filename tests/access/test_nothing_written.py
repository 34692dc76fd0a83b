"""Keys are nowhere in what mapsos writes: logs, caches, the store, temporary files, and no document, by any adapter."""

from __future__ import annotations

import base64
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsos.servers.resident.install import write_program
from mapsos.servers.resident.worker_name import PACKAGE
from tests.support import keyed_service
from tests.support.keyed_service import (
    ADAPTERS,
    CAPABILITIES,
    INTERFACES,
    OBSERVE,
    Question,
    Reply,
    Server,
    write_service,
)
from tests.support.workers import end_workers, has_worker, wait_for


def find_everywhere(folder: Path, key: str) -> list[str]:
    """The files below a folder that have a key: its digits in either case, its bytes, or in Base64."""
    forms = [key.encode(), key.upper().encode(), bytes.fromhex(key), base64.b64encode(f"u:{key}".encode()).rstrip(b"=")]
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    ]


def ask_in_every_way(server: Server, question: Question, key: str, ask: keyed_service.Ask) -> Iterator[Reply]:
    """The answers to a question with a key by the query, as Basic, and where the client came from a page with it."""
    digits = server.keys[key]
    query = f"{question.query}&api-key={digits}".lstrip("&")
    by_query = Question(query, question.path, question.body, question.headers)
    yield server.ask(by_query, ask=ask, HTTP_REFERER=f"http://h/sos/page?a=1&api-key={digits}#here")
    basic = "Basic " + base64.b64encode(f"u:{digits}".encode()).decode()
    yield server.ask(question, ask=ask, HTTP_AUTHORIZATION=basic)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_no_key_is_in_an_answer_a_log_or_a_cache(
    server: Server, adapter: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    names = INTERFACES if adapter != "cgi" else ("observations", "page")
    questions = [INTERFACES[name] for name in names]
    # Links of pages and parameters that have no effect, errors of each kind, and redirects.
    questions += [
        Question("f=html&offering=open&observedProperty=value", "/exts/SosSOE/observations/query"),
        Question("f=html&where=wrong", "/exts/SosSOE/observations/query"),
        Question("service=SOS&version=1.0.0&request=DescribeObservationType&observedProperty=level"),
        Question("service=SOS&request=GetNothing"),
        Question("map=/nowhere.map"),
        Question("", "/_mapsos/nowhere"),
    ]
    if adapter == "cgi":
        # A process for each.
        questions = questions[:5]
    seen = []
    for question in questions:
        for key in ("right", "wrong", "disabled"):
            for reply in ask_in_every_way(server, question, key, ADAPTERS[adapter]):
                seen.append(f"{reply.headers} {reply.text}")
            if adapter == "cgi":
                break
    server.read_log()
    captured = capfd.readouterr()
    seen += [captured.out, captured.err, caplog.text]
    for key in server.keys.values():
        assert not [text for text in seen if key in text.lower()]
        assert find_everywhere(server.folder, key) == []
    assert (server.folder / "log").stat().st_size > 0
    assert list((server.folder / "cache").iterdir())
    assert len(server.read_log()) > 0


def test_answers_to_two_keys_are_equal(server: Server) -> None:
    for name in ("capabilities", "page", "builder", "rest", "sensor"):
        assert server.ask(INTERFACES[name], "right").text == server.ask(INTERFACES[name], "admin").text


def test_a_key_in_the_query_is_in_no_link(server: Server) -> None:
    page = server.ask(Question(f"f=html&api-key={server.keys['right']}", "/exts/SosSOE/observations"))
    assert page.status == 200
    assert "api-key" not in page.text.lower()
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_the_worker_of_cgi_programs_checks_and_hides_keys(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.configure(MAPSOS_CGI_WORKER="on", MAPSOS_CGI_WORKER_IDLE="60")
    program = server.folder / "mapsos"
    program.write_text(write_program(sys.executable, os.path.dirname(PACKAGE), {}))
    program.chmod(0o700)
    monkeypatch.setattr(keyed_service, "COMMAND", program)
    ask = ADAPTERS["cgi"]
    runtime = server.folder / "runtime"
    try:
        # The first one starts the worker.
        assert server.ask(OBSERVE, ask=ask).status == 401
        wait_for(lambda: has_worker(server.environ, isolated=True), "the worker")
        # A wrong key once: of more, the eleventh from one address is told something else.
        assert server.ask(OBSERVE, "wrong", ask).status == 401
        statuses = {"": 401, "right": 200, "full": 429, "disabled": 403, "expired": 401, "elsewhere": 401}
        for name, question in INTERFACES.items():
            assert {key: server.ask(question, key, ask).status for key in statuses} == statuses, name
        assert server.ask(f"{CAPABILITIES}&api-key={server.keys['right']}", ask=ask).status == 200
        write_service(server.folder, closed_layer="all")
        assert "closed" in server.ask(CAPABILITIES, "right", ask).text
        assert "closed" not in server.ask(CAPABILITIES, "", ask).text
    finally:
        end_workers(runtime)
    assert server.count("right") == len(INTERFACES) + 2
    # The worker has written its lines before it ended.
    lines = server.read_log()
    assert len(lines) == len(INTERFACES) + 2
    rows = {line.operation: line.rows for line in reversed(lines)}
    assert (rows["GetObservation"], rows["REST observations/query"]) == (2, 3)
