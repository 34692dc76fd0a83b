"""Read temporalFilter: equals, during, after, before and last, with the time zone of the answer."""

from __future__ import annotations

import re

from mapsos.rest.errors import RestError
from mapsos.terms.predicates import TemporalRelation
from mapsos.terms.times import EARLIEST, Interval, parse_time
from mapsos.terms.values import dataclass

_FORMS = (
    "equals:<time>",
    "during:<time>,<time>",
    "after:<time>",
    "before:<time>",
    "last:<milliseconds>,<offset>",
)
_FILTER = re.compile(r"(?P<name>[A-Za-z]+)\s*:(?P<value>[^{}]*)")
_ZONE = re.compile(r"(?:T|\s)[0-9:.]+(?P<zone>Z|[-+ ][0-9]{2}(?::?[0-9]{2})?)$", re.IGNORECASE)
_OFFSET = re.compile(r"(?P<sign>[-+ ]?)(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2})")
_MOST_MINUTES = 14 * 60
_OF_ONE_TIME: tuple[TemporalRelation, ...] = ("equals", "after", "before")


@dataclass(frozen=True)
class TemporalFilter:
    """The requested times, and the time zone of the answer.

    ``relation`` and ``interval`` are those of `predicates.Time`. ``offset`` is that of the time zone, in minutes east
    of UTC.
    """

    relation: TemporalRelation
    interval: Interval
    offset: int


def parse_temporal_filter(text: str, now: int) -> TemporalFilter:
    """Return the times of a temporalFilter, with or without braces.

    Times are ISO 8601, in UTC by default, each as long as its precision; ``during`` includes both. ``last`` is the time
    from that many milliseconds before ``now`` (microseconds since 1970 UTC) up to ``now``. The offset is that of the
    first time that has one. Raises RestError.
    """
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        bare = bare[1:-1].strip()
    match = _FILTER.fullmatch(bare)
    try:
        if match is None:
            raise ValueError("unknown form")
        return _read(match["name"].lower(), match["value"].strip(), now)
    except ValueError as error:
        raise RestError(f"temporalFilter cannot be read: {error}", f"allowed are {' '.join(_FORMS)}") from None


def _read(name: str, value: str, now: int) -> TemporalFilter:
    parts = [part.strip() for part in value.split(",")]
    if name == "last":
        if len(parts) > 2 or not re.fullmatch(r"[0-9]{1,18}", parts[0]):
            raise ValueError("last: expected milliseconds and an offset such as +02:00")
        begin = max(now - int(parts[0]) * 1000, EARLIEST)
        return TemporalFilter("during", Interval(begin, now + 1), _read_offset(parts[1]) if len(parts) == 2 else 0)
    if name == "during":
        if len(parts) != 2:
            raise ValueError("during: expected two times")
        first, last = (parse_time(part, now=now) for part in parts)
        if last.end <= first.begin:
            raise ValueError("during: expected the earlier time first")
        return TemporalFilter("during", Interval(first.begin, last.end), _find_offset(parts))
    if len(parts) != 1:
        raise ValueError(f"{name}: expected one time")
    relation = next((relation for relation in _OF_ONE_TIME if relation == name), None)
    if relation is None:
        raise ValueError(f"unknown operator {name}")
    return TemporalFilter(relation, parse_time(value, now=now), _find_offset(parts))


def _find_offset(times: list[str]) -> int:
    """Return the offset of the first time that has one, in minutes east of UTC; 0 without any."""
    for text in times:
        if match := _ZONE.search(text):
            zone = match["zone"]
            if zone in "Zz":
                return 0
            minutes = int(zone[1:3]) * 60 + (int(zone[-2:]) if len(zone) > 3 else 0)
            return -minutes if zone[0] == "-" else minutes
    return 0


def _read_offset(text: str) -> int:
    """Return an offset such as ``+02:00`` in minutes. A space is a plus sign that a query string lost."""
    if text.upper() in ("Z", ""):
        return 0
    match = _OFFSET.fullmatch(text)
    minutes = int(match["hours"]) * 60 + int(match["minutes"]) if match else _MOST_MINUTES + 1
    if match is None or minutes > _MOST_MINUTES or int(match["minutes"]) > 59:
        raise ValueError(f"not a time zone offset: {text[:50]!r}")
    return -minutes if match["sign"] == "-" else minutes
