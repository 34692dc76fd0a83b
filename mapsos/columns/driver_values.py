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
    "read_texts",
    "server_arrays",
    "server_numbers",
    "typed_values",
    "written_values",
]

_PLAIN_DAY = r"^[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}$"
_DAY = r"^\s*(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})\s*(?:[ T][0-9].*)?$"

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
        return read_texts(raw, encoding)
    if kind is ColumnKind.INTEGER:
        return _numbers(raw, pa.int64())
    if kind is ColumnKind.REAL:
        return _numbers(raw, pa.float64())
    if kind is ColumnKind.BOOLEAN:
        return raw if pa.types.is_boolean(raw.type) else pc.not_equal(_numbers(raw, pa.int64()), 0)
    if kind is ColumnKind.DATETIME:
        return _instants(iso_datetimes(read_texts(raw, encoding))).cast(pa.timestamp("us", "UTC"))
    if kind is ColumnKind.DATE:
        is_day = pa.types.is_date(raw.type) or pa.types.is_timestamp(raw.type)
        return raw.cast(pa.date32(), safe=False) if is_day else _dates(read_texts(raw, encoding))
    if kind is ColumnKind.TIME:
        return _within_day(raw) if pa.types.is_time(raw.type) else _clock_times(read_texts(raw, encoding))
    if kind is ColumnKind.LIST:
        return read_texts(raw)
    return raw.cast(pa.large_binary()) if _is_bytes(raw) else read_texts(raw).cast(pa.large_binary())


def written_values(raw: pa.Array, kind: ColumnKind, encoding: str | None, decimals: int | None) -> pa.Array:
    """Return the value texts of a column (docs/mapserver-sos.md, "Value text").

    ``decimals`` is the fixed number of decimals of a real number, None for ``%.15g``; the others are as in
    `typed_values`.
    """
    if kind is ColumnKind.DATETIME:
        return value_texts.datetime_texts(read_texts(raw, encoding))
    values = typed_values(raw, kind, encoding)
    if kind is ColumnKind.REAL:
        return value_texts.real_texts(values) if decimals is None else value_texts.fixed_texts(values, decimals)
    return _WRITERS[kind](values) if kind in _WRITERS else values


def server_numbers(raw: pa.Array) -> pa.Array:
    """Return numbers that a server writes, ``NaN`` and ``Infinity`` among them, as float64."""
    return utf8_texts(raw).cast(pa.float64())


def calendar_texts(texts: pa.Array) -> pa.Array:
    """Return date-times of `written_values`, null for those that were not rewritten: their years have other lengths."""
    lengths = pc.binary_length(texts)
    if pc.all(pc.or_(pc.equal(lengths, 19), pc.equal(lengths, 20))).as_py() in (True, None):
        return texts
    rewritten = pc.match_substring_regex(texts, r"^\d{4}-\d\d-\d\dT")
    return pc.if_else(rewritten, texts, pa.scalar(None, pa.large_string()))


def _is_text(raw: pa.Array) -> bool:
    return bool(pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type))


def _is_bytes(raw: pa.Array) -> bool:
    return bool(pa.types.is_binary(raw.type) or pa.types.is_large_binary(raw.type))


def read_texts(raw: pa.Array, encoding: str | None = None) -> pa.Array:
    """Return the strings of a column, whatever its Arrow type: a driver need not deliver the type that it declares."""
    kind = raw.type
    if _is_text(raw) or _is_bytes(raw):
        return utf8_texts(raw, encoding)
    if pa.types.is_timestamp(kind):
        zone = kind.tz or "UTC"
        return value_texts.instant_texts(raw.cast(pa.timestamp("us", zone), safe=False).cast(pa.timestamp("us", "UTC")))
    if pa.types.is_floating(kind):
        return value_texts.real_texts(raw.cast(pa.float64()))
    if pa.types.is_boolean(kind):
        return value_texts.boolean_texts(raw)
    if pa.types.is_time(kind):
        return value_texts.time_texts(raw)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return value_texts.list_texts(raw)
    try:
        return raw.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if value is None else str(value) for value in raw.to_pylist()], pa.large_string())


def _numbers(raw: pa.Array, wanted: Any) -> pa.Array:
    """Return numbers in the wanted type; strings and other values that are not numbers become null."""
    if pa.types.is_integer(raw.type) or pa.types.is_floating(raw.type) or pa.types.is_boolean(raw.type):
        return raw.cast(wanted, safe=False)
    texts = read_texts(raw)
    return parse_integers(texts) if wanted == pa.int64() else parse_numbers(texts)


def _instants(iso: pa.Array) -> pa.Array:
    """Return ISO strings as int64 microseconds since 1970 UTC, null where a string is not a time."""
    begin, _, valid = parse_texts(iso)
    return pa.array(begin, pa.int64(), mask=~valid)


def _dates(texts: pa.Array) -> pa.Array:
    """Return the days that strings begin with, whatever clock and zone follow; null where a string has none."""
    if not pc.all(pc.match_substring_regex(texts, _PLAIN_DAY)).as_py():
        encoded = texts.dictionary_encode()
        parts = pc.extract_regex(encoded.dictionary, _DAY)
        month, day = (pc.utf8_lpad(pc.struct_field(parts, name), 2, "0") for name in ("month", "day"))
        dash = pa.scalar("-", pa.large_string())
        days = pc.binary_join_element_wise(pc.struct_field(parts, "year"), month, day, dash)
        texts = days.take(encoded.indices)
    return _instants(texts).cast(pa.timestamp("us")).cast(pa.date32(), safe=False)


_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$"


def _clock_times(texts: pa.Array) -> pa.Array:
    """Return strings as times of day, null where a string is not one. A zone has no meaning without a day."""
    texts = pc.replace_substring_regex(texts, r"[+-]\d\d(:\d\d)*$", "")
    good = pc.fill_null(pc.match_substring_regex(texts, _CLOCK), False)
    digits = pc.utf8_rpad(pc.if_else(good, texts, "00:00:00"), 15, "0")
    clock: Any = 0
    for start, stop, unit in ((0, 2, 3_600_000_000), (3, 5, 60_000_000), (6, 8, 1_000_000), (9, 15, 1)):
        clock = pc.add(clock, pc.multiply(pc.utf8_slice_codeunits(digits, start, stop).cast(pa.int64()), unit))
    return pc.if_else(good, clock, pa.scalar(None, pa.int64())).cast(pa.time64("us"))


def _within_day(times: pa.Array) -> pa.Array:
    """Return times of day, null for 24 hours: GDAL rounds the last half millisecond of a day up to 24 hours."""
    numbers = times.cast(pa.time64("us")).cast(pa.int64())
    good = pc.and_(pc.greater_equal(numbers, 0), pc.less(numbers, 86_400_000_000))
    return pc.if_else(good, numbers, pa.scalar(None, pa.int64())).cast(pa.time64("us"))
