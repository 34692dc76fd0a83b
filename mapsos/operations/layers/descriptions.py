"""Describe an answer with observations and each of its layers, for any encoder."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from mapsos.columns.batches import Column
from mapsos.columns.geometries import find_transformer
from mapsos.encodings.layer_description import FieldDescription, LayerDescription, PropertyDescription
from mapsos.encodings.markup import CollectionMarkup, Envelope
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.extents import find_label, read_stated_extent, read_stated_time_extent
from mapsos.operations.layers.facts import has_geometry
from mapsos.operations.layers.meaning import LayerMeaning, write_property_uri
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import SourceKind


def build_feature_type_url(online_resource: str, layer_name: str) -> str:
    """Return the DescribeFeatureType link of a layer, percent-encoded (docs/mapserver-sos.md, "om:Measurement")."""
    return (
        f"{online_resource}service=WFS&version=1.1.0&request=DescribeFeatureType&typename={quote(layer_name, safe='')}"
    )


def build_collection(
    service: Service, first: ObservationLayer, offering: str, output_crs: Crs | None, feature_type_url: str
) -> CollectionMarkup:
    """Return the description of the collection around the members.

    Parameters
    ----------
    service
        The map.
    first
        The first layer of the offering.
    offering
        The offering as the client spelled it.
    output_crs
        The CRS of the answer; None for that of each layer.
    feature_type_url
        The DescribeFeatureType link of the answer, without escaping.
    """
    return CollectionMarkup(
        id=offering,
        feature_type_url=feature_type_url,
        namespace_uri=service.namespace_uri,
        namespace_prefix=service.namespace_prefix,
        schemas=service.schemas_location,
        description=first.offering_description,
        name=first.offering_name,
        envelope=_build_envelope(service, first, output_crs),
    )


def _build_envelope(service: Service, first: ObservationLayer, output_crs: Crs | None) -> Envelope | None:
    extent = read_stated_extent(first)
    if extent is None:
        return None
    source_crs = first.source.crs
    label = _choose_label(service, first, output_crs, with_layer=False)
    if source_crs is not None and output_crs is not None:
        try:
            transformer = find_transformer(source_crs, output_crs)
        except ValueError as error:
            message = f"The CRS of layer {first.name} cannot be transformed."
            raise ServiceError(Kind.MISCONFIGURED, "CRS", message, detail=str(error)) from error
        if transformer is not None:
            minx, miny, maxx, maxy = transformer.transform_bounds(*extent)
            return Envelope(minx, miny, maxx, maxy, label=label)
    return Envelope(*extent, label=label)


def _choose_label(
    service: Service, layer: ObservationLayer, output_crs: Crs | None, *, with_layer: bool = True
) -> str | None:
    """Return the label of coordinates in an answer (docs/mapserver-sos.md, "CRS labels").

    The label of the collection itself is never that of the layer.
    """
    # With srsName the coordinates are in that CRS, whatever CRS the layer's metadata name.
    if output_crs is not None and output_crs != service.crs:
        return output_crs.label
    if not with_layer and not layer.srs and (service.crs is None or service.crs.label is None):
        return None
    return find_label(layer, service)


def describe_layer(
    service: Service, meaning: LayerMeaning, output_crs: Crs | None, feature_type_url: str
) -> LayerDescription:
    """Describe the observations of one layer in an answer.

    Parameters
    ----------
    output_crs
        The CRS of the answer; None for that of each layer.
    feature_type_url
        The DescribeFeatureType link of the answer, without escaping.

    Raises
    ------
    ServiceError
        The data cannot be read. `LayerDescription.read_time_extent` raises it too.
    """
    layer, own = meaning.layer, meaning.layer.source.crs
    observed = meaning.observed_property
    components = meaning.components
    urns = dict(zip(meaning.columns, components, strict=True))
    from_shapefile = layer.source.kind is SourceKind.SHAPEFILE
    return LayerDescription(
        layer_name=layer.name,
        offering=layer.offering_id,
        observed_property=PropertyDescription(observed.id, observed.name, write_property_uri(observed), components),
        fields=tuple(
            _describe_field(meaning, alias, column, urns[column], loose=from_shapefile)
            for alias, column in meaning.output_columns
        ),
        shape=layer.source.shape,
        has_geometry=has_geometry(layer.source),
        # MapServer reads a shapefile's geometries as what they are; elsewhere the LAYER's TYPE decides.
        mixed_shapes=from_shapefile,
        time_column=_name(meaning.time_column),
        end_time_column=meaning.end_time,
        interval_column=meaning.interval,
        procedure_column=_name(meaning.procedure_column),
        feature_id_column=_name(meaning.feature_id_column),
        procedure=layer.procedure_text if layer.procedure_item is None else None,
        procedures=layer.procedures or (),
        crs=output_crs or own,
        crs_label=find_label(layer, service) if own is None else (output_crs or own).label,
        mapserver_label=_choose_label(service, layer, output_crs),
        feature_type_url=feature_type_url,
        namespace_prefix=service.namespace_prefix,
        token_separator=service.token_separator,
        block_separator=service.block_separator,
        read_time_extent=partial(read_stated_time_extent, layer),
    )


def _describe_field(
    meaning: LayerMeaning, alias: str, column: Column, component: str, *, loose: bool
) -> FieldDescription:
    stated, numeric_text = meaning.field(column), meaning.is_numeric_text(column)
    return FieldDescription(
        alias,
        column.name,
        column.kind,
        component,
        stated.definition,
        stated.uom,
        numeric_text=numeric_text,
        loose=numeric_text or loose,
    )


def _name(column: Column | None) -> str | None:
    return None if column is None else column.name
