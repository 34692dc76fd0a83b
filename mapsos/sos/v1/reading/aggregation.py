"""Read aggregateInterval, aggregateFunction and timezone: summaries of observations by periods.

These parameters are extensions of mapsos to SOS 1.0.0.
"""

from __future__ import annotations

from mapsos.operations.questions import Aggregation
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.reading.time_zones import find_time_zone
from mapsos.terms.times import parse_duration

FUNCTIONS = ("avg", "min", "max", "sum", "count", "first", "last")
"""The values of aggregateFunction, in any letter case."""


def parse_aggregation(raw: RawRequest) -> Aggregation | None:
    """Return the requested aggregation; None without aggregateInterval.

    ``aggregateFunction`` is a comma-separated list, ``avg`` if absent. ``timezone`` is an IANA name or an offset, UTC
    if absent.

    Raises
    ------
    OwsException
        A value is invalid (InvalidParameterValue), or one of these two is given without aggregateInterval
        (MissingParameterValue).
    """
    interval = raw.last("aggregateinterval")
    if interval is None:
        for name in ("aggregatefunction", "timezone"):
            if raw.last(name) is not None:
                message = f"Missing AGGREGATEINTERVAL parameter, which {name} belongs to."
                raise OwsException("MissingParameterValue", "aggregateinterval", "msSOSGetObservation", message)
        return None
    functions = _parse_functions(raw.last("aggregatefunction"))
    zone_text = raw.last("timezone")
    try:
        zone = find_time_zone("UTC" if zone_text is None else zone_text)
    except ValueError as error:
        message = (
            f"Invalid TIMEZONE parameter {zone_text}.  "
            "Allowable values are: names of IANA (Europe/Berlin) and offsets (+02:00)"
        )
        raise OwsException("InvalidParameterValue", "timezone", "msSOSGetObservation", message) from error
    try:
        aggregation = Aggregation(parse_duration(interval), functions, zone)
        aggregation.cut_calendar()
    except ValueError as error:
        message = (
            f"Invalid AGGREGATEINTERVAL parameter {interval}.  Allowable values are: ISO 8601 durations of years and "
            "months, of days or weeks, or of less than a day (P1Y, P1M, P1D, PT10M)"
        )
        raise OwsException("InvalidParameterValue", "aggregateinterval", "msSOSGetObservation", message) from error
    return aggregation


def _parse_functions(text: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().lower() for name in ("avg" if text is None else text).split(",")))
    unknown = [name for name in names if name not in FUNCTIONS]
    if unknown:
        allowed = ", ".join(FUNCTIONS)
        message = f"Invalid AGGREGATEFUNCTION parameter {','.join(unknown)}.  Allowable values are: {allowed}"
        raise OwsException("InvalidParameterValue", "aggregatefunction", "msSOSGetObservation", message)
    return names
