"""Procedures: the sensors of all layers, described by the metadata and data of their layers."""

from __future__ import annotations

from typing import Any

from mapsos.operations.context import Context
from mapsos.rest.errors import RestError
from mapsos.rest.resources.areas_and_times import Bounds, describe_envelope, join_bounds
from mapsos.rest.resources.contacts import describe_contact
from mapsos.rest.resources.layers import KnownLayer, list_layers
from mapsos.rest.resources.observed_properties import list_value_columns
from mapsos.rest.resources.stations import Station, list_described, list_stations
from mapsos.terms.urns import strip_procedure
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class KnownProcedure:
    """A procedure and the layers with its observations, in map order."""

    id: str
    layers: tuple[KnownLayer, ...]

    stations: tuple[Station, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the procedure."""
        return self.read_text("name") or self.id

    def read_text(self, name: str) -> str | None:
        """Return a text about it by a name of `SENSOR_TEXTS`, from the first layer that has it."""
        texts = (station.read_sensor_text(name) for station in self.stations)
        return next((text for text in texts if text is not None), None)


def list_known_procedures(context: Context, *, described: bool = False) -> tuple[KnownProcedure, ...]:
    """Return all procedures in order of first appearance; with texts if ``described``. Raises RestError."""
    spelled: dict[str, str] = {}
    having: dict[str, list[KnownLayer]] = {}
    stations: dict[str, list[Station]] = {}
    for known in list_layers(context):
        for name in dict.fromkeys(known.procedures):
            spelled.setdefault(name.casefold(), name)
            having.setdefault(name.casefold(), []).append(known)
        for station in list_described(context, known) if described else ():
            stations.setdefault(station.id.casefold(), []).append(station)
    return tuple(
        KnownProcedure(name, tuple(having[key]), tuple(stations.get(key, ()))) for key, name in spelled.items()
    )


def list_procedures(context: Context) -> dict[str, Any]:
    """Return the procedures resource. Raises RestError."""
    return {"procedures": [{"id": known.id} for known in list_known_procedures(context)]}


def find_procedure(context: Context, id: str) -> KnownProcedure:
    """Return the procedure of an id, with or without URN. Raises RestError (404)."""
    wanted = {id.casefold(), strip_procedure(id).casefold()}
    admitted = {layer.name for layer in context.enabled("DescribeSensor")}
    for known in list_known_procedures(context, described=True):
        if known.id.casefold() in wanted and any(layer.layer.name in admitted for layer in known.layers):
            return known
    raise RestError(f"procedure {id} not found", code=404, is_about_name=True)


def describe_procedure(context: Context, id: str) -> dict[str, Any]:
    """Return a procedure with its area and its outputs. Raises RestError."""
    known = find_procedure(context, id)
    crs = known.layers[0].crs
    places = [_find_bounds(context, layer, known.id) for layer in known.layers]
    columns = [column for layer in known.layers for column in list_value_columns(layer.meaning)]
    outputs = {column.definition: column.data_type for column in columns}
    application = next((text for layer in known.layers if (text := layer.layer.intended_application)), None)
    return {
        "id": known.id,
        "name": known.name,
        "description": known.read_text("description"),
        "intendedApplication": known.read_text("intendedapplication") or application,
        "sensorType": known.read_text("classification"),
        "observedArea": describe_envelope(join_bounds(places), crs),
        "contact": describe_contact(context.service.provider),
        "outputs": [{"dataType": kind, "definition": name} for name, kind in outputs.items()],
    }


def _find_bounds(context: Context, known: KnownLayer, id: str) -> Bounds | None:
    stations = list_stations(context, known, known.crs)
    return next((station.facts.bounds for station in stations if station.id.casefold() == id.casefold()), None)
