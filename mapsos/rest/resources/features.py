"""Features of interest: the stations of observations, with their shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mapsos.encodings.esri.esri_geometry import find_dimension, write_esri_geometry
from mapsos.operations.context import Context
from mapsos.operations.layers.facts import has_geometry
from mapsos.operations.observations.selection import locate, pick_procedures
from mapsos.operations.sensors.feature_places import MOVED, find_place
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.filters.spatial_filters import parse_spatial_filter
from mapsos.rest.parameters import read_text
from mapsos.rest.resources.areas_and_times import describe_spatial_reference
from mapsos.rest.resources.layers import KnownLayer, list_layers, rest_errors
from mapsos.rest.resources.names import LayerNames
from mapsos.rest.resources.stations import Station, list_stations
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import EVERYTHING, Predicate, all_of

_TYPE = "http://www.opengis.net/def/samplingFeatureType/OGC-OM/2.0/"
_KINDS = ("SF_SamplingPoint", "SF_SamplingCurve", "SF_SamplingSurface")


def list_features(context: Context) -> dict[str, Any]:
    """Return the features resource: the ids of all features. Raises RestError."""
    found: dict[str, str] = {}
    for known in _list_layers(context):
        for id in known.features:
            found.setdefault(id.casefold(), id)
    return {"features": [{"id": id} for id in found.values()]}


def query_features(context: Context, raw: RawRequest) -> dict[str, Any]:
    """Return features/query: the features that match its parameters, each from the first layer with a shape for it.

    Costs one grouped query for each layer. Memory grows with the number of features. Raises RestError.
    """
    text = read_text(raw, "spatialFilter")
    place = parse_spatial_filter(text) if text is not None else EVERYTHING
    layers = _list_layers(context)
    crs = layers[0].crs if layers else None
    names = LayerNames(layers)
    names.read_properties(raw)
    lists = (names.read_stations(raw, name) for name in ("feature", "procedure"))
    ids = [wanted for wanted in lists if wanted is not None]
    found: dict[str, list[Station]] = {}
    for known in names.layers:
        for station in _select(context, known, crs, ids, place):
            found.setdefault(station.id.casefold(), []).append(station)
    return {"features": [_describe(stations, crs) for stations in found.values()]}


def _list_layers(context: Context) -> tuple[KnownLayer, ...]:
    admitted = {id(layer) for layer in context.enabled("GetFeatureOfInterest")}
    return tuple(known for known in list_layers(context) if id(known.layer) in admitted)


def _select(
    context: Context, known: KnownLayer, crs: Crs | None, ids: list[tuple[str, ...]], place: Predicate
) -> Iterable[Station]:
    wanted: Predicate = EVERYTHING
    named: list[set[str]] = []
    with rest_errors():
        for names in ids:
            picked = pick_procedures(known.meaning, names)
            if picked is None:
                return ()
            wanted = all_of(wanted, picked)
            named.append(known.find_features(names))
        predicate: Predicate | None = None
        if place != EVERYTHING:
            if not has_geometry(known.layer.source):
                return ()
            predicate = all_of(wanted, locate(place, context.service.crs))
    stations = list_stations(context, known, crs, predicate)
    return (station for station in stations if all(station.id.casefold() in names for names in named))


def _describe(stations: list[Station], crs: Crs | None) -> dict[str, Any]:
    shaped = next((station for station in stations if station.facts.wkb is not None), stations[0])
    place = find_place(shaped.facts)
    shape = write_esri_geometry(place.wkb) if place.wkb is not None else None
    if shape is not None:
        own = crs if crs is not None else shaped.known.layer.source.crs
        reference = describe_spatial_reference(own.label if own is not None else None)
        shape = {**shape, "spatialReference": reference}

    def read(name: str) -> str | None:
        return next((text for station in stations if (text := station.read_feature_text(name)) is not None), None)

    return {
        "id": stations[0].id,
        "codeSpace": read("codespace"),
        "name": read("name") or stations[0].id,
        "description": read("description") or (MOVED if place.moved else None),
        "type": _TYPE + ("SF_SamplingFeature" if shape is None else _KINDS[find_dimension(shape)]),
        "sampledFeature": read("sampledfeature"),
        "shape": shape,
    }
