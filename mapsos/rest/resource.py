"""From a path and parameters to a resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mapsos.operations.context import Context
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.description.openapi import describe_openapi
from mapsos.rest.errors import RestError
from mapsos.rest.parameters import check_names, read_format
from mapsos.rest.paths import RestPath
from mapsos.rest.resources.features import list_features, query_features
from mapsos.rest.resources.observations import check_query, query_observations, read_observations
from mapsos.rest.resources.offerings import describe_offering, list_offerings
from mapsos.rest.resources.procedures import describe_procedure, list_procedures
from mapsos.rest.resources.service_root import describe_schema, describe_service
from mapsos.web.messages import Chunk


@dataclass(frozen=True)
class Resource:
    """What a path stands for.

    ``kind`` is the `RestPath`'s resource, or ``schema``; ``format`` how the client wants it: html, json, pjson
    or csv. ``stream`` is the document of what is streamed, JSON or CSV, else None; where it is there, ``value`` is
    empty.
    ``count_rows`` tells how many observations of it have been written so far (`Response.count_rows`).
    """

    kind: str
    format: str
    value: dict[str, Any]
    stream: Iterable[Chunk] | None = None
    count_rows: Callable[[], int] = lambda: 0


PAGE_ROWS = 100
"""How many observations are shown to people, or written with indents, where they do not say."""


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


def find_resource(
    context: Context, path: RestPath, raw: RawRequest, script: str = "", *, reads_body: bool = True
) -> Resource:
    """Return the resource that a request asks for.

    ``script`` is the path of the program; without ``reads_body`` nothing of a stream is read. Raises RestError: 404 for
    what is not there, 400 for wrong parameters.
    """
    if not any(map(context.enabled, ("GetCapabilities", "GetObservation"))):
        raise RestError("this service has nothing for this client", code=403)
    if path.resource is None:
        raise RestError("there is no such resource", "resources are observations, procedures and features", code=404)
    check_names(raw, path.resource)
    format = read_format(raw, path.resource)
    if format == "schema":
        return Resource("schema", "json", describe_schema())
    if path.resource == "openapi":
        return Resource("openapi", "pjson", describe_openapi(context, script + path.prefix))
    if path.resource == "observations/query":
        whole = format in ("json", "csv")
        if whole and not reads_body:
            check_query(context, raw)
            return Resource(path.resource, format, {}, ())
        if whole:
            stream = query_observations(context, raw, csv=format == "csv")
            return Resource(path.resource, format, {}, stream, stream.count_written)
        value, rows = read_observations(context, raw, PAGE_ROWS)
        return Resource(path.resource, format, value, count_rows=lambda: rows)
    if path.resource == "features/query":
        return Resource(path.resource, format, query_features(context, raw))
    if path.id is not None:
        return Resource(path.resource, format, _MEMBERS[path.resource](context, path.id))
    return Resource(path.resource, format, _READERS[path.resource](context))
