"""Times and spans in arguments, and times as the command shows them."""

from __future__ import annotations

import re

from mapsos.terms.times import DAY, HOUR, MINUTE, SECOND, format_instant, parse_time

_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


def read_past(text: str, now: int) -> int:
    """Return a time, or that of so long ago: ``2026-11-30``, ``2026-11-30T08:00Z``, ``90m``, ``2h``, ``7d``, ``4w``.

    Times without a zone are in UTC; a day stands for its begin. The result is in microseconds since 1970 UTC. Raises
    ValueError.
    """
    span = _read_span(text)
    return parse_time(text, now=now).begin if span is None else now - span


def read_future(text: str, now: int) -> int:
    """Return a time, or that in so long: as `read_past`. Raises ValueError."""
    span = _read_span(text)
    return parse_time(text, now=now).begin if span is None else now + span


def _read_span(text: str) -> int | None:
    found = _SPAN.fullmatch(text.strip())
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def show_time(time: int | None) -> str:
    """Return a time to the second as people read it: ``2026-11-30 08:00:00 UTC``; empty for None."""
    if time is None:
        return ""
    return format_instant(time - time % SECOND).replace("T", " ").replace("Z", " UTC")


def write_time(time: int | None) -> str | None:
    """Return a time as JSON has it: ISO 8601 in UTC; None for None."""
    return None if time is None else format_instant(time)
