"""DescribeObservationType: a redirect to the feature type of the layer with the property (reference section 8)."""

from __future__ import annotations

from mapsos.operations.context import Context
from mapsos.operations.layers.descriptions import build_feature_type_url
from mapsos.operations.own_url import find_online_resource
from mapsos.ows.exceptions import OwsException
from mapsos.sos.v1.reading.parameters import parse_observation_type
from mapsos.web.messages import Response


def describe_observation_type(context: Context) -> Response:
    """Redirect (302) to DescribeFeatureType of the last enabled layer in the map that has the observed property.

    Raises OwsException 22 and 23.
    """
    asked = parse_observation_type(context.raw)
    layers = [
        layer
        for layer in context.enabled("DescribeObservationType")
        if layer.observed_property is not None and layer.observed_property.id.casefold() == asked.casefold()
    ]
    if not layers:
        raise OwsException(
            "InvalidParameterValue",
            "observedproperty",
            "msSOSGetObservation",
            f"ObservedProperty {asked} not found.",
        )
    url = build_feature_type_url(find_online_resource(context), layers[-1].name)
    return Response(status=302, headers=(("Location", url),))
