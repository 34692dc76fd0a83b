"""Render pages from templates and values. The template library escapes every value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mapsos.pages.static_files import read_static
from mapsos.pages.wording import PageLanguage, Wording
from mapsos.terms.deadlines import check_often
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Site:
    """The common values of all pages of a server.

    ``root`` is the path of the server, without a slash at its end. ``tiles`` is the template of the URLs of background
    tiles, None for no tiles, and ``attribution`` names their source. ``language`` is that of the page.
    """

    root: str
    language: PageLanguage = PageLanguage()
    tiles: str | None = None
    attribution: str = ""

    def find_static(self, name: str) -> str:
        """Return the URL of a file of the pages. It changes with the file, so that browsers may cache the file."""
        found = read_static(name)
        if found is None:
            raise LookupError(name)
        return f"{self.root}/_mapsos/static/{name}?v={found.digest}"


@dataclass(frozen=True)
class Link:
    """A link: its text and its target."""

    text: str
    href: str


def render_page(template: str, site: Site, values: Mapping[str, Any]) -> bytes:
    """Return the page of a template (``service`` for ``service.html``) in UTF-8.

    ``values`` contains on every page ``title``, ``named`` (whether the title comes from the mapfile or the data) and
    ``trail`` (the `Link`s from the list of services down to this page). Further values depend on the template. Raises
    DeadlineError.
    """
    found = _load_environment(site.language.wording).get_template(f"{template}.html")
    return "".join(check_often(found.generate(site=site, **values))).encode("utf-8", "replace")


@lru_cache
def _load_environment(wording: Wording) -> Environment:
    """Return the templates with their texts in a language."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0]),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["compact"] = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    environment.filters["moment"] = read_moment
    environment.install_gettext_translations(wording.translations, newstyle=True)  # type: ignore[attr-defined]
    return environment


def read_moment(text: str | None) -> str:
    """Return a time of the REST interface in readable form: ``2010-01-01 08:00:00 UTC``, or only the day."""
    if not text:
        return ""
    day, _, clock = text.partition("T")
    clock = clock.replace("+00:00", " UTC")
    # A period of days ends with the last moment of one.
    return day if clock in ("00:00:00 UTC", "23:59:59.999999 UTC") else f"{day} {clock}"
