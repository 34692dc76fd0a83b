"""JSON Schemas (2020-12) of the JSON documents of the REST interface, one for each resource.

The files of schemas/ are made from these (tests/rest/test_schemas.py), and openapi.json has them as components.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _object(description: str, properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of an object with exactly these keys; all except ``optional`` are required."""
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


CONTACT = _object(
    "The contact of the provider.",
    dict.fromkeys(
        (
            "individualName",
            "positionName",
            "phone",
            "facsimile",
            "deliveryPoint",
            "city",
            "administrativeArea",
            "postalCode",
            "country",
            "electronicMailAddress",
        ),
        TEXT_OR_NULL,
    ),
)
SPATIAL_REFERENCE = {"anyOf": [_object("A CRS by its number.", {"wkid": {"type": "integer"}}), {"type": "null"}]}
_NUMBER = {"type": "number"}
ENVELOPE = {
    "anyOf": [
        _object(
            "A rectangle.",
            {
                "xmin": _NUMBER,
                "ymin": _NUMBER,
                "xmax": _NUMBER,
                "ymax": _NUMBER,
                "spatialReference": SPATIAL_REFERENCE,
            },
        ),
        {"type": "null"},
    ]
}
_POSITIONS = _list({"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2})
SHAPE = {
    "anyOf": [
        _object("A point.", {"x": _NUMBER, "y": _NUMBER, "spatialReference": SPATIAL_REFERENCE}),
        _object("Points.", {"points": _POSITIONS, "spatialReference": SPATIAL_REFERENCE}),
        _object("Lines.", {"paths": _list(_POSITIONS), "spatialReference": SPATIAL_REFERENCE}),
        _object("Areas.", {"rings": _list(_POSITIONS), "spatialReference": SPATIAL_REFERENCE}),
        {"type": "null"},
    ]
}
OUTPUT = _object(
    "What is observed.",
    {"dataType": {"enum": ["NUMERIC", "TEXTUAL"]}, "definition": {**TEXT, "description": "Its id."}},
)
ID = _object("An id.", {"id": TEXT})
_TIME = {"type": ["string", "null"], "description": "ISO 8601 in the requested time zone."}

OFFERING = _object(
    "An offering.",
    {
        "id": TEXT,
        "name": TEXT,
        "observedProperties": _list(OUTPUT),
        "procedure": {
            "description": "Its procedure, or all of them.",
            "anyOf": [TEXT, _list(TEXT)],
        },
        "observedArea": ENVELOPE,
        "timeExtent": {**TEXT_OR_NULL, "description": "Begin and end in ISO 8601, joined by a slash."},
    },
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "services": _object(
        "The services of this server.",
        {"services": _list(_object("A service.", {"name": TEXT, "type": {"const": "MapServer"}}))},
    ),
    "service": _object(
        "A service: what it offers and who provides it.",
        {
            "title": TEXT,
            "description": TEXT_OR_NULL,
            "keywords": _list(TEXT),
            "providerName": TEXT_OR_NULL,
            "providerSite": TEXT_OR_NULL,
            "serviceContacts": _list(CONTACT),
            "procedures": _list(_object("A procedure.", {"id": TEXT, "name": TEXT})),
        },
    ),
    "observations": _object(
        "The offerings of a service.",
        {"observationOfferings": _list(OFFERING)},
    ),
    "offering": OFFERING,
    "observation-data": _object(
        "Observations.",
        {
            "observationData": _list(
                _object(
                    "An observation.",
                    {
                        "id": TEXT,
                        "type": {
                            "enum": [
                                "OM_Measurement",
                                "OM_CountObservation",
                                "OM_TextObservation",
                                "OM_TruthObservation",
                                "OM_TemporalObservation",
                            ]
                        },
                        "phenomenonTime": _TIME,
                        "resultTime": _TIME,
                        "observedProperty": TEXT,
                        "procedure": TEXT_OR_NULL,
                        "featureOfInterest": TEXT_OR_NULL,
                        "result": _object(
                            "What was observed.",
                            {
                                "type": {"enum": ["numerical", "textual"]},
                                "uom": {**TEXT_OR_NULL, "description": "Unit of measure."},
                                "value": {"type": ["number", "string", "null"]},
                            },
                        ),
                    },
                )
            ),
            "exceededTransferLimit": {"const": True, "description": "There are more observations after these."},
        },
        optional=("exceededTransferLimit",),
    ),
    "procedures": _object("The procedures of a service.", {"procedures": _list(ID)}),
    "procedure": _object(
        "A procedure.",
        {
            "id": TEXT,
            "name": TEXT,
            "description": TEXT_OR_NULL,
            "intendedApplication": TEXT_OR_NULL,
            "sensorType": TEXT_OR_NULL,
            "observedArea": ENVELOPE,
            "contact": CONTACT,
            "outputs": _list(OUTPUT),
        },
    ),
    "features": _object("The features of interest of a service.", {"features": _list(ID)}),
    "feature-data": _object(
        "Features of interest.",
        {
            "features": _list(
                _object(
                    "A feature of interest.",
                    {
                        "id": TEXT,
                        "codeSpace": TEXT_OR_NULL,
                        "name": TEXT,
                        "description": TEXT_OR_NULL,
                        "type": {**TEXT, "format": "uri"},
                        "sampledFeature": TEXT_OR_NULL,
                        "shape": SHAPE,
                    },
                )
            )
        },
    ),
    "error": _object(
        "An error.",
        {"error": _object("The error.", {"code": {"type": "integer"}, "message": TEXT, "details": _list(TEXT)})},
    ),
}
"""The schema of each document, by the name of its file."""


def write_schema(name: str) -> dict[str, Any]:
    """Return a schema as a complete document."""
    return {"$schema": DIALECT, "title": name, **SCHEMAS[name]}
