"""Every kind of failure in every interface under every adapter: the protocol's own form, and nothing that is secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from lxml import etree

from mapsos import app
from mapsos.config.settings import read_settings
from mapsos.operations.host import Host
from mapsos.web.messages import Request

from .conftest import Adapter, Question, Reply

OBSERVATIONS = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=all&observedProperty=height"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)
OWS = "{http://www.opengis.net/ows/1.1}"
SHORT = {"MAPSOS_MAX_SECONDS": "0.000001"}
REFERENCE = re.compile(r"under reference ([0-9a-f]{12})\b")


def is_report(reply: Reply) -> None:
    assert reply.headers["Content-Type"].startswith("text/xml")
    assert etree.fromstring(reply.body).tag == f"{OWS}ExceptionReport"


def is_error_page(reply: Reply) -> None:
    """Check that it is MapServer's own page."""
    assert reply.headers["Content-Type"] == "text/html"
    assert b"<TITLE>MapServer Message</TITLE>" in reply.body


def is_json(reply: Reply) -> None:
    error = json.loads(reply.body)["error"]
    assert (error["code"], bool(error["message"])) == (reply.status, True)


def is_page(reply: Reply) -> None:
    assert reply.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "default-src" in reply.headers["Content-Security-Policy"]
    assert b"</html>" in reply.body


@dataclass(frozen=True)
class Case:
    """A request that fails: its status, of SOS with MAPSOS_HTTP_STATUS, its form, and its operation in the log."""

    question: Question
    status: int
    form: Callable[[Reply], None]
    operation: str
    short: bool = False
    allow: str | None = None


def sos(query: str, method: str = "GET") -> Question:
    return Question("", query, method)


def rest(name: str, query: str = "", method: str = "GET", format: str = "json") -> Question:
    path = f"/arcgis/rest/services/{name}/MapServer/exts/SosSOE/observations/query"
    return Question(path, f"f={format}{query}", method)


def builder(name: str, query: str = "", method: str = "GET") -> Question:
    return Question(f"/_mapsos/builder/{name}", query, method)


def static(name: str, method: str = "GET", *, explode: bool = False) -> Question:
    return Question(f"/_mapsos/static/{name}", "", method, explode)


ROWS, PAGE, OBSERVE = "REST observations/query", "page", "GetObservation"
CASES = {
    "sos: bad request": Case(sos(f"{OBSERVATIONS}&eventTime=x&map=good"), 400, is_report, OBSERVE),
    "sos: unknown map": Case(sos(f"{OBSERVATIONS}&map=nowhere"), 404, is_error_page, ""),
    "sos: broken map": Case(sos(f"{OBSERVATIONS}&map=broken"), 500, is_error_page, ""),
    "sos: source gone": Case(sos(f"{OBSERVATIONS}&map=gone"), 500, is_report, OBSERVE),
    "sos: deadline": Case(sos(f"{OBSERVATIONS}&map=good"), 503, is_report, OBSERVE, short=True),
    "sos: unexpected": Case(sos(f"{OBSERVATIONS}&map=exploding"), 500, is_report, OBSERVE),
    "sos: method": Case(sos(f"{OBSERVATIONS}&map=good", "PUT"), 405, is_error_page, "", allow="GET, HEAD, POST"),
    "rest: bad request": Case(rest("good", "&temporalFilter=x"), 400, is_json, ROWS),
    "rest: unknown map": Case(rest("nowhere"), 404, is_json, ROWS),
    "rest: broken map": Case(rest("broken"), 500, is_json, ROWS),
    "rest: source gone": Case(rest("gone"), 500, is_json, ROWS),
    "rest: deadline": Case(rest("good"), 503, is_json, ROWS, short=True),
    "rest: unexpected": Case(rest("exploding"), 500, is_json, ROWS),
    "rest: method": Case(rest("good", method="PUT"), 405, is_json, ROWS, allow="GET, HEAD, POST"),
    "page: bad request": Case(rest("good", "&temporalFilter=x", format="html"), 400, is_page, ROWS),
    "page: unknown map": Case(rest("nowhere", format="html"), 404, is_page, ROWS),
    "page: broken map": Case(rest("broken", format="html"), 500, is_page, ROWS),
    "page: source gone": Case(rest("gone", format="html"), 500, is_page, ROWS),
    "page: deadline": Case(rest("good", format="html"), 503, is_page, ROWS, short=True),
    "page: unexpected": Case(rest("exploding", format="html"), 500, is_page, ROWS),
    "page: method": Case(rest("good", "", "PUT", "html"), 405, is_page, ROWS, allow="GET, HEAD, POST"),
    "page: data fail": Case(rest("damaged", "&resultRecordCount=50000", format="html"), 500, is_page, ROWS),
    "builder: bad request": Case(builder("good", "a=%ff%zz"), 400, is_page, PAGE),
    "builder: unknown map": Case(builder("nowhere"), 404, is_page, PAGE),
    "builder: broken map": Case(builder("broken"), 500, is_page, PAGE),
    "builder: source gone": Case(builder("gone"), 500, is_page, PAGE),
    "builder: deadline": Case(builder("good"), 503, is_page, PAGE, short=True),
    "builder: unexpected": Case(builder("exploding"), 500, is_page, PAGE),
    "builder: method": Case(builder("good", method="POST"), 405, is_page, PAGE, allow="GET, HEAD"),
    "static: unknown": Case(static("nothing.css"), 404, is_page, PAGE),
    "static: unexpected": Case(static("pages.css", explode=True), 500, is_page, PAGE),
    "static: method": Case(static("pages.css", "POST"), 405, is_page, PAGE, allow="GET, HEAD"),
}


def check(name: str, case: Case, reply: Reply, status: int) -> None:
    assert reply.status == status
    assert reply.whole
    case.form(reply)
    text = reply.body.decode()
    for secret in ("Traceback", "/secret", "ZeroDivision", ".py", "/tmp", ".gpkg"):
        assert secret not in text
    assert reply.headers.get("Allow") == (case.allow if status == 405 else None)
    assert (reply.request["operation"], reply.request["status"]) == (case.operation, status)
    assert reply.request["outcome"] == "complete"
    # What nothing expected has a reference, by which the admin finds its traceback; all else has neither.
    tracebacks = [line for line in reply.log if "traceback" in line]
    references = REFERENCE.findall(text)
    assert [line["message"] for line in tracebacks] == [f"request failed, reference {found}" for found in references]
    if "unexpected" in name:
        assert "ZeroDivisionError" in tracebacks[0]["traceback"]


@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_the_form_of_its_protocol(adapter: Adapter, name: str) -> None:
    case = CASES[name]
    options = SHORT if case.short else {}
    check(name, case, adapter.ask(case.question, options), 200 if name.startswith("sos") else case.status)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("sos")])
def test_sos_has_real_status_codes_where_the_admin_wants_them(adapter: Adapter, name: str) -> None:
    case = CASES[name]
    options = {"MAPSOS_HTTP_STATUS": "on", **(SHORT if case.short else {})}
    check(name, case, adapter.ask(case.question, options), case.status)


@pytest.mark.parametrize(
    ("question", "operation", "parse"),
    [
        (sos(f"{OBSERVATIONS}&map=damaged"), OBSERVE, etree.fromstring),
        (rest("damaged", "&resultRecordCount=50000"), ROWS, json.loads),
    ],
    ids=["sos", "rest"],
)
def test_data_that_fail_while_they_are_sent_leave_the_document_unfinished(
    adapter: Adapter, question: Question, operation: str, parse: Callable[[bytes], object]
) -> None:
    reply = adapter.ask(question, {})
    assert reply.status == 200
    assert not reply.whole
    assert b"Traceback" not in reply.body
    with pytest.raises((etree.XMLSyntaxError, json.JSONDecodeError)):
        parse(reply.body)
    assert len(reply.body) > 1_000_000
    assert (reply.request["operation"], reply.request["outcome"]) == (operation, "broken")


def test_an_interface_that_cannot_be_loaded_is_a_failure_like_any(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: Request, host: Host) -> None:
        raise ModuleNotFoundError("no module of that name")

    monkeypatch.setattr(app, "INTERFACES", (fail,))
    response = app.Application(read_settings({})).answer(Request("GET", "service=SOS"))
    assert response.status == 500
    [reference] = REFERENCE.findall(b"".join(response.body).decode())
    assert reference in caplog.text
