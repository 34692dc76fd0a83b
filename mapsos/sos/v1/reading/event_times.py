"""Read eventTime: ISO 8601, GML times and operators (docs/mapserver-sos.md, "eventTime"; D-04 to D-06, D-32)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import Markup, RawRequest, Value
from mapsos.ows.temporal_operators import EXTREMES, parse_temporal_element
from mapsos.ows.xml_input import RefusedMarkup, check_mixed_content, parse_fragments
from mapsos.terms.times import EventTime, current_time, parse_period, parse_time

if TYPE_CHECKING:
    from lxml import etree

MAX_TIMES = 1000
"""Maximum number of times of a request: each of them is compared with every row."""


def parse_event_times(raw: RawRequest, now: int | None = None) -> tuple[EventTime, ...]:
    """Return the requested times; empty without eventTime.

    XML in any namespaces and with any prefixes, single or in a list: gml:TimeInstant and gml:TimePeriod, bare or in a
    temporal operator. Text: instants, ``begin/end``, ``latest``, ``first``, in a comma-separated list. A period selects
    the observations within it, its end included with its precision, in TM_Equals too (as in MapServer). A reversed
    period selects nothing.

    Parameters
    ----------
    raw
        The parameters of the request.
    now
        The meaning of ``now`` in microseconds since 1970 UTC; None for the current time.

    Raises
    ------
    OwsException
        A part of a value is not a time (no part is ignored), or the list has more than `MAX_TIMES` (exception
        34 of docs/mapserver-sos.md).
    """
    moment = current_time() if now is None else now
    found: list[EventTime] = []
    for value in raw.parts("eventtime"):
        try:
            found += _parse_value(value, moment, MAX_TIMES - len(found))
        except RefusedMarkup as error:
            raise OwsException(
                "InvalidParameterValue", "eventtime", "msSOSGetObservation", f"The eventTime is rejected: {error}."
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


def _parse_value(value: Value, now: int, most: int) -> list[EventTime]:
    if isinstance(value, Markup):
        elements: Sequence[etree._Element] = value.elements
        check_mixed_content(elements)
    elif (text := value.strip()).startswith(("<", "\ufeff<")):
        elements = parse_fragments(text, ",")
    else:
        _check_number(text.count(",") + 1, most)
        return _parse_list(text, now)
    _check_number(len(elements), most)
    return [parse_temporal_element(element, now) for element in elements]


def _check_number(found: int, most: int) -> None:
    if found > most:
        raise RefusedMarkup(f"more than {MAX_TIMES} times are not accepted")


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
    if text.lower() in EXTREMES:
        return EventTime(EXTREMES[text.lower()], None, text)
    if "/" in text:
        return EventTime("during", parse_period(text, now), text)
    return EventTime("equals", parse_time(text, now=now), text)
