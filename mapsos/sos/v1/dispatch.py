"""Decide whether a request is for SOS, and for which operation.

See docs/mapserver-sos.md, "Choosing the SOS module" and "Order of checks".
"""

from __future__ import annotations

from mapsos.operations.context import Context
from mapsos.ows.error_page import PageError
from mapsos.ows.exceptions import OwsException
from mapsos.ows.operation import Operation, find_operation_row
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.operations import OPERATIONS, UNSUPPORTED
from mapsos.sos.v1.request import Handler, is_enabled


def check_service(raw: RawRequest, mode: str | None, has_sos: bool) -> None:
    """Reject requests that are not for SOS.

    Parameters
    ----------
    raw
        The parameters of the request.
    mode
        The option MS_MODE; the parameter of that name overrides it.
    has_sos
        Whether the map is an SOS.

    Raises
    ------
    OwsException
        The map is an SOS, and the request is for something else (D-24).
    PageError
        The map is not an SOS, or the mode is unknown: MapServer's page.
    """
    asked_mode = raw.first("mode") or mode
    if asked_mode is not None and asked_mode.lower() not in ("ows", "wfs"):
        raise PageError("msCGISetMode", "Web application error.", "Invalid mode.")
    service = raw.first("service")
    if service is None and raw.from_xml and raw.root in (*(row.name for row in OPERATIONS), *UNSUPPORTED):
        return
    if has_sos and asks_feature_type(raw):
        return
    if service is not None and service.upper() == "SOS":
        last = raw.last("service")
        if last is None or last.upper() == "SOS":
            return
        service = last
    if has_sos:
        raise _refuse_service(service)
    if asked_mode is None:
        raise PageError(
            "mapserv",
            "Web application error.",
            "Traditional BROWSE mode requires a TEMPLATE in the WEB section, but none was provided.",
        )
    error = _refuse_service(service)
    raise PageError(
        "msOWSDispatch",
        "General error message.",
        f"OWS Common exception: exceptionCode={error.code}, locator=SERVICE, ExceptionText={error}.",
    )


def asks_feature_type(raw: RawRequest) -> bool:
    """Return whether this is the one supported WFS request: the link from every observation to its schema."""
    return _names(raw, "service") == {"wfs"} and _names(raw, "request") == {"describefeaturetype"}


def _names(raw: RawRequest, parameter: str) -> set[str]:
    return {value.strip().lower() for value in raw.all(parameter)}


def _refuse_service(service: str | None) -> OwsException:
    missing = not service
    hint = ". Of WFS, DescribeFeatureType alone is answered" if (service or "").lower() == "wfs" else ""
    return OwsException(
        "MissingParameterValue" if missing else "InvalidParameterValue",
        "service",
        "msOWSDispatch",
        "SERVICE parameter missing" if missing else f"SERVICE parameter value invalid{hint}",
        category="OWS error.",
    )


def find_operation(
    raw: RawRequest, context: Context, operations: tuple[Operation[Handler], ...] = OPERATIONS
) -> Operation[Handler]:
    """Return the requested operation.

    Parameters
    ----------
    raw
        The parameters of the request.
    context
        The service and the client, which may use enabled operations only.
    operations
        The operations of this version.

    Raises
    ------
    OwsException
        REQUEST is missing, not enabled, or unknown (exceptions 1 to 3 of docs/mapserver-sos.md).
    """
    name = raw.last("request")
    if name is None:
        raise OwsException("MissingParameterValue", "request", "msSOSDispatch", "Missing REQUEST Parameter")
    unsupported = next((known for known in UNSUPPORTED if known.lower() == name.lower()), None)
    if unsupported is not None:
        raise OwsException(
            "OperationNotSupported",
            unsupported,
            "msSOSDispatch",
            f"The operation {unsupported} is not supported.",
            status=501,
        )
    of_wfs = asks_feature_type(raw)
    found = find_operation_row(operations, "DescribeFeatureType" if of_wfs else name)
    if found is not None and of_wfs:
        return found
    # An unknown name is reported as unknown only where the rules enable it, as MapServer does.
    if not (is_enabled(context, found) if found is not None else context.is_enabled(name)):
        raise OwsException(
            "InvalidParameterValue",
            "request",
            "msSOSDispatch",
            "SOS request not enabled. Check sos/ows_enable_request settings.",
        )
    if found is not None:
        return found
    raise OwsException("InvalidParameterValue", "request", "msSOSDispatch", f"Invalid REQUEST parameter: {name}")
