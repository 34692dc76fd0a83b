"""The operations of SOS 1.0.0: one table with the parameters and the handler of each."""

from __future__ import annotations

from mapsos.encodings.registry import list_availability_formats, list_response_formats, list_result_models
from mapsos.operations.answers import Answer
from mapsos.ows.negotiation import SECTIONS
from mapsos.ows.operation import Operation, Parameter
from mapsos.sos.v1.reading.aggregation import FUNCTIONS
from mapsos.sos.v1.reading.parameters import OUTPUT_FORMATS
from mapsos.sos.v1.request import Handler, SosRequest


def _get_capabilities(request: SosRequest) -> Answer:
    from mapsos.sos.v1.get_capabilities import get_capabilities

    return get_capabilities(request)


def _describe_sensor(request: SosRequest) -> Answer:
    from mapsos.sos.v1.describe_sensor import describe_sensor

    return describe_sensor(request)


def _describe_observation_type(request: SosRequest) -> Answer:
    from mapsos.sos.v1.describe_observation_type import describe_observation_type

    return describe_observation_type(request)


def _describe_feature_type(request: SosRequest) -> Answer:
    from mapsos.sos.v1.describe_feature_type import describe_feature_type

    return describe_feature_type(request)


def _get_feature_of_interest(request: SosRequest) -> Answer:
    from mapsos.sos.v1.get_feature_of_interest import get_feature_of_interest

    return get_feature_of_interest(request)


def _get_observation(request: SosRequest) -> Answer:
    from mapsos.sos.v1.get_observation import get_observation

    return get_observation(request)


def _get_observation_by_id(request: SosRequest) -> Answer:
    from mapsos.sos.v1.get_observation import get_observation_by_id

    return get_observation_by_id(request)


def _get_data_availability(request: SosRequest) -> Answer:
    from mapsos.sos.v1.get_data_availability import get_data_availability

    return get_data_availability(request)


_SERVICE = Parameter("service", "attribute", values=("SOS",))
_REQUEST = Parameter("request", values=None)
_VERSION = Parameter("version", "attribute", values=("1.0.0",))
_COMMON = (_SERVICE, _REQUEST, _VERSION)

_OFFERING = Parameter("offering", "text", listed_values=("urn:ogc:object:offering",))
_OBSERVED_PROPERTY = Parameter(
    "observedProperty",
    "text",
    repeatable=True,
    listed="observedproperty",
    listed_values=("urn:ogc:object:observedproperty",),
)
_EVENT_TIME = Parameter("eventTime", "markup", repeatable=True, listed="eventtime", listed_values=("sos:time",))
_PROCEDURE = Parameter("procedure", "text", repeatable=True, listed_values=("urn:ogc:object:sensor",))
_PLAIN_PROCEDURE = Parameter("procedure", "text", repeatable=True)
_FEATURE = Parameter(
    "featureOfInterest", "markup", repeatable=True, listed="featureofinterest", listed_values=("gml:location",)
)
_BBOX = Parameter("bbox", listed="")
_SRS_NAME = Parameter("srsName", "attribute", listed="")
_RESPONSE_FORMAT = Parameter("responseFormat", "text", values=list_response_formats)
_RESULT_MODEL = Parameter("resultModel", "text", values=list_result_models)
_RESPONSE_MODE = Parameter("responseMode", "text", values=("inline",), listed="")


def _list_bare_models() -> tuple[str, ...]:
    """Return the result models as MapServer lists them."""
    return tuple(name.removeprefix("om:") for name in reversed(list_result_models()))


OPERATIONS: tuple[Operation[Handler], ...] = (
    Operation(
        "GetCapabilities",
        (
            *_COMMON,
            Parameter("AcceptVersions", "list", "version", values=("1.0.0",), listed=""),
            Parameter("Sections", "list", "section", repeatable=True, values=(*SECTIONS, "All"), listed=""),
            Parameter("AcceptFormats", "list", "outputformat", values=("text/xml",), listed=""),
            Parameter("updateSequence", "attribute", listed=""),
        ),
        _get_capabilities,
    ),
    Operation(
        "DescribeSensor",
        (
            *_COMMON,
            Parameter("sensorid", repeatable=True, values=None, listed_values=("urn:ogc:object:procedure",)),
            Parameter(
                "outputFormat", "attribute", values=tuple(OUTPUT_FORMATS)[::-1], listed_values=tuple(OUTPUT_FORMATS)
            ),
            _PLAIN_PROCEDURE,
        ),
        _describe_sensor,
    ),
    Operation("DescribeObservationType", (*_COMMON, _OBSERVED_PROPERTY), _describe_observation_type),
    Operation(
        "DescribeFeatureType",
        (
            Parameter("service", "attribute", values=("SOS", "WFS")),
            _REQUEST,
            Parameter("version", "attribute", values=("1.0.0", "1.1.0")),
            Parameter("typename", "text", repeatable=True),
            Parameter("FeatureId", "text", repeatable=True, values=None),
            Parameter("outputFormat", "attribute", values=('text/xml; subtype="gml/3.1.1"',)),
        ),
        _describe_feature_type,
    ),
    Operation(
        "GetFeatureOfInterest",
        (
            *_COMMON,
            Parameter("FeatureOfInterestId", "text", repeatable=True),
            Parameter("location", "markup"),
            _PLAIN_PROCEDURE,
            Parameter("eventTime", "markup", repeatable=True),
        ),
        _get_feature_of_interest,
    ),
    Operation(
        "GetObservation",
        (
            *_COMMON,
            _OFFERING,
            _OBSERVED_PROPERTY,
            _EVENT_TIME,
            _PROCEDURE,
            _FEATURE,
            Parameter("result", "markup", listed_values=("ogc:Filter",)),
            _SRS_NAME,
            _BBOX,
            _RESPONSE_FORMAT,
            Parameter("resultModel", "text", values=list_result_models, listed_values=_list_bare_models),
            _RESPONSE_MODE,
            Parameter("aggregateInterval", "text"),
            Parameter("aggregateFunction", "text", values=FUNCTIONS),
            Parameter("timezone", "text"),
        ),
        _get_observation,
    ),
    Operation(
        "GetObservationById",
        (
            *_COMMON,
            Parameter("ObservationId", "text"),
            _RESPONSE_FORMAT,
            _RESULT_MODEL,
            Parameter("responseMode", "text", values=None),
            Parameter("srsName", "attribute", values=None),
        ),
        _get_observation_by_id,
    ),
    Operation(
        "GetDataAvailability",
        (
            *_COMMON,
            _OFFERING,
            _OBSERVED_PROPERTY,
            _EVENT_TIME,
            _PROCEDURE,
            _FEATURE,
            _BBOX,
            Parameter("responseFormat", "text", values=list_availability_formats),
        ),
        _get_data_availability,
        is_standard=False,
    ),
)
"""In the order of capabilities."""

UNSUPPORTED = (
    "GetResult",
    "GetFeatureOfInterestTime",
    "GetDomainFeature",
    "DescribeResultModel",
    "RegisterSensor",
    "InsertObservation",
)
"""Optional operations of SOS 1.0.0 (OGC 06-009r6, table 1) that are rejected by name."""
