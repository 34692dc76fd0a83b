"""DescribeObservationType: a redirect to the feature type of the layer with the property.

See docs/mapserver-sos.md, "DescribeObservationType".
"""

from __future__ import annotations

from mapsos.operations.answers import Answer
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.descriptions import build_feature_type_url
from mapsos.operations.own_url import find_own_url
from mapsos.sos.v1.reading.parameters import parse_observation_type
from mapsos.sos.v1.request import SosRequest


def describe_observation_type(request: SosRequest) -> Answer:
    """Redirect to DescribeFeatureType of the last enabled layer in the map with the observed property.

    Raises OwsException without the parameter, and ServiceError if no layer has the property.
    """
    asked = parse_observation_type(request.raw)
    layers = [
        layer
        for layer in request.context.enabled("DescribeObservationType")
        if layer.observed_property is not None and layer.observed_property.id.casefold() == asked.casefold()
    ]
    if not layers:
        message = f"ObservedProperty {asked} not found."
        raise ServiceError(Kind.UNKNOWN_NAME, "observed property", message, names=(asked,))
    return Answer(location=build_feature_type_url(find_own_url(request.context), layers[-1].name))
