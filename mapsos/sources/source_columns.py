"""Columns of a data source: from what a driver delivers to typed values and to value texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mapsos.columns.batches import Column
from mapsos.columns.texts import utf8_texts
from mapsos.sources.errors import unreadable
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    import pyarrow as pa


class SourceColumn(Protocol):
    """A column that knows how the source delivers it (``raw``: an Arrow array of the driver's own type)."""

    @property
    def column(self) -> Column:
        """Name and kind."""

    @property
    def blank_is_text(self) -> bool:
        """Whether text without a value compares as the empty text, since the format cannot tell the two apart."""

    def values(self, raw: pa.Array) -> pa.Array:
        """Typed values, as `ColumnKind` says."""

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return value texts (docs/mapserver-sos.md, "Value text") as large_string, null where a value is missing."""


def foreign_encoding(source: LayerSource) -> str | None:
    """The LAYER's ENCODING if text must be converted from it. Raises `SourceError` if it is not known."""
    import codecs

    if not source.encoding:
        return None
    try:
        name = codecs.lookup(source.encoding).name
    except LookupError as error:
        raise unreadable(source, f"ENCODING {source.encoding} is not known") from error
    return None if name in ("utf-8", "ascii") else name


@dataclass(frozen=True)
class TextColumn:
    """A column whose texts are all there is to it."""

    column: Column
    blank_is_text: bool = False

    def values(self, raw: pa.Array) -> pa.Array:
        """The texts."""
        return raw

    def texts(self, raw: pa.Array) -> pa.Array:
        """The texts."""
        return raw


@dataclass(frozen=True)
class OgrColumn:
    """A field of an OGR layer.

    ``decimals`` is the field's precision if it has a width, None otherwise: OGR then writes a fixed number of
    decimals. ``encoding`` is the LAYER's ENCODING unless that is UTF-8.
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
        from mapsos.columns.driver_values import iso_datetimes

        return iso_datetimes(utf8_texts(raw, self.encoding))

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return value texts."""
        from mapsos.columns.driver_values import written_values

        return written_values(raw, self.column.kind, self.encoding, self.decimals)


WRITTEN_NUMBERS = ("numeric", "real")
"""Types of PostgreSQL whose numbers are read as the server writes them: with the digits that they have."""


@dataclass(frozen=True)
class PostgresqlColumn(OgrColumn):
    """A column with its type as the server declares it (domains by what they are made of).

    ``bytewise`` says whether it orders the texts of the column by their bytes.
    """

    declared: str = ""
    bytewise: bool = False

    def texts(self, raw: pa.Array) -> pa.Array:
        """Value texts: numbers of types numeric and real with the digits that they have, as the server writes them."""
        return utf8_texts(raw) if self.declared in WRITTEN_NUMBERS else super().texts(raw)
