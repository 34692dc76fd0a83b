"""Columns of any kind as times."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.iso_times import Times, parse_texts
from mapsos.columns.parse_numbers import calendar_days
from mapsos.columns.written_times import MILLISECONDS
from mapsos.sources.rows import Rows
from mapsos.terms.columns import ColumnKind
from mapsos.terms.times import DAY, EARLIEST, LATEST, SECOND


def times_of(rows: Rows, name: str) -> Times:
    """Return the times of a column, which are read once and cached.

    Strings and date-times are read by `mapsos.columns.iso_times.parse_texts`; a date is the instant of its midnight. Of
    numbers, four digits are a year, eight digits that are a calendar date are that day, thirteen digits milliseconds,
    and all others seconds since 1970 UTC. Times of day, booleans, lists, binary values, and anything outside the years
    1 to 9999, are not times.
    """
    if name not in rows.times:
        rows.times[name] = _within_calendar(_read_times(rows, name))
    return rows.times[name]


def find_within(begin: np.ndarray, end: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return whether each time lies within one of the intervals: (rows,) bool. Costs the logarithm of their number."""
    order = np.argsort(begins, kind="stable")
    # Of the intervals that begin early enough, the one that ends last.
    last_end = np.maximum.accumulate(ends[order])
    place = np.searchsorted(begins[order], begin, side="right")
    found: np.ndarray = (place > 0) & (end <= last_end[place - 1])
    return found


def _within_calendar(times: Times) -> Times:
    begin, end, valid = times
    within = (begin >= EARLIEST) & (begin < LATEST)
    if within.all():
        return times
    return np.where(within, begin, 0), np.where(within, end, 0), valid & within


def _read_times(rows: Rows, name: str) -> Times:
    kind = rows.kind(name)
    if kind in (ColumnKind.TEXT, ColumnKind.DATETIME):
        return parse_texts(rows.time_texts(name))
    if kind is ColumnKind.DATE:
        return _dates(rows.values(name))
    if kind in (ColumnKind.INTEGER, ColumnKind.REAL):
        return number_times(rows.values(name))
    nothing = np.zeros(rows.count, dtype=np.int64)
    return nothing, nothing, np.zeros(rows.count, dtype=bool)


def instants_of(rows: Rows, name: str) -> pa.Array:
    """Return the begins of the times of a column as timestamp[us, UTC]; null without a time."""
    begin, _, valid = times_of(rows, name)
    return pa.array(begin, pa.timestamp("us", "UTC"), mask=~valid)


def _dates(dates: pa.Array) -> Times:
    valid = dates.is_valid().to_numpy(zero_copy_only=False)
    days = pc.fill_null(dates.cast(pa.int32()), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return days * DAY, days * DAY + 1, valid


def number_times(numbers: pa.Array) -> Times:
    """Convert numbers (int64 or float64) to times by the rule of `times_of`, except those beyond the calendar."""
    if pc.max(numbers).as_py() is not None and pc.max(numbers).as_py() >= MILLISECONDS:
        return _split_milliseconds(numbers)
    valid = numbers.is_valid().to_numpy(zero_copy_only=False)
    values = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        usable = valid & (np.abs(values) < 1e12)
    values = np.where(usable, values, 0)
    whole = np.floor(values).astype(np.int64)
    integral = whole == values
    begin = np.rint(values * SECOND).astype(np.int64) if values.dtype.kind == "f" else whole * SECOND
    end = begin + 1
    years = integral & (whole >= 1000) & (whole <= 9999)
    if years.any():
        begin = np.where(years, _year_begins(whole), begin)
        end = np.where(years, _year_begins(whole + 1), end)
    days = integral & (whole >= 10_000_000) & (whole <= 99_999_999)
    if days.any():
        midnight, real = calendar_days(np.where(days, whole, 19700101))
        days &= real
        begin = np.where(days, midnight, begin)
        end = np.where(days, midnight + 1, end)
    return begin, end, usable


def _split_milliseconds(numbers: pa.Array) -> Times:
    """Convert numbers of which some are milliseconds."""
    values = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    long = np.nan_to_num((values >= MILLISECONDS) & (values < 10 * MILLISECONDS), nan=0).astype(bool)
    others = pc.if_else(pa.array(values < MILLISECONDS), numbers, pa.scalar(None, numbers.type))
    begin, end, valid = number_times(others)
    begin = np.where(long, (np.where(long, values, 0) * 1000).astype(np.int64), begin)
    return begin, np.where(long, begin + 1, end), valid | long


def _year_begins(years: np.ndarray) -> np.ndarray:
    usual = np.clip(years, 1000, 10_000) - 1970
    begins: np.ndarray = usual.astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64)
    return begins
