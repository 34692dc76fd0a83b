"""The REST interface from request to response: which map, which resource, which format; what becomes of errors."""

from __future__ import annotations

import importlib
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from mapsos.config.settings import Settings
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.operations.context import Context, open_context
from mapsos.operations.downloads import name_download
from mapsos.ows.decoding import decode_query, decode_request
from mapsos.ows.error_page import PageError
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import MethodError, RestError
from mapsos.rest.interface import Resource, find_resource
from mapsos.rest.parameters import check_names, read_format
from mapsos.rest.paths import RestPath
from mapsos.rest.resources.layers import rest_errors
from mapsos.sos.v1.get_observation import read_max_features
from mapsos.terms.deadlines import DeadlineError
from mapsos.web.entity_tags import tag_response
from mapsos.web.messages import Request, Response

log = logging.getLogger("mapsos")

JSON = "application/json; charset=UTF-8"


def answer_rest(request: Request, path: RestPath, settings: Settings, find_map: Callable[[str], Service]) -> Response:
    """The response to a request for the REST interface; ``find_map`` gives the service of a mapfile's path.

    Errors of clients are documents of the interface, with HTTP status codes of their own (this interface has no
    MapServer to be compatible with). Nothing is raised.
    """
    # Of a query that cannot be decoded, the format still can.
    wants_page = _wants_page(path, dict(parse_qsl(request.query or "", errors="replace")).get("f"))
    service: Service | None = None
    try:
        with decoding_errors():
            raw = decode_query(request)
        wants_page = _wants_page(path, raw.last("f"))
        if request.method not in settings.methods:
            raise MethodError(request.method, settings.methods)
        with decoding_errors():
            raw = decode_request(request, raw, settings.max_body)
        wants_page = _wants_page(path, raw.last("f"))
        if path.resource == "services":
            services, format = _list_services(raw, settings, find_map), read_format(raw, "services")
            if format == "html":
                page: Response = _load_pages().write_services(request, settings, services)
                return replace(page, operation="REST services")
            value = {"services": [{"name": name, "type": "MapServer"} for name in services]}
            return _respond(200, value, 2 if format == "pjson" else None)
        service = find_service(path.service, settings, find_map)
        context = open_context(service, raw, request, settings)
        resource = find_resource(context, path)
        name = f"REST {path.resource}".rstrip()
        if resource.stream is not None:
            return Response(
                headers=_describe_stream(context, resource),
                compressible=True,
                body=resource.stream,
                operation=name,
                count_rows=resource.count_rows,
            )
        if resource.format == "html":
            page = _load_pages().write_resource(request, path, settings, context, resource)
            return replace(page, operation=name, count_rows=resource.count_rows)
        indent = 2 if resource.format == "pjson" else None
        response = replace(_respond(200, resource.value, indent), operation=name, count_rows=resource.count_rows)
        return tag_response(response, request.environ.get("HTTP_IF_NONE_MATCH"))
    except RestError as error:
        log.info("%s", f"{error.message} {error.detail}".rstrip())
        return _report(request, settings, error, service, wants_page)
    except DeadlineError as error:
        log.warning("%s", error)
        message = f"the request would take longer than the {error.seconds:g} seconds that this service spends on one"
        return _report(request, settings, RestError(message, "ask for less", code=503), service, wants_page)
    except Exception:
        reference = uuid.uuid4().hex[:12]
        log.exception("request failed, reference %s", reference)
        message = f"The request failed for a reason that is in the server's log under reference {reference}."
        return _report(request, settings, RestError(message, code=500), service, wants_page)


def _describe_stream(context: Context, resource: Resource) -> tuple[tuple[str, str], ...]:
    """The headers of what is streamed. A table tells of its own bound, as that of the SOS does: JSON does inside."""
    if resource.format != "csv":
        return (("Content-Type", JSON),)
    from mapsos.encodings.registry import CSV, find_format

    form = find_format(CSV)
    said = [text for name in ("offering", "observedProperty", "procedure") for text in context.raw.all(name)]
    most = read_max_features(context.service)
    bound = (("Mapsos-Max-Features", str(most)),) if most is not None else ()
    return (("Content-Type", form.content_type), name_download(said, form.extension or ""), *bound)


def _list_services(raw: RawRequest, settings: Settings, find_map: Callable[[str], Service]) -> dict[str, Service]:
    """The maps that are services, by name; one that cannot be read is left out, and is in the log."""
    check_names(raw, "services")
    found = {}
    for name in sorted(settings.maps):
        try:
            service = find_map(settings.maps[name])
            if service.has_sos:
                found[name] = service
        except MapfileError as error:
            log.warning("%s", error)
    return found


def find_service(name: str | None, settings: Settings, find_map: Callable[[str], Service]) -> Service:
    """The service of a map's name, None for the only or the default one. Raises RestError."""
    file = settings.mapfile if name is None else settings.maps.get(name.lower())
    if file is None:
        raise RestError("there is no such service", code=404)
    try:
        service = find_map(file)
    except MapfileError as error:
        raise RestError("the map of this service cannot be read", code=500, detail=str(error)) from error
    if not service.has_sos:
        raise RestError("there is no such service", code=404)
    return service


def _load_pages() -> Any:
    """`mapsos.pages.answer`: loaded when one is asked for, since programs that ask for JSON need none of it."""
    return importlib.import_module("mapsos.pages.answer")


@contextmanager
def decoding_errors() -> Iterator[None]:
    """What the decoder has against a request, as RestError."""
    try:
        with rest_errors():
            yield
    except PageError as error:
        raise RestError(error.message, code=error.status) from error


def _wants_page(path: RestPath, format: str | None) -> bool:
    """Whether an error is to be a page: where the format is html, or none is named."""
    return path.resource != "openapi" and (format or "html").strip().lower() == "html"


def _report(
    request: Request, settings: Settings, error: RestError, service: Service | None, wants_page: bool
) -> Response:
    if not wants_page:
        return write_error(error)
    page: Response = _load_pages().write_error(request, settings, error, service)
    return _tell_methods(page, error)


def write_error(error: RestError) -> Response:
    """The document about an error."""
    value = {"error": {"code": error.code, "message": error.message, "details": list(error.details)}}
    return _tell_methods(_respond(error.code, value, None, error=True), error)


def _tell_methods(response: Response, error: RestError) -> Response:
    if not isinstance(error, MethodError):
        return response
    return replace(response, headers=(*response.headers, ("Allow", ", ".join(error.allowed))))


def _respond(status: int, value: dict[str, Any], indent: int | None, *, error: bool = False) -> Response:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    headers = (("Content-Type", JSON),)
    return Response(status=status, headers=headers, body=(text.encode(),), error=error, compressible=True)
