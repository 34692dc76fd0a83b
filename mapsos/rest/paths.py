"""Paths of the REST interface: which service and which of its resources a request is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

_PATH = re.compile(
    r"(?P<prefix>(?P<arcgis>/arcgis/rest/services)?(?:/(?P<service>[^/]+?)(?P<server>/MapServer)?)?/exts/SosSOE)"
    r"(?:/(?P<resource>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_SLASHES = re.compile("(?:/|%2F)+", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SERVICES = re.compile(r"(?P<prefix>/arcgis/rest/services)/?", re.IGNORECASE)
_OPENAPI = re.compile(r"(?P<prefix>(?:/(?P<service>[^/]+))?)/openapi\.json", re.IGNORECASE)

RESOURCES = ("observations", "observations/query", "procedures", "features", "features/query")
"""The resources under a service's root, without the offerings and procedures themselves."""

MEMBERS = {"offering": "observations", "procedure": "procedures"}
"""What has an id, and the resource that it stands below. An offering of the id ``query`` has no path: that is taken."""

REST_OPERATIONS = ("REST", *(f"REST {name}" for name in ("services", "openapi", *RESOURCES, *MEMBERS)))
"""All that `RestPath.operation` can be, but for the empty text."""


@dataclass(frozen=True)
class RestPath:
    """A path of this interface.

    ``service`` is a map as the configuration or the server names it, None for the only or the default one.
    ``prefix`` is the path of the service's root. ``resource`` is ``services`` (the list of services), ``openapi``,
    ``""`` (a service's root), one of `RESOURCES`, ``offering`` or ``procedure`` (with ``id``), or None for what there
    is not.
    """

    service: str | None
    prefix: str
    resource: str | None
    id: str | None = None

    @property
    def operation(self) -> str:
        """What a request for this path is called in the log and in metrics; empty for what there is not."""
        return "" if self.resource is None else f"REST {self.resource}".rstrip()


def read_path(environ: Mapping[str, str]) -> str:
    """The decoded path below the program, with all slashes that the client wrote.

    Apache's PATH_INFO has one for many, and by ``AllowEncodedSlashes NoDecode`` still ``%2F`` for others. So the path
    is taken from REQUEST_URI where that says the same but for slashes, else it is PATH_INFO.
    """
    script, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    said = unquote(environ.get("REQUEST_URI", "").partition("?")[0])
    same = _SLASHES.sub("/", said) == _SLASHES.sub("/", script + path)
    return said[len(script) :] if same and said.startswith(script) else path


def parse_rest_path(path: str) -> RestPath | None:
    """Read a decoded path, as `read_path` gives it; None if it is not one of this interface.

    Names count without case, but not that of the service or an id. An id is all that follows ``observations/`` or
    ``procedures/``, with whatever slashes it has; of one that is not UTF-8 there is nothing.
    """
    if match := _SERVICES.fullmatch(path):
        return RestPath(None, match["prefix"], "services")
    if match := _OPENAPI.fullmatch(path):
        return RestPath(match["service"], match["prefix"], "openapi")
    match = _PATH.fullmatch(path)
    if match is None or (match["arcgis"] and not match["server"]):
        return None
    said = match["resource"] or ""
    name = said.rstrip("/").lower()
    if name == "" or name in RESOURCES:
        return RestPath(match["service"], match["prefix"], name)
    section, _, id = said.partition("/")
    known = bool(id) and not _SURROGATE.search(id)
    kind = next((kind for kind, above in MEMBERS.items() if known and above == section.lower()), None)
    return RestPath(match["service"], match["prefix"], kind, id if kind is not None else None)


def write_path(*segments: str) -> str:
    """A path below a service's root, percent-encoded: slashes inside a segment too."""
    return "".join(f"/{quote(segment, safe=':@!$&()*+,;=-._~')}" for segment in segments)
