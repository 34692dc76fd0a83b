"""Columns of a data source: convert the arrays of a driver to typed values and to value texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mapsos.columns.texts import utf8_texts
from mapsos.sources.errors import unreadable
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

    from mapsos.columns.iso_times import Times


class SourceColumn(Protocol):
    """A column and its conversions; ``raw`` is an Arrow array of the driver's own type."""

    @property
    def column(self) -> Column:
        """Name and kind."""

    @property
    def blank_is_text(self) -> bool:
        """Whether a missing string compares as the empty one, because the format cannot distinguish the two."""

    def values(self, raw: pa.Array) -> pa.Array:
        """Return typed values, in the Arrow type of the column's kind."""

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return value texts (docs/mapserver-sos.md, "Value text") as large_string, null where a value is missing."""


def foreign_encoding(source: LayerSource) -> str | None:
    """Return the LAYER's ENCODING if strings must be converted from it. Raises `SourceError` if it is unknown."""
    import codecs

    if not source.encoding:
        return None
    try:
        name = codecs.lookup(source.encoding).name
    except LookupError as error:
        raise unreadable(source, f"unknown ENCODING {source.encoding}") from error
    return None if name in ("utf-8", "ascii") else name


@dataclass(frozen=True)
class TextColumn:
    """A column of strings that are value texts as they are."""

    column: Column
    blank_is_text: bool = False

    def values(self, raw: pa.Array) -> pa.Array:
        """Return the texts."""
        return raw

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return the texts."""
        return raw


@dataclass(frozen=True)
class OgrColumn:
    """A field of an OGR layer.

    ``decimals`` is the field's precision if it has a width, for which OGR writes a fixed number of decimals; None
    otherwise. ``encoding`` is the LAYER's ENCODING unless that is UTF-8.
    """

    column: Column
    decimals: int | None = None
    encoding: str | None = None
    blank_is_text: bool = False

    def values(self, raw: pa.Array) -> pa.Array:
        """Return typed values."""
        from mapsos.columns.driver_values import typed_values

        return typed_values(raw, self.column.kind, self.encoding)

    def iso_texts(self, raw: pa.Array) -> pa.Array:
        """Return date-times as ISO 8601 strings with their fractions and zones."""
        from mapsos.columns.driver_values import iso_datetimes, read_texts

        return iso_datetimes(read_texts(raw, self.encoding))

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return value texts."""
        from mapsos.columns.driver_values import written_values

        return written_values(raw, self.column.kind, self.encoding, self.decimals)


def parse_times(texts: pa.Array) -> Times:
    """Parse a column of strings as times (`mapsos.columns.iso_times.parse_texts`)."""
    from mapsos.columns.driver_values import parse_texts

    return parse_texts(texts)


WRITTEN_NUMBERS = ("numeric", "real")
"""Types of PostgreSQL whose numbers are read as the server writes them, with all their digits."""


@dataclass(frozen=True)
class PostgresqlColumn(OgrColumn):
    """A column with its type as the server declares it (the base type of a domain).

    ``bytewise`` states whether the server orders the strings of the column by their bytes, ``merged`` whether it takes
    different ones for equal (a nondeterministic collation).
    """

    declared: str = ""
    bytewise: bool = False
    merged: bool = False

    def values(self, raw: pa.Array) -> pa.Array:
        """Return typed values; arrays as their value texts."""
        if self.column.kind is ColumnKind.LIST:
            return self.texts(raw)
        if self.column.kind is ColumnKind.REAL and self.declared in WRITTEN_NUMBERS:
            from mapsos.columns.driver_values import server_numbers

            return server_numbers(raw)
        return super().values(raw)

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return value texts; numbers of types numeric and real as the server writes them.

        A date-time that is not in the calendar (infinity, or a year of five digits) is missing, like such a date.
        """
        if self.column.kind is ColumnKind.LIST:
            from mapsos.columns.driver_values import server_arrays

            return server_arrays(utf8_texts(raw, self.encoding), self.declared.removesuffix("[]"))
        if self.column.kind is ColumnKind.DATETIME:
            from mapsos.columns.driver_values import calendar_texts

            return calendar_texts(super().texts(raw))
        return utf8_texts(raw) if self.declared in WRITTEN_NUMBERS else super().texts(raw)
