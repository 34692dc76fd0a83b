"""The threads that read belong to the request they read for: its time limit, and its id on lines of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import current_thread
from typing import Any
from urllib.parse import quote

import pytest

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.sources.drivers.arrow_streams import ArrowStream
from mapsos.sources.pool import close_idle_readers
from mapsos.terms.deadlines import current_deadline
from mapsos.web.log_formats import make_formatter
from mapsos.web.messages import Request, Response
from mapsos.web.request_ids import current_request_id
from tests.support.maps import OBSERVATIONS

from .conftest import MODELS, Answers

QUERIES = {
    **{name: ("", query) for name, query in MODELS.items()},
    "summaries": ("", f"{OBSERVATIONS}&aggregateInterval=PT1H&aggregateFunction=avg"),
    "REST": ("/exts/SosSOE/observations/query", "f=csv"),
}


@dataclass(frozen=True)
class DriverCall:
    """A batch that GDAL delivered: by which thread, what time the request had, and the line that was logged then."""

    thread: str
    seconds: float | None
    line: str


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[DriverCall]]:
    made: list[DriverCall] = []
    take: Callable[..., Any] = ArrowStream.next_batch

    def take_and_log(*arguments: Any) -> Any:
        record = logging.LogRecord("mapsos", logging.WARNING, "", 0, "a batch", (), None)
        made.append(
            DriverCall(current_thread().name, current_deadline().seconds, make_formatter("text").format(record))
        )
        return take(*arguments)

    monkeypatch.setattr(ArrowStream, "next_batch", take_and_log)
    yield made
    close_idle_readers()


def ask(answers: Answers, query: str, rows: int) -> Response:
    """The response to request r-7, which may take 1000 seconds; nothing of its body has been read."""
    path, text = QUERIES[query]
    settings = read_settings(
        {"MS_MAPFILE": str(answers.map_repeated(rows)), "MAPSOS_CACHE": "off", "MAPSOS_MAX_SECONDS": "1000"}
    )
    environ = {"PATH_INFO": path} if path else {}
    return Application(settings).answer(Request("GET", quote(text, safe="=&:;,/"), environ=environ, id="r-7"))


def read_here(response: Response) -> int:
    """The size of the body, read in the thread that asked for it, which has begun another request meanwhile."""
    token = current_request_id.set("r-8")
    try:
        return sum(map(len, response.body))
    finally:
        current_request_id.reset(token)


def read_elsewhere(response: Response) -> int:
    """The size of the body, each chunk read by another thread, as asynchronous servers do."""
    chunks = iter(response.body)
    size = 0
    while True:
        with ThreadPoolExecutor(1) as thread:
            chunk = thread.submit(next, chunks, None).result()
        if chunk is None:
            return size
        size += len(chunk)


# Of the same rows a summary would not be read twice.
@pytest.mark.parametrize(("read", "rows"), [(read_here, 100_000), (read_elsewhere, 101_000)])
@pytest.mark.parametrize("query", QUERIES)
def test_drivers_know_whom_they_read_for(
    answers: Answers, calls: list[DriverCall], query: str, read: Callable[[Response], int], rows: int
) -> None:
    response = ask(answers, query, rows)
    assert response.status == 200
    assert read(response) > 5_000
    assert any(call.thread.startswith("read-ahead") for call in calls)
    assert {call.seconds for call in calls} == {1000.0}
    assert [call.line for call in calls if not call.line.endswith("a batch (id r-7)")] == []
