"""Pages from a resource to a response: what a page is told besides the resource, and the files that pages load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from mapsos.app import PAGE_PATHS
from mapsos.config.settings import Settings
from mapsos.mapfile.model import Service
from mapsos.operations.context import Context, open_context
from mapsos.ows.decoding import decode_query
from mapsos.pages.content_security import write_headers
from mapsos.pages.contents import list_catalog, list_downloads, list_places, list_response_formats
from mapsos.pages.links import find_place, link_table, list_formats, list_pages, list_trail, name_page, open_site
from mapsos.pages.rendering import Link, render_page
from mapsos.pages.sos_links import SosLinks
from mapsos.pages.static_files import StaticFile, read_static
from mapsos.pages.wording import PageLanguage, choose_language, share_language
from mapsos.rest.answer import decoding_errors, find_service
from mapsos.rest.errors import MethodError, RestError
from mapsos.rest.interface import Resource
from mapsos.rest.parameters import PARAMETERS
from mapsos.rest.paths import RestPath, write_path
from mapsos.rest.resources.layers import list_layers
from mapsos.web.compression import compress_response
from mapsos.web.entity_tags import tag_response
from mapsos.web.messages import Request, Response

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


def write_services(request: Request, settings: Settings, services: Mapping[str, Service]) -> Response:
    """The page of the list of services, each by its map's name."""
    language = share_language(service.language for service in services.values())
    site = open_site(request, settings, language)
    values = {
        "title": language.wording.gettext("Services"),
        "named": False,
        "trail": list_trail(site),
        "services": [{"name": name, "place": find_place(request, settings, language, name)} for name in services],
        "formats": list_formats(request, site),
    }
    return _respond(request, settings, 200, render_page("services", site, values))


def write_resource(
    request: Request, path: RestPath, settings: Settings, context: Context, resource: Resource
) -> Response:
    """The page of a resource of a service. Raises RestError where what a page shows besides cannot be read."""
    language = choose_language(context.service.language)
    place = find_place(request, settings, language, path.service, path.prefix)
    layers = list_layers(context)
    catalog = list_catalog(context, layers)
    asked = {name: context.raw.last(name) or "" for name in PARAMETERS[resource.kind]}
    values = {
        "place": place,
        "value": resource.value,
        "catalog": catalog,
        "write_path": write_path,
        "sos": SosLinks(place.sos),
        "formats": list_formats(request, place.site),
        "asked": asked,
        "stations": [],
        "query_text": lambda text: text.replace("\\", "\\\\").replace(",", "\\,"),
        "encode": urlencode,
        **name_page(place, resource, asked),
    }
    if resource.kind in ("", "features", "features/query", "offering", "procedure"):
        values["stations"] = list_places(context, layers, place.home, resource)
    if resource.kind == "observations/query":
        values["pages"] = list_pages(request, asked, resource.value)
        values["table"] = link_table(request, asked)
        values["downloads"] = list_downloads(context, layers, catalog)
    return _respond(request, settings, 200, render_page(_TEMPLATES[resource.kind], place.site, values))


def write_error(request: Request, settings: Settings, error: RestError, service: Service | None) -> Response:
    """The page about an error, of a service if the request has come so far; what is wrong is told in English."""
    site = open_site(request, settings, choose_language(service.language) if service is not None else PageLanguage())
    values = {
        "title": site.language.wording.gettext("This did not work"),
        "named": False,
        "trail": list_trail(site),
        "error": error,
        "formats": list_formats(request, site),
    }
    return _respond(request, settings, error.code, render_page("error", site, values), error=True)


def answer_page_path(request: Request, settings: Settings, find_map: Callable[[str], Service]) -> Response:
    """The response for a path that starts with `PAGE_PATHS`: a file of the pages, or a service's builder of requests.

    404 where there is nothing of that name, 405 for another method than GET and HEAD. Nothing is raised for what a
    client can do.
    """
    path = request.environ.get("PATH_INFO", "")
    service: Service | None = None
    try:
        if request.method not in ("GET", "HEAD"):
            raise MethodError(request.method, ("GET", "HEAD"))
        kind, _, name = path[len(PAGE_PATHS) :].partition("/")
        if kind == "static" and (found := read_static(name)) is not None:
            return _send_file(request, settings, found)
        if kind == "builder":
            service = find_service(name or None, settings, find_map)
            return _write_builder(request, settings, service, name or None)
        raise RestError("there is no such page", code=404)
    except RestError as error:
        return write_error(request, settings, error, service)


def _send_file(request: Request, settings: Settings, file: StaticFile) -> Response:
    tag = f'W/"{file.digest}"'
    headers = (
        ("ETag", tag),
        ("Cache-Control", "public, max-age=31536000, immutable"),
        *write_headers(settings.tiles),
    )
    if request.environ.get("HTTP_IF_NONE_MATCH") == tag:
        return Response(status=304, headers=headers)
    response = Response(headers=(("Content-Type", file.content_type), *headers), body=(file.content,), operation="page")
    return compress_response(response, request.environ.get("HTTP_ACCEPT_ENCODING", ""))


def _write_builder(request: Request, settings: Settings, service: Service, name: str | None) -> Response:
    language = choose_language(service.language)
    place = find_place(request, settings, language, name)
    with decoding_errors():
        raw = decode_query(request)
    context = open_context(service, raw, request, settings)
    here = Link(language.wording.gettext("Request builder"), f"{place.site.root}{PAGE_PATHS}builder{place.key}")
    values = {
        "title": here.text,
        "named": False,
        "trail": list_trail(place.site, place, here),
        "place": place,
        "catalog": list_catalog(context, list_layers(context)),
        "sos": SosLinks(place.sos),
        "response_formats": list_response_formats(language.wording.gettext),
        "formats": (),
    }
    return _respond(request, settings, 200, render_page("builder", place.site, values))


def _respond(request: Request, settings: Settings, status: int, body: bytes, *, error: bool = False) -> Response:
    headers = (("Content-Type", "text/html; charset=UTF-8"), *write_headers(settings.tiles))
    response = Response(status=status, headers=headers, body=(body,), error=error)
    if error:
        return response
    tagged = tag_response(response, request.environ.get("HTTP_IF_NONE_MATCH"))
    if tagged.status == 304:
        return tagged
    return compress_response(tagged, request.environ.get("HTTP_ACCEPT_ENCODING", ""))
