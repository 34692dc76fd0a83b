"""Pages from a resource to a response: what a page is told besides the resource, and the files that pages load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from mapsos.app import PAGE_PATHS
from mapsos.compression import compress_response
from mapsos.crs import Crs
from mapsos.geoservices.errors import RestError
from mapsos.http import Request, Response
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.operations.context import Context, open_context
from mapsos.ows.decoding import decode_query
from mapsos.pages.content_security import write_headers
from mapsos.pages.rendering import Link, Site, render_page
from mapsos.pages.sos_links import CSV, OBSERVATIONS, write_describe_sensor, write_get_observation, write_request
from mapsos.pages.static_files import read_static
from mapsos.rest.areas_and_times import describe_interval
from mapsos.rest.interface import PAGE_ROWS, Resource
from mapsos.rest.layers import find_times, list_layers
from mapsos.rest.observed_properties import list_value_columns
from mapsos.rest.parameters import PARAMETERS
from mapsos.rest.paths import RestPath, write_path
from mapsos.rest.stations import list_stations
from mapsos.settings import Settings
from mapsos.validators import tag_response

MAP_PATHS = "MAPSOS_MAP_PATHS"
"""Set in the environment of a request by a server that has each map under a path of its own."""

_WGS84 = Crs("EPSG:4326", "EPSG:4326")
_TEMPLATES = {
    "": "service",
    "observations": "observations",
    "observations/query": "observations_query",
    "procedures": "procedures",
    "procedure": "procedure",
    "features": "features",
    "features/query": "features_query",
}


_TITLES = {
    "observations": "Observations",
    "observations/query": "Query observations",
    "procedures": "Procedures",
    "features": "Features",
    "features/query": "Query features",
}


@dataclass(frozen=True)
class _Place:
    """Where a page is: ``name`` of its service, ``home`` the path of the service's root, ``sos`` the URL of its SOS."""

    site: Site
    name: str | None
    home: str
    sos: str

    @property
    def key(self) -> str:
        """What the service is called in paths of the builder."""
        return f"/{quote(self.name)}" if self.name else ""


def write_services(request: Request, settings: Settings, value: Mapping[str, Any]) -> Response:
    """The page of the list of services."""
    site = _open_site(request, settings)
    services = [
        {"name": found["name"], "place": _find_place(request, settings, found["name"])} for found in value["services"]
    ]
    values = {"title": "Services", "trail": _list_trail(site), "services": services, "formats": _list_formats(request)}
    return _respond(request, settings, 200, render_page("services", site, values))


def write_resource(
    request: Request, path: RestPath, settings: Settings, context: Context, resource: Resource
) -> Response:
    """The page of a resource of a service. Raises RestError where what a page shows besides cannot be read."""
    place = _find_place(request, settings, path.service, path.prefix, context.service.language)
    catalog = list_catalog(context)
    values = {
        "place": place,
        "value": resource.value,
        "service": context.service,
        "catalog": catalog,
        "write_path": write_path,
        "sos": _SosLinks(place.sos),
        "formats": _list_formats(request),
        "parameters": PARAMETERS[resource.kind],
        "asked": {name: context.raw.last(name) or "" for name in PARAMETERS[resource.kind]},
        "stations": [],
        "pages": _list_pages(request, context, resource),
        "query_text": lambda text: text.replace("\\", "\\\\").replace(",", "\\,"),
        "encode": urlencode,
        **_name_page(place, resource, context),
    }
    if resource.kind in ("", "features", "features/query", "procedure"):
        values["stations"] = _list_places(context, place, resource)
    return _respond(request, settings, 200, render_page(_TEMPLATES[resource.kind], place.site, values))


def write_error(request: Request, settings: Settings, error: RestError) -> Response:
    """The page about an error."""
    site = _open_site(request, settings)
    values = {
        "title": "This did not work",
        "trail": _list_trail(site),
        "error": error,
        "formats": _list_formats(request),
    }
    return _respond(request, settings, error.code, render_page("error", site, values), error=True)


def answer_page_path(request: Request, settings: Settings, find_map: Callable[[str], Service]) -> Response:
    """The response for a path that starts with `PAGE_PATHS`: a file of the pages, or a service's builder of requests.

    404 where there is nothing of that name, 405 for another method than GET and HEAD. Nothing is raised for what a
    client can do.
    """
    path = request.environ.get("PATH_INFO", "")
    try:
        if request.method not in ("GET", "HEAD"):
            raise RestError(f"the method {request.method} is not supported", "allowed are GET and HEAD", code=405)
        kind, _, name = path[len(PAGE_PATHS) :].partition("/")
        if kind == "static" and (found := read_static(name)) is not None:
            return _send_file(request, settings, found.content_type, found.content, found.digest)
        if kind == "builder":
            return _write_builder(request, settings, find_map, name or None)
        raise RestError("there is no such page", code=404)
    except RestError as error:
        return write_error(request, settings, error)


def _send_file(request: Request, settings: Settings, content_type: str, content: bytes, digest: str) -> Response:
    tag = f'W/"{digest}"'
    headers = (
        ("ETag", tag),
        ("Cache-Control", "public, max-age=31536000, immutable"),
        *write_headers(settings.tiles),
    )
    if request.environ.get("HTTP_IF_NONE_MATCH") == tag:
        return Response(status=304, headers=headers)
    response = Response(headers=(("Content-Type", content_type), *headers), body=(content,), operation="page")
    return compress_response(response, request.environ.get("HTTP_ACCEPT_ENCODING", ""))


def _write_builder(
    request: Request, settings: Settings, find_map: Callable[[str], Service], name: str | None
) -> Response:
    file = settings.mapfile if name is None else settings.maps.get(name.lower())
    try:
        service = find_map(file) if file is not None else None
    except MapfileError as error:
        raise RestError("the map of this service cannot be read", code=500, detail=str(error)) from error
    if service is None or not service.has_sos:
        raise RestError("there is no such service", code=404)
    place = _find_place(request, settings, name, language=service.language)
    context = open_context(service, decode_query(request), request, settings)
    here = Link("Request builder", f"{place.site.root}{PAGE_PATHS}builder{place.key}")
    values = {
        "title": here.text,
        "trail": _list_trail(place.site, place, here),
        "place": place,
        "service": service,
        "catalog": list_catalog(context),
        "sos": _SosLinks(place.sos),
        "formats": (),
    }
    return _respond(request, settings, 200, render_page("builder", place.site, values))


def list_catalog(context: Context) -> list[dict[str, Any]]:
    """What there is to plot and to ask for: an entry for each layer, in map order. Raises RestError.

    ``begin`` and ``end`` are of the data; ``columns`` are the observed values with unit and kind.
    """
    catalog = []
    for known in list_layers(context):
        layer = known.layer
        assert layer.observed_property is not None
        begin, _, end = (describe_interval(find_times(known)) or "").partition("/")
        columns = [
            {"name": column.alias, "unit": column.uom or "", "numeric": column.numeric, "definition": column.definition}
            for column in list_value_columns(known.meaning)
        ]
        catalog.append(
            {
                "offering": layer.offering_id,
                "offeringName": _name_offering(context, layer.offering_id),
                "property": layer.observed_property.id,
                "propertyName": layer.observed_property.name or layer.observed_property.id,
                "procedures": list(known.procedures),
                "begin": begin,
                "end": end,
                "columns": columns,
            }
        )
    return catalog


def _name_offering(context: Context, id: str) -> str:
    names = (layer.offering_name for layer in context.service.layers if layer.offering_id.casefold() == id.casefold())
    return next(filter(None, names), id)


@dataclass(frozen=True)
class _SosLinks:
    """The SOS requests that pages link."""

    sos: str

    def capabilities(self) -> str:
        """GetCapabilities."""
        return write_request(self.sos, "GetCapabilities")

    def observations(self, entry: Mapping[str, Any], procedure: str | None = None) -> str:
        """GetObservation for an entry of the catalog."""
        return write_get_observation(self.sos, entry["offering"], entry["property"], OBSERVATIONS, procedure)

    def csv(self, entry: Mapping[str, Any], procedure: str | None = None) -> str:
        """The same as a table to download."""
        return write_get_observation(self.sos, entry["offering"], entry["property"], CSV, procedure)

    def sensor(self, procedure: str) -> str:
        """DescribeSensor."""
        return write_describe_sensor(self.sos, procedure)


def _open_site(request: Request, settings: Settings, language: str = "en") -> Site:
    root = quote(request.environ.get("SCRIPT_NAME", "").rstrip("/"))
    return Site(root, language, settings.tiles, settings.tiles_attribution)


def _find_place(
    request: Request, settings: Settings, name: str | None, prefix: str | None = None, language: str = "en"
) -> _Place:
    site = _open_site(request, settings, language)
    if request.environ.get(MAP_PATHS):
        # Such a server has each map under its file's name, in that name's case.
        file = settings.maps[name.lower()] if name is not None else settings.mapfile or ""
        name = Path(file).stem
        sos = f"{site.root}/{quote(name)}?"
    else:
        sos = f"{site.root}?" + (f"map={quote(name)}&" if name else "") if site.root else _write_bare_sos(name)
    home = site.root + quote(prefix if prefix is not None else f"/{name}/exts/SosSOE" if name else "/exts/SosSOE")
    return _Place(site, name, home, sos)


def _write_bare_sos(name: str | None) -> str:
    return "/?" + (f"map={quote(name)}&" if name else "")


def _list_trail(site: Site, place: _Place | None = None, *more: Link) -> list[Link]:
    """From the list of services down, as people know it from ArcGIS REST pages."""
    trail = [Link("Services", f"{site.root}/arcgis/rest/services")]
    if place is not None:
        trail.append(Link(place.name or "Service", place.home))
    return [*trail, *more]


def _name_page(place: _Place, resource: Resource, context: Context) -> dict[str, Any]:
    value, home = resource.value, place.home
    observations = Link("Observations", f"{home}/observations")
    procedures = Link("Procedures", f"{home}/procedures")
    features = Link("Features", f"{home}/features")
    trail: list[Link]
    below: dict[str, tuple[Link, ...]] = {
        "": (),
        "observations": (observations,),
        "observations/query": (observations, Link("Query", f"{home}/observations/query")),
        "procedures": (procedures,),
        "features": (features,),
        "features/query": (features, Link("Query", f"{home}/features/query")),
    }
    if resource.kind == "procedure":
        title = value["name"]
        trail = [procedures, Link(value["id"], home + write_path("procedures", value["id"]))]
    else:
        trail = list(below[resource.kind])
        title = value["title"] if resource.kind == "" else _TITLES[resource.kind]
        named: list[Any] = value.get("features", []) if resource.kind == "features/query" else []
        if len(named) == 1 and context.raw.last("feature"):
            title = named[0]["name"]
    return {"title": title, "trail": _list_trail(place.site, place, *trail)}


def _list_formats(request: Request) -> list[Link]:
    """The same resource in its other formats, and the page itself."""
    here = quote(request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", ""))
    said = [pair for pair in parse_qsl(request.query or "", keep_blank_values=True) if pair[0].lower() != "f"]
    return [
        Link(text, f"{here}?{urlencode([*said, ('f', format)])}")
        for text, format in (("JSON", "json"), ("JSON, indented", "pjson"), ("This page", "html"))
    ]


def _list_pages(request: Request, context: Context, resource: Resource) -> dict[str, Any]:
    """Which rows of a query there are on the page, and the links to those before and after."""
    if resource.kind != "observations/query":
        return {}
    asked = {name: context.raw.last(name) or "" for name in PARAMETERS[resource.kind]}
    first = int(asked["resultOffset"].strip() or 0)
    shown = len(resource.value["observationData"])
    step = int(asked["resultRecordCount"].strip() or PAGE_ROWS)
    here = quote(request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", ""))

    def link(offset: int) -> str:
        said = {name: text for name, text in asked.items() if text} | {"resultOffset": str(offset), "f": "html"}
        return f"{here}?{urlencode(said)}#result"

    more = bool(resource.value.get("exceededTransferLimit"))
    return {
        "first": first,
        "shown": shown,
        "earlier": link(max(first - step, 0)) if first else None,
        "later": link(first + shown) if more and shown else None,
    }


def _list_places(context: Context, place: _Place, resource: Resource) -> list[dict[str, Any]]:
    """The stations that a page's map shows, each where the middle of its observations is, in longitude and latitude."""
    wanted = None
    if resource.kind == "procedure":
        wanted = {resource.value["id"].casefold()}
    elif resource.kind == "features/query":
        wanted = {feature["id"].casefold() for feature in resource.value["features"]}
    found: dict[str, dict[str, Any]] = {}
    for known in list_layers(context):
        if known.layer.source.crs is None:
            continue
        for station in list_stations(context, known, _WGS84):
            bounds = station.facts.bounds
            key = station.id.casefold()
            if bounds is None or key in found or (wanted is not None and key not in wanted):
                continue
            west, south, east, north = bounds
            found[key] = {
                "id": station.id,
                "name": station.read_feature_text("name") or station.read_sensor_text("name") or station.id,
                "href": place.home + write_path("procedures", station.id),
                "x": (west + east) / 2,
                "y": (south + north) / 2,
            }
    return list(found.values())


def _respond(request: Request, settings: Settings, status: int, body: bytes, *, error: bool = False) -> Response:
    headers = (("Content-Type", "text/html; charset=UTF-8"), *write_headers(settings.tiles))
    response = Response(status=status, headers=headers, body=(body,), error=error)
    if error:
        return response
    tagged = tag_response(response, request.environ.get("HTTP_IF_NONE_MATCH"))
    if tagged.status == 304:
        return tagged
    return compress_response(tagged, request.environ.get("HTTP_ACCEPT_ENCODING", ""))
