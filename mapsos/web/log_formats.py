"""Format the log as text or as JSON: one line for each record, whatever a client has put into it."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import TypeAlias

from mapsos.terms.failures import MOST_OF_LINE, shorten
from mapsos.web.request_ids import current_request_id

ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

_MOST_OF_TRACE = 16_000
"""The most characters of a traceback: the statements of drivers that failed may be long, once for each cause."""
_HEAD_OF_TRACE = 4000


def make_formatter(log_format: str) -> logging.Formatter:
    """Return the formatter for a value of MAPSOS_LOG_FORMAT, ``text`` or ``json``."""
    return JsonLines() if log_format == "json" else TextLines("%(asctime)s %(levelname)s %(message)s")


class TextLines(logging.Formatter):
    """Records as text: control characters are escaped, and the lines after the first of a traceback are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write the first part of a record, all of its lines within the bound of one."""
        return shorten(super().formatMessage(record), MOST_OF_LINE)

    def formatException(self, ei: ExceptionInfo) -> str:
        """Write a traceback within its bound."""
        return _bound_trace(super().formatException(ei))

    def format(self, record: logging.LogRecord) -> str:
        """Write the record: local time, level and message, and the id of the request after errors."""
        first, *following = (shorten(line, MOST_OF_LINE) for line in super().format(record).split("\n"))
        identity = current_request_id.get()
        if identity and not hasattr(record, "facts"):
            first += f" (id {identity})"
        return "\n\t".join(escape_controls(line) for line in (first, *following))


class JsonLines(logging.Formatter):
    """Records as JSON objects, one a line, in ASCII: time (UTC), level, id, and message or the facts of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record. ``record.facts``, if present, replaces the message."""
        import json

        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {"time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname.lower()}
        facts = getattr(record, "facts", None)
        if facts is not None:
            line |= facts
        else:
            identity = current_request_id.get()
            if identity:
                line["id"] = identity
            line["message"] = shorten(record.getMessage(), MOST_OF_LINE)
        if record.exc_info:
            line["traceback"] = _bound_trace(self.formatException(record.exc_info))
        return json.dumps(line)


def _bound_trace(text: str) -> str:
    """Return a traceback with its lines shortened, and without what is in its midst beyond the bound."""
    text = "\n".join(shorten(line, MOST_OF_LINE) for line in text.split("\n"))
    if len(text) <= _MOST_OF_TRACE:
        return text
    return f"{text[:_HEAD_OF_TRACE]}\n...\n{text[_HEAD_OF_TRACE - _MOST_OF_TRACE + 5:]}"


def escape_controls(text: str) -> str:
    r"""Return the text with unprintable characters escaped as in Python, as ``\n`` or ``\u2028``."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
