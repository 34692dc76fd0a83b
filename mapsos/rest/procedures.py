"""Procedures: the sensors of all layers, each described from its layers' metadata and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mapsos.geoservices.errors import RestError
from mapsos.operations.context import Context
from mapsos.operations.layer_meaning import strip_procedure
from mapsos.rest.areas_and_times import describe_envelope, join_bounds
from mapsos.rest.contacts import describe_contact
from mapsos.rest.layers import KnownLayer, choose_crs, find_bounds, list_layers, pick_procedure
from mapsos.rest.observed_properties import list_value_columns


@dataclass(frozen=True)
class KnownProcedure:
    """A procedure and the layers that have observations of it, in map order."""

    id: str
    layers: tuple[KnownLayer, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.id


def list_known_procedures(context: Context) -> tuple[KnownProcedure, ...]:
    """All procedures in order of first appearance. Raises RestError."""
    spelled: dict[str, str] = {}
    having: dict[str, list[KnownLayer]] = {}
    for known in list_layers(context):
        for name in dict.fromkeys(known.procedures):
            spelled.setdefault(name.casefold(), name)
            having.setdefault(name.casefold(), []).append(known)
    return tuple(KnownProcedure(name, tuple(having[key])) for key, name in spelled.items())


def list_procedures(context: Context) -> dict[str, Any]:
    """The procedures resource."""
    return {"procedures": [{"id": known.id} for known in list_known_procedures(context)]}


def find_procedure(context: Context, id: str) -> KnownProcedure:
    """The procedure of that id, bare or as URN. Raises RestError (404)."""
    wanted = {id.casefold(), strip_procedure(id).casefold()}
    for known in list_known_procedures(context):
        if known.id.casefold() in wanted:
            return known
    raise RestError(f"there is no procedure {id}", code=404)


def describe_procedure(context: Context, id: str) -> dict[str, Any]:
    """One procedure: where it observes and what it puts out. Raises RestError."""
    known = find_procedure(context, id)
    crs = choose_crs(context, known.layers)
    bounds = join_bounds(find_bounds(layer, crs, pick_procedure(layer, known.id)) for layer in known.layers)
    columns = [column for layer in known.layers for column in list_value_columns(layer.meaning)]
    outputs = {column.definition: column.data_type for column in columns}
    applications = (layer.layer.intended_application for layer in known.layers)
    return {
        "id": known.id,
        "name": known.name,
        "description": None,
        "intendedApplication": next((text for text in applications if text is not None), None),
        "sensorType": None,
        "observedArea": describe_envelope(bounds, crs),
        "contact": describe_contact(context.service.provider),
        "outputs": [{"dataType": kind, "definition": name} for name, kind in outputs.items()],
    }
