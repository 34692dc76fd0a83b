"""Write pages of resources, the request builder, and the files that pages load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from mapsos.mapfile.model import Service
from mapsos.operations.context import Context
from mapsos.operations.host import Host
from mapsos.operations.permissions import RESOURCES, check_access
from mapsos.ows.decoding import decode_query
from mapsos.ows.raw_request import RawRequest
from mapsos.pages.content_security import write_headers
from mapsos.pages.contents import list_catalog, list_downloads, list_places, list_response_formats
from mapsos.pages.links import (
    MOST_OF_FIELD,
    find_place,
    link_table,
    list_formats,
    list_pages,
    list_trail,
    name_page,
    open_site,
    trail_failure,
)
from mapsos.pages.paths import PAGE_OPERATION, PAGE_PATHS
from mapsos.pages.rendering import Link, render_page
from mapsos.pages.sos_links import SosLinks
from mapsos.pages.static_files import StaticFile, read_static
from mapsos.pages.wording import PageLanguage, choose_language, share_language
from mapsos.rest.answer import RestExchange, decoding_errors, find_service, tell_methods
from mapsos.rest.errors import MethodError, RestError, translate_failure
from mapsos.rest.parameters import PARAMETERS, check_names
from mapsos.rest.paths import RestPath, parse_rest_path, read_path, write_path
from mapsos.rest.resource import Resource
from mapsos.rest.resources.layers import list_layers
from mapsos.terms.failures import Failure, shorten
from mapsos.terms.times import current_time
from mapsos.web.entity_tags import answer_condition, tag_response, write_tag
from mapsos.web.messages import Request, Response, read_condition

if TYPE_CHECKING:
    from mapsos.access.gate import Requester

_TEMPLATES = {
    "": "service",
    "observations": "observations",
    "observations/query": "observations_query",
    "offering": "offering",
    "procedures": "procedures",
    "procedure": "procedure",
    "features": "features",
    "features/query": "features_query",
}


class Pages:
    """Writes the pages of one request (`mapsos.rest.answer.PageWriter`)."""

    def __init__(self, request: Request, host: Host) -> None:
        self._request = request
        self._host = host

    def write_services(self, services: Mapping[str, Service]) -> Response:
        """Write the list of services by the names of their maps."""
        language = share_language(service.language for service in services.values())
        site = open_site(self._request, self._host, language)
        places = [{"name": name, "place": find_place(self._request, self._host, language, name)} for name in services]
        values = {
            "title": language.wording.gettext("Services"),
            "named": False,
            "trail": list_trail(site),
            "services": places,
            "formats": list_formats(self._request, site, "services"),
        }
        return self._respond(200, render_page("services", site, values))

    def write_resource(self, path: RestPath, context: Context, raw: RawRequest, resource: Resource) -> Response:
        """Write a resource of a service. Raises RestError if further content of the page cannot be read."""
        request = self._request
        language = choose_language(context.service.language)
        place = find_place(request, self._host, language, path.service, path.prefix)
        layers = list_layers(context)
        catalog = list_catalog(layers)
        asked = {name: raw.last(name) or "" for name in PARAMETERS[resource.kind]}
        values = {
            "place": place,
            "value": resource.value,
            "catalog": catalog,
            "write_path": write_path,
            "sos": SosLinks(place.sos),
            "formats": list_formats(request, place.site, resource.kind),
            "asked": {name: shorten(text, MOST_OF_FIELD) for name, text in asked.items()},
            "stations": [],
            "query_text": lambda text: text.replace("\\", "\\\\").replace(",", "\\,"),
            "encode": urlencode,
            **name_page(place, resource, asked),
        }
        if resource.kind in ("", "features", "features/query", "offering", "procedure"):
            values["stations"] = list_places(context, layers, place.home, resource)
        if resource.query is not None and resource.page is not None:
            values["pages"] = list_pages(request, asked, resource.page, resource.value)
            values["table"] = link_table(request, asked)
            values["downloads"] = list_downloads(resource.query, layers, catalog)
        return self._respond(200, render_page(_TEMPLATES[resource.kind], place.site, values))

    def write_error(self, error: RestError, service: Service | None) -> Response:
        """Write an error, with the form of a query as the client filled it in; ``service`` is None if it is unknown.

        The message is in English.
        """
        request = self._request
        language = choose_language(service.language) if service is not None else PageLanguage()
        site = open_site(request, self._host, language)
        values: dict[str, Any] = {
            "title": site.language.wording.gettext("The request failed"),
            "named": False,
            "trail": list_trail(site),
            "error": error,
            "formats": (),
            "form": None,
        }
        path = parse_rest_path(read_path(request.environ))
        if path is not None:
            values["formats"] = list_formats(request, site)
        if path is not None and service is not None:
            place = values["place"] = find_place(request, self._host, language, path.service, path.prefix)
            values["trail"] = trail_failure(place, path.resource)
            if path.resource in ("observations/query", "features/query"):
                typed = parse_qsl(request.query or "", errors="replace")
                values["form"] = path.resource
                values["asked"] = {
                    name: shorten(next((text for key, text in typed if key.lower() == name.lower()), ""), MOST_OF_FIELD)
                    for name in PARAMETERS[path.resource]
                }
        return self._respond(error.code, render_page("error", site, values), error=True)

    def write_builder(self, service: Service, name: str | None, *, has_key: bool) -> Response:
        """Write the request builder of a service; ``name`` is that of its map. Raises RestError."""
        request = self._request
        language = choose_language(service.language)
        place = find_place(request, self._host, language, name)
        context = Context(self._host, service, request.environ.get("REMOTE_ADDR"), current_time(), has_key=has_key)
        here = Link(language.wording.gettext("Request builder"), f"{place.site.root}{PAGE_PATHS}builder{place.key}")
        values: dict[str, Any] = {
            "title": here.text,
            "named": False,
            "trail": list_trail(place.site, place, here),
            "place": place,
            "catalog": list_catalog(list_layers(context)),
            "sos": SosLinks(place.sos),
            "response_formats": list_response_formats(language.wording.gettext),
            "formats": (),
        }
        return self._respond(200, render_page("builder", place.site, values))

    def _respond(self, status: int, body: bytes, *, error: bool = False) -> Response:
        headers = (("Content-Type", "text/html; charset=UTF-8"), *write_headers(self._host.settings.tiles))
        response = Response(
            status=status, headers=headers, body=(body,), error=error, operation=PAGE_OPERATION, compressible=not error
        )
        return response if error else tag_response(response, read_condition(self._request))


def open_rest_exchange(request: Request, path: RestPath, host: Host, requester: Requester | None) -> RestExchange:
    """Return the exchange for a resource of the REST interface that may be wanted as a page."""
    return RestExchange(request, path, host, requester, Pages(request, host))


class PageExchange:
    """One request for a path below `PAGE_PATHS`: a file of the pages, or the request builder of a service."""

    def __init__(self, request: Request, host: Host, requester: Requester | None = None) -> None:
        self._request = request
        self._host = host
        self._requester = requester
        self._pages = Pages(request, host)
        self._service: Service | None = None
        self._ignored: tuple[str, ...] = ()

    def answer(self) -> Response:
        """Answer the request. Raises RestError: 404 for an unknown path, 405 for methods other than GET and HEAD."""
        request = self._request
        if request.method not in ("GET", "HEAD"):
            raise MethodError(request.method, ("GET", "HEAD"))
        kind, _, name = request.environ.get("PATH_INFO", "")[len(PAGE_PATHS) :].partition("/")
        if kind == "static" and (found := read_static(name)) is not None:
            return self._send_file(found)
        if kind == "builder":
            self._service = find_service(name or None, self._host)
            with decoding_errors():
                self._ignored = check_names(decode_query(request), "builder")
            address = request.environ.get("REMOTE_ADDR")
            has_key = check_access(self._service, self._requester, address, RESOURCES)
            page = self._pages.write_builder(self._service, name or None, has_key=has_key)
            return replace(page, ignored=self._ignored)
        raise RestError("page not found", code=404)

    def report(self, failure: Failure) -> Response:
        """Report a failure as a page."""
        error = translate_failure(failure)
        page = tell_methods(self._pages.write_error(error, self._service), error)
        return replace(page, operation=PAGE_OPERATION, ignored=self._ignored)

    def _send_file(self, file: StaticFile) -> Response:
        headers = (
            ("Content-Type", file.content_type),
            ("ETag", write_tag(file.digest)),
            ("Cache-Control", "public, max-age=31536000, immutable"),
            *write_headers(self._host.settings.tiles),
        )
        response = Response(headers=headers, body=(file.content,), operation=PAGE_OPERATION, compressible=True)
        return answer_condition(response, read_condition(self._request))
