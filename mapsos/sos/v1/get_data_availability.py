"""GetDataAvailability: the number and times of observations by offering, procedure and observed property.

An operation of later profiles of SOS (sosgda 1.0) that SOS 1.0.0 does not have; its parameters are those of
GetObservation, and all of them are optional.
"""

from __future__ import annotations

from mapsos.encodings.documents.availability import tabulate_availability, write_availability
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.registry import GDA_XML, XML_CONTENT_TYPE, find_format, list_availability_formats
from mapsos.operations.answers import Answer
from mapsos.operations.questions import AvailabilityQuestion
from mapsos.operations.tell_availability import tell_availability
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import (
    parse_observed_properties,
    parse_procedures,
    parse_response_format,
    split_lists,
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
    members = tell_availability(context, read_question(raw, context.now))
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


def read_question(raw: RawRequest, now: int) -> AvailabilityQuestion:
    """Return which observations to count. ``now`` is in microseconds since 1970 UTC. Raises OwsException."""
    return AvailabilityQuestion(
        offerings=split_lists(raw.all("offering")) if raw.all("offering") else None,
        observed_properties=parse_observed_properties(raw) if raw.all("observedproperty") else None,
        procedures=parse_procedures(raw),
        times=parse_event_times(raw, now),
        feature=parse_feature_of_interest(raw.all("featureofinterest")),
        place=parse_bbox(raw),
    )
