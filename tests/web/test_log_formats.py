"""Lines of the log: each record is one, and no client can write another."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.web.access_log import LoggedBody
from mapsos.web.log_formats import make_formatter
from mapsos.web.messages import Request, Response
from mapsos.web.request_ids import choose_request_id, current_request_id


def format_message(log_format: str, message: str, exc_info: object = None) -> str:
    record = logging.LogRecord("mapsos", logging.INFO, "", 0, "%s", (message,), exc_info)  # type: ignore[arg-type]
    return make_formatter(log_format).format(record)


class Keeper(logging.Handler):
    """Keeps what it was given, formatted."""

    def __init__(self, log_format: str) -> None:
        super().__init__()
        self.setFormatter(make_formatter(log_format))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def log_request(log_format: str, request: Request, response: Response) -> str:
    """The line of a request whose answer was read to its end."""
    log = logging.getLogger("mapsos.requests")
    level, keeper = log.level, Keeper(log_format)
    log.addHandler(keeper)
    log.setLevel(logging.INFO)
    try:
        body = LoggedBody(request, response, 0.0)
        list(body)
        body.close()
        body.close()
    finally:
        log.removeHandler(keeper)
        log.setLevel(level)
    (line,) = keeper.lines
    return line


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("text", ["x" * 60_000, "SELECT 1\n" * 7000], ids=["one line", "many lines"])
def test_a_record_is_bounded_with_the_statements_that_failed(log_format: str, text: str) -> None:
    """Drivers repeat a rejected statement, which may be long, in the error and in each that it causes."""
    assert len(format_message(log_format, text)) < 10_000
    error: Exception = RuntimeError(f"the first: {text}")
    try:
        for _ in range(8):
            try:
                raise error
            except RuntimeError as cause:
                error = RuntimeError(f"{text} next")
                error.__cause__ = cause
        raise RuntimeError("the last") from error
    except RuntimeError as last:
        line = format_message(log_format, text, (RuntimeError, last, last.__traceback__))
    assert len(line) < 40_000
    assert "the first" in line
    assert "the last" in line


@given(st.text())
def test_a_message_is_one_line(text: str) -> None:
    line = json.loads(format_message("json", text))
    assert line["message"] == text
    assert format_message("json", text).isprintable()
    assert not any(part[:1].isdigit() for part in format_message("text", text).split("\n")[1:])
    assert format_message("text", text).replace("\n\t", "").isprintable()


def test_a_traceback_cannot_pass_for_lines() -> None:
    try:
        raise ValueError("x\n2026-11-22 00:00:00,000 INFO forged\r\x1b[2J")
    except ValueError as error:
        found = (ValueError, error, error.__traceback__)
    text = format_message("text", "failed", found)
    assert [part for part in text.split("\n") if not part.startswith("\t")] == [text.split("\n")[0]]
    assert "\r" not in text
    assert "\x1b" not in text
    assert "forged" in json.loads(format_message("json", "failed", found))["traceback"]
    assert "\n" not in format_message("json", "failed", found)


@given(st.text(), st.text(), st.text())
def test_a_request_is_one_line(query: str, method: str, address: str) -> None:
    request = Request(method, f"map={query}", environ={"REMOTE_ADDR": address}, id="r-1")
    for log_format in ("text", "json"):
        assert log_request(log_format, request, Response()).isprintable()


def test_both_formats_tell_the_same() -> None:
    request = Request("GET", "x=1&MAP=a%20b%0Ac", environ={"REMOTE_ADDR": "192.0.2.1"}, id="r-1")
    response = Response(404, body=(b"12345", b"678"), operation="GetObservation", count_rows=lambda: 168)
    line = json.loads(log_request("json", request, response))
    assert line.pop("time").endswith("Z")
    assert line.pop("ms") > 0
    assert line == {
        "level": "info",
        "id": "r-1",
        "address": "192.0.2.1",
        "method": "GET",
        "map": "a b\nc",
        "operation": "GetObservation",
        "status": 404,
        "rows": 168,
        "bytes": 8,
        "outcome": "complete",
        "ignored": [],
    }
    text = log_request("text", request, response)
    assert " INFO GET a?b?c GetObservation 404 168 rows 8 bytes " in text
    assert text.endswith(" ms complete, from 192.0.2.1, id r-1")


def test_ignored_parameters_are_named() -> None:
    request = Request("GET", "", id="r-1")
    response = Response(ignored=("_", "a b,c\nd", "x" * 100, *map(str, range(30))))
    text = log_request("text", request, response)
    assert " ms complete, ignored _,a?b?c?d," + "x" * 64 + ",0,1,2," in text
    assert text.endswith(",16, from -, id r-1")
    ignored = json.loads(log_request("json", request, response))["ignored"]
    assert ignored[:3] == ["_", "a b,c\nd", "x" * 64]
    assert len(ignored) == 20


def test_what_is_logged_meanwhile_has_the_id() -> None:
    token = current_request_id.set("r-2")
    try:
        assert json.loads(format_message("json", "x"))["id"] == "r-2"
        assert format_message("text", "x").endswith("x (id r-2)")
    finally:
        current_request_id.reset(token)
    assert "id" not in json.loads(format_message("json", "x"))


@pytest.mark.parametrize("given_id", ["a", "4bf92f3577b34da6", "Root=1-67891233-abcdef", "x" * 128])
def test_a_well_formed_id_is_kept(given_id: str) -> None:
    assert choose_request_id({"HTTP_X_REQUEST_ID": given_id}) == given_id


@pytest.mark.parametrize("given_id", ["", " ", "a b", "a\r\nSet-Cookie: x", "é", "x" * 129, "a,b", '"', "a\n"])
def test_any_other_is_replaced(given_id: str) -> None:
    made = choose_request_id({"HTTP_X_REQUEST_ID": given_id})
    assert made != given_id
    assert len(made) == 16
    assert made != choose_request_id({})
