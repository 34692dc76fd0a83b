"""GetFeatureOfInterest: stations and features as sampling features (OGC 06-009r6, clause 9.3).

Features of interest are those of GetObservation: a station, by the id of its procedure, or the place of one
observation, by its featureid.
"""

from __future__ import annotations

from mapsos.encodings.documents.sampling_features import write_sampling_features
from mapsos.operations.answers import Answer
from mapsos.operations.context import Context
from mapsos.operations.layers.meaning import read_meaning
from mapsos.operations.list_features import list_features
from mapsos.operations.observations.known_names import know_features, know_procedures
from mapsos.operations.questions import FeatureQuestion
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.observation_links import ObservationLinks
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import parse_feature_ids, parse_procedures
from mapsos.sos.v1.request import SosRequest
from mapsos.terms.predicates import Predicate

CONTENT_TYPE = "text/xml; subtype=gml/3.1.1; charset=UTF-8"


def get_feature_of_interest(request: SosRequest) -> Answer:
    """Return the features with the ids, observed by the procedures, or in the location, within eventTime.

    Raises OwsException if FeatureOfInterestId, procedure and location are all missing, or one cannot be read;
    ServiceError for unknown ids and procedures.
    """
    context = request.context
    features = list_features(context, read_question(request.raw, context), ObservationLinks(context).write)
    return Answer(CONTENT_TYPE, (write_sampling_features(features, context.service.schemas_location),))


def read_question(raw: RawRequest, context: Context) -> FeatureQuestion:
    """Return which features to list. Raises OwsException, and ServiceError if data cannot be read."""
    meanings = tuple(map(read_meaning, context.enabled("GetFeatureOfInterest")))
    ids, place = parse_feature_ids(raw, know_features(meanings)), _parse_location(raw)
    procedures = parse_procedures(raw, know_procedures(meanings))
    if not ids and place is None and procedures is None:
        raise OwsException(
            "MissingParameterValue",
            "FeatureOfInterestId",
            "msSOSGetFeatureOfInterest",
            "Missing FeatureOfInterestId, location or procedure parameter.",
        )
    return FeatureQuestion(ids, place, procedures, parse_event_times(raw, context.now))


def _parse_location(raw: RawRequest) -> Predicate | None:
    """Read the place of ``location``, in any of the forms of places in featureOfInterest."""
    found = parse_feature_of_interest(raw.parts("location"), "location")
    if found is not None and found.predicate is None:
        raise OwsException(
            "InvalidParameterValue", "location", "msSOSGetFeatureOfInterest", "The location is not a place."
        )
    return None if found is None else found.predicate
