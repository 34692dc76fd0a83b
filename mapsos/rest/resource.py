"""Find the resource of a path and parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from mapsos.operations.context import Context
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.description.openapi import describe_openapi
from mapsos.rest.errors import RestError
from mapsos.rest.parameters import read_format
from mapsos.rest.paths import RestPath
from mapsos.rest.resources.features import list_features, query_features
from mapsos.rest.resources.offerings import describe_offering, list_offerings
from mapsos.rest.resources.procedures import describe_procedure, list_procedures
from mapsos.rest.resources.service_root import describe_schema, describe_service
from mapsos.terms.values import dataclass
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    from mapsos.encodings.esri.observation_markup import Page
    from mapsos.rest.resources.observation_query import Query


@dataclass(frozen=True)
class Resource:
    """A resource, ready to be written.

    Attributes
    ----------
    kind
        The resource of the `RestPath`, or ``schema``.
    format
        The requested format: html, json, pjson or csv.
    value
        The JSON value; empty for a stream.
    stream
        The document as a stream of JSON or CSV, else None.
    count_rows
        Returns the number of observations written so far (`Response.count_rows`).
    query, page
        Which observations were read, and the part of them in ``value``; None for other resources and for a stream.
    """

    kind: str
    format: str
    value: dict[str, Any]
    stream: Iterable[Chunk] | None = None
    count_rows: Callable[[], int] = lambda: 0
    query: Query | None = None
    page: Page | None = None


PAGE_ROWS = 100
"""Default number of observations on pages and in indented JSON."""
MAX_PAGE_ROWS = 10_000
"""Maximum number: such documents are made whole, in memory. JSON and CSV are streamed and have none."""


_READERS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "": describe_service,
    "observations": list_offerings,
    "procedures": list_procedures,
    "features": list_features,
}

_MEMBERS: dict[str, Callable[[Context, str], dict[str, Any]]] = {
    "offering": describe_offering,
    "procedure": describe_procedure,
}


def check_path(context: Context, path: RestPath) -> str:
    """Return the resource of a path. Raises RestError: it does not exist (404), or access is not allowed (403)."""
    if not any(map(context.enabled, ("GetCapabilities", "GetObservation"))):
        raise RestError("access to this service is not allowed", code=403)
    if path.resource is None:
        raise RestError("resource not found", "resources are observations, procedures and features", code=404)
    return path.resource


def find_resource(
    context: Context, path: RestPath, raw: RawRequest, script: str = "", *, reads_body: bool = True
) -> Resource:
    """Return the requested resource.

    Parameters
    ----------
    context, path, raw
        The request, whose path and names of parameters have been checked.
    script
        The path of the program.
    reads_body
        Whether the client wants the body; without it no observation is read.

    Raises
    ------
    RestError
        The offering or procedure does not exist (404), or a parameter is wrong (400).
    """
    resource = check_path(context, path)
    format = read_format(raw, resource)
    if format == "schema":
        return Resource("schema", "json", describe_schema())
    if resource == "openapi":
        return Resource("openapi", "pjson", describe_openapi(context, script + path.prefix))
    if resource == "observations/query":
        return _find_observations(context, raw, format, reads_body=reads_body)
    if resource == "features/query":
        return Resource(resource, format, query_features(context, raw))
    if path.id is not None:
        return Resource(resource, format, _MEMBERS[resource](context, path.id))
    return Resource(resource, format, _READERS[resource](context))


def _find_observations(context: Context, raw: RawRequest, format: str, *, reads_body: bool) -> Resource:
    from mapsos.rest.resources.observations import check_query, query_observations, read_observations

    name = "observations/query"
    whole = format in ("json", "csv")
    if whole and not reads_body:
        check_query(context, raw)
        return Resource(name, format, {}, ())
    if whole:
        stream = query_observations(context, raw, csv=format == "csv")
        return Resource(name, format, {}, stream, stream.count_written)
    found = read_observations(context, raw, PAGE_ROWS, MAX_PAGE_ROWS)
    return Resource(name, format, found.document, count_rows=lambda: found.rows, query=found.query, page=found.page)
