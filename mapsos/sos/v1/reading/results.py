"""result: an OGC filter as a predicate, with MapServer's exceptions (docs/mapserver-sos.md, "result")."""

from __future__ import annotations

from mapsos.ows.exceptions import OwsException
from mapsos.ows.filters import parse_filter
from mapsos.ows.raw_request import Markup, RawRequest
from mapsos.ows.xml_input import RefusedMarkup
from mapsos.terms.predicates import Predicate


def parse_result(raw: RawRequest, now: int | None = None) -> Predicate | None:
    """Return the filter of a request as `parse_filter` does; None without the parameter.

    Raises
    ------
    OwsException
        The value is not a filter, is not supported, or is too large (exception 40 of docs/mapserver-sos.md).
    """
    found = raw.parts("result")
    if not found:
        return None
    value = found[-1]
    try:
        return parse_filter(value.elements if isinstance(value, Markup) else value, now)
    except RefusedMarkup as error:
        raise OwsException(
            "InvalidParameterValue", "result", "msSOSGetObservation", f"RESULT in GetObservation is rejected: {error}"
        ) from error
    except ValueError as error:
        raise OwsException(
            "InvalidParameterValue",
            "result",
            "msSOSGetObservation",
            f"Invalid or Unsupported RESULT in GetObservation: {value}",
            detail=str(error),
        ) from error
