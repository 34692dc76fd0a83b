"""GetObservation (reference sections 9 to 13; OGC 06-009r6, clause 8.4)."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from mapsos.columns.batches import Batch
from mapsos.columns.xml_text import encode_name
from mapsos.encodings.registry import find_format, list_response_formats, list_result_models
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.context import Context
from mapsos.operations.downloads import name_download
from mapsos.operations.layers.descriptions import (
    build_collection,
    build_feature_type_url,
    describe_layer,
)
from mapsos.operations.layers.meaning import read_meaning, write_property_uri
from mapsos.operations.observations.row_limits import check_rows, check_summaries
from mapsos.operations.observations.selection import LayerSelection, select_procedures, select_result, select_rows
from mapsos.operations.observations.streaming import LayerQuestion, ObservationBody
from mapsos.operations.own_url import find_online_resource
from mapsos.ows.exceptions import OwsException
from mapsos.ows.filters import parse_result
from mapsos.ows.raw_request import EventTime
from mapsos.sos.v1.conformance import is_strict
from mapsos.sos.v1.reading.aggregation import parse_aggregation
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import (
    check_response_mode,
    parse_observed_properties,
    parse_offering,
    parse_procedures,
    parse_response_format,
    parse_result_model,
    parse_srs_name_parameter,
)
from mapsos.sources.query import BATCH_ROWS, SHAPE_BATCH_ROWS, LayerQuery
from mapsos.terms.crs import Crs, SrsName, is_northing_first, parse_srs_name
from mapsos.terms.layer_source import ShapeType
from mapsos.terms.predicates import Predicate
from mapsos.terms.times import Interval
from mapsos.web.messages import Response, is_over_http

if TYPE_CHECKING:
    from mapsos.operations.observations.aggregates import LayerAggregation


def get_observation(context: Context, result: Predicate | None = None) -> Response:
    """Answer a GetObservation: the checks of reference section 9 in their order, then a stream of members.

    The answer is complete when the first byte is sent, as far as that can be known: every value checked, every layer
    opened and its first batch read. Memory: a batch of each layer. Raises OwsException, also for more rows than
    ``row_limit`` of the context admits (`mapsos.operations.observations.row_limits`). ``result``
    takes the place of the parameter of that name.
    """
    raw, service = context.raw, context.service
    offering = parse_offering(raw)
    observed_properties = parse_observed_properties(raw)
    response_format = parse_response_format(raw, list_response_formats())
    check_response_mode(raw)
    layers = _find_layers(context, offering, observed_properties)
    asked = select_procedures(tuple(map(read_meaning, layers)), parse_procedures(raw))
    event_times = parse_event_times(raw, context.now)
    feature = parse_feature_of_interest(raw)
    output_crs = _choose_output_crs(service, parse_srs_name_parameter(raw), raw.last("srsname"))
    asked = select_result(asked, parse_result(raw, context.now) if result is None else result)
    bbox = parse_bbox(raw)
    selections = select_rows(service, asked, event_times, feature, bbox, context.now)
    url = build_feature_type_url(find_online_resource(context), layers[-1].name)
    first = next(layer for layer in service.layers if _is_offering(layer, offering))
    collection = build_collection(service, first, offering, output_crs, url)
    aggregation = parse_aggregation(raw)
    result_model = parse_result_model(raw, list_result_models(response_format))
    form = find_format(response_format, result_model, strict=is_strict(context))
    most, limit = read_max_features(service), context.row_limit
    headers: tuple[tuple[str, str], ...] = (("Content-Type", form.content_type),)
    if form.extension is not None:
        parts = (offering, *observed_properties, *raw.all("eventtime"))
        headers = (*headers, name_download(parts, form.extension))
    if most is not None and is_over_http(context.environ):
        headers = (*headers, ("Mapsos-Max-Features", str(most)))
    if context.method == "HEAD":
        return Response(headers=headers, compressible=form.compressible)

    encoder = form.load()
    summarized: list[int] = []

    def ask(selection: LayerSelection) -> LayerQuestion[Any]:
        meaning = selection.meaning
        source = meaning.layer.source
        summary: LayerAggregation | None = None
        if aggregation is not None:
            from mapsos.operations.observations.aggregates import plan_aggregation

            summary = plan_aggregation(meaning, aggregation)
            meaning = summary.meaning
        markup = encoder.describe(describe_layer(service, meaning, output_crs, url))
        needs = encoder.needs(markup)
        if summary is not None:
            needs = summary.source_needs(needs)
        query = LayerQuery(
            source=source,
            texts=needs.texts,
            values=needs.values,
            times=needs.times,
            predicate=selection.predicate,
            geometry=needs.geometry,
            crs=(needs.crs or output_crs) if source.crs is not None else None,
            limit=most if summary is None else None,
            batch_rows=BATCH_ROWS if source.shape is ShapeType.POINT else SHAPE_BATCH_ROWS,
            ends=None if summary is None else summary.find_ends(),
        )
        return LayerQuestion(query, markup, None if summary is None else partial(count_summaries, summary, query))

    def count_summaries(summary: LayerAggregation, query: LayerQuery, batches: Iterator[Batch]) -> Generator[Batch]:
        found = list(summary.summarize(batches, query, context.cache))
        summarized.append(sum(batch.rows for batch in found))
        yield from found

    def select_during(interval: Interval) -> tuple[LayerSelection, ...]:
        return select_rows(service, asked, (EventTime("during", interval),), feature, bbox, context.now)

    body = ObservationBody(partial(encoder.write, collection), map(ask, selections), most)
    try:
        if limit is not None and aggregation is not None:
            check_summaries(limit, most, sum(summarized))
        elif limit is not None:
            check_rows(limit, most, body.count_all(), selections, select_during)
        body.begin()
    except BaseException:
        body.close()
        raise
    return Response(headers=headers, body=body, count_rows=body.count_written, compressible=form.compressible)


def _is_offering(layer: ObservationLayer, offering: str) -> bool:
    own = (layer.offering_id, layer.offering_name or layer.offering_id, encode_name(layer.offering_id))
    return offering.casefold() in map(str.casefold, own)


def _find_layers(context: Context, offering: str, observed_properties: tuple[str, ...]) -> tuple[ObservationLayer, ...]:
    """The layers of an offering (by id or by name) that have one of the properties and are enabled (D-10).

    Raises OwsException 29 and 30. Of several properties those that no layer has are passed over, as in MapServer.
    """
    members = tuple(layer for layer in context.enabled("GetObservation") if _is_offering(layer, offering))
    if not members:
        raise OwsException(
            "InvalidParameterValue",
            "offering",
            "msSOSGetObservation",
            f"Offering {offering} not found. A layer might be disabled for this request. "
            "Check sos/ows_enable_request settings.",
        )
    wanted = {name.casefold() for name in observed_properties}
    found = tuple(
        layer
        for layer in members
        if (observed := layer.observed_property) is not None
        and wanted & {observed.id.casefold(), write_property_uri(observed).casefold()}
    )
    if not found:
        raise OwsException(
            "InvalidParameterValue",
            "observedproperty",
            "msSOSGetObservation",
            f"ObservedProperty {','.join(observed_properties)} not found.",
        )
    return found


def _choose_output_crs(service: Service, srs_name: SrsName | None, text: str | None) -> Crs | None:
    """The CRS of the answer: srsName if given and among the service's, else the map's. Raises 37 to 39."""
    if srs_name is None:
        return service.crs
    if service.srs is None:
        raise OwsException(
            "NoApplicableCode",
            "mapserv",
            "msSOSGetObservation",
            "MAP.WEB.METADATA.sos_srs not set",
            status=500,
        )
    offered = {parsed.label for word in service.srs if (parsed := parse_srs_name(word)) is not None}
    if srs_name.label not in offered:
        raise OwsException(
            "InvalidParameterValue",
            "srsName",
            "msSOSGetObservation",
            f'srsName value "{text}" unsupported / invalid',
        )
    try:
        is_northing_first(srs_name.label)
    except ValueError as error:
        raise OwsException(
            "NoApplicableCode",
            "mapserv",
            "msSOSGetObservation",
            f'Could not set output projection to "{text}"',
            status=500,
        ) from error
    return Crs(srs_name.label, srs_name.label)


def read_max_features(service: Service) -> int | None:
    """The maxfeatures metadata as a limit of rows for the whole answer (D-14c); no positive number is no limit."""
    match = re.match(r"\s*\+?(\d+)", service.max_features or "")
    return (int(match[1]) or None) if match else None
