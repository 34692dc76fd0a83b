"""observations/query: the questions that its parameters are, for each observed property of each layer, and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mapsos.encodings.esri.observation_markup import ObservationMarkup, Page
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import has_geometry, source_errors
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.observations.row_limits import find_excess
from mapsos.operations.observations.selection import LayerSelection, locate, pick_procedures
from mapsos.operations.observations.streaming import LayerQuestion, ObservationBody
from mapsos.operations.observe import read_max_features
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import RestError
from mapsos.rest.filters.spatial_filters import parse_spatial_filter
from mapsos.rest.filters.temporal_filters import TemporalFilter, parse_temporal_filter
from mapsos.rest.filters.where import parse_where
from mapsos.rest.parameters import read_count, read_list, read_text
from mapsos.rest.resources.areas_and_times import format_in_zone
from mapsos.rest.resources.conditions import apply_condition
from mapsos.rest.resources.layers import KnownLayer, list_layers, rest_errors
from mapsos.rest.resources.observed_properties import ValueColumn, choose_value_columns
from mapsos.sources.query import LayerQuery
from mapsos.terms.deadlines import current_deadline
from mapsos.terms.predicates import EVERYTHING, NOTHING, Nothing, Predicate, Time, all_of
from mapsos.terms.times import SECOND, Interval
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    from mapsos.encodings.encoder import LayerAnswer, Needs


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

    def admits_offering(self, layer: ObservationLayer) -> bool:
        """Whether the layer's offering is asked for, by its id or its name."""
        names = {layer.offering_id.casefold(), (layer.offering_name or layer.offering_id).casefold()}
        return self.offerings is None or bool(names & {name.casefold() for name in self.offerings})


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


def read_page(raw: RawRequest, zone: int, usual: int | None = None, most: int | None = None) -> Page:
    """resultOffset and resultRecordCount; without the latter ``usual``, and never more than ``most``. RestError."""
    wanted = read_count(raw, "resultRecordCount", 1)
    counts = [count for count in (usual if wanted is None else wanted, most) if count is not None]
    return Page(read_count(raw, "resultOffset", 0) or 0, min(counts, default=None), zone)


class PageBody(ObservationBody[ObservationMarkup]):
    """The document of one page of the answers to some questions, written by ``write``."""

    def __init__(
        self,
        page: Page,
        write: Callable[[Page, Sequence[LayerAnswer[ObservationMarkup]]], Iterator[Chunk]],
        questions: Iterator[LayerQuestion[ObservationMarkup]],
    ) -> None:
        super().__init__(partial(write, page), questions, None)
        self.page = page

    def count_written(self) -> int:
        """How many observations of the page have been handed to the encoder so far."""
        rows = max(super().count_written() - self.page.offset, 0)
        return rows if self.page.most is None else min(rows, self.page.most)


def check_query(context: Context, raw: RawRequest) -> None:
    """Check the parameters of a query without reading any observation. Raises RestError."""
    asked = read_query(raw, context.now)
    read_page(raw, asked.time.offset if asked.time is not None else 0)


def query_observations(context: Context, raw: RawRequest, *, csv: bool = False) -> PageBody:
    """Return the response as a stream, opened and with the first batch of each layer read.

    It is JSON, or with ``csv`` a table.

    Raises
    ------
    RestError
        A parameter is wrong, or there are more observations than the server's limit
        (`mapsos.operations.observations.row_limits`).
    """
    with rest_errors():
        body = _open_body(context, raw, None, csv)
        try:
            body.begin()
        except BaseException:
            body.close()
            raise
    return body


def read_observations(context: Context, raw: RawRequest, usual: int) -> tuple[dict[str, Any], int]:
    """Return the document of `query_observations` as Python values, and its number of observations.

    ``usual`` is the maximum number of observations without resultRecordCount. Raises RestError as
    `query_observations` does.
    """
    from mapsos.encodings.esri.observation_values import gather_observations

    with rest_errors(), closing(_open_body(context, raw, usual)) as body, source_errors():
        document = gather_observations(body.page, body.list_layers(), current_deadline().check)
        return document, body.count_written()


def _open_body(context: Context, raw: RawRequest, usual: int | None, csv: bool = False) -> PageBody:
    """Open the layers and check the number of their rows. Raises RestError and ServiceError."""
    asked = read_query(raw, context.now)
    most = read_max_features(context.service)
    page = read_page(raw, asked.time.offset if asked.time is not None else 0, usual, most)
    rows = None if page.most is None else page.offset + page.most + 1
    if csv:
        from mapsos.encodings.esri.observation_csv import need_csv, write_observations_csv

        body = PageBody(page, write_observations_csv, list_questions(context, asked, rows, need_csv))
    else:
        from mapsos.encodings.esri.observation_json import write_observations

        body = PageBody(page, write_observations, list_questions(context, asked, rows))
    try:
        if (limit := context.row_limit) is not None:
            _check_rows(context, limit, asked, page, body.count_all())
    except BaseException:
        body.close()
        raise
    return body


def _check_rows(context: Context, limit: int, asked: Asked, page: Page, known: int | None) -> None:
    """Refuse a page of more observations than the limit, and tell of a time that has fewer. Raises RestError."""

    def select(asked: Asked) -> tuple[LayerSelection, ...]:
        return tuple(LayerSelection(ask.meaning, ask.predicate) for ask in _list_asks(context, asked))

    def select_during(window: Interval) -> tuple[LayerSelection, ...]:
        # What the client said of the time holds too: the window lies where there are such rows.
        times = TemporalFilter("during", window, page.zone)
        return tuple(
            LayerSelection(ask.meaning, all_of(ask.predicate, _select_time(ask.meaning, times)))
            for ask in _list_asks(context, asked)
        )

    # Where the page is longer than the limit, what was read of each layer ends with the page.
    counted = None if page.most is not None else known
    excess = find_excess(limit, page.most, counted, select(asked), select_during, page.offset)
    if excess is None:
        return
    advice = [f"ask for pages, with resultRecordCount={limit} at most and resultOffset"]
    if excess.window is not None and page.offset == 0:
        window, rows = excess.window
        during = f"{format_in_zone(window.begin, page.zone)},{format_in_zone(window.end - SECOND, page.zone)}"
        advice.append(f"or for a shorter time, for example temporalFilter=during:{during}, which has {rows}")
    message = f"the answer would have {excess.rows} observations; this service sends {limit} at most"
    raise RestError(message, *advice)


@dataclass(frozen=True)
class _Ask:
    """One observed property of one layer, and which of its rows are asked for."""

    meaning: LayerMeaning
    column: ValueColumn
    predicate: Predicate
    procedure: str | None


def list_questions(
    context: Context,
    asked: Asked,
    most: int | None,
    need: Callable[[ObservationMarkup], Needs] = attrgetter("needs"),
) -> Iterator[LayerQuestion[ObservationMarkup]]:
    """A question for each observed property of each layer that may have observations, in map order.

    ``most`` is how many rows are wanted of each, and ``need`` tells what the encoder needs of them. Raises RestError
    and OwsException.
    """
    for ask in _list_asks(context, asked):
        markup = build_observation_markup(ask.meaning, ask.column, ask.procedure)
        needs = need(markup)
        query = LayerQuery(
            source=ask.meaning.layer.source,
            texts=needs.texts,
            values=needs.values,
            times=needs.times,
            predicate=ask.predicate,
            limit=most,
        )
        yield LayerQuestion(query, markup)


def _list_asks(context: Context, asked: Asked) -> Iterator[_Ask]:
    for known in list_layers(context):
        meaning = known.meaning
        rows = _select(context, meaning, asked)
        if isinstance(rows, Nothing):
            continue
        constant = _choose_constant(known, asked)
        for column in choose_value_columns(meaning, asked.properties):
            predicate = all_of(rows, apply_condition(asked.condition, meaning, column, constant))
            if not isinstance(predicate, Nothing):
                yield _Ask(meaning, column, predicate, constant)


def _choose_constant(known: KnownLayer, asked: Asked) -> str | None:
    """The procedure of all rows of a layer without a column for it: of several the one that was asked for."""
    if known.meaning.procedure_column is not None or not known.procedures:
        return None
    named = known.find_features((*(asked.procedures or ()), *(asked.features or ())))
    return next((id for id in known.procedures if id.casefold() in named), known.procedures[0])


def _select(context: Context, meaning: LayerMeaning, asked: Asked) -> Predicate:
    """Which rows of a layer are asked for, by everything but the condition: parameters are joined by AND."""
    layer = meaning.layer
    if not asked.admits_offering(layer):
        return NOTHING
    rows: Predicate = EVERYTHING
    for wanted in (asked.procedures, asked.features):
        if wanted is not None:
            rows = all_of(rows, pick_procedures(meaning, wanted) or NOTHING)
    if asked.time is not None:
        rows = all_of(rows, _select_time(meaning, asked.time))
    if asked.place == EVERYTHING:
        return all_of(rows, find_map_rectangle(context.service, layer))
    if not has_geometry(layer.source):
        return NOTHING
    crs = context.service.crs
    return all_of(rows, locate(asked.place, crs.definition) if crs is not None else asked.place)


def _select_time(meaning: LayerMeaning, asked: TemporalFilter) -> Predicate:
    column = meaning.time_column
    return NOTHING if column is None else Time(column.name, (asked.interval,), asked.relation)


def build_observation_markup(meaning: LayerMeaning, column: ValueColumn, constant: str | None) -> ObservationMarkup:
    """What the encoder is told of one observed property of a layer; ``constant`` is the procedure of all its rows."""
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
