"""GetFeatureOfInterest: stations and features as sampling features (OGC 06-009r6, clause 9.3).

A feature of interest is what GetObservation takes for one: a station, by the id of its procedure, or the place of one
observation, by its featureid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mapsos.encodings.documents.sampling_features import SamplingFeature, write_sampling_features
from mapsos.operations.context import Context
from mapsos.operations.layers.meaning import LayerMeaning, list_spellings, read_meaning, refuse_source
from mapsos.operations.observations.selection import LayerSelection, pick_procedures, select_procedures, select_rows
from mapsos.operations.sensors.descriptions import choose_place_crs
from mapsos.operations.sensors.feature_places import MOVED, find_place
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import FeatureOfInterest, RawRequest
from mapsos.sos.v1.observation_links import ObservationLinks
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import parse_feature_ids, parse_procedures
from mapsos.sources.errors import SourceError
from mapsos.web.messages import Response

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
    observations = ObservationLinks(context)
    found: dict[str, SamplingFeature] = {}
    for selection in selections:
        for feature in _list_features(selection, ids, observations):
            known = found.setdefault(feature.id.casefold(), feature)
            links = tuple(dict.fromkeys((*known.observations, *feature.observations)))
            found[feature.id.casefold()] = replace(feature if known.wkb is None else known, observations=links)
    document = write_sampling_features(found.values(), service.schemas_location)
    return Response(headers=(("Content-Type", CONTENT_TYPE),), body=(document,), compressible=True)


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


def _list_features(
    selection: LayerSelection, ids: tuple[str, ...], observations: ObservationLinks
) -> Iterator[SamplingFeature]:
    from mapsos.sources.layer import open_layer

    meaning = selection.meaning
    layer = meaning.layer
    crs, label = choose_place_crs(layer)
    column = meaning.procedure_column
    if ids and not _is_station(meaning, ids) and meaning.feature_id_column is not None:
        column = meaning.feature_id_column
    try:
        with open_layer(layer.source) as source:
            groups = source.group_facts(column.name if column else None, predicate=selection.predicate, crs=crs)
    except SourceError as error:
        raise refuse_source(error) from error
    wanted = set().union(*map(list_spellings, ids))
    for name, facts in groups.items():
        place = find_place(facts)
        description = MOVED if place.moved else None
        for id_ in (name,) if column is not None else layer.procedures or ():
            if column is not None or not ids or id_.casefold() in wanted:
                url = observations.write(layer, "featureOfInterest", id_)
                yield SamplingFeature(id_, place.wkb, label, description, () if url is None else (url,))


def _is_station(meaning: LayerMeaning, ids: tuple[str, ...]) -> bool:
    """Whether the ids are those of procedures of the layer."""
    if not meaning.layer.procedures and meaning.procedure_column is None:
        return False
    return pick_procedures(meaning, ids) is not None
