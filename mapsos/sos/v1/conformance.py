"""Choose the form of documents: as MapServer writes them, or valid against the schemas of OGC."""

from __future__ import annotations

from mapsos.mapfile.model import CONFORMANCES, Service
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest

PARAMETER = "conformance"
"""The request parameter. A service lists it if sos_conformance has several words."""


def is_strict(service: Service, raw: RawRequest) -> bool:
    """Return whether documents must be valid: by ``conformance`` of the request, else by sos_conformance.

    Raises
    ------
    OwsException
        sos_conformance has an unknown word, or the parameter has a value that is not one of its words.
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
    wanted = raw.last(PARAMETER)
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
    """Return whether the parameter has a choice: sos_conformance has several words."""
    return len(service.conformance) > 1
