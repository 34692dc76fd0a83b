"""Which documents a client gets: MapServer's, or such as are valid by the schemas of OGC."""

from __future__ import annotations

from mapsos.mapfile.model import CONFORMANCES, Service
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest

PARAMETER = "conformance"
"""The request parameter, admitted where sos_conformance names more than one way."""


def is_strict(service: Service, raw: RawRequest) -> bool:
    """Whether documents shall be valid: by ``conformance`` of the request, else by the first word of sos_conformance.

    Raises OwsException for a value of either that is not one of those that are there.
    """
    offered = service.conformance
    unknown = next((name for name in offered if name not in CONFORMANCES), None)
    if unknown is not None:
        raise OwsException(
            "NoApplicableCode",
            "sos_conformance",
            "msSOSDispatch",
            f"The metadata sos_conformance is not made of {' and '.join(CONFORMANCES)}.",
            status=500,
        )
    wanted = raw.last(PARAMETER) if admits_parameter(service) else None
    if wanted is None:
        return offered[0] == "strict"
    if wanted.lower() not in offered:
        raise OwsException(
            "InvalidParameterValue",
            PARAMETER,
            "msSOSDispatch",
            f"Invalid conformance parameter {wanted}.  Allowable values are: {', '.join(offered)}",
        )
    return wanted.lower() == "strict"


def admits_parameter(service: Service) -> bool:
    """Whether one request may choose: sos_conformance names more than one way."""
    return len(service.conformance) > 1
