"""Links of pages: paths of the service, breadcrumbs, other formats, and previous and next rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from mapsos.encodings.esri.observation_markup import Page
from mapsos.operations.host import Host
from mapsos.pages.rendering import Link, Site
from mapsos.pages.wording import PageLanguage
from mapsos.rest.parameters import PARAMETERS
from mapsos.rest.paths import MEMBERS, read_path, write_path
from mapsos.rest.resource import Resource
from mapsos.terms.values import dataclass
from mapsos.web.messages import Request

MOST_OF_FIELD = 2000
"""The most characters of a parameter in the form of a page."""
_MOST_OF_URL = 8000
"""The most characters of a link: web servers accept request lines of about so many."""


@dataclass(frozen=True)
class Place:
    """The place of a page: ``name`` of the service, ``home`` the path of its root, ``sos`` the URL of its SOS."""

    site: Site
    name: str | None
    home: str
    sos: str

    @property
    def key(self) -> str:
        """Return the service in paths of the builder: a slash and its name, or empty."""
        return f"/{quote(self.name)}" if self.name else ""


def open_site(request: Request, host: Host, language: PageLanguage) -> Site:
    """Return the common values of all pages of the server in a language."""
    root = quote(request.environ.get("SCRIPT_NAME", "").rstrip("/"))
    return Site(root, language, host.settings.tiles, host.settings.tiles_attribution)


def find_place(
    request: Request, host: Host, language: PageLanguage, name: str | None, prefix: str | None = None
) -> Place:
    """Return the place of pages of a service; ``name`` is that of the map, ``prefix`` its root in the request."""
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
    """Return the breadcrumbs from the list of services down, as on ArcGIS REST pages."""
    gettext = site.language.wording.gettext
    trail = [Link(gettext("Services"), f"{site.root}/arcgis/rest/services")]
    if place is not None:
        trail.append(Link(place.name or gettext("Service"), place.home))
    return [*trail, *more]


def trail_failure(place: Place, kind: str | None) -> list[Link]:
    """Return the breadcrumbs of a page that could not be written; ``kind`` is that of its resource, None if unknown."""
    section, _, query = (kind or "").partition("/")
    titles = _list_titles(place)
    section = MEMBERS.get(section, section)
    below = [Link(titles[section], f"{place.home}/{section}")] if section in titles else []
    if query:
        below.append(Link(place.site.language.wording.gettext("Query"), f"{place.home}/{kind}"))
    return list_trail(place.site, place, *below)


def _list_titles(place: Place) -> dict[str, str]:
    gettext = place.site.language.wording.gettext
    return {
        "observations": gettext("Observations"),
        "observations/query": gettext("Query observations"),
        "procedures": gettext("Procedures"),
        "features": gettext("Features"),
        "features/query": gettext("Query features"),
    }


def name_page(place: Place, resource: Resource, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the title, the subject and the breadcrumbs of a page; ``asked`` are its parameters by name."""
    gettext = place.site.language.wording.gettext
    titles = _list_titles(place)
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


def list_formats(request: Request, site: Site, resource: str | None = None) -> list[Link]:
    """Return links to the resource in other formats, and to the page itself, with the parameters that it has.

    If ``resource`` is None, it is unknown, and has the parameters of all resources.
    """
    names = PARAMETERS[resource] if resource is not None else [name for own in PARAMETERS.values() for name in own]
    known = {name.lower() for name in names}
    gettext = site.language.wording.gettext
    texts = (("JSON", "json"), (gettext("JSON, indented"), "pjson"), (gettext("This page"), "html"))
    pairs = parse_qsl(request.query or "", keep_blank_values=True, errors="surrogateescape")
    said = [pair for pair in pairs if pair[0].lower() in known]
    urls = [_write_url(request, [*said, ("f", format)]) for _, format in texts]
    return [Link(text, url) for (text, _), url in zip(texts, urls, strict=True) if url is not None]


def link_table(request: Request, asked: Mapping[str, str]) -> str | None:
    """Return the link to a table of all rows of a query, of which a page shows some; None for a very long one."""
    said = {name: text for name, text in asked.items() if text and name not in ("resultOffset", "resultRecordCount")}
    return _write_url(request, [*said.items(), ("f", "csv")])


def list_pages(request: Request, asked: Mapping[str, str], page: Page, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the range of rows on the page, and links to the previous and next rows.

    ``asked`` are the parameters of the query by name, ``found`` is the answer.
    """
    first, shown = page.offset, len(found["observationData"])

    def link(offset: int) -> str | None:
        said = {name: text for name, text in asked.items() if text} | {"resultOffset": str(offset), "f": "html"}
        url = _write_url(request, list(said.items()))
        return None if url is None else f"{url}#result"

    more = bool(found.get("exceededTransferLimit"))
    return {
        "first": first,
        "shown": shown,
        "earlier": link(max(first - (page.most or first), 0)) if first else None,
        "later": link(first + shown) if more and shown else None,
    }


def _write_url(request: Request, pairs: list[tuple[str, str]]) -> str | None:
    """Return the URL of the same resource with other parameters; None if it is longer than servers accept."""
    if sum(len(name) + len(text) for name, text in pairs) > _MOST_OF_URL:
        return None
    url = f"{_find_here(request)}?{urlencode(pairs, errors='surrogateescape')}"
    return url if len(url) <= _MOST_OF_URL else None


def _find_here(request: Request) -> str:
    return quote(request.environ.get("SCRIPT_NAME", "") + read_path(request.environ), errors="surrogateescape")
