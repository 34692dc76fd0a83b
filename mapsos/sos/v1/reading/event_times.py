"""eventTime: ISO 8601 texts, GML times and temporal operators (reference section 10.2, D-04 to D-06, D-32)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import EventTime, RawRequest
from mapsos.ows.xml_input import MarkupError, RefusedMarkup, attribute, children, local_name, parse_fragments, text_of
from mapsos.terms.times import FOREVER, Interval, current_time, parse_period, parse_time

if TYPE_CHECKING:
    from lxml import etree

OPERATORS = {
    "TM_During": "during",
    "During": "during",
    "TM_Equals": "equals",
    "TEquals": "equals",
    "TM_Before": "before",
    "Before": "before",
    "TM_After": "after",
    "After": "after",
}
"""Temporal operators of Filter 1.1 as SOS 1.0 has them and of Filter 2.0, with the relation that each asks for."""

MAX_TIMES = 1000
"""Times of a request, all lists of it together: every one of them is held against every row."""

_EXTREMES = {"latest": "latest", "first": "first", "getfirst": "first"}
_UNSAID = frozenset({"description", "descriptionReference", "identifier", "name", "metaDataProperty"})


def parse_event_times(raw: RawRequest, now: int | None = None) -> tuple[EventTime, ...]:
    """The times asked for (any of them); none if the client gave no eventTime.

    XML in any namespaces and with any prefixes, single or in a list: gml:TimeInstant and gml:TimePeriod, bare or in a
    temporal operator. Text: instants, ``begin/end``, ``latest``, ``first``, in a comma list. A period selects what lies
    within it, its end included with its precision, in TM_Equals too (what MapServer means by it); a reversed period
    selects nothing. ``now`` is the moment that a client's ``now`` means, in microseconds, the clock's if None.

    Raises OwsException 34 for anything else, whole (nothing of a value is passed over), and for a list of more than
    `MAX_TIMES`.
    """
    moment = current_time() if now is None else now
    found: list[EventTime] = []
    for value in raw.all("eventtime"):
        try:
            found += _parse_value(value, moment, MAX_TIMES - len(found))
        except RefusedMarkup as error:
            raise OwsException(
                "InvalidParameterValue", "eventtime", "msSOSGetObservation", f"The eventTime is refused: {error}."
            ) from error
        except ValueError as error:
            raise OwsException(
                "InvalidParameterValue",
                "eventtime",
                "msSOSGetObservation",
                f"Invalid time value given for the eventTime parameter {value}",
                detail=str(error),
            ) from error
    return tuple(dict.fromkeys(found))


def parse_temporal_element(element: etree._Element, now: int) -> EventTime:
    """A gml:TimeInstant or gml:TimePeriod, or a temporal operator around one. Raises ValueError for anything else."""
    name = local_name(element)
    if name not in OPERATORS:
        return _parse_time_object(element, now)
    operands = [child for child in children(element) if local_name(child) not in ("PropertyName", "ValueReference")]
    if len(operands) != 1:
        raise ValueError(f"{name} takes one time")
    return _relate(OPERATORS[name], _parse_time_object(operands[0], now))


def _parse_value(value: str, now: int, most: int) -> list[EventTime]:
    text = value.strip()
    elements = parse_fragments(text, ",") if text.startswith(("<", "\ufeff<")) else None
    if (text.count(",") + 1 if elements is None else len(elements)) > most:
        raise RefusedMarkup(f"more than {MAX_TIMES} times are not accepted")
    if elements is None:
        return _parse_list(text, now)
    return [parse_temporal_element(element, now) for element in elements]


def _parse_list(text: str, now: int) -> list[EventTime]:
    read: list[tuple[str, EventTime | ValueError]] = []
    for part in text.split(","):
        time = _try_text(part, now)
        if isinstance(time, ValueError) and read:
            # The comma may be the decimal sign of ISO 8601: 2001-10-30T14:24:55,5Z.
            part = f"{read.pop()[0]},{part}"
            time = _try_text(part, now)
            if part.count(",") > 2 and isinstance(time, ValueError):
                raise time
        read.append((part, time))
    found = [time for _, time in read]
    for time in found:
        if isinstance(time, ValueError):
            raise time
    return [time for time in found if isinstance(time, EventTime)]


def _try_text(text: str, now: int) -> EventTime | ValueError:
    try:
        return _parse_text(text, now)
    except ValueError as error:
        return error


def _parse_text(text: str, now: int) -> EventTime:
    text = text.strip()
    if text.lower() in _EXTREMES:
        return EventTime(_EXTREMES[text.lower()], None, text)
    if "/" in text:
        return EventTime("during", parse_period(text, now), text)
    return EventTime("equals", parse_time(text, now=now), text)


def _parse_time_object(element: etree._Element, now: int) -> EventTime:
    name = local_name(element)
    if name == "TimePeriod":
        return _parse_time_period(element, now)
    if name != "TimeInstant":
        raise ValueError(f"{name} is neither a time nor one of the operators {', '.join(OPERATORS)}")
    return _parse_instant(_only_child(element, "timePosition"), now)


def _parse_instant(position: etree._Element, now: int) -> EventTime:
    text, indeterminate = _read_position(position)
    if text.lower() in _EXTREMES and indeterminate is None:
        return EventTime(_EXTREMES[text.lower()], None, text)
    if indeterminate == "now":
        return EventTime("equals", Interval(now, now + 1), "now")
    if indeterminate == "unknown" or not text:
        raise ValueError("an instant without a time")
    relation = indeterminate if indeterminate in ("before", "after") else "equals"
    return EventTime(relation, parse_time(text, now=now), text)


def _parse_time_period(element: etree._Element, now: int) -> EventTime:
    parts: dict[str, etree._Element] = {}
    for child in children(element):
        name = local_name(child)
        if name in _UNSAID:
            continue
        end = name.removesuffix("Position")
        if end not in ("begin", "end") or end in parts:
            raise ValueError(f"a TimePeriod with {name}")
        parts[end] = child if name != end else _only_child(_only_child(child, "TimeInstant"), "timePosition")
    if len(parts) != 2:
        raise ValueError("a TimePeriod without begin or end")
    first, first_text = _parse_bound(parts["begin"], now, is_end=False)
    last, last_text = _parse_bound(parts["end"], now, is_end=True)
    return EventTime("during", Interval(first, max(first, last)), f"{first_text}/{last_text}")


def _parse_bound(position: etree._Element, now: int, *, is_end: bool) -> tuple[int, str]:
    """A begin or end in microseconds. One that is only known to lie further out than a time is open."""
    text, indeterminate = _read_position(position)
    open_bound = FOREVER if is_end else -FOREVER
    if indeterminate == "now":
        return now + is_end, "now"
    if indeterminate == "unknown" or (not text and indeterminate is None):
        return open_bound, ".."
    interval = parse_time(text, now=now)
    if indeterminate == ("after" if is_end else "before"):
        return open_bound, ".."
    if indeterminate in ("before", "after"):
        return (interval.begin if is_end else interval.end), text
    return (interval.end if is_end else interval.begin), text


def _read_position(position: etree._Element) -> tuple[str, str | None]:
    """The text of a position, stripped, and its indeterminatePosition in lower case."""
    frame = attribute(position, "frame")
    if frame is not None and not frame.lower().endswith("iso-8601"):
        raise ValueError(f"a time in the frame {frame}")
    if attribute(position, "calendarEraName") is not None:
        raise ValueError("a time in a calendar era")
    indeterminate = attribute(position, "indeterminatePosition")
    if indeterminate is not None:
        indeterminate = indeterminate.strip().lower()
        if indeterminate not in ("now", "unknown", "before", "after"):
            raise ValueError(f"indeterminatePosition {indeterminate}")
    text = text_of(position).strip()
    if indeterminate in ("now", "unknown") and text and text.lower() != indeterminate:
        raise ValueError(f"a time beside indeterminatePosition {indeterminate}")
    return text, indeterminate


def _relate(relation: str, time: EventTime) -> EventTime:
    if time.interval is None:
        if relation in ("before", "after"):
            raise ValueError(f"{relation} {time.relation}")
        return time
    if time.relation in ("before", "after"):
        if relation not in ("during", "equals", time.relation):
            raise ValueError(f"{relation} a time {time.relation} another")
        return time
    if time.relation == "during" and (relation == "equals" or time.interval.is_empty):
        return time
    return EventTime(relation, time.interval, time.text)


def _only_child(element: etree._Element, name: str) -> etree._Element:
    found = [child for child in children(element) if local_name(child) not in _UNSAID]
    if len(found) != 1 or local_name(found[0]) != name:
        raise MarkupError(f"{local_name(element)} takes one {name}")
    return found[0]
