"""Columns of a data source: from what a driver delivers to typed values and to value texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mapsos.columns.batches import Column, ColumnKind
from mapsos.columns.parse_numbers import parse_integers, parse_numbers
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


def utf8_texts(raw: pa.Array, encoding: str | None = None) -> pa.Array:
    """Text of a driver as large_string that is UTF-8 throughout.

    With an ``encoding`` other than UTF-8 the bytes are read in it. What is not valid becomes U+FFFD.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = raw if raw.type == pa.large_string() else raw.cast(pa.large_binary())
    if encoding is None:
        texts = texts.view(pa.large_string())
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            encoding = "utf-8"
        else:
            return texts
    if encoding != "utf-8" and pc.all(pc.string_is_ascii(texts.view(pa.large_string()))).as_py() is not False:
        return texts.view(pa.large_string())
    encoded = texts.view(pa.large_binary()).dictionary_encode()
    decoded = [value.decode(encoding, "replace") for value in encoded.dictionary.to_pylist()]
    return pa.array(decoded, pa.large_string()).take(encoded.indices)


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
        """Typed values."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from mapsos.columns import value_texts

        kind = self.column.kind
        if kind is ColumnKind.TEXT:
            return utf8_texts(raw, self.encoding)
        if kind is ColumnKind.INTEGER:
            return _numbers(raw, pa.int64())
        if kind is ColumnKind.REAL:
            return _numbers(raw, pa.float64())
        if kind is ColumnKind.BOOLEAN:
            return raw if pa.types.is_boolean(raw.type) else pc.not_equal(_numbers(raw, pa.int64()), 0)
        if kind is ColumnKind.DATETIME:
            return _instants(self.iso_texts(raw)).cast(pa.timestamp("us", "UTC"))
        if kind is ColumnKind.DATE:
            if _is_text(raw):
                return _instants(self.iso_texts(raw)).cast(pa.timestamp("us")).cast(pa.date32(), safe=False)
            return raw.cast(pa.date32(), safe=False)
        if kind is ColumnKind.TIME:
            return _clock_times(raw) if _is_text(raw) else raw.cast(pa.time64("us"))
        if kind is ColumnKind.LIST:
            return raw.cast(pa.large_string()) if _is_text(raw) else value_texts.list_texts(raw)
        return raw.cast(pa.large_binary())

    def iso_texts(self, raw: pa.Array) -> pa.Array:
        """Date-times as ISO 8601 texts with their fractions and zones."""
        from mapsos.columns import value_texts

        return value_texts.iso_datetimes(utf8_texts(raw, self.encoding))

    def texts(self, raw: pa.Array) -> pa.Array:
        """Value texts."""
        from mapsos.columns import value_texts

        kind = self.column.kind
        if kind is ColumnKind.DATETIME:
            return value_texts.datetime_texts(utf8_texts(raw, self.encoding))
        values = self.values(raw)
        if kind is ColumnKind.REAL:
            if self.decimals is None:
                return value_texts.real_texts(values)
            return value_texts.fixed_texts(values, self.decimals)
        writers = {
            ColumnKind.INTEGER: value_texts.integer_texts,
            ColumnKind.BOOLEAN: value_texts.boolean_texts,
            ColumnKind.DATE: value_texts.date_texts,
            ColumnKind.TIME: value_texts.time_texts,
            ColumnKind.BINARY: value_texts.binary_texts,
        }
        return writers[kind](values) if kind in writers else values


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


def _is_text(raw: pa.Array) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type))


def _numbers(raw: pa.Array, wanted: Any) -> pa.Array:
    """Numbers of a driver in the wanted type; from a text source those that are none become null."""
    import pyarrow as pa

    if _is_text(raw):
        return parse_integers(utf8_texts(raw)) if wanted == pa.int64() else parse_numbers(utf8_texts(raw))
    if pa.types.is_null(raw.type):
        return pa.nulls(len(raw), wanted)
    return raw.cast(wanted, safe=False)


def _instants(iso: pa.Array) -> pa.Array:
    """ISO texts as int64 microseconds, null where a text is no time."""
    import pyarrow as pa

    from mapsos.columns.iso_times import parse_texts

    begin, _, valid = parse_texts(iso)
    return pa.array(begin, pa.int64(), mask=~valid)


def _clock_times(raw: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = utf8_texts(raw)
    good = pc.match_substring_regex(texts, r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$")
    return pc.if_else(good, texts, pa.scalar(None, pa.large_string())).cast(pa.time64("us"))
