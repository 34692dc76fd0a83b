"""The meaning of a layer's columns: which holds the time, which the procedure, and which column a name refers to."""

from __future__ import annotations

from dataclasses import replace

from mapsos.columns.batches import Column, ColumnKind
from mapsos.columns.xml_text import encode_id, encode_uri
from mapsos.mapfile.model import Field, ObservationLayer, ObservedProperty
from mapsos.operations.layers.facts import list_columns
from mapsos.ows.filters import FEATURE_ID
from mapsos.terms.predicates import NOTHING, And, Between, Compare, Not, OneOf, Or, Predicate, ValueKind, rename
from mapsos.terms.times import parse_time
from mapsos.terms.urns import strip_procedure
from mapsos.terms.values import dataclass

_URI_BEGINNINGS = ("urn:", "http://", "https://", "ftp://", "file:")


class UnknownName(Exception):
    """A name in a filter for which the layer has no column."""


@dataclass(frozen=True)
class LayerMeaning:
    """A layer together with the columns of its data in source order.

    For observations with a duration, ``end_time`` is the name of the column of batches with the end of each, and
    ``interval`` that of the column with begin and end as an ISO 8601 interval. Neither is in ``columns``.
    """

    layer: ObservationLayer
    columns: tuple[Column, ...]
    end_time: str | None = None
    interval: str | None = None

    def find_column(self, item: str | None) -> Column | None:
        """Return the column of a case-insensitive name; None if it does not exist, or for None."""
        if item is None:
            return None
        wanted = item.casefold()
        return next((column for column in self.columns if column.name.casefold() == wanted), None)

    def field(self, column: Column) -> Field:
        """Return the metadata of a column."""
        return self.layer.fields.get(column.name.lower()) or Field(column.name)

    @property
    def time_column(self) -> Column | None:
        """Return the column of sos_timeitem; None if it is not set or names no column (D-15b)."""
        return self.find_column(self.layer.time_item)

    @property
    def procedure_column(self) -> Column | None:
        """Return the column of sos_procedure_item, or None."""
        return self.find_column(self.layer.procedure_item)

    @property
    def feature_id_column(self) -> Column | None:
        """Return the column of the featureid metadata, or None."""
        return self.find_column(self.layer.feature_id_item)

    @property
    def output_columns(self) -> tuple[tuple[str, Column], ...]:
        """Return (alias, column) of each published column in column order: those with an alias."""
        named = ((self.field(column).alias, column) for column in self.columns)
        return tuple((alias, column) for alias, column in named if alias is not None)

    @property
    def property_columns(self) -> tuple[tuple[str, Column], ...]:
        """Return the `output_columns` with measured values: all but time, procedure and feature id."""
        roles = (self.time_column, self.procedure_column, self.feature_id_column)
        return tuple((alias, column) for alias, column in self.output_columns if column not in roles)

    def is_numeric_text(self, column: Column) -> bool:
        """Return whether a column has text which the metadata declare to be numbers."""
        return column.kind is ColumnKind.TEXT and self.field(column).kind == "number"

    @property
    def value_column(self) -> Column | None:
        """Return the column for the observed property's id in a filter: the first with measured values."""
        return next((column for _, column in self.property_columns), None)

    @property
    def components(self) -> tuple[str, ...]:
        """Return the URNs of all columns in column order (docs/mapserver-sos.md, "Phenomena")."""
        observed = self.observed_property
        return tuple(
            f"urn:ogc:def:property:{observed.authority}:{observed.version}:{self.field(column).alias or column.name}"
            for column in self.columns
        )

    @property
    def observed_property(self) -> ObservedProperty:
        """Return the observed property. Must only be called for layers that have one."""
        assert self.layer.observed_property is not None
        return self.layer.observed_property

    def resolve(self, predicate: Predicate) -> Predicate:
        """Replace names of clients by columns, and give comparisons the type of the column.

        See docs/mapserver-sos.md, "result".

        A name is an alias, else a column, else the observed property's id or URN. Raises UnknownName.
        """
        return self._type(self._resolve_names(predicate))

    def _resolve_names(self, predicate: Predicate) -> Predicate:
        if isinstance(predicate, And | Or):
            return type(predicate)(tuple(self._resolve_names(operand) for operand in predicate.operands))
        if isinstance(predicate, Not):
            return Not(self._resolve_names(predicate.operand))
        if isinstance(predicate, OneOf) and predicate.name == FEATURE_ID:
            column = self.feature_id_column
            return replace(predicate, name=column.name) if column else NOTHING
        return rename(predicate, self._resolve_name)

    def _resolve_name(self, name: str) -> str:
        wanted = name.casefold()
        for alias, column in self.output_columns:
            if alias.casefold() == wanted:
                return column.name
        if (own := self.find_column(name)) is not None:
            return own.name
        observed = self.layer.observed_property
        if observed is not None:
            names = (observed.id.casefold(), write_property_uri(observed).casefold())
            if wanted in names and (value := self.value_column):
                return value.name
            for urn, column in zip(self.components, self.columns, strict=True):
                if urn.casefold() == wanted:
                    return column.name
        raise UnknownName(name)

    def _type(self, predicate: Predicate) -> Predicate:
        if isinstance(predicate, And | Or):
            return type(predicate)(tuple(self._type(operand) for operand in predicate.operands))
        if isinstance(predicate, Not):
            return Not(self._type(predicate.operand))
        if isinstance(predicate, Compare):
            return replace(predicate, kind=self._kind(predicate.name, predicate.literal))
        if isinstance(predicate, Between):
            return replace(predicate, kind=self._kind(predicate.name, predicate.low, predicate.high))
        return predicate

    def _kind(self, name: str, *literals: str) -> ValueKind | None:
        column = self.find_column(name)
        assert column is not None
        stated = self.field(column).kind
        if stated is None and column.kind in (ColumnKind.DATE, ColumnKind.DATETIME):
            return "time" if all(_is_time(literal) for literal in literals) else None
        return stated


def read_meaning(layer: ObservationLayer) -> LayerMeaning:
    """Return a layer with its columns. Raises ServiceError if the data cannot be read (D-33)."""
    return LayerMeaning(layer, list_columns(layer.source))


def write_property_uri(observed: ObservedProperty) -> str:
    """Return the URI of an observed property: its id if that is a URI, else a URN of authority, version and id."""
    if observed.id.lower().startswith(_URI_BEGINNINGS):
        return encode_uri(observed.id)
    parts = (observed.authority, observed.version, observed.id)
    return f"urn:ogc:def:property:{':'.join(map(encode_id, parts))}"


def list_spellings(procedure: str) -> set[str]:
    """Return the case-folded ids that a client's name of a procedure may mean: with and without URN and escapes."""
    from urllib.parse import unquote

    bare = strip_procedure(procedure)
    return {name.casefold() for name in (procedure, bare, unquote(bare))}


def _is_time(literal: str) -> bool:
    try:
        parse_time(literal)
    except ValueError:
        return False
    return True
