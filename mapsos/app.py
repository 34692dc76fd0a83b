"""The assembly: which map, which interface, which operation; and what becomes of errors."""

from __future__ import annotations

import importlib
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mapsos.config.map_selection import MapSelectionError, select_map
from mapsos.config.settings import Settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.operations.context import Context, open_context
from mapsos.ows.decoding import decode_query, decode_request
from mapsos.ows.error_page import PageError, write_page
from mapsos.ows.exception_report import write_report
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.ows.versions import check_version
from mapsos.sos.v1.conformance import PARAMETER, admits_parameter, is_strict
from mapsos.sos.v1.dispatch import asks_feature_type, check_service, find_operation
from mapsos.sos.v1.reading.feature_types import check_wfs_version
from mapsos.sos.v1.reading.parameters import check_parameters
from mapsos.terms.deadlines import DeadlineError, limit_seconds
from mapsos.web.compression import compress_response
from mapsos.web.cors import admit_origin, answer_preflight
from mapsos.web.entity_tags import tag_response
from mapsos.web.messages import Request, Response, close_body, is_over_http
from mapsos.web.request_ids import current_request_id

if TYPE_CHECKING:
    from mapsos.rest.paths import RestPath

log = logging.getLogger("mapsos")

_KEYWORD = re.compile(r"[A-Za-z_]{0,32}")

OPERATIONS = {
    "GetCapabilities": "mapsos.sos.v1.get_capabilities:get_capabilities",
    "DescribeSensor": "mapsos.sos.v1.describe_sensor:describe_sensor",
    "DescribeObservationType": "mapsos.sos.v1.describe_observation_type:describe_observation_type",
    "GetObservation": "mapsos.sos.v1.get_observation:get_observation",
    "GetDataAvailability": "mapsos.sos.v1.get_data_availability:get_data_availability",
    "DescribeFeatureType": "mapsos.sos.v1.describe_feature_type:describe_feature_type",
    "GetFeatureOfInterest": "mapsos.sos.v1.get_feature_of_interest:get_feature_of_interest",
    "GetObservationById": "mapsos.sos.v1.get_observation_by_id:get_observation_by_id",
}
"""Where each operation is: imported when it is first asked for, since imports are part of what a CGI request costs."""

REST = "mapsos.rest.answer:answer_rest"
PAGES = "mapsos.pages.answer:answer_page_path"
"""Where the other interfaces are, imported likewise."""

PAGE_PATHS = "/_mapsos/"
"""What paths of the pages' own files, and of the builder of requests, start with."""


class Application:
    """Answers requests by the maps that its settings admit. Safe for threads; keeps parsed maps and facts of data."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._catalog = ServiceCatalog(settings)

    def answer(self, request: Request) -> Response:
        """The response to a request: never an exception, whatever the request, the map or the data are like."""
        current_request_id.set(request.id)
        response = answer_preflight(request, self.settings.cors, self.settings.methods)
        if response is None:
            with limit_seconds(self.settings.max_seconds):
                response = self._answer(request)
        if is_over_http(request.environ):
            response = admit_origin(response, request, self.settings.cors)
            if request.id:
                response = replace(response, headers=(*response.headers, ("X-Request-Id", request.id)))
        return _drop_body(response) if request.method == "HEAD" else response

    def check_maps(self) -> Iterator[bool]:
        """Whether each map that may be asked for by name, or without one, can be read.

        The latter is parsed, if it has not been already; of the others the file is looked for.
        """
        default = self.settings.mapfile
        for path in sorted({*self.settings.maps.values(), *filter(None, [default])}):
            try:
                if path == default:
                    self._catalog.find(path)
                else:
                    os.stat(path)
            except (MapfileError, OSError) as error:
                log.warning("%s", error)
                yield False
            else:
                yield True

    def _answer(self, request: Request) -> Response:
        service: Service | None = None
        operation = ""
        try:
            if self.settings.rest and request.environ.get("PATH_INFO", "").startswith(PAGE_PATHS):
                return _load(PAGES)(request, self.settings, self._catalog.find)
            path = self._find_rest_path(request)
            if path is not None:
                return _pack(_load(REST)(request, path, self.settings, self._catalog.find), request)
            self._check_method(request)
            query = decode_query(request)
            service = self._find_service(query)
            context = self._open(service, query, request)
            operation = _find_operation(context)
            response = self._perform(operation, context, request)
        except PageError as error:
            log.info("%s", f"{error.prefix} {error.message} {error.detail}".rstrip())
            response = write_page(error, self._choose_status(error.status))
        except OwsException as error:
            log.info("%s", f"{error.text} {error.detail}".rstrip())
            response = self._report(error, service)
        except DeadlineError as error:
            log.warning("%s", error)
            response = self._report(_describe_delay(error), service)
        except Exception:
            reference = uuid.uuid4().hex[:12]
            log.exception("request failed, reference %s", reference)
            response = self._report(_describe_failure(reference), service)
        return replace(_pack(response, request), operation=operation)

    def _find_rest_path(self, request: Request) -> RestPath | None:
        if not self.settings.rest or len(request.environ.get("PATH_INFO", "")) < 2:
            return None
        from mapsos.rest.paths import parse_rest_path, read_path

        return parse_rest_path(read_path(request.environ))

    def _check_method(self, request: Request) -> None:
        if request.method not in self.settings.methods:
            raise _refuse_request("This script should be referenced with a METHOD of GET or METHOD of POST.", 405)
        if not request.query and request.method != "POST":
            if request.query is None:
                raise _refuse_request("No query information to decode. QUERY_STRING not set.")
            raise _refuse_request("No query information to decode. QUERY_STRING is set, but empty.")

    def _find_service(self, query: RawRequest) -> Service:
        try:
            path = select_map(self.settings, query.first("map"))
            return self._catalog.find(path)
        except MapSelectionError as error:
            raise PageError(error.routine, error.category, error.message, status=404) from error
        except MapfileError as error:
            raise _refuse_map(error) from error

    def _open(self, service: Service, query: RawRequest, request: Request) -> Context:
        raw = decode_request(request, query, self.settings.max_body)
        check_service(raw, self.settings.mode, service.has_sos)
        return open_context(service, raw, request, self.settings)

    def _perform(self, operation: str, context: Context, request: Request) -> Response:
        if asks_feature_type(context.raw):
            check_wfs_version(context.raw)
        elif operation != "GetCapabilities":
            check_version(context.raw)
        vendor = context.service.vendor_parameters
        if admits_parameter(context.service):
            vendor = (*vendor, PARAMETER)
        check_parameters(context.raw, operation, vendor)
        is_strict(context)
        response = _load(OPERATIONS[operation])(context)
        if operation == "GetCapabilities" and is_over_http(request.environ):
            return tag_response(response, request.environ.get("HTTP_IF_NONE_MATCH"))
        return response

    def _report(self, error: OwsException, service: Service | None) -> Response:
        known = service if service is not None else Service(name="")
        return Response(
            status=413 if error.status == 413 else self._choose_status(error.status),
            headers=(("Content-Type", "text/xml; charset=UTF-8"),),
            body=(write_report(error, known.schemas_location, known.language),),
            error=True,
            compressible=True,
        )

    def _choose_status(self, status: int) -> int:
        return status if self.settings.http_status else 200


def _find_operation(context: Context) -> str:
    name = context.raw.last("request")
    return find_operation(context.raw, name is not None and bool(context.enabled(name)))


def _load(name: str) -> Callable[..., Response]:
    module, function = name.split(":")
    found: Callable[..., Response] = getattr(importlib.import_module(module), function)
    return found


def _refuse_request(message: str, status: int = 400) -> PageError:
    return PageError("loadParams", "Web application error.", message, status=status)


def _refuse_map(error: MapfileError) -> PageError:
    name = Path(error.file).name
    if error.missing:
        return PageError("msLoadMap", "Unable to access file.", f"({name})", status=404, detail=str(error))
    if error.unended:
        return PageError("msLoadMap", "Premature End-of-File.", "", status=500, detail=str(error))
    # What is no map may be a file with secrets: a link among the maps leads anywhere.
    word = error.near if _KEYWORD.fullmatch(error.near) else "..."
    near = f"Parsing error near ({word}):(line {error.line})"
    return PageError("msLoadMap", "Unknown identifier.", near, status=500, detail=str(error))


def _describe_delay(error: DeadlineError) -> OwsException:
    return OwsException(
        "NoApplicableCode",
        "mapserv",
        "msSOSDispatch",
        f"The request would take longer than the {error.seconds:g} seconds that this service spends on one. "
        "Ask for less.",
        status=503,
    )


def _describe_failure(reference: str) -> OwsException:
    return OwsException(
        "NoApplicableCode",
        "mapserv",
        "msSOSDispatch",
        f"The request failed for a reason that is in the server's log under reference {reference}.",
        status=500,
    )


def _pack(response: Response, request: Request) -> Response:
    """Compress what is worth it where the client asks for it."""
    if response.status != 200 or not response.compressible or not is_over_http(request.environ):
        return response
    return compress_response(response, request.environ.get("HTTP_ACCEPT_ENCODING", ""))


def _drop_body(response: Response) -> Response:
    close_body(response.body)
    return replace(response, body=())
