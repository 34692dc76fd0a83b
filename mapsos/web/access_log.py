"""Log one line for each request: client, map, operation, outcome, and cost."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mapsos.terms.failures import shorten
from mapsos.web.messages import Chunk, Ending, Outcome, Request, Response, close_body
from mapsos.web.request_ids import current_request_id

if TYPE_CHECKING:
    from mapsos.web.metrics import Metrics

log = logging.getLogger("mapsos.requests")

_MOST_IGNORED = 20
"""The most names of ignored parameters in a line."""
_LONGEST_NAME = 64
"""The most characters of such a name."""


class LoggedBody:
    """The body of a response, which logs and counts its request when it is closed.

    Iterating yields the chunks of ``response.body`` unchanged; ``close`` closes that body in any case, and counts
    once. Time runs from ``started`` (a `time.monotonic`) to ``close``. ``metrics`` has counted the beginning of the
    request; its end is counted here.
    """

    def __init__(self, request: Request, response: Response, started: float, metrics: Metrics | None = None) -> None:
        self._request = request
        self._response = response
        self._started = started
        self._metrics = metrics
        self._bytes = 0
        self._outcome: Outcome = "complete"
        self._closed = False

    def __iter__(self) -> Iterator[Chunk]:
        self._outcome = "unfinished"
        try:
            for chunk in self._response.body:
                yield chunk
                self._bytes += len(chunk)
        except Exception:
            self._outcome = "broken"
            raise
        self._outcome = "complete"

    def close(self) -> None:
        """Close the body and log the request at INFO level."""
        self._end(self._outcome)

    def discard(self) -> None:
        """Close the body without a line in the log: the request is answered anew later."""
        self._end("discarded")

    def _end(self, outcome: Outcome) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            close_body(self._response.body)
        finally:
            self._note(outcome)
            current_request_id.set("")

    def _note(self, outcome: Outcome) -> None:
        response, seconds = self._response, time.monotonic() - self._started
        rows = response.count_rows()
        if response.note_end is not None:
            response.note_end(Ending(response.operation, response.status, rows, self._bytes, seconds, outcome))
        if outcome == "discarded":
            if self._metrics is not None:
                self._metrics.forget()
            return
        if self._metrics is not None:
            self._metrics.finish(response.operation, response.status, seconds, rows, self._bytes, outcome)
        if log.isEnabledFor(logging.INFO):
            self._log(rows, seconds)

    def _log(self, rows: int, seconds: float) -> None:
        request, response = self._request, self._response
        ignored = [name[:_LONGEST_NAME] for name in response.ignored[:_MOST_IGNORED]]
        facts: dict[str, Any] = {
            "id": request.id,
            "address": shorten(request.environ.get("REMOTE_ADDR", ""), _LONGEST_NAME),
            "method": shorten(request.method, _LONGEST_NAME),
            "map": shorten(_map_name(request)),
            "operation": response.operation,
            "status": response.status,
            "rows": rows,
            "bytes": self._bytes,
            "ms": round(seconds * 1000, 1),
            "outcome": self._outcome,
            "ignored": ignored,
        }
        log.info(
            "%s %s %s %d %d rows %d bytes %.0f ms %s%s, from %s, id %s",
            _one_word(facts["method"]),
            _one_word(facts["map"]),
            response.operation or "-",
            response.status,
            rows,
            self._bytes,
            seconds * 1000,
            self._outcome,
            f", ignored {','.join(_one_word(name).replace(',', '?') for name in ignored)}" if ignored else "",
            _one_word(facts["address"]),
            request.id,
            extra={"facts": facts},
        )


def _map_name(request: Request) -> str:
    """Return the map named in the query, else the path."""
    from urllib.parse import unquote_plus

    for pair in (request.query or "").split("&"):
        name, _, value = pair.partition("=")
        if name.lower() == "map":
            return unquote_plus(value)
    return request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")


def _one_word(text: str) -> str:
    """Return text of the client as one printable word, so that it cannot imitate other words of a line."""
    return "".join(character if character.isprintable() and character != " " else "?" for character in text) or "-"
