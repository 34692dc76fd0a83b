"""Markup of a layer for the encoders of valid O&M 1.0.0, whichever the result model."""

from __future__ import annotations

from mapsos.columns.batches import ColumnKind
from mapsos.columns.xml_text import encode_uri
from mapsos.encodings.layer_description import LayerDescription
from mapsos.terms.crs import is_northing_first, write_crs_urn
from mapsos.terms.values import dataclass

_LONGEST_SEPARATOR = 3


@dataclass(frozen=True)
class StrictField:
    """An observed value: its alias, its column of the batches, its kind and its metadata.

    ``definition`` is a URI. With ``loose`` the texts of a number can be something else (tables of text, dBASE), which
    counts as a missing value.
    """

    alias: str
    column: str
    kind: ColumnKind
    definition: str
    stated: bool = False
    uom: str | None = None
    loose: bool = False

    @property
    def is_number(self) -> bool:
        """Return whether its texts must be numbers."""
        return self.kind in (ColumnKind.REAL, ColumnKind.INTEGER)

    @property
    def is_count(self) -> bool:
        """Return whether it is a count: an integer without a unit."""
        return self.kind is ColumnKind.INTEGER and not self.uom


@dataclass(frozen=True)
class StrictMarkup:
    """One layer of a valid response, in either result model.

    Attributes
    ----------
    observed_property
        The URI of the observed property.
    fields
        The observed values, without the times and the procedure.
    crs
        The URN of the CRS of coordinates, None if unknown; ``northing_first`` states the order of its axes.
    geometry
        Whether rows have geometries.
    time_column, end_time_column, procedure_column, feature_id_column
        Columns of the batches, None if missing.
    procedure
        The constant id of a layer without a procedure column; None if unknown.
    token_separator, block_separator
        Of records.
    """

    observed_property: str
    fields: tuple[StrictField, ...]
    crs: str | None = None
    northing_first: bool = False
    geometry: bool = False
    time_column: str | None = None
    end_time_column: str | None = None
    procedure_column: str | None = None
    procedure: str | None = None
    feature_id_column: str | None = None
    token_separator: str = ","
    block_separator: str = "\n"

    @property
    def times(self) -> tuple[str, ...]:
        """Return the columns needed as times."""
        return tuple(column for column in (self.time_column, self.end_time_column) if column is not None)


def describe_strict(layer: LayerDescription) -> StrictMarkup:
    """Describe the members of one layer. The time, the procedure and the feature id are not values as well.

    If sos_procedure has several words and sos_procedure_item is missing, the sensor of a row is unknown. Separators
    that a swe:TextBlock does not allow (longer than three characters) are replaced by the default ones.
    """
    urn = write_crs_urn(layer.crs_label)
    separators = {"token_separator": layer.token_separator, "block_separator": layer.block_separator}
    return StrictMarkup(
        observed_property=layer.observed_property.uri,
        fields=tuple(
            StrictField(
                field.alias,
                field.column,
                field.value_kind,
                encode_uri(field.definition or field.component),
                stated=bool(field.definition),
                uom=field.uom,
                loose=field.loose,
            )
            for field in layer.values
        ),
        crs=urn,
        northing_first=urn is not None and is_northing_first(layer.crs_label or ""),
        geometry=layer.has_geometry,
        time_column=layer.time_column,
        end_time_column=layer.end_time_column,
        procedure_column=layer.procedure_column,
        procedure=layer.procedures[0] if layer.procedure_column is None and len(layer.procedures) == 1 else None,
        feature_id_column=layer.feature_id_column,
        **{name: text for name, text in separators.items() if 0 < len(text) <= _LONGEST_SEPARATOR},
    )
