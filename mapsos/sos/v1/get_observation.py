"""GetObservation and GetObservationById (docs/mapserver-sos.md, "GetObservation"; OGC 06-009r6, 8.4 and 9.4)."""

from __future__ import annotations

from mapsos.encodings.registry import OM_XML, find_format, list_response_formats, list_result_models
from mapsos.operations.answers import Answer
from mapsos.operations.layers.meaning import read_meaning
from mapsos.operations.layers.offerings import find_offering, find_offering_layers
from mapsos.operations.observations.known_names import know_features, know_procedures, know_properties
from mapsos.operations.observations.selection import select_procedures, select_result
from mapsos.operations.observe import NamedLayers, choose_output_crs, find_observation, plan_observations
from mapsos.operations.questions import ObservationQuestion
from mapsos.sos.v1.reading.aggregation import parse_aggregation
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import (
    check_response_mode,
    parse_observation_id,
    parse_observed_properties,
    parse_offering,
    parse_procedures,
    parse_response_format,
    parse_result_model,
    parse_srs_name_parameter,
    require_observed_properties,
)
from mapsos.sos.v1.reading.results import parse_result
from mapsos.sos.v1.request import SosRequest


def get_observation(request: SosRequest) -> Answer:
    """Return the requested observations as a stream.

    Raises OwsException for its parameters, in the order in which MapServer checks them, and ServiceError as
    `mapsos.operations.observe`.
    """
    return _answer(request, *read_question(request))


def get_observation_by_id(request: SosRequest) -> Answer:
    """Return one observation by its gml:id: ``o_`` and its feature id.

    Ids are as stable as those in the data, and an index on their column finds them. Observations of layers without
    such a column have no id. responseFormat is optional. Raises OwsException and ServiceError.
    """
    raw = request.raw
    layer, value = find_observation(request.context, parse_observation_id(raw))
    observed = layer.observed_property
    assert observed is not None
    stated = raw.last("responseformat") is not None
    response_format = parse_response_format(raw, list_response_formats()) if stated else OM_XML
    check_response_mode(raw)
    srs = parse_srs_name_parameter(raw)
    choose_output_crs(request.context.service, srs)
    question = ObservationQuestion((layer.offering_id,), (observed.id,), srs=srs, ids=(value,))
    return _answer(request, question, response_format)


def _answer(
    request: SosRequest, question: ObservationQuestion, response_format: str, named: NamedLayers | None = None
) -> Answer:
    plan = plan_observations(request.context, question, named)
    # MapServer looks at the result model last.
    result_model = parse_result_model(request.raw, list_result_models(response_format))
    form = find_format(response_format, result_model, strict=request.strict)
    return plan.open(form) if request.reads_body else plan.describe(form)


def read_question(request: SosRequest) -> tuple[ObservationQuestion, str, NamedLayers]:
    """Return the question, the response format, and the layers that the names in the question choose.

    Names are checked in between, so that of several faults the one that MapServer finds is reported.
    """
    raw, context = request.raw, request.context
    offering = parse_offering(raw)
    require_observed_properties(raw)
    response_format = parse_response_format(raw, list_response_formats())
    check_response_mode(raw)
    observed_properties = parse_observed_properties(raw, know_properties(find_offering(context, offering)))
    layers = find_offering_layers(context, offering, observed_properties)
    meanings = tuple(map(read_meaning, layers))
    procedures = parse_procedures(raw, know_procedures(meanings))
    asked = select_procedures(meanings, procedures)
    times = parse_event_times(raw, context.now)
    feature = parse_feature_of_interest(raw.parts("featureofinterest"), find_known=know_features(meanings))
    srs = parse_srs_name_parameter(raw)
    choose_output_crs(context.service, srs)
    result = parse_result(raw, context.now)
    named = NamedLayers(layers[-1], select_result(asked, result))
    question = ObservationQuestion(
        (offering,),
        observed_properties,
        procedures,
        times,
        feature,
        parse_bbox(raw),
        result,
        srs,
        parse_aggregation(raw),
    )
    return question, response_format, named
