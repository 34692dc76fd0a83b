"""observations/query: the questions that its parameters are, for each observed property of each layer, and the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mapsos.geoservices.spatial_filters import parse_spatial_filter
from mapsos.geoservices.temporal_filters import TemporalFilter, parse_temporal_filter
from mapsos.geoservices.where import parse_where
from mapsos.operations.context import Context
from mapsos.operations.layer_facts import has_geometry
from mapsos.operations.layer_meaning import LayerMeaning
from mapsos.operations.selection import locate, pick_procedures
from mapsos.operations.streaming import LayerQuestion, ObservationBody
from mapsos.ows.requests import RawRequest
from mapsos.predicates import EVERYTHING, NOTHING, Nothing, Predicate, Time, all_of
from mapsos.rest.conditions import apply_condition
from mapsos.rest.layers import list_layers, rest_errors
from mapsos.rest.observed_properties import ValueColumn, choose_value_columns
from mapsos.rest.parameters import read_count, read_list, read_text
from mapsos.sources.query import LayerQuery

if TYPE_CHECKING:
    from mapsos.encodings.observation_json import ObservationMarkup, Page


@dataclass(frozen=True)
class Asked:
    """What a query asks for. None, or a predicate of everything, where it does not say."""

    offerings: tuple[str, ...] | None
    properties: tuple[str, ...] | None
    procedures: tuple[str, ...] | None
    features: tuple[str, ...] | None
    place: Predicate
    time: TemporalFilter | None
    condition: Predicate


def read_query(raw: RawRequest, now: int) -> Asked:
    """The parameters of a query, each by its own reader; ``now`` in microseconds since 1970 UTC. Raises RestError."""
    place, time, where = (read_text(raw, name) for name in ("spatialFilter", "temporalFilter", "where"))
    return Asked(
        offerings=read_list(raw, "offering"),
        properties=read_list(raw, "observedProperty"),
        procedures=read_list(raw, "procedure"),
        features=read_list(raw, "featureOfInterest"),
        place=parse_spatial_filter(place) if place is not None else EVERYTHING,
        time=parse_temporal_filter(time, now) if time is not None else None,
        condition=parse_where(where) if where is not None else EVERYTHING,
    )


def read_page(raw: RawRequest, zone: int, most: int | None = None) -> Page:
    """resultOffset and resultRecordCount; without the latter ``most``. Raises RestError."""
    from mapsos.encodings.observation_json import Page

    wanted = read_count(raw, "resultRecordCount", 1)
    return Page(read_count(raw, "resultOffset", 0) or 0, most if wanted is None else wanted, zone)


def query_observations(context: Context, most: int | None = None) -> ObservationBody[ObservationMarkup]:
    """The answer as a stream, opened and with the first batch of each layer read.

    ``most`` is how many observations there are where resultRecordCount does not say. Raises RestError.
    """
    from mapsos.encodings.observation_json import write_observations

    asked = read_query(context.raw, context.now)
    page = read_page(context.raw, asked.time.offset if asked.time is not None else 0, most)
    rows = None if page.most is None else page.offset + page.most + 1
    with rest_errors():
        return ObservationBody(partial(write_observations, page), list_questions(context, asked, rows), None)


def list_questions(context: Context, asked: Asked, most: int | None) -> Iterator[LayerQuestion[ObservationMarkup]]:
    """A question for each observed property of each layer that may have observations, in map order.

    ``most`` is how many rows are wanted of each. Raises RestError and OwsException.
    """
    for known in list_layers(context):
        meaning = known.meaning
        rows = _select(context, meaning, asked)
        if isinstance(rows, Nothing):
            continue
        for column in choose_value_columns(meaning, asked.properties):
            constant = meaning.layer.procedure_text if meaning.procedure_column is None else None
            predicate = all_of(rows, apply_condition(asked.condition, meaning, column, constant))
            if isinstance(predicate, Nothing):
                continue
            markup = build_observation_markup(meaning, column)
            needs = markup.needs
            query = LayerQuery(
                source=meaning.layer.source,
                texts=needs.texts,
                values=needs.values,
                times=needs.times,
                predicate=predicate,
                limit=most,
            )
            yield LayerQuestion(query, markup)


def _select(context: Context, meaning: LayerMeaning, asked: Asked) -> Predicate:
    """Which rows of a layer are asked for, by everything but the condition: parameters are joined by AND."""
    layer = meaning.layer
    names = {layer.offering_id.casefold(), (layer.offering_name or layer.offering_id).casefold()}
    if asked.offerings is not None and not names & {name.casefold() for name in asked.offerings}:
        return NOTHING
    rows: Predicate = EVERYTHING
    for wanted in (asked.procedures, asked.features):
        if wanted is not None:
            rows = all_of(rows, pick_procedures(meaning, wanted) or NOTHING)
    if asked.time is not None:
        time = meaning.time_column
        if time is None:
            return NOTHING
        rows = all_of(rows, Time(time.name, (asked.time.interval,), asked.time.relation))
    if asked.place != EVERYTHING:
        if not has_geometry(layer.source):
            return NOTHING
        crs = context.service.crs
        rows = all_of(rows, locate(asked.place, crs.definition) if crs is not None else asked.place)
    return rows


def build_observation_markup(meaning: LayerMeaning, column: ValueColumn) -> ObservationMarkup:
    """What the encoder is told of one observed property of a layer."""
    from mapsos.encodings.observation_json import ObservationMarkup

    time, procedure, feature_id = meaning.time_column, meaning.procedure_column, meaning.feature_id_column
    return ObservationMarkup(
        layer_name=meaning.layer.name,
        suffix=column.suffix,
        type=column.observation_type,
        observed_property=column.definition,
        uom=column.uom,
        value_column=column.column.name,
        numeric=column.numeric,
        time_column=time.name if time is not None else None,
        procedure_column=procedure.name if procedure is not None else None,
        procedure=meaning.layer.procedure_text if procedure is None else None,
        feature_id_column=feature_id.name if feature_id is not None else None,
    )
