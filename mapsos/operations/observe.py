"""Return observations: a question becomes a plan, the plan a stream of batches, an encoder turns them into bytes."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mapsos.columns.batches import Batch
from mapsos.encodings.encoder import Encoder
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.registry import ResponseFormat
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.answers import Answer, AnswerFacts
from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.descriptions import build_collection, build_feature_type_url, describe_layer
from mapsos.operations.layers.facts import rule_out
from mapsos.operations.layers.meaning import read_meaning
from mapsos.operations.layers.offerings import find_offering_layers, has_offering
from mapsos.operations.layers.open_layers import read_layer
from mapsos.operations.observations.row_limits import check_rows, check_summaries
from mapsos.operations.observations.selection import (
    Asked,
    LayerSelection,
    select_procedures,
    select_result,
    select_rows,
)
from mapsos.operations.observations.streaming import LayerQuestion, ObservationBody
from mapsos.operations.own_url import find_own_url
from mapsos.operations.questions import ObservationQuestion
from mapsos.ows.filters import FEATURE_ID
from mapsos.sources.query import BATCH_ROWS, SHAPE_BATCH_ROWS, LayerQuery
from mapsos.terms.crs import Crs, SrsName, is_northing_first, parse_srs_name
from mapsos.terms.layer_source import ShapeType
from mapsos.terms.predicates import OneOf
from mapsos.terms.times import EventTime, Interval
from mapsos.terms.values import dataclass
from mapsos.web.downloads import name_file

if TYPE_CHECKING:
    from mapsos.operations.observations.aggregates import LayerAggregation

ID_PREFIX = "o_"
"""The prefix of the gml:id of an observation; the value of its feature id column follows."""


@dataclass(frozen=True)
class ObservationPlan:
    """The rows and layers that answer a question. The question has been checked, and no row has been read.

    Attributes
    ----------
    context, question
        The request and its question.
    asked
        The layers with the requested names, each with the predicate for its rows except place and time.
    selections
        The layers to read, each with the complete predicate.
    collection
        The description of the collection around the members.
    output_crs
        The CRS of the answer; None for that of each layer.
    max_rows
        Maximum number of observations; more are cut off. None for all of them.
    row_limit
        Maximum number of observations; a question for more is rejected. None for any number.
    """

    context: Context
    question: ObservationQuestion
    asked: Asked
    selections: tuple[LayerSelection, ...]
    collection: CollectionMarkup
    output_crs: Crs | None
    max_rows: int | None
    row_limit: int | None

    def describe(self, form: ResponseFormat) -> Answer:
        """Return the answer in a response format without its chunks. Reads nothing."""
        question = self.question
        times = (time.text for time in question.times)
        parts = (*(question.offerings or ()), *(question.observed_properties or ()), *times)
        file_name = None if form.extension is None else name_file(parts, form.extension)
        facts = AnswerFacts(max_rows=self.max_rows)
        return Answer(form.content_type, (), file_name, compressible=form.compressible, facts=facts)

    def open(self, form: ResponseFormat) -> Answer:
        """Return the answer with every layer opened and its first batch read.

        Memory: one batch of each layer.

        Raises
        ------
        ServiceError
            Data cannot be read, or there are more rows than the limit.
        """
        encoder, aggregation = form.load(), self.question.aggregation
        summarized: list[int] = []
        questions = (self._ask(encoder, selection, summarized) for selection in self.selections)
        body = ObservationBody(partial(encoder.write, self.collection), questions, self.max_rows)
        try:
            if self.row_limit is not None and aggregation is not None:
                check_summaries(self.row_limit, self.max_rows, sum(summarized))
            elif (limit := self.row_limit) is not None:
                body.check_aside(
                    lambda: check_rows(limit, self.max_rows, body.count_all(), self.selections, self._select_during)
                )
            body.begin()
        except BaseException:
            body.close()
            raise
        return replace(self.describe(form), chunks=body, facts=AnswerFacts(body.count_written, self.max_rows))

    def _ask(self, encoder: Encoder[Any], selection: LayerSelection, summarized: list[int]) -> LayerQuestion[Any]:
        """Return the query for one layer and the transformation of its batches; ``summarized`` collects counts."""
        meaning, source = selection.meaning, selection.meaning.layer.source
        summary: LayerAggregation | None = None
        if self.question.aggregation is not None:
            from mapsos.operations.observations.aggregates import plan_aggregation

            summary = plan_aggregation(meaning, self.question.aggregation)
            meaning = summary.meaning
        url = self.collection.feature_type_url
        markup = encoder.describe(describe_layer(self.context.service, meaning, self.output_crs, url))
        needs = encoder.needs(markup)
        if summary is not None:
            needs = summary.source_needs(needs)
        query = LayerQuery(
            source=source,
            texts=needs.texts,
            values=needs.values,
            times=needs.times,
            predicate=rule_out(source, selection.predicate),
            geometry=needs.geometry,
            crs=(needs.crs or self.output_crs) if source.crs is not None else None,
            limit=self.max_rows if summary is None else None,
            batch_rows=BATCH_ROWS if source.shape is ShapeType.POINT else SHAPE_BATCH_ROWS,
            ends=None if summary is None else summary.find_ends(),
        )
        if summary is None:
            return LayerQuestion(query, markup)
        cache = self.context.host.settings.cache
        return LayerQuestion(query, markup, partial(_summarize, summary, query, cache, summarized))

    def _select_during(self, interval: Interval) -> tuple[LayerSelection, ...]:
        question, context = self.question, self.context
        times = (EventTime("during", interval),)
        return select_rows(context.service, self.asked, times, question.feature, question.place, context.now)


def _summarize(
    summary: LayerAggregation, query: LayerQuery, cache: str | None, summarized: list[int], batches: Iterator[Batch]
) -> Generator[Batch]:
    found = list(summary.summarize(batches, query, cache, sum(summarized)))
    summarized.append(sum(batch.rows for batch in found))
    yield from found


@dataclass(frozen=True)
class NamedLayers:
    """The layers that the names in a question choose, before its place and its times.

    Attributes
    ----------
    last
        The last layer with the offering and one of the observed properties.
    asked
        Those of them that also have the procedures and the names of the condition, each with the predicate so far.
    """

    last: ObservationLayer
    asked: Asked


def name_layers(context: Context, question: ObservationQuestion) -> NamedLayers:
    """Return the layers that the names in a question choose.

    Raises
    ------
    ServiceError
        A name is unknown, or the question does not name exactly one offering.
    """
    layers = find_offering_layers(context, _read_offering(question), question.observed_properties)
    asked = select_procedures(tuple(map(read_meaning, layers)), question.procedures)
    asked = select_result(asked, question.result)
    return NamedLayers(layers[-1], select_result(asked, OneOf(FEATURE_ID, question.ids) if question.ids else None))


def plan_observations(
    context: Context, question: ObservationQuestion, named: NamedLayers | None = None
) -> ObservationPlan:
    """Check a question against the service, and return which rows of which layers answer it.

    Reads no observation; columns and procedures of layers are read unless they are cached. ``named`` is the result of
    `name_layers` for the question, if the caller has it already.

    Raises
    ------
    ServiceError
        A name is unknown, the CRS is not offered, the metadata are faulty, or the question does not name exactly one
        offering.
    """
    service = context.service
    offering = _read_offering(question)
    if named is None:
        named = name_layers(context, question)
    output_crs = choose_output_crs(service, question.srs)
    selections = select_rows(service, named.asked, question.times, question.feature, question.place, context.now)
    url = build_feature_type_url(find_own_url(context), named.last.name)
    first = next(layer for layer in context.open_layers if has_offering(layer, (offering,)))
    collection = build_collection(service, first, offering, output_crs, url)
    return ObservationPlan(
        context,
        question,
        named.asked,
        selections,
        collection,
        output_crs,
        read_max_features(service),
        context.row_limit,
    )


def _read_offering(question: ObservationQuestion) -> str:
    if question.offerings is None or len(question.offerings) != 1:
        raise ServiceError(Kind.INVALID, "offering", "Expected exactly one offering.")
    return question.offerings[0]


def choose_output_crs(service: Service, srs_name: SrsName | None) -> Crs | None:
    """Return the CRS of an answer: the requested one, or that of the map if the client requests none.

    Raises
    ------
    ServiceError
        The service does not offer the requested CRS.
    """
    if srs_name is None:
        return service.crs
    if service.srs is None:
        raise ServiceError(Kind.MISCONFIGURED, "offered CRSs", "MAP.WEB.METADATA.sos_srs not set")
    offered = {parsed.label for word in service.srs if (parsed := parse_srs_name(word)) is not None}
    if srs_name.label not in offered:
        message = f'srsName value "{srs_name.text}" unsupported / invalid'
        raise ServiceError(Kind.UNKNOWN_NAME, "CRS", message, names=(srs_name.text,))
    try:
        is_northing_first(srs_name.label)
    except ValueError as error:
        message = f'Could not set output projection to "{srs_name.text}"'
        raise ServiceError(Kind.MISCONFIGURED, "CRS", message) from error
    return Crs(srs_name.label, srs_name.label)


def find_observation(context: Context, asked: str) -> tuple[ObservationLayer, str]:
    """Return the first enabled layer that has an observation, and the value in its feature id column.

    An id matches as it was sent, or without its ``o_``. Costs one query by id for each layer with such a column, until
    the observation is found.

    Raises
    ------
    ServiceError
        No layer has the observation.
    """
    for layer in context.enabled("GetObservationById"):
        value = _find_value(layer, asked) if layer.observed_property is not None else None
        if value is not None:
            return layer, value
    raise ServiceError(Kind.UNKNOWN_NAME, "observation", f"Observation {asked} not found.", names=(asked,))


def _find_value(layer: ObservationLayer, asked: str) -> str | None:
    """Return the value in the feature id column of a layer that matches an id; None if no row has it."""
    column = read_meaning(layer).feature_id_column
    if column is None:
        return None
    with read_layer(layer.source) as source:
        for value in dict.fromkeys((asked.removeprefix(ID_PREFIX), asked)):
            query = LayerQuery(layer.source, predicate=OneOf(column.name, (value,)), limit=1)
            with closing(source.read(query)) as batches:
                if next(batches, None) is not None:
                    return value
    return None


def read_max_features(service: Service) -> int | None:
    """Return the maximum number of rows of an answer, from maxfeatures (D-14c); None without a positive number."""
    match = re.match(r"\s*\+?(\d+)", service.max_features or "")
    return (int(match[1]) or None) if match else None
