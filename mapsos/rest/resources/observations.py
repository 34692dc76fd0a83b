"""Answer observations/query: a question, its parts for each observed property of each layer, and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mapsos.encodings.esri.observation_csv import need_csv, write_observations_csv
from mapsos.encodings.esri.observation_json import write_observations
from mapsos.encodings.esri.observation_markup import ObservationMarkup, Page
from mapsos.encodings.esri.observation_values import gather_observations
from mapsos.operations.context import Context
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import has_geometry, rule_out
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.layers.offerings import has_offering
from mapsos.operations.layers.open_layers import source_errors
from mapsos.operations.observations.row_limits import find_excess
from mapsos.operations.observations.selection import LayerSelection, locate, match_time, pick_procedures
from mapsos.operations.observations.streaming import LayerQuestion, ObservationBody
from mapsos.operations.observe import read_max_features
from mapsos.operations.questions import FeatureOfInterest, ObservationQuestion
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import RestError
from mapsos.rest.resources.areas_and_times import format_in_zone
from mapsos.rest.resources.conditions import apply_condition
from mapsos.rest.resources.layers import KnownLayer, list_layers, rest_errors
from mapsos.rest.resources.observation_query import Query, read_page, read_query
from mapsos.rest.resources.observed_properties import ValueColumn, choose_value_columns
from mapsos.sources.query import LayerQuery
from mapsos.terms.deadlines import current_deadline
from mapsos.terms.predicates import EVERYTHING, NOTHING, Everything, Nothing, Predicate, all_of, any_of
from mapsos.terms.times import SECOND, EventTime, Interval
from mapsos.terms.values import dataclass
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    from mapsos.encodings.encoder import LayerAnswer, Needs


class PageBody(ObservationBody[ObservationMarkup]):
    """The document of one page of the observations of a query, written by ``write``."""

    def __init__(
        self,
        query: Query,
        page: Page,
        write: Callable[[Page, Sequence[LayerAnswer[ObservationMarkup]]], Iterator[Chunk]],
        questions: Iterator[LayerQuestion[ObservationMarkup]],
    ) -> None:
        super().__init__(partial(write, page), questions, None)
        self.query = query
        self.page = page

    def count_written(self) -> int:
        """Return the number of observations of the page that the encoder has got so far."""
        rows = max(super().count_written() - self.page.offset, 0)
        return rows if self.page.most is None else min(rows, self.page.most)


@dataclass(frozen=True)
class ReadObservations:
    """A document of ``rows`` observations as Python values, and the query and the page that were read."""

    document: dict[str, Any]
    rows: int
    query: Query
    page: Page


def check_query(context: Context, raw: RawRequest) -> None:
    """Check the parameters of a query without reading any observation.

    Raises
    ------
    RestError
        A parameter cannot be read, or names something unknown.
    """
    read_page(raw, read_query(raw, context.now, list_layers(context)).offset)


def query_observations(context: Context, raw: RawRequest, *, csv: bool = False) -> PageBody:
    """Return the response as a stream, opened and with the first batch of each layer read.

    Parameters
    ----------
    context, raw
        The request.
    csv
        Whether to write a table instead of JSON.

    Raises
    ------
    RestError
        A parameter cannot be read, data cannot be read, or there are more observations than the limit of the server
        (`mapsos.operations.observations.row_limits`).
    """
    with rest_errors():
        body = _open_body(context, raw, csv=csv)
        try:
            body.begin()
        except BaseException:
            body.close()
            raise
    return body


def read_observations(context: Context, raw: RawRequest, usual: int, most: int) -> ReadObservations:
    """Return the document of `query_observations` as Python values, with ``exceededTransferLimit`` if it is shorter.

    ``usual`` is the maximum number of observations without resultRecordCount, ``most`` with it. Raises RestError as
    `query_observations` does.
    """
    with rest_errors(), closing(_open_body(context, raw, usual, most)) as body, source_errors():
        document = gather_observations(body.page, body.list_layers(), current_deadline().check)
        return ReadObservations(document, body.count_written(), body.query, body.page)


def _open_body(
    context: Context, raw: RawRequest, usual: int | None = None, most: int | None = None, csv: bool = False
) -> PageBody:
    """Open the layers and check the number of their rows. Raises RestError and ServiceError."""
    query = read_query(raw, context.now, list_layers(context))
    limits = [limit for limit in (read_max_features(context.service), most) if limit is not None]
    page = read_page(raw, query.offset, usual, min(limits, default=None))
    rows = None if page.most is None else page.offset + page.most + 1
    parts = tuple(select_parts(context, query.question))
    if csv:
        body = PageBody(query, page, write_observations_csv, build_questions(parts, rows, need_csv))
    else:
        body = PageBody(query, page, write_observations, build_questions(parts, rows))
    try:
        if (limit := context.row_limit) is not None:
            body.check_aside(lambda: _check_rows(limit, parts, page, body.count_all()))
    except BaseException:
        body.close()
        raise
    return body


def _check_rows(limit: int, parts: tuple[LayerPart, ...], page: Page, known: int | None) -> None:
    """Reject a page of more observations than the limit, and propose a time that has fewer. Raises RestError."""

    def select_during(window: Interval) -> tuple[LayerSelection, ...]:
        # The client's own times still apply: the window only narrows them.
        time = EventTime("during", window)
        return tuple(
            LayerSelection(part.meaning, all_of(part.predicate, _select_times(part.meaning, (time,)))) for part in parts
        )

    # Where the page is longer than the limit, what was read of each layer ends with the page.
    counted = None if page.most is not None else known
    selections = tuple(LayerSelection(part.meaning, part.predicate) for part in parts)
    excess = find_excess(limit, page.most, counted, selections, select_during, page.offset)
    if excess is None:
        return
    advice = [f"request pages, with resultRecordCount={limit} at most and resultOffset"]
    if excess.window is not None and page.offset == 0:
        window, rows = excess.window
        during = f"{format_in_zone(window.begin, page.zone)},{format_in_zone(window.end - SECOND, page.zone)}"
        advice.append(f"or request a shorter period, for example temporalFilter=during:{during}, which has {rows}")
    raise RestError(f"the response would contain {excess.rows} observations; the limit is {limit}", *advice)


@dataclass(frozen=True)
class LayerPart:
    """One observed property of one layer, and which of the rows answer the question.

    ``procedure`` is the id of the procedure of all rows, for layers without a procedure column.
    """

    meaning: LayerMeaning
    column: ValueColumn
    predicate: Predicate
    procedure: str | None


def build_questions(
    parts: Iterable[LayerPart],
    most: int | None,
    need: Callable[[ObservationMarkup], Needs] = attrgetter("needs"),
) -> Iterator[LayerQuestion[ObservationMarkup]]:
    """Yield the question for each part.

    Parameters
    ----------
    parts
        Properties of layers, as `select_parts` yields them.
    most
        How many rows of each to read at most; None for all.
    need
        Returns the columns that the encoder needs.
    """
    for _, alike in groupby(parts, lambda part: (part.meaning.layer, part.predicate)):
        described = [
            (part, build_observation_markup(part.meaning, part.column, part.procedure)) for part in alike
        ]
        wanted = [need(markup) for _, markup in described]
        queries = [_query(part, needs, most) for (part, _), needs in zip(described, wanted, strict=True)]
        shared = None
        if len(queries) > 1 and not isinstance(queries[0].predicate, Everything):
            shared = replace(
                queries[0],
                texts=_join(needs.texts for needs in wanted),
                values=_join(needs.values for needs in wanted),
                times=_join(needs.times for needs in wanted),
            )
        for (_, markup), query in zip(described, queries, strict=True):
            yield LayerQuestion(query, markup, shared=shared)


def _query(part: LayerPart, needs: Needs, most: int | None) -> LayerQuery:
    source = part.meaning.layer.source
    predicate = rule_out(source, part.predicate)
    return LayerQuery(
        source, needs.values, needs.texts, needs.times, predicate, limit=most, ordered=most is not None
    )


def _join(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def select_parts(context: Context, question: ObservationQuestion) -> Iterator[LayerPart]:
    """Yield each observed property of each layer that may have such observations, in map order.

    Raises
    ------
    RestError
        The question has ids of observations, and a layer has no column for them.
    ServiceError
        Data cannot be read.
    """
    for known in list_layers(context):
        meaning = known.meaning
        rows = _select(context, meaning, question)
        if isinstance(rows, Nothing):
            continue
        constant = _choose_constant(known, question)
        for column in choose_value_columns(meaning, question.observed_properties):
            condition = apply_condition(question.result or EVERYTHING, meaning, column, constant)
            predicate = all_of(rows, condition)
            if not isinstance(predicate, Nothing):
                yield LayerPart(meaning, column, predicate, constant)


def _choose_constant(known: KnownLayer, question: ObservationQuestion) -> str | None:
    """Return the procedure of all rows of a layer without a column for it: of several, the requested one."""
    if known.meaning.procedure_column is not None or not known.procedures:
        return None
    features = question.feature.ids if question.feature is not None else ()
    named = known.find_features((*(question.procedures or ()), *features))
    return next((id for id in known.procedures if id.casefold() in named), known.procedures[0])


def _select(context: Context, meaning: LayerMeaning, question: ObservationQuestion) -> Predicate:
    """Return which rows of a layer match everything but the condition."""
    layer, feature = meaning.layer, question.feature or FeatureOfInterest()
    if not has_offering(layer, question.offerings):
        return NOTHING
    rows: Predicate = EVERYTHING
    for wanted in (question.procedures, feature.ids or None):
        if wanted is not None:
            rows = all_of(rows, pick_procedures(meaning, wanted) or NOTHING)
    rows = all_of(rows, _select_times(meaning, question.times))
    if feature.predicate is None:
        return all_of(rows, find_map_rectangle(context.service, layer))
    if not has_geometry(layer.source):
        return NOTHING
    return all_of(rows, locate(feature.predicate, context.service.crs))


def _select_times(meaning: LayerMeaning, times: tuple[EventTime, ...]) -> Predicate:
    """Return which rows are of one of the times. Layers without times have none."""
    if not times:
        return EVERYTHING
    column = meaning.time_column
    return NOTHING if column is None else any_of(*(match_time(column.name, time) for time in times))


def build_observation_markup(meaning: LayerMeaning, column: ValueColumn, constant: str | None) -> ObservationMarkup:
    """Return the description of one observed property of a layer; ``constant`` is the procedure of all its rows."""
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
        procedure=constant,
        feature_id_column=feature_id.name if feature_id is not None else None,
    )
