"""SOS 1.0.0 as an interface of the application: from an HTTP request to a response, or to an exception report."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mapsos.config.map_selection import MapSelectionError, select_map
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.operations.context import Context
from mapsos.operations.errors import ServiceError
from mapsos.operations.permissions import check_access, miss_key
from mapsos.ows.decoding import decode_query, decode_request
from mapsos.ows.error_page import PageError, write_page
from mapsos.ows.exception_report import write_report
from mapsos.ows.exceptions import DecodingError, OwsException
from mapsos.ows.operation import find_operation_row
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.conformance import is_strict
from mapsos.sos.v1.dispatch import asks_feature_type, check_service, find_operation
from mapsos.sos.v1.errors import is_closed, translate_error
from mapsos.sos.v1.operations import OPERATIONS, UNSUPPORTED
from mapsos.sos.v1.reading.feature_types import check_wfs_version
from mapsos.sos.v1.reading.negotiation import check_version
from mapsos.sos.v1.reading.parameters import check_parameters
from mapsos.sos.v1.request import SosRequest
from mapsos.terms.deadlines import BusyError, DeadlineError
from mapsos.terms.failures import AccessError, Failure
from mapsos.terms.times import current_time
from mapsos.web.messages import Request, Response
from mapsos.web.own_url import build_own_url
from mapsos.web.responses import build_response

if TYPE_CHECKING:
    from mapsos.access.gate import Requester
    from mapsos.operations.host import Host

_KEYWORD = re.compile(r"[A-Za-z_]{0,32}")


class SosExchange:
    """One request for SOS, and its state so far."""

    def __init__(self, request: Request, host: Host, requester: Requester | None = None) -> None:
        self._request = request
        self._host = host
        self._requester = requester
        self._service: Service | None = None
        self._operation = ""
        self._ignored: tuple[str, ...] = ()

    def answer(self) -> Response:
        """Answer the request. Raises PageError, DecodingError, OwsException, ServiceError and AccessError."""
        request, settings = self._request, self._host.settings
        self._check_method()
        raw = self._decode()
        service = self._service = self._find_service(raw)
        check_service(raw, settings.mode, service.has_sos)
        context = self._check_access(raw, service)
        operation = find_operation(raw, context)
        self._operation = operation.name
        if asks_feature_type(raw):
            check_wfs_version(raw)
        elif operation.name != "GetCapabilities":
            check_version(raw)
        self._ignored = check_parameters(raw, operation, OPERATIONS, service.vendor_parameters)
        strict = is_strict(service, raw)
        asked = SosRequest(context, raw, strict, OPERATIONS, reads_body=request.method != "HEAD")
        try:
            response = build_response(operation.answer(asked), request)
        except (OwsException, ServiceError) as error:
            if is_closed(error, context, operation):
                raise miss_key(self._requester) from error
            raise
        return replace(response, operation=operation.name, ignored=self._ignored)

    def _check_access(self, raw: RawRequest, service: Service) -> Context:
        """Check the key of the request, and return its context."""
        request, settings = self._request, self._host.settings
        address = request.environ.get("REMOTE_ADDR")
        name = "DescribeFeatureType" if asks_feature_type(raw) else raw.last("request") or ""
        row = find_operation_row(OPERATIONS, name)
        if row is not None:
            self._operation = row.name
        writes = row is not None and row.writes
        is_open = settings.keys_open_capabilities and name.lower() == "getcapabilities"
        has_key = check_access(service, self._requester, address, (name,), writes=writes, is_open=is_open)
        own_url = build_own_url(request, raw.first("map"))
        context = Context(self._host, service, address, current_time(), own_url, has_key=has_key, is_open=is_open)
        if context.closed(name, writes=writes) and not context.is_enabled(name, writes=writes):
            raise miss_key(self._requester)
        return context

    def _decode(self) -> RawRequest:
        """Return the parameters of the query string and the body; a form in the body may name the map."""
        request = self._request
        query = decode_query(request)
        try:
            return decode_request(request, query, self._host.settings.max_body, read_body)
        except (PageError, DecodingError, OwsException):
            # What is wrong with the map comes first, and its language is that of the report.
            self._service = self._find_service(query)
            raise

    def report(self, failure: Failure) -> Response:
        """Report a failure: as MapServer's page before the service is known, else as an exception report."""
        error = failure.error
        if isinstance(error, PageError):
            return self._write_page(error)
        if isinstance(error, DeadlineError):
            message = (
                f"The request exceeded the time limit of {error.seconds:g} seconds. "
                "Request a shorter period or fewer sensors."
            )
            exception = OwsException("NoApplicableCode", "mapserv", "msSOSDispatch", message, status=503)
        elif isinstance(error, BusyError):
            message = f"The server is busy. Repeat the request after {error.seconds} seconds."
            exception = OwsException("NoApplicableCode", "mapserv", "msSOSDispatch", message, status=503)
        elif isinstance(error, AccessError):
            exception = OwsException("NoApplicableCode", "api-key", "", str(error), status=error.status)
        elif isinstance(error, ServiceError):
            exception = translate_error(error, self._operation)
        elif isinstance(error, OwsException):
            exception = error
        elif isinstance(error, DecodingError):
            exception = OwsException(error.code, error.locator, "msSOSDispatch", str(error), status=error.status)
        else:
            reference = failure.reference
            message = f"The request failed for a reason that is in the server's log under reference {reference}."
            exception = OwsException("NoApplicableCode", "mapserv", "msSOSDispatch", message, status=500)
        known = self._service if self._service is not None else Service(name="")
        return Response(
            status=413 if exception.status == 413 else self._choose_status(exception.status),
            headers=(("Content-Type", "text/xml; charset=UTF-8"),),
            body=(write_report(exception, known.schemas_location, known.language),),
            error=True,
            operation=self._operation,
            compressible=True,
            ignored=self._ignored,
        )

    def _write_page(self, error: PageError) -> Response:
        page = write_page(error, self._choose_status(error.status))
        if page.status != 405:
            return page
        # RFC 9110, clause 15.5.6.
        return replace(page, headers=(*page.headers, ("Allow", ", ".join(self._host.settings.methods))))

    def _choose_status(self, status: int) -> int:
        return status if self._host.settings.http_status else 200

    def _check_method(self) -> None:
        request = self._request
        if request.method not in self._host.settings.methods:
            raise _refuse_request("This script should be referenced with a METHOD of GET or METHOD of POST.", 405)
        if not request.query and request.method != "POST":
            if request.query is None:
                raise _refuse_request("No query information to decode. QUERY_STRING not set.")
            raise _refuse_request("No query information to decode. QUERY_STRING is set, but empty.")

    def _find_service(self, raw: RawRequest) -> Service:
        try:
            return self._host.find_service(select_map(self._host.settings, raw.first("map")))
        except MapSelectionError as error:
            raise PageError(error.routine, error.category, error.message, status=404) from error
        except MapfileError as error:
            raise _refuse_map(error) from error


def open_exchange(request: Request, host: Host, requester: Requester | None) -> SosExchange:
    """Take any request. Those that are not for SOS are rejected as MapServer does."""
    return SosExchange(request, host, requester)


def read_body(data: bytes) -> RawRequest:
    """Read an XML body as a request of SOS 1.0.0. Raises OwsException."""
    from mapsos.sos.v1.reading import xml_bodies

    return xml_bodies.read_body(data, OPERATIONS, UNSUPPORTED)


def _refuse_request(message: str, status: int = 400) -> PageError:
    return PageError("loadParams", "Web application error.", message, status=status)


def _refuse_map(error: MapfileError) -> PageError:
    name = Path(error.file).name
    if error.missing:
        return PageError("msLoadMap", "Unable to access file.", f"({name})", status=404, detail=str(error))
    if error.unended:
        return PageError("msLoadMap", "Premature End-of-File.", "", status=500, detail=str(error))
    # A file that is not a map may contain secrets: a link in the folder of maps may lead anywhere.
    word = error.near if _KEYWORD.fullmatch(error.near) else "..."
    near = f"Parsing error near ({word}):(line {error.line})"
    return PageError("msLoadMap", "Unknown identifier.", near, status=500, detail=str(error))
