"""Further content of pages: the catalog of layers to plot and to request, downloads, and places of stations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mapsos.encodings.registry import list_builder_formats
from mapsos.operations.context import Context
from mapsos.operations.layers.offerings import has_offering
from mapsos.operations.questions import FeatureOfInterest, ObservationQuestion
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.paths import write_path
from mapsos.rest.resource import Resource
from mapsos.rest.resources.areas_and_times import describe_interval
from mapsos.rest.resources.layers import KnownLayer, find_times, tells_steps
from mapsos.rest.resources.observation_query import read_query
from mapsos.rest.resources.observed_properties import choose_value_columns, list_value_columns
from mapsos.rest.resources.stations import list_stations
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import BBox
from mapsos.terms.times import FOREVER, EventTime, Interval, format_interval
from mapsos.terms.values import dataclass

_WGS84 = Crs("EPSG:4326", "EPSG:4326")


def list_catalog(context: Context, layers: Iterable[KnownLayer]) -> list[dict[str, Any]]:
    """Return the catalog of data to plot and to request: an entry for each layer, in map order. Raises RestError.

    ``begin`` and ``end`` are of the data; ``columns`` are the observed values with unit and kind; ``previews`` is
    whether the first observations of time steps are found without reading all.
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
                "previews": tells_steps(known),
            }
        )
    return catalog


def list_response_formats(translate: Callable[[str], str]) -> list[tuple[str, str]]:
    """Return each response format that the builder lists, with its label, in the order of the list."""
    return [(row.name, translate(row.label)) for row in list_builder_formats() if row.label is not None]


def _name_offering(context: Context, id: str) -> str:
    names = (layer.offering_name for layer in context.service.layers if layer.offering_id.casefold() == id.casefold())
    return next(filter(None, names), id)


@dataclass(frozen=True)
class Download:
    """An entry of the catalog, and the parameters of GetObservation that select the same as a query."""

    entry: dict[str, Any]
    filters: dict[str, str]


def list_downloads(
    context: Context, raw: RawRequest, layers: tuple[KnownLayer, ...], catalog: list[dict[str, Any]]
) -> list[Download]:
    """Return a download for each layer of a query, ignoring its condition and areas that are not rectangles.

    The download has all value columns of the layer. Raises RestError.
    """
    question = read_query(raw, context.now, layers).question
    found = []
    for known, entry in zip(layers, catalog, strict=True):
        named = has_offering(known.layer, question.offerings)
        if named and choose_value_columns(known.meaning, question.observed_properties):
            filters = _write_filters(known, question)
            if filters is not None:
                found.append(Download(entry, filters))
    return found


def _write_filters(known: KnownLayer, question: ObservationQuestion) -> dict[str, str] | None:
    """Return the parameters; None if the layer has no such procedure, or has no times and the question has some."""
    filters: dict[str, str] = {}
    feature = question.feature or FeatureOfInterest()
    named = [known.find_features(names) for names in (question.procedures, feature.ids or None) if names is not None]
    if named:
        procedures = [id for id in known.procedures if all(id.casefold() in names for names in named)]
        if not procedures:
            return None
        filters["procedure"] = ",".join(procedures)
    for time in question.times:
        if known.meaning.time_column is None:
            return None
        filters["eventTime"] = format_interval(_span(time))
    if isinstance(place := feature.predicate, BBox):
        corners = (repr(number) for number in (place.minx, place.miny, place.maxx, place.maxy))
        filters["bbox"] = ",".join((*corners, place.crs) if place.crs is not None else corners)
    return filters


def _span(time: EventTime) -> Interval:
    """Return the times of the observations that match a time of the question."""
    assert time.interval is not None
    if time.relation == "before":
        return Interval(-FOREVER, time.interval.begin)
    return Interval(time.interval.end, FOREVER) if time.relation == "after" else time.interval


def list_places(context: Context, layers: Iterable[KnownLayer], home: str, resource: Resource) -> list[dict[str, Any]]:
    """Return the stations on the map of a page, at the centre of their observations, in longitude and latitude.

    ``home`` is the path of the service's root. Raises RestError.
    """
    ids: list[str] | None = None
    if resource.kind == "offering":
        named = resource.value["procedure"]
        ids = [named] if isinstance(named, str) else named
    elif resource.kind == "procedure":
        ids = [resource.value["id"]]
    elif resource.kind == "features/query":
        ids = [feature["id"] for feature in resource.value["features"]]
    wanted = None if ids is None else {id.casefold() for id in ids}
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
