"""Description of the observations of one layer, from which every encoder derives its own markup."""

from __future__ import annotations

from collections.abc import Callable

from mapsos.columns.batches import ColumnKind
from mapsos.encodings.markup import TimeExtent
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import ShapeType
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class PropertyDescription:
    """An observed property: its id and name in the mapfile, its URI, and the URNs of all columns, in column order."""

    id: str
    name: str | None
    uri: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class FieldDescription:
    """A column that clients receive, with its metadata.

    Attributes
    ----------
    alias
        Its name in responses.
    column
        Its name in the batches.
    kind
        The kind in the source; TEXT also where ``numeric_text`` is true.
    component
        Its URN among the components of the observed property.
    definition, uom
        The texts of the metadata; None where they are missing, empty where they are empty.
    numeric_text
        Whether its texts are meant as numbers. A text that is not a number is then a missing value.
    loose
        Whether a text of a number can be something else: tables of text, dBASE.
    """

    alias: str
    column: str
    kind: ColumnKind
    component: str
    definition: str | None = None
    uom: str | None = None
    numeric_text: bool = False
    loose: bool = False

    @property
    def value_kind(self) -> ColumnKind:
        """Return the kind of its values: numeric also where the source has numbers as text."""
        return ColumnKind.REAL if self.numeric_text else self.kind


@dataclass(frozen=True)
class LayerDescription:
    """The observations of one layer in one response, described by `mapsos.operations.layers.descriptions`.

    Attributes
    ----------
    layer_name
        The name of the LAYER.
    offering
        The id of its offering.
    observed_property
        The observed property.
    fields
        The columns that clients receive, in column order.
    time_column, procedure_column, feature_id_column
        Columns of the batches, None if the layer has none. Each can be among ``fields``.
    end_time_column, interval_column
        Of observations with a duration: the column of the ends, and the column of ISO 8601 intervals.
    procedure
        The text of sos_procedure, None if a column states the procedure, or nothing does.
    procedures
        The ids of sos_procedure.
    shape
        The type of geometries that the LAYER declares.
    mixed_shapes
        Whether each geometry decides its own type, whatever ``shape`` is.
    has_geometry
        Whether rows have geometries.
    crs
        The CRS of the coordinates, None if unknown.
    crs_label
        Its label, such as ``EPSG:4326``.
    mapserver_label
        The label that MapServer writes: with the words of the layer's srs metadata.
    feature_type_url
        The DescribeFeatureType link, without escaping.
    namespace_prefix
        The prefix of the application schema.
    token_separator, block_separator
        Of text blocks, as in the metadata.
    read_time_extent
        Reads the time extent of the metadata. A function, since a malformed one is reported only by formats that write
        it; raises the operation's errors.
    """

    layer_name: str
    offering: str
    observed_property: PropertyDescription
    fields: tuple[FieldDescription, ...]
    shape: ShapeType
    has_geometry: bool
    mixed_shapes: bool = False
    time_column: str | None = None
    end_time_column: str | None = None
    interval_column: str | None = None
    procedure_column: str | None = None
    feature_id_column: str | None = None
    procedure: str | None = None
    procedures: tuple[str, ...] = ()
    crs: Crs | None = None
    crs_label: str | None = None
    mapserver_label: str | None = None
    feature_type_url: str = ""
    namespace_prefix: str = "ms"
    token_separator: str = ","
    block_separator: str = "\n"
    read_time_extent: Callable[[], TimeExtent | None] = lambda: None

    @property
    def values(self) -> tuple[FieldDescription, ...]:
        """Return those of ``fields`` that are observed values: not the time, the procedure or the feature."""
        roles = (self.time_column, self.procedure_column, self.feature_id_column)
        return tuple(field for field in self.fields if field.column not in roles)
