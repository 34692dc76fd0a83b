"""Observed properties of this interface: each value column of a layer is one."""

from __future__ import annotations

from mapsos.columns.batches import Column, ColumnKind
from mapsos.operations.layers.meaning import LayerMeaning, write_property_uri
from mapsos.terms.values import dataclass

_NUMERIC = (ColumnKind.INTEGER, ColumnKind.REAL)
_TYPES = {
    ColumnKind.INTEGER: "OM_CountObservation",
    ColumnKind.BOOLEAN: "OM_TruthObservation",
    ColumnKind.DATE: "OM_TemporalObservation",
    ColumnKind.TIME: "OM_TemporalObservation",
    ColumnKind.DATETIME: "OM_TemporalObservation",
}


@dataclass(frozen=True)
class ValueColumn:
    """A column of measured values.

    ``definition`` identifies it: it is that of the mapfile, else the URN in capabilities. ``suffix`` is the end of the
    ids of its observations, empty if the layer has no other value column.
    """

    column: Column
    alias: str
    definition: str
    numeric: bool
    uom: str | None
    suffix: str = ""

    @property
    def observation_type(self) -> str:
        """Return the type of its observations, by the type of the column."""
        return _TYPES.get(self.column.kind, "OM_Measurement" if self.numeric else "OM_TextObservation")

    @property
    def data_type(self) -> str:
        """Return NUMERIC or TEXTUAL."""
        return "NUMERIC" if self.numeric else "TEXTUAL"


def list_value_columns(meaning: LayerMeaning) -> tuple[ValueColumn, ...]:
    """Return the columns with an alias that are not time, procedure or feature id, in column order."""
    roles = (meaning.time_column, meaning.procedure_column, meaning.feature_id_column)
    observed = meaning.observed_property
    named = [(alias, column) for alias, column in meaning.output_columns if column not in roles]
    found = []
    for alias, column in named:
        field = meaning.field(column)
        urn = f"urn:ogc:def:property:{observed.authority}:{observed.version}:{alias}"
        numeric = field.kind == "number" if field.kind is not None else column.kind in _NUMERIC
        found.append(
            ValueColumn(
                column, alias, field.definition or urn, numeric, field.uom, f".{alias}" if len(named) > 1 else ""
            )
        )
    return tuple(found)


def name_properties(meaning: LayerMeaning) -> set[str]:
    """Return the case-folded names by which `choose_value_columns` finds columns of a layer."""
    observed = meaning.observed_property
    of_columns = (name for column in list_value_columns(meaning) for name in (column.definition, column.alias))
    return {name.casefold() for name in (observed.id, write_property_uri(observed), *of_columns)}


def choose_value_columns(meaning: LayerMeaning, wanted: tuple[str, ...] | None) -> tuple[ValueColumn, ...]:
    """Return the value columns in a list of observed properties: by id or alias, or all by that of the layer."""
    columns = list_value_columns(meaning)
    if wanted is None:
        return columns
    names = {name.casefold() for name in wanted}
    observed = meaning.observed_property
    if names & {observed.id.casefold(), write_property_uri(observed).casefold()}:
        return columns
    return tuple(column for column in columns if {column.definition.casefold(), column.alias.casefold()} & names)
