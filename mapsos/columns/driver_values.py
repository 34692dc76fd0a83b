"""Columns as drivers deliver them, converted to typed values and to value texts."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns import value_texts
from mapsos.columns.iso_times import parse_texts
from mapsos.columns.parse_numbers import parse_integers, parse_numbers
from mapsos.columns.texts import utf8_texts
from mapsos.columns.value_texts import iso_datetimes, server_arrays
from mapsos.terms.columns import ColumnKind

__all__ = [
    "calendar_texts",
    "iso_datetimes",
    "parse_texts",
    "server_arrays",
    "server_numbers",
    "typed_values",
    "written_values",
]

_WRITERS = {
    ColumnKind.INTEGER: value_texts.integer_texts,
    ColumnKind.BOOLEAN: value_texts.boolean_texts,
    ColumnKind.DATE: value_texts.date_texts,
    ColumnKind.TIME: value_texts.time_texts,
    ColumnKind.BINARY: value_texts.binary_texts,
}


def typed_values(raw: pa.Array, kind: ColumnKind, encoding: str | None) -> pa.Array:
    """Return the typed values of a column, in the Arrow type of its kind.

    Parameters
    ----------
    raw
        The column as the driver delivers it: of the type of its kind, or strings.
    kind
        The kind of the column.
    encoding
        Character set of its strings, None for UTF-8.
    """
    if kind is ColumnKind.TEXT:
        return utf8_texts(raw, encoding)
    if kind is ColumnKind.INTEGER:
        return _numbers(raw, pa.int64())
    if kind is ColumnKind.REAL:
        return _numbers(raw, pa.float64())
    if kind is ColumnKind.BOOLEAN:
        return raw if pa.types.is_boolean(raw.type) else pc.not_equal(_numbers(raw, pa.int64()), 0)
    if kind is ColumnKind.DATETIME:
        return _instants(iso_datetimes(utf8_texts(raw, encoding))).cast(pa.timestamp("us", "UTC"))
    if kind is ColumnKind.DATE:
        if _is_text(raw):
            instants = _instants(iso_datetimes(utf8_texts(raw, encoding)))
            return instants.cast(pa.timestamp("us")).cast(pa.date32(), safe=False)
        return raw.cast(pa.date32(), safe=False)
    if kind is ColumnKind.TIME:
        return _clock_times(raw) if _is_text(raw) else raw.cast(pa.time64("us"))
    if kind is ColumnKind.LIST:
        return raw.cast(pa.large_string()) if _is_text(raw) else value_texts.list_texts(raw)
    return raw.cast(pa.large_binary())


def written_values(raw: pa.Array, kind: ColumnKind, encoding: str | None, decimals: int | None) -> pa.Array:
    """Return the value texts of a column (docs/mapserver-sos.md, "Value text").

    ``decimals`` is the fixed number of decimals of a real number, None for ``%.15g``; the others are as in
    `typed_values`.
    """
    if kind is ColumnKind.DATETIME:
        return value_texts.datetime_texts(utf8_texts(raw, encoding))
    values = typed_values(raw, kind, encoding)
    if kind is ColumnKind.REAL:
        return value_texts.real_texts(values) if decimals is None else value_texts.fixed_texts(values, decimals)
    return _WRITERS[kind](values) if kind in _WRITERS else values


def server_numbers(raw: pa.Array) -> pa.Array:
    """Return numbers that a server writes, ``NaN`` and ``Infinity`` among them, as float64."""
    return utf8_texts(raw).cast(pa.float64())


def calendar_texts(texts: pa.Array) -> pa.Array:
    """Return date-times of `written_values`, null for those that were not rewritten: they have another length."""
    lengths = pc.binary_length(texts)
    alike = pc.or_(pc.equal(lengths, 19), pc.equal(lengths, 20))
    if pc.all(alike).as_py() in (True, None):
        return texts
    return pc.if_else(alike, texts, pa.scalar(None, pa.large_string()))


def _is_text(raw: pa.Array) -> bool:
    return bool(pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type))


def _numbers(raw: pa.Array, wanted: Any) -> pa.Array:
    """Return numbers in the wanted type; strings that are not numbers become null."""
    if _is_text(raw):
        return parse_integers(utf8_texts(raw)) if wanted == pa.int64() else parse_numbers(utf8_texts(raw))
    if pa.types.is_null(raw.type):
        return pa.nulls(len(raw), wanted)
    return raw.cast(wanted, safe=False)


def _instants(iso: pa.Array) -> pa.Array:
    """Return ISO strings as int64 microseconds since 1970 UTC, null where a string is not a time."""
    begin, _, valid = parse_texts(iso)
    return pa.array(begin, pa.int64(), mask=~valid)


def _clock_times(raw: pa.Array) -> pa.Array:
    # Without a day a zone has no meaning.
    texts = pc.replace_substring_regex(utf8_texts(raw), r"[+-]\d\d(:\d\d)*$", "")
    good = pc.match_substring_regex(texts, r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$")
    clocks = pc.if_else(good, texts, pa.scalar(None, pa.large_string()))
    # Arrow reads no times of day, only those of a date.
    day, nothing = (pa.scalar(text, pa.large_string()) for text in ("1970-01-01T", ""))
    instants = pc.binary_join_element_wise(day, clocks, nothing)
    return instants.cast(pa.timestamp("us")).cast(pa.int64()).view(pa.time64("us"))
