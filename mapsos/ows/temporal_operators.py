"""Times in requests: gml:TimeInstant, gml:TimePeriod, and the temporal operators of OGC filters around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.ows.xml_input import MarkupError, attribute, children, local_name, text_of
from mapsos.terms.times import FOREVER, EventTime, Interval, TimeRelation, parse_time

if TYPE_CHECKING:
    from lxml import etree

OPERATORS: dict[str, TimeRelation] = {
    "TM_During": "during",
    "During": "during",
    "TM_Equals": "equals",
    "TEquals": "equals",
    "TM_Before": "before",
    "Before": "before",
    "TM_After": "after",
    "After": "after",
}
"""Temporal operators of Filter 1.1, as in SOS 1.0, and of Filter 2.0, each with its relation."""

EXTREMES: dict[str, TimeRelation] = {"latest": "latest", "first": "first", "getfirst": "first"}
"""Words for the newest and the oldest observation of each procedure."""

_UNSAID = frozenset({"description", "descriptionReference", "identifier", "name", "metaDataProperty"})


def parse_temporal_element(element: etree._Element, now: int) -> EventTime:
    """Return the time of a gml:TimeInstant or gml:TimePeriod, or of a temporal operator around one.

    Parameters
    ----------
    now
        The time that a client's ``now`` means, in microseconds since 1970 UTC.

    Raises
    ------
    ValueError
        The element is something else, or malformed.
    """
    name = local_name(element)
    if name not in OPERATORS:
        return _parse_time_object(element, now)
    operands = [child for child in children(element) if local_name(child) not in ("PropertyName", "ValueReference")]
    if len(operands) != 1:
        raise ValueError(f"{name} takes one time")
    return _relate(OPERATORS[name], _parse_time_object(operands[0], now))


def _parse_time_object(element: etree._Element, now: int) -> EventTime:
    name = local_name(element)
    if name == "TimePeriod":
        return _parse_time_period(element, now)
    if name != "TimeInstant":
        raise ValueError(f"{name} is neither a time nor one of the operators {', '.join(OPERATORS)}")
    return _parse_instant(_only_child(element, "timePosition"), now)


def _parse_instant(position: etree._Element, now: int) -> EventTime:
    text, indeterminate = _read_position(position)
    if text.lower() in EXTREMES and indeterminate is None:
        return EventTime(EXTREMES[text.lower()], None, text)
    if indeterminate == "now":
        return EventTime("equals", Interval(now, now + 1), "now")
    if indeterminate == "unknown" or not text:
        raise ValueError("an instant without a time")
    relations: dict[str | None, TimeRelation] = {"before": "before", "after": "after"}
    return EventTime(relations.get(indeterminate, "equals"), parse_time(text, now=now), text)


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
    """Return a begin or end in microseconds, and its text. A bound only known to lie beyond a time is open."""
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
    """Return the text of a position, stripped, and its indeterminatePosition in lower case."""
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


def _relate(relation: TimeRelation, time: EventTime) -> EventTime:
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
