"""The REST interface from request to response: map, resource, format, and errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from mapsos.encodings.registry import CSV, find_format
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.key_levels import read_key_level
from mapsos.mapfile.model import Service
from mapsos.operations.answers import Answer, AnswerFacts
from mapsos.operations.context import Context
from mapsos.operations.observe import read_max_features
from mapsos.operations.permissions import RESOURCES, check_access, miss_key
from mapsos.ows.decoding import decode_query, decode_request
from mapsos.ows.error_page import PageError
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import MethodError, RestError, translate_failure
from mapsos.rest.parameters import check_names, read_format
from mapsos.rest.paths import RestPath
from mapsos.rest.resource import Resource, check_path, find_resource
from mapsos.rest.resources.layers import rest_errors
from mapsos.terms.deadlines import check_often
from mapsos.terms.failures import Failure
from mapsos.terms.times import current_time
from mapsos.web.downloads import name_file
from mapsos.web.entity_tags import tag_response
from mapsos.web.messages import Request, Response, read_condition
from mapsos.web.own_url import build_own_url
from mapsos.web.responses import build_response

if TYPE_CHECKING:
    from mapsos.access.gate import Requester
    from mapsos.operations.host import Host

log = logging.getLogger("mapsos")

JSON = "application/json; charset=UTF-8"


class PageWriter(Protocol):
    """Writes resources of the REST interface as pages for people."""

    def write_services(self, services: dict[str, Service]) -> Response:
        """Write the list of services."""

    def write_resource(self, path: RestPath, context: Context, raw: RawRequest, resource: Resource) -> Response:
        """Write a resource. Raises RestError."""

    def write_error(self, error: RestError, service: Service | None) -> Response:
        """Write an error; ``service`` is None if it is unknown."""


class RestExchange:
    """One request for the REST interface, and its state so far.

    Parameters
    ----------
    pages
        Writes pages; None for a request that does not want one.
    """

    def __init__(
        self,
        request: Request,
        path: RestPath,
        host: Host,
        requester: Requester | None = None,
        pages: PageWriter | None = None,
    ) -> None:
        self._request = request
        self._path = path
        self._host = host
        self._requester = requester
        self._pages = pages
        self._service: Service | None = None
        self._ignored: tuple[str, ...] = ()
        # Until the query has been decoded, which can fail.
        self._wants_page = pages is not None

    def answer(self) -> Response:
        """Answer the request. Raises RestError, ServiceError and AccessError."""
        raw = self._read()
        if self._path.resource == "services":
            self._ignored = check_names(raw, "services")
            return self._finish(self._answer_services(raw))
        service = self._service = find_service(self._path.service, self._host)
        address, now = self._request.environ.get("REMOTE_ADDR"), current_time()
        has_key = check_access(service, self._requester, address, RESOURCES)
        own_url = build_own_url(self._request, raw.first("map"))
        context = Context(self._host, service, address, now, own_url, has_key=has_key)
        script = self._request.environ.get("SCRIPT_NAME", "")
        try:
            self._ignored = check_names(raw, check_path(context, self._path))
            resource = find_resource(context, self._path, raw, script, reads_body=self._request.method != "HEAD")
            response = replace(self._write(context, raw, resource), count_rows=resource.count_rows)
        except RestError as error:
            # Names that were not found may be those of layers that need a key.
            if (error.is_about_name or error.code == 403) and any(map(context.closed, RESOURCES)):
                raise miss_key(self._requester) from error
            raise
        return self._finish(response)

    def report(self, failure: Failure) -> Response:
        """Report a failure as a document or a page, with its HTTP status code."""
        error = translate_failure(failure)
        if self._wants_page and self._pages is not None:
            page = self._pages.write_error(error, self._service)
            return self._finish(tell_methods(page, error))
        return self._finish(write_error(error))

    def _finish(self, response: Response) -> Response:
        """Add what the log tells about the request."""
        return replace(response, operation=self._path.operation, ignored=self._ignored)

    def _read(self) -> RawRequest:
        request, settings = self._request, self._host.settings
        with decoding_errors():
            raw = decode_query(request)
        self._wants_page = wants_page(raw.last("f"))
        if request.method not in settings.methods:
            raise MethodError(request.method, settings.methods)
        with decoding_errors():
            raw = decode_request(request, raw, settings.max_body, _refuse_body)
        self._wants_page = wants_page(raw.last("f"))
        return raw

    def _answer_services(self, raw: RawRequest) -> Response:
        services, format = self._list_services(), read_format(raw, "services")
        if format == "html" and self._pages is not None:
            return self._pages.write_services(services)
        value = {"services": [{"name": name, "type": "MapServer"} for name in services]}
        return _respond(200, value, 2 if format == "pjson" else None)

    def _list_services(self) -> dict[str, Service]:
        """Return the services by name that the client may use."""
        requester = self._requester
        if requester is not None:
            requester.admit(None, needs_key=False)
            requester.note_dependence()
        return {
            name: service
            for name, service in _list_services(self._host).items()
            if read_key_level(service.access) != "all"
            or self._request.environ.get("REMOTE_ADDR") is None
            or (requester is not None and requester.may_use(service.file))
        }

    def _write(self, context: Context, raw: RawRequest, resource: Resource) -> Response:
        if resource.stream is not None:
            return build_response(_describe_stream(context, raw, resource), self._request)
        if resource.format == "html" and self._pages is not None:
            return self._pages.write_resource(self._path, context, raw, resource)
        response = _respond(200, resource.value, 2 if resource.format == "pjson" else None)
        return tag_response(response, read_condition(self._request))


def _describe_stream(context: Context, raw: RawRequest, resource: Resource) -> Answer:
    """Return a stream as an answer. The facts of a table have the limit of rows, as in SOS; JSON contains it."""
    assert resource.stream is not None
    if resource.format != "csv":
        return Answer(JSON, resource.stream)
    form = find_format(CSV)
    named = [text for name in ("offering", "observedProperty", "procedure") for text in raw.all(name)]
    facts = AnswerFacts(resource.count_rows, read_max_features(context.service))
    return Answer(form.content_type, resource.stream, name_file(named, form.extension or ""), facts=facts)


def _list_services(host: Host) -> dict[str, Service]:
    """Return the maps that are services by name. Maps that cannot be read are left out and logged."""
    found = {}
    for name in sorted(host.settings.maps):
        try:
            service = host.find_service(host.settings.maps[name])
            if service.has_sos:
                found[name] = service
        except MapfileError as error:
            log.warning("%s", error)
    return found


def find_service(name: str | None, host: Host) -> Service:
    """Return the service of a map by its name; None stands for the only or the default map. Raises RestError."""
    file = host.settings.mapfile if name is None else host.settings.maps.get(name.lower())
    if file is None:
        raise RestError("service not found", code=404)
    try:
        service = host.find_service(file)
    except MapfileError as error:
        raise RestError("the map of this service cannot be read", code=500, detail=str(error)) from error
    if not service.has_sos:
        raise RestError("service not found", code=404)
    return service


@contextmanager
def decoding_errors() -> Iterator[None]:
    """Turn errors of the decoder into RestError."""
    try:
        with rest_errors():
            yield
    except PageError as error:
        raise RestError(error.message, code=error.status) from error


def _refuse_body(data: bytes) -> RawRequest:
    raise RestError("the body of the request is not a form", "send application/x-www-form-urlencoded")


def wants_page(format: str | None) -> bool:
    """Return whether the client wants a page: the format is html or missing."""
    return (format or "html").strip().lower() == "html"


def write_error(error: RestError) -> Response:
    """Return the document of an error."""
    value = {"error": {"code": error.code, "message": error.message, "details": list(error.details)}}
    return tell_methods(_respond(error.code, value, None, error=True), error)


def tell_methods(response: Response, error: RestError) -> Response:
    """Add the allowed methods to the report of an unsupported one (RFC 9110, clause 15.5.6)."""
    if not isinstance(error, MethodError):
        return response
    return replace(response, headers=(*response.headers, ("Allow", ", ".join(error.allowed))))


def _respond(status: int, value: dict[str, Any], indent: int | None, *, error: bool = False) -> Response:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False) if indent is None else _indent(value, indent)
    headers = (("Content-Type", JSON),)
    body = text.encode("utf-8", "replace")
    return Response(status=status, headers=headers, body=(body,), error=error, compressible=True)


def _indent(value: dict[str, Any], indent: int) -> str:
    # What json.dumps does too: with an indent it writes piece by piece.
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent)
    return "".join(check_often(encoder.iterencode(value)))
