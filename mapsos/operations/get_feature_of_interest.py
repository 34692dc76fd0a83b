"""GetFeatureOfInterest: stations and features as sampling features (OGC 06-009r6, clause 9.3).

A feature of interest is what GetObservation takes for one: a station, by the id of its procedure, or the place of one
observation, by its featureid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from mapsos.crs import Crs
from mapsos.encodings.registry import OM_XML
from mapsos.encodings.sampling_features import SamplingFeature, write_sampling_features
from mapsos.http import Response
from mapsos.operations.context import Context
from mapsos.operations.feature_places import MOVED, find_place
from mapsos.operations.layer_meaning import LayerMeaning, read_meaning, refuse_source
from mapsos.operations.online_resource import find_online_resource
from mapsos.operations.selection import LayerSelection, select_procedures, select_rows
from mapsos.operations.sensor_descriptions import choose_place_crs
from mapsos.ows.event_times import parse_event_times
from mapsos.ows.exceptions import OwsException
from mapsos.ows.features_of_interest import parse_feature_of_interest
from mapsos.ows.parameters import parse_feature_ids, parse_procedures
from mapsos.ows.requests import FeatureOfInterest, RawRequest
from mapsos.sources.errors import SourceError
from mapsos.sources.groups import GroupFacts

CONTENT_TYPE = "text/xml; subtype=gml/3.1.1; charset=UTF-8"


def get_feature_of_interest(context: Context) -> Response:
    """The features that are named, or observed by the procedures, or lie in the place; with eventTime, then.

    At least one of FeatureOfInterestId, procedure and location is needed. A feature that several layers have is told
    once, as the first of them has it. Costs one pass over the rows that are asked for of each layer; memory grows with
    the features of the answer. Raises OwsException for ids and procedures that no enabled layer has.
    """
    raw, service = context.raw, context.service
    ids = parse_feature_ids(raw)
    place = _parse_location(raw)
    procedures = parse_procedures(raw)
    if not ids and place is None and procedures is None:
        raise OwsException(
            "MissingParameterValue",
            "FeatureOfInterestId",
            "msSOSGetFeatureOfInterest",
            "Missing FeatureOfInterestId, location or procedure parameter.",
        )
    meanings = tuple(map(read_meaning, context.enabled("GetFeatureOfInterest")))
    asked = select_procedures(meanings, procedures)
    wanted = FeatureOfInterest(place.predicate if place is not None else None, ids)
    event_times = parse_event_times(raw, context.now)
    try:
        selections = select_rows(service, asked, event_times, wanted, None, context.now)
    except OwsException as error:
        if error.locator == "featureofinterest":
            error.locator = "FeatureOfInterestId"
        raise
    found: dict[str, SamplingFeature] = {}
    for selection in selections:
        for feature in _list_features(context, selection, ids):
            known = found.setdefault(feature.id.casefold(), feature)
            links = tuple(dict.fromkeys((*known.observations, *feature.observations)))
            found[feature.id.casefold()] = replace(feature if known.wkb is None else known, observations=links)
    document = write_sampling_features(found.values(), service.schemas_location)
    return Response(headers=(("Content-Type", CONTENT_TYPE),), body=(document,))


def _parse_location(raw: RawRequest) -> FeatureOfInterest | None:
    """The place of ``location``, in any of the forms that featureOfInterest has for places."""
    values = raw.all("location")
    if not values:
        return None
    try:
        place = parse_feature_of_interest(RawRequest({"featureofinterest": values}))
        if place is not None and place.predicate is None:
            raise OwsException(
                "InvalidParameterValue", "location", "msSOSGetFeatureOfInterest", "The location is no place."
            )
    except OwsException as error:
        error.locator = "location"
        raise
    return place


def _list_features(context: Context, selection: LayerSelection, ids: tuple[str, ...]) -> Iterator[SamplingFeature]:
    from mapsos.sources.layers import open_layer

    meaning = selection.meaning
    layer = meaning.layer
    crs, label = choose_place_crs(layer)
    column = meaning.procedure_column
    if ids and not _is_station(meaning, ids) and meaning.feature_id_column is not None:
        column = meaning.feature_id_column
    own = layer.source.crs
    to_crs: Crs | None = None if own is None or crs is None or own.definition == crs.definition else crs
    try:
        with open_layer(layer.source) as source:
            groups = source.group_facts(column.name if column else None, predicate=selection.predicate, crs=to_crs)
    except SourceError as error:
        raise refuse_source(error) from error
    for name, facts in groups.items():
        names = (name,) if column is not None else layer.procedures or ()
        for id_ in names:
            if column is not None or not ids or any(_is_same(id_, wanted) for wanted in ids):
                yield _describe(context, meaning, id_, facts, label)


def _is_station(meaning: LayerMeaning, ids: tuple[str, ...]) -> bool:
    """Whether the ids are those of procedures of the layer."""
    if not meaning.layer.procedures and meaning.procedure_column is None:
        return False
    try:
        select_procedures((meaning,), ids)
    except OwsException:
        return False
    return True


def _is_same(procedure: str, wanted: str) -> bool:
    return wanted.casefold() in (procedure.casefold(), f"urn:ogc:def:procedure:{procedure}".casefold())


def _describe(
    context: Context, meaning: LayerMeaning, id_: str, facts: GroupFacts, label: str | None
) -> SamplingFeature:
    place = find_place(facts)
    description = MOVED if place.moved else None
    return SamplingFeature(id_, place.wkb, label, description, _list_observations(context, meaning, id_))


def _list_observations(context: Context, meaning: LayerMeaning, id_: str) -> tuple[str, ...]:
    layer, observed = meaning.layer, meaning.layer.observed_property
    if observed is None or not any(layer is other for other in context.enabled("GetObservation")):
        return ()
    parameters = (
        ("service", "SOS"),
        ("version", "1.0.0"),
        ("request", "GetObservation"),
        ("offering", layer.offering_id),
        ("observedProperty", observed.id),
        ("featureOfInterest", id_),
        ("responseFormat", OM_XML),
    )
    query = "&".join(f"{name}={quote(value, safe=':/')}" for name, value in parameters)
    return (f"{find_online_resource(context)}{query}",)
