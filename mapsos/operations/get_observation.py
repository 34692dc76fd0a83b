"""GetObservation (reference sections 9 to 13; OGC 06-009r6, clause 8.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from mapsos.batches import Batch
from mapsos.crs import Crs, is_northing_first, parse_srs_name
from mapsos.encodings.collection import close_collection, open_collection
from mapsos.encodings.datablock import encode_datablocks
from mapsos.encodings.markup import CollectionMarkup, DataBlockMarkup, MeasurementMarkup
from mapsos.encodings.measurement import encode_measurements
from mapsos.http import Response
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.context import Context
from mapsos.operations.layer_meaning import read_meaning
from mapsos.operations.observation_markup import (
    build_collection,
    build_datablock,
    build_feature_type_url,
    build_measurement,
)
from mapsos.operations.online_resource import find_online_resource
from mapsos.operations.selection import LayerSelection, ObservationQuestion, select_rows
from mapsos.operations.streaming import BatchStream, RowLimit
from mapsos.ows.event_times import parse_event_times
from mapsos.ows.exceptions import OwsException
from mapsos.ows.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.ows.filters import parse_result
from mapsos.ows.parameters import (
    check_response_format,
    check_response_mode,
    parse_observed_properties,
    parse_offering,
    parse_procedures,
    parse_result_model,
)
from mapsos.sources.query import LayerQuery

CONTENT_TYPE = "text/xml; charset=UTF-8"

Encode = Callable[[Iterator[Batch]], Iterator[bytes]]


def get_observation(context: Context) -> Response:
    """Answer a GetObservation: the checks of reference section 9 in their order, then a stream of members.

    The answer is complete when the first byte is sent, as far as that can be known: every value checked, every layer
    opened and its first batch read. Memory: a batch of each layer. Raises OwsException.
    """
    raw, service = context.raw, context.service
    offering = parse_offering(raw)
    observed_properties = parse_observed_properties(raw)
    check_response_format(raw)
    check_response_mode(raw)
    layers = _find_layers(context, offering, observed_properties)
    procedures = parse_procedures(raw)
    meanings = tuple(read_meaning(layer) for layer in layers)
    event_times = parse_event_times(raw, context.now)
    feature = parse_feature_of_interest(raw)
    output_crs = _choose_output_crs(service, raw.last("srsname"))
    question = ObservationQuestion(
        procedures=procedures,
        event_times=event_times,
        feature_of_interest=feature,
        bbox=parse_bbox(raw),
        result=parse_result(raw),
    )
    result_model = parse_result_model(raw)
    selections = select_rows(service, meanings, question, context.now)
    url = build_feature_type_url(find_online_resource(context), layers[-1].name)
    first = next(layer for layer in service.layers if _is_offering(layer, offering))
    collection = build_collection(service, first, offering, output_crs, url)
    questions = tuple(
        _ask_layer(service, selection, output_crs, url, result_model) for selection in selections
    )
    body = ObservationBody(collection, questions, _read_max_features(service))
    return Response(headers=(("Content-Type", CONTENT_TYPE),), body=body)


class ObservationBody:
    """The chunks of an answer. Made, it has read the first batch of every layer; closed, it has released them all."""

    def __init__(
        self, collection: CollectionMarkup, questions: tuple[tuple[LayerQuery, Encode], ...], most: int | None
    ) -> None:
        self._collection = collection
        self._limit = RowLimit(most)
        self._members: list[tuple[BatchStream, Encode]] = []
        try:
            for query, encode in questions:
                self._members.append((BatchStream(query), encode))
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        any_members = any(not stream.empty for stream, _ in self._members)
        try:
            yield open_collection(self._collection)
            for stream, encode in self._members:
                yield from encode(stream.batches(self._limit))
            yield close_collection(self._collection, any_members)
        finally:
            self.close()

    def close(self) -> None:
        """Stop reading and release the data sources."""
        for stream, _ in self._members:
            stream.close()


def _ask_layer(
    service: Service, selection: LayerSelection, output_crs: Crs | None, url: str, result_model: str
) -> tuple[LayerQuery, Encode]:
    meaning = selection.meaning
    markup: MeasurementMarkup | DataBlockMarkup
    encode: Encode
    if result_model == "om:Observation":
        markup = build_datablock(service, meaning)
        columns = [field.column for field in markup.fields]
        encode = partial(encode_datablocks, markup)
    else:
        markup = build_measurement(service, meaning, output_crs, url)
        columns = [column for _, column in markup.values]
        if markup.feature_id_column is not None:
            columns.append(markup.feature_id_column)
        encode = partial(encode_measurements, markup)
    columns += [column for column in (markup.time_column, markup.procedure_column) if column is not None]
    query = LayerQuery(
        source=meaning.layer.source,
        texts=tuple(dict.fromkeys(columns)),
        predicate=selection.predicate,
        geometry=isinstance(markup, MeasurementMarkup),
        crs=output_crs if meaning.layer.source.crs is not None else None,
        limit=_read_max_features(service),
    )
    return query, encode


def _is_offering(layer: ObservationLayer, offering: str) -> bool:
    wanted = offering.casefold()
    return wanted in (layer.offering_id.casefold(), (layer.offering_name or layer.offering_id).casefold())


def _find_layers(
    context: Context, offering: str, observed_properties: tuple[str, ...]
) -> tuple[ObservationLayer, ...]:
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
        if layer.observed_property is not None and layer.observed_property.id.casefold() in wanted
    )
    if not found:
        raise OwsException(
            "InvalidParameterValue",
            "observedproperty",
            "msSOSGetObservation",
            f"ObservedProperty {','.join(observed_properties)} not found.",
        )
    return found


def _choose_output_crs(service: Service, srs_name: str | None) -> Crs | None:
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
    asked = parse_srs_name(srs_name)
    offered = {parsed.label for word in service.srs if (parsed := parse_srs_name(word)) is not None}
    if asked is None or asked.label not in offered:
        raise OwsException(
            "InvalidParameterValue",
            "srsName",
            "msSOSGetObservation",
            f'srsName value "{srs_name}" unsupported / invalid',
        )
    try:
        is_northing_first(asked.label)
    except ValueError as error:
        raise OwsException(
            "NoApplicableCode",
            "mapserv",
            "msSOSGetObservation",
            f'Could not set output projection to "{srs_name}"',
            status=500,
        ) from error
    return Crs(asked.label, asked.label)


def _read_max_features(service: Service) -> int | None:
    """The maxfeatures metadata as a limit of rows for the whole answer (D-14c); no positive number is no limit."""
    match = re.match(r"\s*\+?(\d+)", service.max_features or "")
    return (int(match[1]) or None) if match else None
