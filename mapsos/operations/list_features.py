"""List features of interest: stations by ids of their procedures, and places of single observations by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mapsos.encodings.documents.sampling_features import SamplingFeature
from mapsos.operations.context import Context
from mapsos.operations.layers.facts import read_layer
from mapsos.operations.layers.meaning import LayerMeaning, list_spellings, read_meaning
from mapsos.operations.observations.selection import LayerSelection, pick_procedures, select_procedures, select_rows
from mapsos.operations.questions import FeatureOfInterest, FeatureQuestion
from mapsos.operations.sensors.descriptions import WriteLink, choose_place_crs
from mapsos.operations.sensors.feature_places import MOVED, find_place


def list_features(context: Context, question: FeatureQuestion, write_link: WriteLink) -> list[SamplingFeature]:
    """Return the features with the ids, observed by the procedures, or in the place, within the times.

    A feature of several layers is returned once, as described by the first of them. Costs one pass over the selected
    rows of each layer. Memory grows with the number of features.

    Raises
    ------
    ServiceError
        No layer has an id or a procedure.
    """
    meanings = tuple(map(read_meaning, context.enabled("GetFeatureOfInterest")))
    asked = select_procedures(meanings, question.procedures)
    wanted = FeatureOfInterest(question.place, question.ids)
    selections = select_rows(context.service, asked, question.times, wanted, None, context.now)
    found: dict[str, SamplingFeature] = {}
    for selection in selections:
        for feature in _list_features(selection, question.ids, write_link):
            known = found.setdefault(feature.id.casefold(), feature)
            links = tuple(dict.fromkeys((*known.observations, *feature.observations)))
            found[feature.id.casefold()] = replace(feature if known.wkb is None else known, observations=links)
    return list(found.values())


def _list_features(
    selection: LayerSelection, ids: tuple[str, ...], write_link: WriteLink
) -> Iterator[SamplingFeature]:
    meaning = selection.meaning
    layer = meaning.layer
    crs, label = choose_place_crs(layer)
    column = meaning.procedure_column
    if ids and not _is_station(meaning, ids) and meaning.feature_id_column is not None:
        column = meaning.feature_id_column
    with read_layer(layer.source) as source:
        groups = source.group_facts(column.name if column else None, predicate=selection.predicate, crs=crs)
    wanted = set().union(*map(list_spellings, ids))
    for name, facts in groups.items():
        place = find_place(facts)
        description = MOVED if place.moved else None
        for id_ in (name,) if column is not None else layer.procedures or ():
            if column is not None or not ids or id_.casefold() in wanted:
                url = write_link(layer, "feature", id_)
                yield SamplingFeature(id_, place.wkb, label, description, () if url is None else (url,))


def _is_station(meaning: LayerMeaning, ids: tuple[str, ...]) -> bool:
    """Return whether the ids are those of procedures of the layer."""
    if not meaning.layer.procedures and meaning.procedure_column is None:
        return False
    return pick_procedures(meaning, ids) is not None
