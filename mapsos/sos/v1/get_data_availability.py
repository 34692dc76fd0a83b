"""GetDataAvailability: the number and times of observations by offering, procedure and observed property.

An operation of later profiles of SOS (sosgda 1.0) that SOS 1.0.0 does not have; its parameters are those of
GetObservation, and all of them are optional.
"""

from __future__ import annotations

from mapsos.encodings.documents.availability import tabulate_availability, write_availability
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.registry import GDA_XML, XML_CONTENT_TYPE, find_format, list_availability_formats
from mapsos.operations.answers import Answer
from mapsos.operations.context import Context
from mapsos.operations.layers.meaning import read_meaning
from mapsos.operations.layers.offerings import name_property, pick_layers
from mapsos.operations.observations.known_names import (
    know_features,
    know_offerings,
    know_procedures,
    know_properties,
)
from mapsos.operations.questions import AvailabilityQuestion
from mapsos.operations.tell_availability import pick_offerings, tell_availability
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import (
    parse_observed_properties,
    parse_offerings,
    parse_procedures,
    parse_response_format,
)
from mapsos.sos.v1.request import SosRequest
from mapsos.web.downloads import name_file


def get_data_availability(request: SosRequest) -> Answer:
    """Return the first and last time and the number of the observations that GetObservation would return.

    Raises OwsException for its parameters, ServiceError for unknown names.
    """
    context, raw = request.context, request.raw
    stated = raw.last("responseformat") is not None
    wanted = parse_response_format(raw, list_availability_formats()) if stated else GDA_XML
    members = tell_availability(context, read_question(raw, context))
    if wanted == GDA_XML:
        return Answer(XML_CONTENT_TYPE, (write_availability(members),))
    form, service = find_format(wanted), context.service
    collection = CollectionMarkup("availability", "", service.namespace_uri, service.namespace_prefix, "")
    return Answer(
        form.content_type,
        form.load().write(collection, [tabulate_availability(members)]),
        name_file(("availability", *raw.all("offering"), *raw.all("procedure")), form.extension or ""),
        compressible=form.compressible,
    )


def read_question(raw: RawRequest, context: Context) -> AvailabilityQuestion:
    """Return which observations to count. Raises OwsException, and ServiceError for an unknown offering or property."""
    offerings = parse_offerings(raw, know_offerings(pick_offerings(context)))
    layers = pick_offerings(context, offerings)
    observed_properties = parse_observed_properties(raw, know_properties(layers))
    layers = pick_layers(layers, observed_properties, name_property, "observed property")
    meanings = tuple(map(read_meaning, layers))
    return AvailabilityQuestion(
        offerings=offerings,
        observed_properties=observed_properties,
        procedures=parse_procedures(raw, know_procedures(meanings)),
        times=parse_event_times(raw, context.now),
        feature=parse_feature_of_interest(raw.parts("featureofinterest"), find_known=know_features(meanings)),
        place=parse_bbox(raw),
    )
