"""One line of log a request: method, map, status and milliseconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from mapsos.http import Chunk, Request, Response

log = logging.getLogger("mapsos.requests")


class LoggedBody:
    """The body of a response, which logs its request when it is closed.

    Iterating gives the chunks of ``response.body`` as they are; ``close`` closes that body in any case, and is to be
    called once. Time runs from ``started`` (a `time.monotonic`) to ``close``.
    """

    def __init__(self, request: Request, response: Response, started: float) -> None:
        self._request = request
        self._response = response
        self._started = started
        self._outcome = ""

    def __iter__(self) -> Iterator[Chunk]:
        self._outcome = " unfinished"
        try:
            yield from self._response.body
        except GeneratorExit:
            raise
        except Exception:
            self._outcome = " broken"
            raise
        self._outcome = ""

    def close(self) -> None:
        """Close the body and log the request at INFO level."""
        try:
            close = getattr(self._response.body, "close", None)
            if close is not None:
                close()
        finally:
            if log.isEnabledFor(logging.INFO):
                log.info(
                    "%s %s %d %.0f ms%s",
                    self._request.method,
                    _map_name(self._request),
                    self._response.status,
                    (time.monotonic() - self._started) * 1000,
                    self._outcome,
                )


def _map_name(request: Request) -> str:
    """What the query calls the map, else the path, in one printable word."""
    from urllib.parse import unquote_plus

    for pair in (request.query or "").split("&"):
        name, _, value = pair.partition("=")
        if name.lower() == "map":
            text = unquote_plus(value)
            break
    else:
        text = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
    return "".join(character if character.isprintable() and character != " " else "?" for character in text) or "-"
