"""Parse whole columns of ISO 8601 times: the common forms by numpy on the bytes of the column, others one by one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.texts import utf8_texts
from mapsos.columns.written_times import EPOCH_DIGITS, MILLISECONDS, NO_EPOCH, REWRITINGS, parse_value
from mapsos.terms.times import DAY, EARLIEST, EPOCH, HOUR, LATEST, MINUTE, SECOND

Times = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Begin and end (int64 microseconds since 1970-01-01T00Z, end exclusive) of each row; whether it has a time (bool)."""


def parse_texts(texts: pa.Array | pa.ChunkedArray) -> Times:
    """Parse a column of strings as times.

    A string of day precision or finer is the instant at its start (end = begin + 1); a year, month or week is the whole
    of it. All forms of `mapsos.terms.times.parse_time` are read, except ``now``, and also those of OGR drivers
    (``2001/10/30 14:24:55+02``) and of `mapsos.columns.written_times`. Costs a fraction of a microsecond for a date, or
    a date and time, in the usual extended forms, and some microseconds for each distinct string in another form.

    Returns
    -------
    Times
        False, with begin and end 0, for null and for a string that is not a time.
    """
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if isinstance(column, pa.DictionaryArray):
        return _spread(parse_texts(column.dictionary), column.indices)
    column = column.cast(pa.large_binary())
    begin, done = read_common_forms(column)
    end = begin + done
    known = np.asarray(column.is_valid().to_numpy(zero_copy_only=False))
    valid = done & known
    rest = np.flatnonzero(known & ~done)
    if len(rest):
        others = column.take(pa.array(rest)).dictionary_encode()
        indices = others.indices.to_numpy()
        begin[rest], end[rest], valid[rest] = (part[indices] for part in _read_others(others.dictionary))
    begin[~valid] = 0
    end[~valid] = 0
    return begin, end, valid


def _read_others(column: pa.LargeBinaryArray) -> Times:
    """Read strings in any form."""
    begin, end = np.zeros(len(column), np.int64), np.zeros(len(column), np.int64)
    valid = np.zeros(len(column), np.bool_)
    known = pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False) < 64
    texts = pc.ascii_trim_whitespace(utf8_texts(column))
    epoch = pc.and_not(pc.match_substring_regex(texts, EPOCH_DIGITS), pc.match_substring_regex(texts, NO_EPOCH))
    whole = pc.and_(epoch, pc.invert(pc.match_substring(texts, ".")))
    digits = pc.if_else(whole, texts, "0").cast(pa.int64()).to_numpy()
    numbers = whole.to_numpy(zero_copy_only=False)
    begin[numbers] = (digits * np.where(digits >= MILLISECONDS, 1000, SECOND))[numbers]
    end[numbers] = begin[numbers] + 1
    valid |= numbers
    written = texts
    for pattern, replacement in REWRITINGS:
        written = pc.replace_substring_regex(written, pattern, replacement)
    common, done = read_common_forms(written.cast(pa.large_binary()))
    done &= known & ~epoch.to_numpy(zero_copy_only=False)
    begin[done], end[done], valid[done] = common[done], common[done] + 1, True
    for row in np.flatnonzero(~done & ~numbers):
        if (interval := parse_value(texts[row].as_py())) is not None:
            begin[row], end[row], valid[row] = interval.begin, interval.end, True
    return begin, end, valid


def _spread(parsed: Times, indices: pa.Array) -> Times:
    begin, end, valid = parsed
    known = indices.is_valid().to_numpy(zero_copy_only=False)
    if not len(begin):
        return np.zeros(len(known), np.int64), np.zeros(len(known), np.int64), np.zeros(len(known), np.bool_)
    rows = indices.fill_null(0).to_numpy(zero_copy_only=False)
    return begin[rows] * known, end[rows] * known, valid[rows] & known


def read_common_forms(column: pa.LargeBinaryArray) -> tuple[np.ndarray, np.ndarray]:
    """Read the values that are ``YYYY-MM-DD[(T| )HH:MM:SS[.f][zone]]``, or the same with ``/`` in the date.

    Costs about 30 ns a value where Arrow can read them all, in UTC or without a zone, else ten times that.

    Returns
    -------
    tuple
        The begin of each (int64 microseconds since 1970-01-01T00Z, UTC without a zone); and which values have that form
        and exist (bool). The begin of any other value is undefined.
    """
    if (quick := _read_alike(column)) is not None:
        return quick
    offsets = np.frombuffer(column.buffers()[1], np.int64, len(column) + 1, column.offset * 8)
    length = np.diff(offsets)
    # A slice shares the bytes of its whole column; only its own are copied, and padded, so that the fixed positions of
    # a short last value are still inside.
    start, stop = int(offsets[0]), int(offsets[-1])
    first = offsets[:-1] - start
    padded = np.zeros(stop - start + 64, np.uint8)
    if stop > start:
        padded[: stop - start] = np.frombuffer(column.buffers()[2], np.uint8, stop - start, start)

    def byte(position: int | np.ndarray) -> np.ndarray:
        found: np.ndarray = padded[np.minimum(first + position, len(padded) - 1)]
        return found

    good = (length == 10) | (length >= 19)

    def number(position: int | np.ndarray, digits: int, where: np.ndarray | None = None) -> np.ndarray:
        nonlocal good
        value = np.zeros(len(first), np.int32)
        for index in range(digits):
            digit = byte(position + index) - np.uint8(48)
            good = good & ((digit <= 9) if where is None else (digit <= 9) | ~where)
            value = value * 10 + digit
        return value if where is None else np.where(where, value, 0)

    dash = byte(4)
    good = good & ((dash == ord("-")) | (dash == ord("/"))) & (byte(7) == dash)
    year, month, day = number(0, 4), number(5, 2), number(8, 2)
    good = good & (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    days, month_length = _days_of_months(year, np.clip(month, 1, 12))
    good = good & (day <= month_length)
    begin = (days + day - 1) * DAY
    timed = length >= 19
    if timed.any():
        separator = byte(10)
        clocked = ((separator == ord("T")) | (separator == ord(" "))) & (byte(13) == ord(":")) & (byte(16) == ord(":"))
        good = good & (~timed | clocked)
        hour, minute, second = number(11, 2, timed), number(14, 2, timed), number(17, 2, timed)
        good = good & (hour <= 23) & (minute <= 59) & (second <= 59)
        begin = begin + hour * np.int64(HOUR) + minute * np.int64(MINUTE) + second * np.int64(SECOND)
        position = np.where(timed, np.int64(19), length)
        fractional = timed & (length > 19) & ((byte(19) == ord(".")) | (byte(19) == ord(",")))
        if fractional.any():
            position = position + fractional
            unit, running = SECOND // 10, fractional
            for _ in range(9):
                digit = byte(position) - np.uint8(48)
                running = running & (digit <= 9) & (position < length)
                begin = begin + np.where(running, digit * np.int64(unit), 0)
                position = position + running
                unit //= 10
            good = good & (~fractional | (position > 20))
        left = length - position
        zulu = (left == 1) & (byte(position) == ord("Z"))
        shifted = (left == 3) | (left == 5) | (left == 6)
        if shifted.any():
            sign = byte(position)
            # A space for a lost plus is left to the slow way: too rare here.
            good = good & (~shifted | (sign == ord("+")) | (sign == ord("-")))
            hours = number(position + 1, 2, shifted)
            colon = (left == 6) & (byte(position + 3) == ord(":"))
            minutes = number(np.where(colon, position + 4, position + 3), 2, shifted & (left > 3))
            good = good & ((left != 6) | colon) & (minutes <= 59) & (hours * 60 + minutes <= 14 * 60)
            offset = hours * np.int64(HOUR) + minutes * np.int64(MINUTE)
            begin = begin - np.where(sign == ord("-"), -offset, offset)
        good = good & ((left == 0) | zulu | shifted)
    return begin, good & (begin >= EARLIEST) & (begin < LATEST)


def _read_alike(column: pa.LargeBinaryArray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the same for a column whose times all end with ``Z``, or all have no zone, as the first; else None."""
    first = column[0].as_py() if len(column) else None
    if first is None or len(first) < 10:
        return None
    texts = column.view(pa.large_string())
    in_utc = first.endswith(b"Z")
    # Of other zones Arrow's parser accepts some that do not exist.
    if in_utc and not pc.all(pc.ends_with(texts, "Z")).as_py():
        return None
    try:
        instants = texts.cast(pa.timestamp("us", "UTC" if in_utc else None))
    except pa.ArrowInvalid:
        return None
    begin: np.ndarray = pc.fill_null(instants.cast(pa.int64()), 0).to_numpy(zero_copy_only=False, writable=True)
    if int(begin.min()) < EARLIEST or int(begin.max()) >= LATEST:
        return None
    return begin, instants.is_valid().to_numpy(zero_copy_only=False)


def _days_of_months(year: np.ndarray, month: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return days from 1970-01-01 to the first of each month (int64), and the month's length."""
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    before = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    past = year.astype(np.int64) - 1
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = past * 365 + past // 4 - past // 100 + past // 400 + 1 - EPOCH
    return days + before[month - 1] + (leap & (month > 2)), lengths[month - 1] + (leap & (month == 2))
