"""What encoders of observations are told about an answer and about each of its layers."""

from __future__ import annotations

from urllib.parse import quote

from mapsos.columns.batches import ColumnKind
from mapsos.columns.xml_text import encode_uri
from mapsos.encodings.markup import (
    CollectionMarkup,
    DataBlockMarkup,
    DataField,
    Envelope,
    MeasurementMarkup,
    Phenomenon,
)
from mapsos.encodings.strict.markup import StrictField, StrictMarkup
from mapsos.encodings.tables.table import LayerColumn, Role, TableColumn, TableMarkup
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.layers.extents import find_label, read_stated_extent, read_stated_time_extent
from mapsos.operations.layers.facts import has_geometry
from mapsos.operations.layers.meaning import LayerMeaning, refuse_source, write_property_uri
from mapsos.sources.errors import SourceError
from mapsos.terms.crs import Crs, is_northing_first, write_crs_urn
from mapsos.terms.layer_source import SourceKind

DEFAULT_DEFINITION = "urn:ogc:object:definition"
DEFAULT_UOM = "urn:ogc:object:uom"
_LONGEST_SEPARATOR = 3


def build_feature_type_url(online_resource: str, layer_name: str) -> str:
    """The DescribeFeatureType link of a layer (reference sections 8 and 11), its name percent-encoded."""
    return (
        f"{online_resource}service=WFS&version=1.1.0&request=DescribeFeatureType&typename={quote(layer_name, safe='')}"
    )


def build_collection(
    service: Service, first: ObservationLayer, offering: str, output_crs: Crs | None, feature_type_url: str
) -> CollectionMarkup:
    """The collection around the members; ``first`` is the first layer of the offering, ``offering`` as requested."""
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
    if source_crs is not None and output_crs is not None and source_crs.definition != output_crs.definition:
        import pyproj

        transformer = pyproj.Transformer.from_crs(source_crs.definition, output_crs.definition, always_xy=True)
        extent = transformer.transform_bounds(*extent)
    return Envelope(*extent, label=label)


def _choose_label(
    service: Service, layer: ObservationLayer, output_crs: Crs | None, *, with_layer: bool = True
) -> str | None:
    """The label of coordinates in an answer (reference section 14.4); the collection's own never is the layer's."""
    # With srsName the coordinates are in that CRS, whatever the layer's metadata say of its own.
    if output_crs is not None and output_crs != service.crs:
        return output_crs.label
    if not with_layer and not layer.srs and (service.crs is None or service.crs.label is None):
        return None
    return find_label(layer, service)


def _describe_phenomenon(meaning: LayerMeaning) -> Phenomenon:
    observed = meaning.observed_property
    return Phenomenon(observed.id, observed.name, meaning.components)


def build_markup(
    kind: type[object], service: Service, meaning: LayerMeaning, output_crs: Crs | None, feature_type_url: str
) -> object:
    """The members of one layer, in the terms of an encoder that wants ``kind``. Raises OwsException 12."""
    if kind is DataBlockMarkup:
        return build_datablock(service, meaning)
    if kind is TableMarkup:
        return build_table(meaning, output_crs)
    if kind is StrictMarkup:
        return build_strict(service, meaning, output_crs)
    return build_measurement(service, meaning, output_crs, feature_type_url)


def build_measurement(
    service: Service, meaning: LayerMeaning, output_crs: Crs | None, feature_type_url: str
) -> MeasurementMarkup:
    """The members of one layer as om:Measurement: values by its own aliases, in its own column order (D-09)."""
    layer = meaning.layer
    time, procedure, feature_id = meaning.time_column, meaning.procedure_column, meaning.feature_id_column
    return MeasurementMarkup(
        layer_name=layer.name,
        namespace_prefix=service.namespace_prefix,
        phenomenon=_describe_phenomenon(meaning),
        feature_type_url=feature_type_url,
        # MapServer reads a shapefile's geometries as what they are; elsewhere the LAYER's TYPE decides.
        shape="any" if layer.source.kind is SourceKind.SHAPEFILE else layer.source.shape.value,
        label=_choose_label(service, layer, output_crs),
        time_column=time.name if time else None,
        end_time_column=meaning.end_time,
        procedure_column=procedure.name if procedure else None,
        procedure=layer.procedure_text if layer.procedure_item is None else None,
        missing_procedure_item=layer.procedure_item is None and layer.procedure_text is not None,
        feature_id_column=feature_id.name if feature_id else None,
        values=tuple((alias, column.name) for alias, column in meaning.output_columns),
    )


def build_datablock(service: Service, meaning: LayerMeaning) -> DataBlockMarkup:
    """The members of one layer as om:Observation: fields by its own aliases (D-09), time first where there is one."""
    layer = meaning.layer
    time, procedure = meaning.time_column, meaning.procedure_column
    time_extent = read_stated_time_extent(layer, "msSOSGetObservation")
    return DataBlockMarkup(
        phenomenon=_describe_phenomenon(meaning),
        time_extent=time_extent,
        fields=tuple(
            DataField(
                alias,
                column.name,
                _or_default(meaning.field(column).definition, DEFAULT_DEFINITION),
                _or_default(meaning.field(column).uom, DEFAULT_UOM),
            )
            for alias, column in meaning.output_columns
        ),
        token_separator=service.token_separator,
        block_separator=service.block_separator,
        time_column=meaning.interval or (time.name if time else None),
        procedure_column=procedure.name if procedure else None,
        procedure=layer.procedure_text if layer.procedure_item is None else None,
        missing_procedure_item=(
            layer.procedure_item is None and layer.procedure_text is not None and time_extent is not None
        ),
    )


def build_table(meaning: LayerMeaning, output_crs: Crs | None) -> TableMarkup:
    """The rows of one layer as a part of a table: a column that says when, by what or of what is no property besides.

    Raises OwsException if the data cannot be read.
    """
    layer = meaning.layer
    time, procedure, feature_id = meaning.time_column, meaning.procedure_column, meaning.feature_id_column
    columns: list[LayerColumn] = []
    if time is not None:
        columns.append(LayerColumn(TableColumn(Role.TIME.value, Role.TIME, ColumnKind.DATETIME), time.name))
    if meaning.end_time is not None:
        end = TableColumn(Role.END_TIME.value, Role.END_TIME, ColumnKind.DATETIME)
        columns.append(LayerColumn(end, meaning.end_time))
    said = TableColumn(Role.PROCEDURE.value, Role.PROCEDURE, ColumnKind.TEXT)
    if procedure is not None:
        columns.append(LayerColumn(said, procedure.name))
    elif layer.procedure_item is None and layer.procedure_text is not None:
        columns.append(LayerColumn(said, constant=layer.procedure_text))
    if feature_id is not None:
        named = TableColumn(Role.FEATURE_ID.value, Role.FEATURE_ID, ColumnKind.TEXT)
        columns.append(LayerColumn(named, feature_id.name))
    for alias, column in meaning.property_columns:
        field, numeric_text = meaning.field(column), meaning.is_numeric_text(column)
        kind = ColumnKind.REAL if numeric_text else column.kind
        described = TableColumn(alias, Role.PROPERTY, kind, field.uom, field.definition)
        columns.append(LayerColumn(described, column.name, numeric_text=numeric_text))
    try:
        shape = layer.source.shape if has_geometry(layer.source) else None
    except SourceError as error:
        raise refuse_source(error) from error
    return TableMarkup(meaning.observed_property.id, tuple(columns), shape, output_crs or layer.source.crs)


def build_strict(service: Service, meaning: LayerMeaning, output_crs: Crs | None) -> StrictMarkup:
    """The members of one layer in a valid answer: a column that says when, by what or of what is no value besides.

    Several words of sos_procedure without sos_procedure_item leave open which sensor a row is from: it is unknown then.
    Separators that a swe:TextBlock cannot have (longer than three characters) are the default ones. Raises OwsException
    if the data cannot be read.
    """
    layer = meaning.layer
    time, procedure, feature_id = meaning.time_column, meaning.procedure_column, meaning.feature_id_column
    own = layer.source.crs
    label = find_label(layer, service) if own is None else (output_crs or own).label
    urn = write_crs_urn(label)
    try:
        geometry = has_geometry(layer.source)
    except SourceError as error:
        raise refuse_source(error) from error
    stated = layer.procedures or ()
    separators = {"token_separator": service.token_separator, "block_separator": service.block_separator}
    fields = []
    for alias, column in meaning.property_columns:
        field, numeric_text = meaning.field(column), meaning.is_numeric_text(column)
        component = meaning.components[meaning.columns.index(column)]
        fields.append(
            StrictField(
                alias,
                column.name,
                ColumnKind.REAL if numeric_text else column.kind,
                encode_uri(field.definition or component),
                stated=bool(field.definition),
                uom=field.uom,
                loose=numeric_text or layer.source.kind is SourceKind.SHAPEFILE,
            )
        )
    return StrictMarkup(
        observed_property=write_property_uri(meaning.observed_property),
        fields=tuple(fields),
        crs=urn,
        northing_first=urn is not None and is_northing_first(label or ""),
        geometry=geometry,
        time_column=time.name if time else None,
        end_time_column=meaning.end_time,
        procedure_column=procedure.name if procedure else None,
        procedure=stated[0] if procedure is None and len(stated) == 1 else None,
        feature_id_column=feature_id.name if feature_id else None,
        **{name: text for name, text in separators.items() if 0 < len(text) <= _LONGEST_SEPARATOR},
    )


def _or_default(text: str | None, default: str) -> str:
    # Metadata that are there but empty count as said.
    return default if text is None else text
