"""GetObservationById: the observation that was sent with a gml:id (OGC 06-009r6, clause 9.4; reference section 12).

Ids are ``o_`` and the value of the layer's featureid column, so that they last as long as the data keep theirs, and an
index on that column finds them. Observations of a layer without that column have no id, and cannot be asked for.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from mapsos.encodings.registry import OM_XML
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.layers.meaning import read_meaning, refuse_source
from mapsos.ows.exceptions import OwsException
from mapsos.ows.filters import FEATURE_ID
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.get_observation import get_observation
from mapsos.sos.v1.reading.parameters import parse_observation_id
from mapsos.sources.errors import SourceError
from mapsos.sources.query import LayerQuery
from mapsos.terms.predicates import OneOf
from mapsos.web.messages import Response

ID_PREFIX = "o_"


def get_observation_by_id(context: Context) -> Response:
    """Answer as GetObservation does for the offering and property of the first layer that has the id.

    An id is met as it was sent, or without its ``o_``. responseFormat may be left out. Costs one question by id for
    each layer with a featureid column, until it is found. Raises OwsException for an id that no enabled layer has, and
    those of GetObservation.
    """
    raw = context.raw
    asked = parse_observation_id(raw)
    for layer in context.enabled("GetObservationById"):
        value = _find_value(layer, asked)
        if value is None or layer.observed_property is None:
            continue
        values = {
            "responseformat": (OM_XML,),
            **raw.values,
            "offering": (layer.offering_id,),
            "observedproperty": (layer.observed_property.id,),
        }
        of_layer = replace(context, raw=RawRequest(values, raw.from_xml, raw.root))
        return get_observation(of_layer, OneOf(FEATURE_ID, (value,)))
    raise OwsException(
        "InvalidParameterValue",
        "ObservationId",
        "msSOSGetObservationById",
        f"Observation {asked} not found.",
    )


def _find_value(layer: ObservationLayer, asked: str) -> str | None:
    """The value in the featureid column of a layer that the id stands for; None if no row has it."""
    from mapsos.sources.layer import open_layer

    column = read_meaning(layer).feature_id_column
    if column is None:
        return None
    candidates = tuple(dict.fromkeys((asked.removeprefix(ID_PREFIX), asked)))
    try:
        with open_layer(layer.source) as source:
            for value in candidates:
                query = LayerQuery(layer.source, predicate=OneOf(column.name, (value,)), limit=1)
                with closing(source.read(query)) as batches:
                    if next(batches, None) is not None:
                        return value
    except SourceError as error:
        raise refuse_source(error) from error
    return None
