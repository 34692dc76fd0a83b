"""Values as text, a whole Arrow column at a time, as MapServer writes them (docs/mapserver-sos.md, "Value text").

Every function takes and gives arrays of the same length; null stays null; texts are large_string.
"""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mapsos.columns.loops import find_text_loops, make_texts
from mapsos.columns.texts import column_bytes, column_offsets

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_POWERS = tuple(10.0**power for power in range(23))
"""The powers of ten that a double holds exactly."""

_WHOLE_POWERS = tuple(10**power for power in range(19))

_LARGEST = 1e10

_LONGEST = 24
"""Bytes that the compiled loop needs for a number."""

_SAMPLE = 512

_SPLITTER = 134217729.0
"""2**27 + 1: halves the 53 bits of a double, for exact products."""


def real_texts(numbers: pa.Array) -> pa.Array:
    """Texts of float64 as C's ``%.15g`` writes them: ``89.9``, ``1e-07``, ``1e+20``, ``-0``, ``nan``.

    Numbers of ordinary size (1e-4 to 1e10) are rounded to 15 digits by exact arithmetic over the whole column, at
    20 to 40 ns a number with the compiled loops and 100 or more without; the rest, if any, one by one, or each once
    where they repeat.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    loops = find_text_loops()
    valid = numbers.is_valid().to_numpy(zero_copy_only=False) if numbers.null_count else None
    values = pc.fill_null(numbers, 0.0).to_numpy(zero_copy_only=False)
    texts = None if loops is None else _write_compiled(loops, values)
    if texts is None:
        if _repeats(numbers):
            encoded = numbers.dictionary_encode()
            if len(encoded.dictionary) * 4 < len(numbers):
                return real_texts(encoded.dictionary).take(encoded.indices)
        texts = _write_mixed(loops, values)
    if valid is not None:
        texts = pc.if_else(pa.array(valid), texts, pa.scalar(None, pa.large_string()))
    return texts


def shortest_texts(numbers: pa.Array) -> pa.Array:
    """The shortest texts of float64 that give the same number back: ``89.9``, ``5``, ``1e-07``, ``nan``, ``inf``."""
    import pyarrow as pa

    if _repeats(numbers):
        encoded = numbers.dictionary_encode()
        if len(encoded.dictionary) * 4 < len(numbers):
            return encoded.dictionary.cast(pa.large_string()).take(encoded.indices)
    return numbers.cast(pa.large_string())


def _repeats(numbers: pa.Array) -> bool:
    """Whether values seem to occur again, by the first of them: a guess that costs time where it is wrong."""
    some = numbers.slice(0, _SAMPLE)
    return len(some) < _SAMPLE or len(some.unique()) * 2 < _SAMPLE


def _write_compiled(loops: ModuleType, values: np.ndarray) -> pa.Array | None:
    """Texts of ``values`` if all are 0 or of a size from 1e-4 to 1e10, else None."""
    import numpy as np

    buffer = np.ascontiguousarray(values).data
    return make_texts(len(values), len(values) * _LONGEST, partial(loops.format_reals, buffer))


def _write_mixed(loops: ModuleType | None, values: np.ndarray) -> pa.Array:
    """Texts of ``values`` of any size."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    size = np.abs(values)
    unusual = ~(((size >= 1e-4) & (size < _LARGEST)) | (values == 0.0))
    usual_values = np.where(unusual, 0.0, values)
    texts = None if loops is None else _write_compiled(loops, usual_values)
    if texts is None:
        texts = _write_15_digits(usual_values, np.abs(usual_values))
    if not unusual.any():
        return texts
    return pc.replace_with_mask(texts, pa.array(unusual), _write_one_by_one(values[unusual]))


def _write_one_by_one(values: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(map("%.15g".__mod__, values.tolist())), pa.large_string())


def _write_15_digits(values: np.ndarray, size: np.ndarray) -> pa.Array:
    """Texts of ``values``, 0 or of a ``size`` from 1e-4 to 1e10, by their 15 significant digits without final zeros."""
    import numpy as np

    from mapsos.columns.digit_words import count_groups, fill_fraction, fill_whole, to_texts

    digits, decimals = _round_to_15_digits(size)
    scale = np.array(_POWERS)[decimals]
    # No number of 15 digits that is not whole lies so close to a whole one that their doubles are the same.
    whole = np.floor(digits / scale)
    rest = (digits - whole * scale).astype(np.int64)
    most = int(decimals[rest != 0].max(initial=0))
    after = (most + 2) // 3
    fraction = rest * np.array(_WHOLE_POWERS)[np.maximum(3 * after - decimals, 0)]
    before = count_groups(int(whole.max(initial=0)))
    words = np.empty((len(values), before + after), np.uint32)
    fill_whole(words[:, :before], whole.astype(np.int64), np.signbit(values), before)
    fill_fraction(words[:, before:], fraction)
    return to_texts(words)


def _round_to_15_digits(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 15 significant digits nearest to numbers, ties to even, as whole doubles; and how many are decimals (int64).

    For 0 and numbers from 1e-4 to 1e10. The product with a power of ten is exact, as a sum of two doubles, so that
    halves are seen as halves.
    """
    import numpy as np

    powers = np.array(_POWERS)
    exponent = np.searchsorted(powers[:15], size, side="right")
    for bound in (0.1, 0.01, 0.001):
        exponent -= size < bound
    decimals = 15 - exponent
    scale = powers[decimals]
    high = size * scale
    low = _product_error(size, scale, high)
    whole = np.rint(high)
    rest = (high - whole) + low
    whole += np.where(rest > 0.5, 1.0, 0.0) - np.where(rest < -0.5, 1.0, 0.0)
    tie = np.abs(rest) == 0.5
    if tie.any():
        whole[tie] = 2.0 * np.rint((whole[tie] + rest[tie]) / 2.0)
    return whole, decimals


def _product_error(a: np.ndarray, b: np.ndarray, product: np.ndarray) -> np.ndarray:
    """What rounding took from ``a * b``, exactly (Dekker's product)."""
    wide = a * _SPLITTER
    a_high = wide - (wide - a)
    a_low = a - a_high
    wide = b * _SPLITTER
    b_high = wide - (wide - b)
    b_low = b - b_high
    error: np.ndarray = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return error


def typed_texts(values: pa.Array) -> pa.Array:
    """The texts of a column by its Arrow type, where no source has said what they are: numbers as `real_texts`."""
    import pyarrow as pa

    if pa.types.is_floating(values.type):
        return real_texts(values)
    if pa.types.is_boolean(values.type):
        return boolean_texts(values)
    if pa.types.is_timestamp(values.type):
        return instant_texts(values)
    if pa.types.is_time(values.type):
        return time_texts(values)
    if pa.types.is_large_binary(values.type):
        return binary_texts(values)
    return values.cast(pa.large_string())


def fixed_texts(numbers: pa.Array, decimals: int) -> pa.Array:
    """Texts of float64 with a fixed number of decimals, as sources whose columns have a width are written."""
    import pyarrow as pa

    return _map(numbers, f"%.{decimals}f".__mod__, pa.large_string())


def integer_texts(numbers: pa.Array) -> pa.Array:
    """Decimal texts of integers."""
    import pyarrow as pa

    return numbers.cast(pa.large_string())


def boolean_texts(flags: pa.Array) -> pa.Array:
    """``1`` and ``0``."""
    import pyarrow as pa

    return flags.cast(pa.int8()).cast(pa.large_string())


def date_texts(dates: pa.Array) -> pa.Array:
    """``YYYY-MM-DD`` of date32."""
    import pyarrow as pa

    return dates.cast(pa.large_string())


def instant_texts(instants: pa.Array) -> pa.Array:
    """``2001-10-30T14:24:55Z`` of timestamp[us, UTC], with a fraction where there is one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if instants.null_count:
        texts = instant_texts(pc.fill_null(instants, pa.scalar(0, instants.type)))
        return pc.if_else(instants.is_valid(), texts, pa.scalar(None, pa.large_string()))
    plain = instants.cast(pa.int64()).to_numpy(zero_copy_only=False)
    whole = not (plain % 1_000_000).any()
    texts = pa.array(plain // 1_000_000 if whole else plain).cast(pa.timestamp("s" if whole else "us"))
    characters = fixed_width(texts.cast(pa.large_string()))
    if characters is None:
        return pa.array([], pa.large_string())
    iso = np.empty((len(characters), characters.shape[1] + 1), np.uint8)
    iso[:, :-1] = characters
    iso[:, 10] = ord("T")
    iso[:, -1] = ord("Z")
    written = from_fixed_width(iso)
    return written if whole else pc.replace_substring_regex(written, r"\.?0*Z$", "Z")


def time_texts(times: pa.Array) -> pa.Array:
    """``HH:MM:SS`` of time32 or time64; fractions are cut."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.utf8_slice_codeunits(times.cast(pa.large_string()), 0, 8)


def binary_texts(values: pa.Array) -> pa.Array:
    """Upper case hexadecimal digits."""
    import pyarrow as pa

    return _map(values, lambda value: value.hex().upper(), pa.large_string())


def list_texts(lists: pa.Array) -> pa.Array:
    """``(n:a,b)`` of lists of texts, integers or doubles (``%.16g``)."""
    import pyarrow as pa

    kind = lists.type.value_type
    write: Any = "%.16g".__mod__ if pa.types.is_floating(kind) else str
    if pa.types.is_boolean(kind):
        write = lambda flag: str(int(flag))  # noqa: E731
    return _map(lists, lambda items: f"({len(items)}:{','.join(map(write, items))})", pa.large_string())


def _map(column: pa.Array, write: Any, wanted: pa.DataType) -> pa.Array:
    """One by one, at the speed of ``map``: for what has no vectorised form."""
    import pyarrow as pa

    if column.null_count:
        return pa.array([None if value is None else write(value) for value in column.to_pylist()], wanted)
    return pa.array(list(map(write, column.to_pylist())), wanted)


def fixed_width(texts: pa.Array) -> np.ndarray | None:
    """The bytes of a column of large_string as an array (rows, width) of uint8, None unless all are equally long.

    A view, not a copy. Null is not allowed.
    """
    import numpy as np

    rows = len(texts)
    if rows == 0 or texts.null_count:
        return None
    offsets = column_offsets(texts)
    width = int(offsets[1] - offsets[0])
    if width == 0 or not (np.diff(offsets) == width).all():
        return None
    return column_bytes(texts).reshape(rows, width)


def from_fixed_width(characters: np.ndarray) -> pa.Array:
    """A column of large_string out of an array (rows, width) of uint8 that holds UTF-8."""
    import numpy as np
    import pyarrow as pa

    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    data = pa.py_buffer(np.ascontiguousarray(characters))
    return pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(offsets), data])


_DRIVER_TIME = r"^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d*)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?$"


def iso_datetimes(texts: pa.Array) -> pa.Array:
    """Date-times of GDAL's drivers (``2001/01/01 00:00:00.5+02``) as ISO 8601 (``2001-01-01T00:00:00.5+02:00``).

    Zone ``+00`` becomes ``Z``; no zone stays none; what is no date-time stays as it is.
    """
    return _rewrite(texts, cut=False)


def datetime_texts(texts: pa.Array) -> pa.Array:
    """Date-times as `iso_datetimes` with fractions of a second cut: ``2001-01-01T00:00:00+02:00``."""
    return _rewrite(texts, cut=True)


def _rewrite(texts: pa.Array, cut: bool) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts.cast(pa.large_string())
    if (quick := _rewrite_utc(texts, cut)) is not None:
        return quick
    encoded = texts.dictionary_encode()
    unique = encoded.dictionary
    known = pc.match_substring_regex(unique, _DRIVER_TIME)
    fraction = "" if cut else r"\6"
    iso = pc.replace_substring_regex(unique, _DRIVER_TIME, rf"\1-\2-\3T\4\5{fraction}|\7")
    parts = pc.replace_substring_regex(iso, r"(T\d\d:\d\d)(\.\d*)?\|", r"\1:00\2|")
    zoned = pc.replace_substring_regex(parts, r"\|[+-](00)(?::?00)?$|\|[Zz]$", "Z")
    zoned = pc.replace_substring_regex(zoned, r"\|([+-]\d\d)$", r"\1:00")
    zoned = pc.replace_substring_regex(zoned, r"\|([+-]\d\d):?(\d\d)$", r"\1:\2")
    zoned = pc.replace_substring_regex(zoned, r"\|$", "")
    return pc.if_else(known, zoned, unique).take(encoded.indices)


def _rewrite_utc(texts: pa.Array, cut: bool) -> pa.Array | None:
    """The usual forms of UTC, all rows alike, by position of their characters; None for anything else."""
    import numpy as np

    characters = fixed_width(texts)
    if characters is None:
        return None
    first = characters[0].tobytes()
    width = len(first)
    ends_z = width in (20, 24) and first[-1:] == b"Z" and first[10:11] == b"T"
    ends_offset = width in (22, 26) and first[-3:] == b"+00" and first[10:11] == b" "
    if not (ends_z or ends_offset):
        return None
    dash, between = (b"-", b"T") if ends_z else (b"-" if first[4:5] == b"-" else b"/", b" ")
    digits = [position for position in range(19) if position not in (4, 7, 10, 13, 16)]
    marks = {4: dash, 7: dash, 10: between, 13: b":", 16: b":"}
    tail = 1 if ends_z else 3
    if width - tail > 19:
        marks[19] = b"."
        digits += range(20, width - tail)
    marks |= {width - tail + index: first[-tail:][index : index + 1] for index in range(tail)}
    block = characters[:, digits]
    if not ((block >= 48) & (block <= 57)).all():
        return None
    if any((characters[:, position] != mark[0]).any() for position, mark in marks.items()):
        return None
    kept = 19 if cut else width - tail
    if ends_z and kept == width - tail:
        return texts
    iso = np.empty((len(characters), kept + 1), np.uint8)
    iso[:, :kept] = characters[:, :kept]
    iso[:, 4] = iso[:, 7] = ord("-")
    iso[:, 10] = ord("T")
    iso[:, kept] = ord("Z")
    return from_fixed_width(iso)
