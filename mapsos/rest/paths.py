"""Paths of the REST interface: from a path to a service and a resource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from mapsos.terms.values import dataclass

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
"""The resources below the root of a service, without single offerings and procedures."""

MEMBERS = {"offering": "observations", "procedure": "procedures"}
"""Resources with an id, and the resource above each. An offering with the id ``query`` has no path: it is taken."""

REST_OPERATIONS = ("REST", *(f"REST {name}" for name in ("services", "openapi", *RESOURCES, *MEMBERS)))
"""All values of `RestPath.operation` except the empty string."""


@dataclass(frozen=True)
class RestPath:
    """A path of this interface.

    Attributes
    ----------
    service
        The name of a map in the configuration or on the server; None for the only or the default map.
    prefix
        The path of the root of the service.
    resource
        ``services`` (the list of services), ``openapi``, ``""`` (the root of a service), one of `RESOURCES`,
        ``offering`` or ``procedure``; None for an unknown resource.
    id
        The id of an offering or procedure.
    """

    service: str | None
    prefix: str
    resource: str | None
    id: str | None = None

    @property
    def operation(self) -> str:
        """Return the name of requests for this path in logs and metrics; empty for an unknown resource."""
        return "" if self.resource is None else f"REST {self.resource}".rstrip()


def read_path(environ: Mapping[str, str]) -> str:
    """Return the decoded path below the program, with all slashes that the client wrote.

    In Apache's PATH_INFO several slashes become one, and with ``AllowEncodedSlashes NoDecode`` others are ``%2F``.
    Therefore the path is that of REQUEST_URI if it differs from PATH_INFO in slashes only, else PATH_INFO.
    """
    script, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    said = unquote(environ.get("REQUEST_URI", "").partition("?")[0])
    same = _SLASHES.sub("/", said) == _SLASHES.sub("/", script + path)
    return said[len(script) :] if same and said.startswith(script) else path


def parse_rest_path(path: str) -> RestPath | None:
    """Return the parts of a decoded path as of `read_path`; None if it is not a path of this interface.

    Names are case-insensitive, except that of the service and ids. An id is everything after ``observations/`` or
    ``procedures/``, slashes included. An id that is not UTF-8 is unknown.
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
    """Return a path below the root of a service, percent-encoded, including slashes inside segments."""
    return "".join(f"/{quote(segment, safe=':@!$&()*+,;=-._~')}" for segment in segments)
