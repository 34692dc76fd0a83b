"""Where pages are and what they link: the service's own paths, breadcrumbs, other formats, earlier and later rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from mapsos.operations.host import Host
from mapsos.pages.rendering import Link, Site
from mapsos.pages.wording import PageLanguage
from mapsos.rest.paths import MEMBERS, read_path, write_path
from mapsos.rest.resource import PAGE_ROWS, Resource
from mapsos.web.messages import Request


@dataclass(frozen=True)
class Place:
    """Where a page is: ``name`` of its service, ``home`` the path of the service's root, ``sos`` the URL of its SOS."""

    site: Site
    name: str | None
    home: str
    sos: str

    @property
    def key(self) -> str:
        """What the service is called in paths of the builder."""
        return f"/{quote(self.name)}" if self.name else ""


def open_site(request: Request, host: Host, language: PageLanguage) -> Site:
    """What all pages of the server share, for a page in a language."""
    root = quote(request.environ.get("SCRIPT_NAME", "").rstrip("/"))
    return Site(root, language, host.settings.tiles, host.settings.tiles_attribution)


def find_place(
    request: Request, host: Host, language: PageLanguage, name: str | None, prefix: str | None = None
) -> Place:
    """Where a service's pages are: ``name`` is the map's, ``prefix`` the root's path as the client wrote it."""
    site = open_site(request, host, language)
    if host.has_map_paths:
        # Such a server has each map under its file's name, in that name's case.
        file = host.settings.maps[name.lower()] if name is not None else host.settings.mapfile or ""
        name = Path(file).stem
        sos = f"{site.root}/{quote(name)}?"
    else:
        sos = f"{site.root}?" + (f"map={quote(name)}&" if name else "") if site.root else _write_bare_sos(name)
    home = site.root + quote(prefix if prefix is not None else f"/{name}/exts/SosSOE" if name else "/exts/SosSOE")
    return Place(site, name, home, sos)


def _write_bare_sos(name: str | None) -> str:
    return "/?" + (f"map={quote(name)}&" if name else "")


def list_trail(site: Site, place: Place | None = None, *more: Link) -> list[Link]:
    """From the list of services down, as people know it from ArcGIS REST pages."""
    gettext = site.language.wording.gettext
    trail = [Link(gettext("Services"), f"{site.root}/arcgis/rest/services")]
    if place is not None:
        trail.append(Link(place.name or gettext("Service"), place.home))
    return [*trail, *more]


def name_page(place: Place, resource: Resource, asked: Mapping[str, str]) -> dict[str, Any]:
    """The title of a resource's page, whose it is, and its breadcrumbs; ``asked`` is what each parameter says."""
    gettext = place.site.language.wording.gettext
    titles = {
        "observations": gettext("Observations"),
        "observations/query": gettext("Query observations"),
        "procedures": gettext("Procedures"),
        "features": gettext("Features"),
        "features/query": gettext("Query features"),
    }
    section, _, query = resource.kind.partition("/")
    value = resource.value
    below = [Link(titles[section], f"{place.home}/{section}")] if section in titles else []
    named = True
    if resource.kind == "":
        title = value["title"]
    elif resource.kind in MEMBERS:
        title = value["name"]
        section = MEMBERS[resource.kind]
        below = [
            Link(titles[section], f"{place.home}/{section}"),
            Link(value["id"], place.home + write_path(section, value["id"])),
        ]
    else:
        title, named = titles[resource.kind], False
    if query:
        below.append(Link(gettext("Query"), f"{place.home}/{resource.kind}"))
    if resource.kind == "features/query" and asked["feature"] and len(value["features"]) == 1:
        title, named = value["features"][0]["name"], True
    return {"title": title, "named": named, "trail": list_trail(place.site, place, *below)}


def list_formats(request: Request, site: Site) -> list[Link]:
    """The same resource in its other formats, and the page itself."""
    gettext = site.language.wording.gettext
    texts = (("JSON", "json"), (gettext("JSON, indented"), "pjson"), (gettext("This page"), "html"))
    pairs = parse_qsl(request.query or "", keep_blank_values=True, errors="surrogateescape")
    said = [pair for pair in pairs if pair[0].lower() != "f"]
    return [
        Link(text, f"{_find_here(request)}?{urlencode([*said, ('f', format)], errors='surrogateescape')}")
        for text, format in texts
    ]


def link_table(request: Request, asked: Mapping[str, str]) -> str:
    """The table of all that a query's parameters select, of which a page shows some rows."""
    said = {name: text for name, text in asked.items() if text and name not in ("resultOffset", "resultRecordCount")}
    return f"{_find_here(request)}?{urlencode(said | {'f': 'csv'})}"


def list_pages(request: Request, asked: Mapping[str, str], found: Mapping[str, Any]) -> dict[str, Any]:
    """Which rows of a query's answer are on the page, and the links to those before and after.

    ``asked`` is what each parameter of the query says, ``found`` the answer.
    """
    first = int(asked["resultOffset"].strip() or 0)
    shown = len(found["observationData"])
    step = int(asked["resultRecordCount"].strip() or PAGE_ROWS)

    def link(offset: int) -> str:
        said = {name: text for name, text in asked.items() if text} | {"resultOffset": str(offset), "f": "html"}
        return f"{_find_here(request)}?{urlencode(said)}#result"

    more = bool(found.get("exceededTransferLimit"))
    return {
        "first": first,
        "shown": shown,
        "earlier": link(max(first - step, 0)) if first else None,
        "later": link(first + shown) if more and shown else None,
    }


def _find_here(request: Request) -> str:
    return quote(request.environ.get("SCRIPT_NAME", "") + read_path(request.environ), errors="surrogateescape")
