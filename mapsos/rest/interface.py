"""The REST interface as a whole: from a path and parameters to a resource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mapsos.geoservices.errors import RestError
from mapsos.operations.context import Context
from mapsos.rest.offerings import list_offerings
from mapsos.rest.parameters import check_names, read_format
from mapsos.rest.paths import RestPath
from mapsos.rest.procedures import describe_procedure, list_procedures
from mapsos.rest.service_root import describe_schema, describe_service


@dataclass(frozen=True)
class Resource:
    """What a path stands for.

    ``kind`` is the `RestPath`'s resource, or ``schema``; ``format`` how the client wants it: html, json or pjson.
    """

    kind: str
    format: str
    value: dict[str, Any]


_READERS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "": describe_service,
    "observations": list_offerings,
    "procedures": list_procedures,
}


def find_resource(context: Context, path: RestPath) -> Resource:
    """The resource that a request asks for. Raises RestError: 404 for what there is not, 400 for wrong parameters."""
    if path.resource is None:
        raise RestError("there is no such resource", "resources are observations, procedures and features", code=404)
    check_names(context.raw, path.resource)
    format = read_format(context.raw, path.resource)
    if format == "schema":
        return Resource("schema", "json", describe_schema())
    if path.resource == "procedure":
        return Resource("procedure", format, describe_procedure(context, path.id or ""))
    return Resource(path.resource, format, _READERS[path.resource](context))
