"""The OpenAPI 3.1 description of a service's REST interface."""

from __future__ import annotations

from typing import Any

from mapsos.encodings.registry import CSV
from mapsos.operations.context import Context
from mapsos.rest.description.schemas import SCHEMAS
from mapsos.rest.parameters import FORMATS, MORE_FORMATS, PARAMETERS
from mapsos.rest.paths import MEMBERS

_DOCUMENTS = {
    "": "service",
    "observations": "observations",
    "offering": "offering",
    "observations/query": "observation-data",
    "procedures": "procedures",
    "procedure": "procedure",
    "features": "features",
    "features/query": "feature-data",
}
_SUMMARIES = {
    "": "The service",
    "observations": "Its offerings",
    "offering": "An offering",
    "observations/query": "Observations",
    "procedures": "Its procedures",
    "procedure": "A procedure",
    "features": "Its features of interest",
    "features/query": "Features of interest",
}
_IDS = "Comma-separated ids; any of them matches. A comma inside an id is written \\,"
_TIMES = (
    "equals:T, during:T,T, after:T, before:T or last:MILLISECONDS,+HH:MM, with or without braces around it. "
    "T is a time in ISO 8601; answers are in its time zone."
)
_PLACES = "An Esri JSON geometry, x,y or xmin,ymin,xmax,ymax: places that intersect it."
_WHERE = "A condition over id, type, phenomenon_time, procedure, observed_property, numeric_value, text_value and uom."


def _write_count(least: int) -> dict[str, Any]:
    """Return the schema of an integer of at least ``least``, or an empty string."""
    return {"type": ["integer", "string"], "minimum": least, "maximum": 10**15 - 1, "maxLength": 0}


def _write_filter(description: str, examples: dict[str, str]) -> dict[str, Any]:
    """Return the schema of a string, with examples by name."""
    return {
        "description": description,
        "schema": {"type": "string"},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }


_MEANINGS: dict[str, dict[str, Any]] = {
    "offering": {"description": _IDS, "schema": {"type": "string"}},
    "observedProperty": {"description": _IDS, "schema": {"type": "string"}},
    "procedure": {"description": _IDS, "schema": {"type": "string"}},
    "featureOfInterest": {"description": _IDS, "schema": {"type": "string"}},
    "feature": {"description": _IDS, "schema": {"type": "string"}},
    "spatialFilter": _write_filter(
        _PLACES,
        {
            "rectangle": "0,40,2,43",
            "point": '{"x":1.12,"y":41.15,"spatialReference":{"wkid":4326}}',
            "area": "{rings:[[[0,40],[0,43],[2,43],[0,40]]]}",
        },
    ),
    "temporalFilter": _write_filter(
        _TIMES,
        {
            "period": "during:2011-10-19T15:00:00+02:00,2011-10-20T00:00:00+02:00",
            "beginning": "{after:2011-10-19T15:00:00Z}",
            "last four weeks": "last:2419200000,+02:00",
        },
    ),
    "where": _write_filter(
        _WHERE,
        {
            "values": "numeric_value<=35",
            "ids": "procedure IN ('SEA','SFO') AND NOT (numeric_value BETWEEN 35 AND 80)",
        },
    ),
    "resultOffset": {"description": "Number of observations to skip.", "schema": _write_count(0)},
    "resultRecordCount": {"description": "Maximum number of observations to return.", "schema": _write_count(1)},
}

_ERROR = {
    "application/json": {"schema": {"$ref": "#/components/schemas/error"}},
    "text/html": {"schema": {"type": "string"}},
}
_ERRORS = {
    "400": "A parameter is wrong, or the response would exceed the limits of this service.",
    "403": "The client is not allowed to access it.",
    "404": "Not found.",
    "405": "The method is not supported.",
    "500": "The service failed; the reason is in its log.",
    "503": "The request exceeded the time limit.",
}


def describe_openapi(context: Context, prefix: str) -> dict[str, Any]:
    """Return the document; ``prefix`` is the path of the service on the server."""
    identification = context.service.identification
    # A name of another map would be rejected.
    own = next((layer.offering_id for layer in context.enabled("GetObservation")), None)
    meanings = _MEANINGS if own is None else {**_MEANINGS, "offering": {**_MEANINGS["offering"], "example": own}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": identification.title or context.service.name,
            # The version of this description; that of the program is not disclosed.
            "version": "1",
            **({"description": identification.abstract} if identification.abstract else {}),
        },
        "servers": [{"url": f"{prefix}/exts"}],
        "paths": {
            _write_path(resource): {
                "get": _describe(resource, meanings),
                "post": _describe(resource, meanings, form=True),
            }
            for resource in _DOCUMENTS
        },
        "components": {"schemas": dict(SCHEMAS)},
    }


def _write_path(resource: str) -> str:
    # A path is not empty, so the root is a path below the server.
    return f"/SosSOE/{MEMBERS[resource]}/{{id}}" if resource in MEMBERS else f"/SosSOE/{resource}".rstrip("/")


def _describe(resource: str, meanings: dict[str, dict[str, Any]], *, form: bool = False) -> dict[str, Any]:
    """Return an operation, with its parameters in the query or, by POST, in a form."""
    named = [*FORMATS, *MORE_FORMATS.get(resource, ()), ""]
    formats = {"type": "string", "enum": named, "default": "html"}
    parameters: dict[str, dict[str, Any]] = {
        "f": {"description": "The format of the answer.", "schema": formats, "example": "json"},
        **{name: meanings[name] for name in PARAMETERS[resource]},
    }
    document: dict[str, Any] = {"$ref": f"#/components/schemas/{_DOCUMENTS[resource]}"}
    if resource == "":
        document = {"anyOf": [document, {"type": "object"}]}
    content = {"application/json": {"schema": document}, "text/html": {"schema": {"type": "string"}}}
    if "csv" in named:
        content[CSV] = {"schema": {"type": "string"}}
    found: dict[str, Any] = {
        "operationId": f"{'post' if form else 'get'}-{_DOCUMENTS[resource]}",
        "summary": _SUMMARIES[resource],
        "parameters": [] if form else [{"name": name, "in": "query", **meant} for name, meant in parameters.items()],
        "responses": {
            "200": {
                "description": _SUMMARIES[resource],
                "content": content,
            },
            **{status: {"description": text, "content": _ERROR} for status, text in _ERRORS.items()},
        },
    }
    if form:
        fields = {name: {**meant["schema"], "description": meant["description"]} for name, meant in parameters.items()}
        schema = {"type": "object", "properties": fields}
        found["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": schema}},
        }
    if resource in MEMBERS:
        id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        if resource == "offering":
            id["description"] = "Any id except query in any letter case, which is the path of the query."
        found["parameters"].insert(0, id)
    return found
