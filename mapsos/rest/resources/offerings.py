"""Offerings, which group observations, with their properties and extents."""

from __future__ import annotations

from typing import Any

from mapsos.mapfile.model import Offering, group_offerings
from mapsos.operations.context import Context
from mapsos.rest.errors import RestError
from mapsos.rest.resources.areas_and_times import describe_envelope, describe_interval, join_bounds, join_intervals
from mapsos.rest.resources.layers import KnownLayer, find_bounds, find_times, list_layers
from mapsos.rest.resources.observed_properties import list_value_columns


def list_offerings(context: Context) -> dict[str, Any]:
    """Return the observations resource. Areas and times are those of the data. Raises RestError."""
    layers = list_layers(context)
    offerings = group_offerings(tuple(known.layer for known in layers))
    return {"observationOfferings": [_describe(offering, layers) for offering in offerings]}


def describe_offering(context: Context, id: str) -> dict[str, Any]:
    """Return an offering by its case-insensitive id. Raises RestError."""
    layers = list_layers(context)
    for offering in group_offerings(tuple(known.layer for known in layers)):
        if offering.id.casefold() == id.casefold():
            return _describe(offering, layers)
    raise RestError(f"offering {id} not found", code=404, is_about_name=True)


def _describe(offering: Offering, layers: tuple[KnownLayer, ...]) -> dict[str, Any]:
    members = tuple(known for known in layers if known.layer in offering.layers)
    crs = members[0].crs
    procedures = tuple(dict.fromkeys(name for known in members for name in known.procedures))
    properties = {
        column.definition: column.data_type for known in members for column in list_value_columns(known.meaning)
    }
    return {
        "id": offering.id,
        "name": offering.name,
        "observedProperties": [{"dataType": kind, "definition": name} for name, kind in properties.items()],
        # The ArcGIS interface has one procedure for each offering; a mapfile may have any number.
        "procedure": procedures[0] if len(procedures) == 1 else list(procedures),
        "observedArea": describe_envelope(join_bounds(find_bounds(known, crs) for known in members), crs),
        "timeExtent": describe_interval(join_intervals(map(find_times, members))),
    }
