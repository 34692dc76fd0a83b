"""The table of a response: its columns, and which columns of each layer fill them.

One row is one observation event. First come the columns of its time, procedure and feature, each if a layer has it:
``time``, ``end_time``, ``procedure``, ``feature_id`` and, if layers of several observed properties are in the response,
``observed_property``. Then come the properties by their aliases, in the order of the data. Layers with different
columns share one table: properties of the same alias and unit are one column, of the widest kind (text, if the kinds
have nothing else in common), and null where a layer does not have it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import replace

from mapsos.columns.batches import ColumnKind
from mapsos.encodings.encoder import Needs
from mapsos.encodings.layer_description import LayerDescription
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import ShapeType
from mapsos.terms.values import dataclass


class Role(enum.Enum):
    """The meaning of a column; the value is the name of the column unless it is a property."""

    TIME = "time"
    END_TIME = "end_time"
    PROCEDURE = "procedure"
    FEATURE_ID = "feature_id"
    OBSERVED_PROPERTY = "observed_property"
    PROPERTY = "property"


@dataclass(frozen=True)
class TableColumn:
    """A column: its name in the response, its role and kind, and the metadata of a property."""

    name: str
    role: Role
    kind: ColumnKind
    unit: str | None = None
    definition: str | None = None


@dataclass(frozen=True)
class LayerColumn:
    """A column of one layer, filled from a column of the batches (``source``) or with one ``constant`` text.

    ``kind`` of a time is DATETIME, whatever the source has. With ``numeric_text`` the source has texts that are meant
    as numbers; others are null.
    """

    column: TableColumn
    source: str | None = None
    constant: str | None = None
    numeric_text: bool = False

    @property
    def is_time(self) -> bool:
        """Return whether it is filled with times."""
        return self.column.role in (Role.TIME, Role.END_TIME)


@dataclass(frozen=True)
class TableMarkup:
    """The columns of one layer. ``shape`` is None without geometries; ``crs`` is the CRS of the geometries."""

    observed_property: str
    columns: tuple[LayerColumn, ...]
    shape: ShapeType | None = None
    crs: Crs | None = None

    @property
    def times(self) -> tuple[str, ...]:
        """Return the columns of the batches needed as times."""
        return tuple(column.source for column in self.columns if column.source is not None and column.is_time)

    @property
    def others(self) -> tuple[str, ...]:
        """Return the columns of the batches needed as values or texts."""
        return tuple(column.source for column in self.columns if column.source is not None and not column.is_time)


@dataclass(frozen=True)
class Table:
    """The table of a whole response.

    Attributes
    ----------
    fillings
        For each layer the columns that fill those of the table, None where the layer has none.
    shape
        POINT if all layers with geometries have points, None if no layer has geometries.
    crs
        None if unknown or not the same for all layers.
    """

    columns: tuple[TableColumn, ...]
    fillings: tuple[tuple[LayerColumn | None, ...], ...]
    shape: ShapeType | None
    crs: Crs | None


def describe_table(layer: LayerDescription) -> TableMarkup:
    """Describe the rows of one layer as part of a table. Time, procedure and feature id are not properties as well."""
    columns: list[LayerColumn] = []

    def add(role: Role, kind: ColumnKind, source: str | None, constant: str | None = None) -> None:
        if source is not None or constant is not None:
            columns.append(LayerColumn(TableColumn(role.value, role, kind), source, constant))

    add(Role.TIME, ColumnKind.DATETIME, layer.time_column)
    add(Role.END_TIME, ColumnKind.DATETIME, layer.end_time_column)
    add(Role.PROCEDURE, ColumnKind.TEXT, layer.procedure_column, layer.procedure)
    add(Role.FEATURE_ID, ColumnKind.TEXT, layer.feature_id_column)
    for field in layer.values:
        column = TableColumn(field.alias, Role.PROPERTY, field.value_kind, field.uom, field.definition)
        columns.append(LayerColumn(column, field.column, numeric_text=field.numeric_text))
    shape = layer.shape if layer.has_geometry else None
    return TableMarkup(layer.observed_property.id, tuple(columns), shape, layer.crs)


def need_values(markup: TableMarkup, crs: Crs | None = None) -> Needs:
    """Return what a format of typed values needs: values, times, and geometries if there are any."""
    return Needs(values=markup.others, times=markup.times, geometry=markup.shape is not None, crs=crs)


def need_texts(markup: TableMarkup) -> Needs:
    """Return what a format of texts needs: value texts, times, and geometries if there are any."""
    return Needs(texts=markup.others, times=markup.times, geometry=markup.shape is not None)


def join_tables(markups: Sequence[TableMarkup], reserved: Sequence[str] = ()) -> Table:
    """Return the table of several layers. ``reserved`` are names that the format itself uses (for coordinates).

    Names are case-insensitively unique: a property whose name is taken gets the suffix ``_2``, or ``_3``.
    """
    if len({markup.observed_property for markup in markups}) > 1:
        markups = [_name_property(markup) for markup in markups]
    found: dict[tuple[Role, str, str | None], TableColumn] = {}
    for markup in markups:
        for key, column in _key_columns(markup):
            known = found.get(key)
            found[key] = column if known is None else _widen(known, column)
    roles = list(Role)
    keys = sorted(found, key=lambda key: roles.index(key[0]))
    named: list[TableColumn] = []
    taken = {name.casefold() for name in reserved}
    for key in keys:
        name = _choose_name(found[key].name, taken)
        taken.add(name.casefold())
        named.append(replace(found[key], name=name))
    fillings = tuple(
        tuple(layer.get(key) for key in keys)
        for layer in (
            {key: column for (key, _), column in zip(_key_columns(markup), markup.columns, strict=True)}
            for markup in markups
        )
    )
    placed = [markup for markup in markups if markup.shape is not None]
    shapes = {markup.shape for markup in placed}
    crs = placed[0].crs if placed and len({markup.crs for markup in placed}) == 1 else None
    shape = None if not shapes else ShapeType.POINT if shapes == {ShapeType.POINT} else placed[0].shape
    if len(shapes) > 1:
        shape = next(shape for shape in (ShapeType.LINE, ShapeType.POLYGON) if shape in shapes)
    return Table(tuple(named), fillings, shape, crs)


def _name_property(markup: TableMarkup) -> TableMarkup:
    column = TableColumn(Role.OBSERVED_PROPERTY.value, Role.OBSERVED_PROPERTY, ColumnKind.TEXT)
    return replace(markup, columns=(*markup.columns, LayerColumn(column, constant=markup.observed_property)))


def _key_columns(markup: TableMarkup) -> list[tuple[tuple[Role, str, str | None], TableColumn]]:
    """Return the columns of a layer, with keys for merging layers. Equal aliases within a layer stay apart."""
    keyed: list[tuple[tuple[Role, str, str | None], TableColumn]] = []
    seen: dict[tuple[Role, str, str | None], int] = {}
    for member in markup.columns:
        column = member.column
        key = (column.role, column.name, column.unit)
        seen[key] = seen.get(key, 0) + 1
        keyed.append((key if seen[key] == 1 else (*key[:2], f"{key[2]}\0{seen[key]}"), column))
    return keyed


def _choose_name(name: str, taken: set[str]) -> str:
    number, chosen = 1, name
    while chosen.casefold() in taken:
        number += 1
        chosen = f"{name}_{number}"
    return chosen


_WIDER = {
    frozenset({ColumnKind.INTEGER, ColumnKind.REAL}): ColumnKind.REAL,
    frozenset({ColumnKind.DATE, ColumnKind.DATETIME}): ColumnKind.DATETIME,
}


def _widen(one: TableColumn, other: TableColumn) -> TableColumn:
    kinds = frozenset({one.kind, other.kind})
    kind = one.kind if len(kinds) == 1 else _WIDER.get(kinds, ColumnKind.TEXT)
    definition = one.definition if one.definition is not None else other.definition
    return replace(one, kind=kind, definition=definition)
