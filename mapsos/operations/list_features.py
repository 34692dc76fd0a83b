"""List features of interest: stations by ids of their procedures, and places of single observations by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mapsos.columns.batches import Column
from mapsos.encodings.documents.sampling_features import SamplingFeature
from mapsos.operations.context import Context
from mapsos.operations.layers.meaning import LayerMeaning, list_spellings, read_meaning
from mapsos.operations.layers.open_layers import read_layer
from mapsos.operations.observations.selection import (
    LayerSelection,
    NamedFeatures,
    is_any_feature,
    name_features,
    select_procedures,
    select_rows,
)
from mapsos.operations.questions import FeatureOfInterest, FeatureQuestion
from mapsos.operations.sensors.descriptions import WriteLink, choose_place_crs
from mapsos.operations.sensors.feature_places import MOVED, find_place
from mapsos.terms.deadlines import check_often
from mapsos.terms.predicates import EVERYTHING, Predicate, all_of


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
    ids = () if is_any_feature(question.ids) else question.ids
    wanted = FeatureOfInterest(question.place, ids)
    selections = select_rows(context.service, asked, question.times, wanted, None, context.now)
    remaining = tuple(meaning for meaning, _ in asked)
    named = dict(zip(map(id, remaining), name_features(remaining, ids), strict=True)) if ids else {}
    found: dict[str, SamplingFeature] = {}
    for selection in selections:
        part = named.get(id(selection.meaning), NamedFeatures(stations=EVERYTHING))
        for feature in check_often(_list_features(selection, part, ids, write_link)):
            known = found.setdefault(feature.id.casefold(), feature)
            links = tuple(dict.fromkeys((*known.observations, *feature.observations)))
            found[feature.id.casefold()] = replace(feature if known.wkb is None else known, observations=links)
    return list(found.values())


def _list_features(
    selection: LayerSelection, named: NamedFeatures, ids: tuple[str, ...], write_link: WriteLink
) -> Iterator[SamplingFeature]:
    meaning = selection.meaning
    both = named.stations is not None and named.others is not None
    columns = ((named.stations, meaning.procedure_column), (named.others, meaning.feature_id_column))
    for rows, column in columns:
        if rows is not None:
            predicate = all_of(selection.predicate, rows) if both else selection.predicate
            yield from _group_rows(meaning, column, predicate, ids, write_link)


def _group_rows(
    meaning: LayerMeaning, column: Column | None, predicate: Predicate, ids: tuple[str, ...], write_link: WriteLink
) -> Iterator[SamplingFeature]:
    """Yield a feature for each value of a column; without one, for each of the layer's procedures among the ids."""
    layer = meaning.layer
    crs, label = choose_place_crs(layer)
    with read_layer(layer.source) as source:
        groups = source.group_facts(column.name if column else None, predicate=predicate, crs=crs)
    wanted = set().union(*map(list_spellings, ids))
    for name, facts in groups.items():
        place = find_place(facts)
        description = MOVED if place.moved else None
        for id_ in (name,) if column is not None else layer.procedures or ():
            if column is not None or not ids or id_.casefold() in wanted:
                url = write_link(layer, "feature", id_)
                yield SamplingFeature(id_, place.wkb, label, description, () if url is None else (url,))
