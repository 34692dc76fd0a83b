"""DescribeFeatureType: the application schema of the elements in answers (docs/mapserver-sos.md, "om:Measurement").

Every GetObservation answer names it in xsi:schemaLocation, and DescribeObservationType redirects to it.
"""

from __future__ import annotations

from mapsos.columns.batches import Column, ColumnKind
from mapsos.columns.xml_text import encode_name
from mapsos.encodings.documents.application_schema import (
    FeatureType,
    PropertyType,
    SchemaMarkup,
    write_application_schema,
)
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.answers import Answer
from mapsos.operations.context import Context
from mapsos.operations.layers.facts import has_geometry
from mapsos.operations.layers.meaning import read_meaning
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.reading.feature_types import check_schema_format, parse_type_names
from mapsos.sos.v1.request import SosRequest
from mapsos.sources.drivers.shape_types import find_shape_type
from mapsos.terms.layer_source import ShapeType, SourceKind

CONTENT_TYPE = "text/xml; subtype=gml/3.1.1; charset=UTF-8"


def describe_feature_type(request: SosRequest) -> Answer:
    """Return the schema of the requested layers, and of the layers in the same offerings.

    An answer of several layers names only the last in its schemaLocation, as in MapServer. Therefore the layers of an
    offering are declared together. Clients that may use a layer in GetObservation, DescribeObservationType or
    DescribeFeatureType can request it. Reads the columns of each layer, which are cached.

    Raises
    ------
    OwsException
        A type name is unknown; the exception is that of a WFS.
    """
    service = request.context.service
    check_schema_format(request.raw)
    layers = _find_layers(request.raw, _list_usable(request.context))
    document = write_application_schema(
        SchemaMarkup(
            feature_types=tuple(map(_describe, layers)),
            namespace_uri=service.namespace_uri or Service.namespace_uri,
            namespace_prefix=service.namespace_prefix,
            schemas=service.schemas_location,
        )
    )
    return Answer(CONTENT_TYPE, (document,))


def _list_usable(context: Context) -> tuple[ObservationLayer, ...]:
    names = ("GetObservation", "DescribeObservationType", "DescribeFeatureType")
    usable = {id(layer) for name in names for layer in context.enabled(name)}
    return tuple(layer for layer in context.service.layers if id(layer) in usable)


def _find_layers(raw: RawRequest, usable: tuple[ObservationLayer, ...]) -> list[ObservationLayer]:
    asked = parse_type_names(raw)
    if asked is None:
        return list(usable)
    chosen: list[ObservationLayer] = []
    for value in asked:
        # A layer's name may have a comma in it.
        names = [value] if _pick(usable, value) else [name.strip() for name in value.split(",")]
        for name in names:
            found = _pick(usable, name)
            if not found:
                raise OwsException(
                    "InvalidParameterValue",
                    "typename",
                    "msWFSDescribeFeatureType",
                    f"Invalid typename ({name}). A layer might be disabled for this request. "
                    "Check sos/ows_enable_request settings.",
                    category="WFS server error.",
                )
            chosen += found
    offerings = {layer.offering_id.casefold() for layer in chosen}
    return [*chosen, *(layer for layer in usable if layer.offering_id.casefold() in offerings)]


def _pick(usable: tuple[ObservationLayer, ...], name: str) -> list[ObservationLayer]:
    """Return the layers with a case-insensitive name, with or without prefix, plain or encoded as an element name."""
    wanted = {name.casefold(), name.partition(":")[2].casefold()}
    return [layer for layer in usable if wanted & {layer.name.casefold(), encode_name(layer.name).casefold()}]


def _describe(layer: ObservationLayer) -> FeatureType:
    meaning = read_meaning(layer)
    source = layer.source
    geometry = has_geometry(source)
    points = find_shape_type(source) is ShapeType.POINT
    return FeatureType(
        layer.name,
        tuple(PropertyType(alias, _kind_of_texts(layer, column)) for alias, column in meaning.output_columns),
        geometry=None if not geometry else "points" if points else "shapes",
    )


def _kind_of_texts(layer: ObservationLayer, column: Column) -> ColumnKind | None:
    """Return the type of a column in answers; None for any text, such as dates of shapefiles, which are not changed."""
    if layer.source.kind is SourceKind.SHAPEFILE and column.kind is ColumnKind.DATE:
        return None
    return column.kind
