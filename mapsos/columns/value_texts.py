"""Values as text, a whole Arrow column at a time, as MapServer writes them (docs/mapserver-sos.md, "Value text").

Every function takes and returns arrays of the same length; null stays null; strings are large_string.
"""

from __future__ import annotations

import re
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.loops import find_text_loops, make_texts
from mapsos.columns.texts import fixed_width, from_fixed_width
from mapsos.terms.times import EARLIEST, LATEST

_LONGEST = 24
"""Maximum bytes of a number that the compiled loop writes."""

_REAL = "%.15g"

_SAMPLE = 512
"""Numbers that are inspected to decide whether they repeat."""


def real_texts(numbers: pa.Array) -> pa.Array:
    """Write float64 as C's ``%.15g`` does: ``89.9``, ``1e-07``, ``1e+20``, ``-0``, ``nan``.

    The compiled loop writes numbers of ordinary size (1e-4 to 1e10) in 20 to 40 ns each. Others, and all of them in an
    installation without it, are written by Python, once for each distinct number.
    """
    loops = find_text_loops()
    if loops is None:
        return format_distinct(numbers, _REAL)
    texts = _write_compiled(loops, pc.fill_null(numbers, 0.0).to_numpy(zero_copy_only=False))
    if numbers.null_count:
        texts = pc.if_else(numbers.is_valid(), texts, pa.scalar(None, pa.large_string()))
    return texts


def format_distinct(numbers: pa.Array, form: str) -> pa.Array:
    """Write float64 by a ``%`` format of Python, once for each distinct number."""
    # By their bits: 0 and -0 are equal, and have two texts.
    encoded = numbers.view(pa.int64()).dictionary_encode()
    texts = map(form.__mod__, encoded.dictionary.view(pa.float64()).to_pylist())
    return pa.array(texts, pa.large_string()).take(encoded.indices)


def shortest_texts(numbers: pa.Array) -> pa.Array:
    """Return the shortest strings that read back as the same float64: ``89.9``, ``5``, ``1e-07``, ``nan``, ``inf``."""
    if _repeats(numbers):
        encoded = numbers.dictionary_encode()
        if len(encoded.dictionary) * 4 < len(numbers):
            return encoded.dictionary.cast(pa.large_string()).take(encoded.indices)
    return numbers.cast(pa.large_string())


def _repeats(numbers: pa.Array) -> bool:
    """Return whether values seem to repeat, by the first of them: a guess that costs time where it is wrong."""
    some = numbers.slice(0, _SAMPLE)
    return len(some) < _SAMPLE or len(some.unique()) * 2 < _SAMPLE


def _write_compiled(loops: ModuleType, values: np.ndarray) -> pa.Array:
    """Write ``values`` by the compiled loop, unusual ones by Python."""
    texts = _write_usual(loops, values)
    if texts is not None:
        return texts
    size = np.abs(values)
    unusual = ~(((size >= 1e-4) & (size < 1e10)) | (values == 0.0))
    texts = _write_usual(loops, np.where(unusual, 0.0, values))
    return pc.replace_with_mask(texts, pa.array(unusual), format_distinct(pa.array(values[unusual]), _REAL))


def _write_usual(loops: ModuleType, values: np.ndarray) -> pa.Array | None:
    """Write ``values`` if all are 0 or of a magnitude from 1e-4 to 1e10, else return None."""
    buffer = np.ascontiguousarray(values).data
    return make_texts(len(values), len(values) * _LONGEST, partial(loops.format_reals, buffer))


def typed_texts(values: pa.Array) -> pa.Array:
    """Return the strings of a computed column by its Arrow type; numbers as `real_texts` writes them."""
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
    """Write float64 with a fixed number of decimals, as MapServer does for columns with a width."""
    return format_distinct(numbers, f"%.{decimals}f")


def integer_texts(numbers: pa.Array) -> pa.Array:
    """Write integers as decimal strings."""
    return numbers.cast(pa.large_string())


def boolean_texts(flags: pa.Array) -> pa.Array:
    """Write booleans as ``1`` and ``0``."""
    return flags.cast(pa.int8()).cast(pa.large_string())


def date_texts(dates: pa.Array) -> pa.Array:
    """Write date32 as ``YYYY-MM-DD``."""
    return dates.cast(pa.large_string())


def instant_texts(instants: pa.Array) -> pa.Array:
    """Write timestamp[us, UTC] as ``2001-10-30T14:24:55Z``, with a fraction where it has one.

    Null outside the years 1 to 9999, which have texts of this form.
    """
    if instants.null_count:
        texts = instant_texts(pc.fill_null(instants, pa.scalar(0, instants.type)))
        return pc.if_else(instants.is_valid(), texts, pa.scalar(None, pa.large_string()))
    plain = instants.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if len(plain) and (plain.min() < EARLIEST or plain.max() >= LATEST):
        within = pa.array((plain >= EARLIEST) & (plain < LATEST))
        return instant_texts(pc.if_else(within, instants, pa.scalar(None, instants.type)))
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
    return written if whole else _trim_fractions(written)


def time_texts(times: pa.Array) -> pa.Array:
    """Write time32 or time64 as ``HH:MM:SS``; fractions are cut off."""
    return pc.utf8_slice_codeunits(times.cast(pa.large_string()), 0, 8)


def binary_texts(values: pa.Array) -> pa.Array:
    """Write binary values as upper case hexadecimal digits."""
    return _map(values, lambda value: value.hex().upper(), pa.large_string())


def list_texts(lists: pa.Array) -> pa.Array:
    """Write lists of strings, integers, booleans or doubles (``%.16g``) as ``(n:a,b)``; a NULL member is empty."""
    counts = pc.list_value_length(lists)
    # The offsets of the members without those of NULL lists, which may have some, and of rows outside of a slice.
    ends = np.cumsum(pc.fill_null(counts, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
    members = _member_texts(lists.flatten())
    alike = pa.LargeListArray.from_arrays(np.concatenate(([0], ends)), members)
    comma, opener, colon, closer, nothing = (pa.scalar(mark, pa.large_string()) for mark in (",", "(", ":", ")", ""))
    joined = pc.binary_join(alike, comma)
    return pc.binary_join_element_wise(opener, counts.cast(pa.large_string()), colon, joined, closer, nothing)


def _member_texts(members: pa.Array) -> pa.Array:
    if pa.types.is_floating(members.type):
        texts = format_distinct(members.cast(pa.float64()), "%.16g")
    elif pa.types.is_boolean(members.type):
        texts = boolean_texts(members)
    else:
        texts = members.cast(pa.large_string())
    return pc.fill_null(texts, "")


_ARRAY_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', re.S)
_REAL_MEMBERS = ("real", "double precision", "numeric")


def server_arrays(texts: pa.Array, kind: str) -> pa.Array:
    """Rewrite arrays as PostgreSQL writes them (``{1,NULL,3}``) as `list_texts` does: ``(3:1,,3)``.

    ``kind`` is the declared type of the members. Members of nested arrays come one after the other; an array of strings
    without a member is null, as OGR has it.
    """
    write: Any = "%.16g".__mod__ if kind in _REAL_MEMBERS else None
    strings = write is None and kind not in ("smallint", "integer", "bigint", "boolean")

    def write_member(quoted: str, plain: str) -> str:
        if not plain:
            return re.sub(r"\\(.)", r"\1", quoted, flags=re.S)
        if plain == "NULL":
            return ""
        if kind == "boolean":
            return "1" if plain == "t" else "0"
        return plain if write is None else str(write(float(plain)))

    def rewrite(text: str) -> str | None:
        # Before the members there may be their numbers: [2:4]={1,2,3}.
        found = _ARRAY_MEMBER.findall(text[text.index("{") :])
        if strings and not found:
            return None
        return f"({len(found)}:{','.join(write_member(*member) for member in found)})"

    return _map(texts, rewrite, pa.large_string())


def _map(column: pa.Array, write: Any, wanted: pa.DataType) -> pa.Array:
    """Convert values one by one, at the speed of ``map``: where no vectorised form exists."""
    if column.null_count:
        return pa.array([None if value is None else write(value) for value in column.to_pylist()], wanted)
    return pa.array(list(map(write, column.to_pylist())), wanted)


_DRIVER_TIME = r"^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d*)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?$"


def iso_datetimes(texts: pa.Array) -> pa.Array:
    """Rewrite date-times of GDAL (``2001/01/01 00:00:00.5+02``) as ISO 8601 (``2001-01-01T00:00:00.5+02:00``).

    Zone ``+00`` becomes ``Z``; a missing zone stays missing; other strings stay as they are.
    """
    return _rewrite(texts, trim=False)


_FRACTION = r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d*[1-9])?)\.?0*((?:Z|[+-]\d\d:\d\d)?)$"


def datetime_texts(texts: pa.Array) -> pa.Array:
    """Rewrite date-times as `iso_datetimes` does, with a fraction where it is not 0: ``2001-01-01T00:00:00.5Z``.

    MapServer drops fractions, which makes two observations within a second the same.
    """
    return _rewrite(texts, trim=True)


def _rewrite(texts: pa.Array, trim: bool) -> pa.Array:
    texts = texts.cast(pa.large_string())
    if (quick := _rewrite_utc(texts, trim)) is not None:
        return quick
    encoded = texts.dictionary_encode()
    unique = encoded.dictionary
    known = pc.match_substring_regex(unique, _DRIVER_TIME)
    iso = pc.replace_substring_regex(unique, _DRIVER_TIME, r"\1-\2-\3T\4\5\6|\7")
    parts = pc.replace_substring_regex(iso, r"(T\d\d:\d\d)(\.\d*)?\|", r"\1:00\2|")
    zoned = pc.replace_substring_regex(parts, r"\|[+-](00)(?::?00)?$|\|[Zz]$", "Z")
    zoned = pc.replace_substring_regex(zoned, r"\|([+-]\d\d)$", r"\1:00")
    zoned = pc.replace_substring_regex(zoned, r"\|([+-]\d\d):?(\d\d)$", r"\1:\2")
    zoned = pc.replace_substring_regex(zoned, r"\|$", "")
    if trim:
        zoned = pc.replace_substring_regex(zoned, _FRACTION, r"\1\2\3")
    return pc.if_else(known, zoned, unique).take(encoded.indices)


@cache
def _bounds_of_utc(width: int, dash: bytes, between: bytes, tail: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest character at each position of a date-time of UTC: digits, or the same sign."""
    form = b"dddd%bdd%bdd%bdd:dd:dd" % (dash, dash, between)
    fraction = width - len(form) - len(tail)
    form += (b"." + b"d" * (fraction - 1) if fraction else b"") + tail
    characters = np.frombuffer(form, np.uint8)
    is_digit = characters == ord("d")
    return np.where(is_digit, np.uint8(ord("0")), characters), np.where(is_digit, np.uint8(ord("9")), characters)


def _rewrite_utc(texts: pa.Array, trim: bool) -> pa.Array | None:
    """Rewrite the usual forms of UTC, all rows alike, by the position of their characters; None for anything else."""
    characters = fixed_width(texts)
    if characters is None:
        return None
    first = characters[0].tobytes()
    width = len(first)
    ends_z = width in (20, 24) and first[-1:] == b"Z" and first[10:11] == b"T"
    ends_offset = width in (22, 26) and first[-3:] == b"+00" and first[10:11] == b" "
    if not (ends_z or ends_offset):
        return None
    dash = b"-" if ends_z or first[4:5] == b"-" else b"/"
    least, most = _bounds_of_utc(width, dash, first[10:11], first[-1:] if ends_z else first[-3:])
    if not ((characters >= least) & (characters <= most)).all():
        return None
    tail = 1 if ends_z else 3
    kept = width - tail
    # Most drivers write three zeros.
    if trim and kept > 19 and (characters[:, 20:kept] == ord("0")).all():
        kept = 19
    fractional = trim and kept > 19
    if ends_z and kept == width - tail:
        return _trim_fractions(texts) if fractional else texts
    iso = np.empty((len(characters), kept + 1), np.uint8)
    iso[:, :kept] = characters[:, :kept]
    iso[:, 4] = iso[:, 7] = ord("-")
    iso[:, 10] = ord("T")
    iso[:, kept] = ord("Z")
    written = from_fixed_width(iso)
    return _trim_fractions(written) if fractional else written


def _trim_fractions(texts: pa.Array) -> pa.Array:
    """Drop zeros at the end of fractions; all texts have a fraction and end with ``Z``."""
    return pc.replace_substring_regex(texts, r"\.?0*Z$", "Z")
