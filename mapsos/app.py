"""The assembly: which map, which interface, which operation; and what becomes of errors."""

from __future__ import annotations

import importlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mapsos.compression import compress_response
from mapsos.error_page import PageError, write_page
from mapsos.http import Request, Response
from mapsos.map_selection import MapSelectionError, select_map
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.operations.context import Context
from mapsos.ows.decoding import decode_query, decode_request
from mapsos.ows.dispatch import check_service, find_operation
from mapsos.ows.exception_report import write_report
from mapsos.ows.exceptions import OwsException
from mapsos.ows.parameters import check_parameters
from mapsos.ows.versions import check_version
from mapsos.settings import Settings
from mapsos.times import current_time
from mapsos.validators import tag_response

log = logging.getLogger("mapsos")

OPERATIONS = {
    "GetCapabilities": "mapsos.operations.get_capabilities:get_capabilities",
    "DescribeSensor": "mapsos.operations.describe_sensor:describe_sensor",
    "DescribeObservationType": "mapsos.operations.describe_observation_type:describe_observation_type",
    "GetObservation": "mapsos.operations.get_observation:get_observation",
}
"""Where each operation is: imported when it is first asked for, since imports are part of what a CGI request costs."""


class Application:
    """Answers requests by the maps that its settings admit. Safe for threads; keeps parsed maps and facts of data."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._catalog = ServiceCatalog(settings)

    def answer(self, request: Request) -> Response:
        """The response to a request: never an exception, whatever the request, the map or the data are like."""
        service: Service | None = None
        try:
            self._check_method(request)
            service = self._find_service(request)
            response = self._ask(service, request)
        except PageError as error:
            log.info("%s", _one_line(f"{error.prefix} {error.message} {error.detail}"))
            response = write_page(error, self._choose_status(error.status))
        except OwsException as error:
            log.info("%s", _one_line(f"{error.text} {error.detail}"))
            response = self._report(error, service)
        except Exception:
            reference = uuid.uuid4().hex[:12]
            log.exception("request failed, reference %s", reference)
            response = self._report(_describe_failure(reference), service)
        response = _pack(response, request)
        return _drop_body(response) if request.method == "HEAD" else response

    def _check_method(self, request: Request) -> None:
        allowed = ("GET", "HEAD") if self.settings.no_post else ("GET", "HEAD", "POST")
        if request.method not in allowed:
            raise _refuse_request("This script should be referenced with a METHOD of GET or METHOD of POST.", 405)
        if not request.query and request.method != "POST":
            if request.query is None:
                raise _refuse_request("No query information to decode. QUERY_STRING not set.")
            raise _refuse_request("No query information to decode. QUERY_STRING is set, but empty.")

    def _find_service(self, request: Request) -> Service:
        try:
            path = select_map(self.settings, decode_query(request).first("map"))
            return self._catalog.find(path)
        except MapSelectionError as error:
            raise PageError(error.routine, error.category, error.message, status=404) from error
        except MapfileError as error:
            raise _refuse_map(error) from error

    def _ask(self, service: Service, request: Request) -> Response:
        raw = decode_request(request, decode_query(request), self.settings.max_body)
        check_service(raw, self.settings.mode, service.has_sos)
        context = Context(service, raw, request.environ, request.method, current_time(), self.settings.online_resource)
        name = raw.last("request")
        operation = find_operation(raw, name is not None and bool(context.enabled(name)))
        if operation != "GetCapabilities":
            check_version(raw)
        check_parameters(raw, operation, service.vendor_parameters)
        response = _load(OPERATIONS[operation])(context)
        if operation == "GetCapabilities" and _is_over_http(request):
            return tag_response(response, request.environ.get("HTTP_IF_NONE_MATCH"))
        return response

    def _report(self, error: OwsException, service: Service | None) -> Response:
        known = service if service is not None else Service(name="")
        return Response(
            status=413 if error.status == 413 else self._choose_status(error.status),
            headers=(("Content-Type", "text/xml; charset=UTF-8"),),
            body=(write_report(error, known.schemas_location, known.language),),
            error=True,
        )

    def _choose_status(self, status: int) -> int:
        return status if self.settings.http_status else 200


def _load(name: str) -> Callable[[Context], Response]:
    module, function = name.split(":")
    operation: Callable[[Context], Response] = getattr(importlib.import_module(module), function)
    return operation


def _refuse_request(message: str, status: int = 400) -> PageError:
    return PageError("loadParams", "Web application error.", message, status=status)


def _refuse_map(error: MapfileError) -> PageError:
    name = Path(error.file).name
    if error.missing:
        return PageError("msLoadMap", "Unable to access file.", f"({name})", status=404, detail=str(error))
    if error.unended:
        return PageError("msLoadMap", "Premature End-of-File.", "", status=500, detail=str(error))
    near = f"Parsing error near ({error.near}):(line {error.line})"
    return PageError("msLoadMap", "Unknown identifier.", near, status=500, detail=str(error))


def _describe_failure(reference: str) -> OwsException:
    return OwsException(
        "NoApplicableCode",
        "mapserv",
        "msSOSDispatch",
        f"The request failed for a reason that is in the server's log under reference {reference}.",
        status=500,
    )


def _one_line(text: str) -> str:
    """A text that clients have a part in, so that it cannot pass for other lines of the log."""
    return text.rstrip().encode("unicode_escape").decode("ascii")


def _is_over_http(request: Request) -> bool:
    """Whether a web server asks: on the command line the header block is MapServer's to the letter."""
    return "SERVER_PROTOCOL" in request.environ


def _pack(response: Response, request: Request) -> Response:
    """Compress a document where the client asks for it; redirects and pages are not worth it."""
    document = dict(response.headers).get("Content-Type", "").startswith("text/xml")
    if response.status != 200 or not document or not _is_over_http(request):
        return response
    return compress_response(response, request.environ.get("HTTP_ACCEPT_ENCODING", ""))


def _drop_body(response: Response) -> Response:
    close = getattr(response.body, "close", None)
    if close is not None:
        close()
    return replace(response, body=())
