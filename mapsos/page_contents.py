"""What pages show besides their resource: what there is to plot and to ask for, and where stations are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mapsos.crs import Crs
from mapsos.operations.context import Context
from mapsos.rest.areas_and_times import describe_interval
from mapsos.rest.interface import Resource
from mapsos.rest.layers import KnownLayer, find_times
from mapsos.rest.observed_properties import list_value_columns
from mapsos.rest.paths import write_path
from mapsos.rest.stations import list_stations

_WGS84 = Crs("EPSG:4326", "EPSG:4326")


def list_catalog(context: Context, layers: Iterable[KnownLayer]) -> list[dict[str, Any]]:
    """What there is to plot and to ask for: an entry for each layer, in map order. Raises RestError.

    ``begin`` and ``end`` are of the data; ``columns`` are the observed values with unit and kind.
    """
    catalog = []
    for known in layers:
        layer = known.layer
        assert layer.observed_property is not None
        begin, _, end = (describe_interval(find_times(known)) or "").partition("/")
        columns = [
            {"name": column.alias, "unit": column.uom or "", "numeric": column.numeric, "definition": column.definition}
            for column in list_value_columns(known.meaning)
        ]
        catalog.append(
            {
                "offering": layer.offering_id,
                "offeringName": _name_offering(context, layer.offering_id),
                "property": layer.observed_property.id,
                "propertyName": layer.observed_property.name or layer.observed_property.id,
                "procedures": list(known.procedures),
                "begin": begin,
                "end": end,
                "columns": columns,
            }
        )
    return catalog


def _name_offering(context: Context, id: str) -> str:
    names = (layer.offering_name for layer in context.service.layers if layer.offering_id.casefold() == id.casefold())
    return next(filter(None, names), id)


def list_places(context: Context, layers: Iterable[KnownLayer], home: str, resource: Resource) -> list[dict[str, Any]]:
    """The stations that a page's map shows, each where the middle of its observations is, in longitude and latitude.

    ``home`` is the path of the service's root. Raises RestError.
    """
    wanted = None
    if resource.kind == "procedure":
        wanted = {resource.value["id"].casefold()}
    elif resource.kind == "features/query":
        wanted = {feature["id"].casefold() for feature in resource.value["features"]}
    found: dict[str, dict[str, Any]] = {}
    for known in layers:
        if known.layer.source.crs is None:
            continue
        for station in list_stations(context, known, _WGS84):
            bounds = station.facts.bounds
            key = station.id.casefold()
            if bounds is None or key in found or (wanted is not None and key not in wanted):
                continue
            west, south, east, north = bounds
            found[key] = {
                "id": station.id,
                "name": station.read_feature_text("name") or station.read_sensor_text("name") or station.id,
                "href": home + write_path("procedures", station.id),
                "x": (west + east) / 2,
                "y": (south + north) / 2,
            }
    return list(found.values())
