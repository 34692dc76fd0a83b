"""The root of a service: its description, its provider and its procedures."""

from __future__ import annotations

from typing import Any

from mapsos.operations.context import Context
from mapsos.rest.parameters import PARAMETERS
from mapsos.rest.resources.contacts import describe_contact
from mapsos.rest.resources.procedures import list_known_procedures


def describe_service(context: Context) -> dict[str, Any]:
    """Return the service as described by its mapfile; None for missing metadata. Raises RestError."""
    service = context.service
    return {
        "title": service.identification.title or service.name,
        "description": service.identification.abstract,
        "keywords": list(service.identification.keyword_list or ()),
        "providerName": service.provider.organization,
        "providerSite": service.provider.site,
        "serviceContacts": [describe_contact(service.provider)],
        "procedures": [
            {"id": known.id, "name": known.name} for known in list_known_procedures(context, described=True)
        ],
    }


def describe_schema() -> dict[str, Any]:
    """Return the document of f=schema: the resources and the parameters of their queries."""

    def describe_query(resource: str) -> dict[str, Any]:
        return {
            "name": "query",
            "parameters": list(PARAMETERS[resource]),
            "supportedOutputFormats": ["json"],
            "postOnly": False,
        }

    return {
        "name": "ArcGIS_SOS_Extension",
        "description": "An_SOS_extension_for_ArcGIS_Server",
        "isCollection": False,
        "resources": [
            {
                "name": "observations",
                "description": "description of observations resource",
                "isCollection": False,
                "operations": [describe_query("observations/query")],
            },
            {"name": "procedures", "description": "description of procedure resource", "isCollection": True},
            {
                "name": "features",
                "description": "description of features resource",
                "isCollection": False,
                "operations": [describe_query("features/query")],
            },
        ],
    }
