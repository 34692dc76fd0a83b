"""Summarize rows: one for each series and step of time, from batches of Arrow columns.

A series is all rows with the same string in a column, a group those of a series in one step. Each batch is reduced to
one partial row for each group in it, and partial rows are reduced again as they become many, so that memory grows with
the groups of the result and not with the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import Batch
from mapsos.columns.calendar_steps import CalendarSteps, number_values
from mapsos.columns.parse_numbers import parse_numbers

_MOST_PARTIAL = 1 << 18
"""Partial rows that are held before they are reduced again."""

_MOST_STATES = 1 << 22
"""The same of the states in them, of which a row has one for each column and function."""


class TooManyGroups(Exception):
    """The summary has more groups than allowed."""


@dataclass(frozen=True)
class SummaryColumn:
    """A column to summarize: its name in the batches, the functions, and whether its strings are numbers."""

    source: str
    functions: tuple[str, ...]
    numeric_text: bool = False


@dataclass
class Summary:
    """Groups: series (an index), begin and end of each, and for each column the state of its functions.

    ``states`` maps (column number, name) to an array (groups,): ``count``, ``sum``, ``min``, ``max`` are numpy;
    ``first`` and ``last`` are values as Arrow has them, with their times in ``first time`` and ``last time``.
    ``wkb`` is the position of the first row in time, whose times are ``wkb_times``.
    """

    series: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    states: dict[tuple[int, str], np.ndarray | pa.Array] = field(default_factory=dict)
    wkb: pa.Array | None = None
    wkb_times: np.ndarray | None = None


class Summarizer:
    """Reduces batches to one summary.

    Parameters
    ----------
    steps
        The steps of time.
    time
        The column of times; rows without one are left out.
    series_column
        The column whose strings distinguish series, None for a single series.
    columns
        The columns to summarize.
    most_groups
        Maximum number of groups; more raise TooManyGroups.
    """

    def __init__(
        self,
        steps: CalendarSteps,
        time: str,
        series_column: str | None,
        columns: Sequence[SummaryColumn],
        most_groups: int,
    ) -> None:
        self._steps = steps
        self._time = time
        self._series_column = series_column
        self._columns = columns
        self._most_groups = most_groups
        states = sum(1 + len(column.functions) for column in columns)
        self._most_partial = min(_MOST_PARTIAL, _MOST_STATES // max(1, states))
        self._numbers: dict[str | None, int] = {}
        self._partial: list[Summary] = []

    @property
    def series(self) -> tuple[str | None, ...]:
        """The strings of the series by index, after `finish` in the order of their strings."""
        return tuple(self._numbers)

    def take(self, batches: Iterable[Batch]) -> None:
        """Add batches. Raises TooManyGroups."""
        waiting = 0
        for batch in batches:
            partial = self._reduce_batch(batch)
            self._partial.append(partial)
            waiting += len(partial.begins)
            if waiting > self._most_partial + 2 * len(self._partial[0].begins):
                self._partial = [self._merge()]
                waiting = len(self._partial[0].begins)

    def finish(self) -> Summary:
        """Return the summary, ordered by series (by its string) and time, whatever the order of the rows."""
        names = list(self._numbers)
        ranks = {name: rank for rank, name in enumerate(sorted(names, key=lambda name: name or ""))}
        rank_of = np.array([ranks[name] for name in names], np.int64)
        for part in self._partial:
            part.series = rank_of[part.series]
        self._numbers = ranks
        return self._merge()

    def _reduce_batch(self, batch: Batch) -> Summary:
        times = batch.times[self._time]
        series = self._number_series(batch)
        chosen = None
        if times.null_count:
            chosen = times.is_valid()
            times = times.filter(chosen)
            series = series[chosen.to_numpy(zero_copy_only=False)]
        instants = times.cast(pa.int64()).to_numpy(zero_copy_only=False)
        steps, begins, ends = self._steps.group(instants)
        keys, groups = number_values(series * max(1, len(begins)) + steps)
        series_of_group, step_of_group = np.divmod(keys, max(1, len(begins)))
        summary = Summary(series_of_group, begins[step_of_group], ends[step_of_group])
        count = len(keys)
        for number, column in enumerate(self._columns):
            values = batch.values[column.source]
            if column.numeric_text:
                values = parse_numbers(values)
            if chosen is not None:
                values = values.filter(chosen)
            for name, state in _reduce_values(values, column.functions, groups, count, instants).items():
                summary.states[(number, name)] = state
        if batch.geometry is not None:
            wkb = batch.geometry.wkb if chosen is None else batch.geometry.wkb.filter(chosen)
            chosen, summary.wkb_times = _choose_rows("first", instants, np.arange(len(groups)), groups, count)
            summary.wkb = wkb.take(pa.array(chosen))
        return summary

    def _number_series(self, batch: Batch) -> np.ndarray:
        if self._series_column is None:
            self._numbers.setdefault(None, 0)
            return np.zeros(batch.rows, np.int64)

        encoded = pc.fill_null(batch.texts[self._series_column], "").dictionary_encode()
        known = [self._numbers.setdefault(text, len(self._numbers)) for text in encoded.dictionary.to_pylist()]
        rows: np.ndarray = np.array(known, np.int64)[encoded.indices.to_numpy()]
        return rows

    def _merge(self) -> Summary:
        """Reduce all partial rows to one summary, each group once."""
        if not self._partial:
            nothing = np.empty(0, np.int64)
            return Summary(nothing, nothing, nothing)
        parts = self._partial
        begins, steps = np.unique(np.concatenate([part.begins for part in parts]), return_inverse=True)
        series = np.concatenate([part.series for part in parts])
        keys, groups = number_values(series * max(1, len(begins)) + steps)
        count = len(keys)
        if count > self._most_groups:
            raise TooManyGroups(count)
        ends = np.empty(count, np.int64)
        ends[groups] = np.concatenate([part.ends for part in parts])
        series_of_group, step_of_group = np.divmod(keys, max(1, len(begins)))
        summary = Summary(series_of_group, begins[step_of_group], ends)
        for number in range(len(self._columns)):
            states = {
                name: _concatenate([part.states[(number, name)] for part in parts])
                for known, name in parts[0].states
                if known == number
            }
            for name, state in _merge_states(states, groups, count).items():
                summary.states[(number, name)] = state
        if all(part.wkb is not None for part in parts):
            wkb = pa.concat_arrays([part.wkb for part in parts])
            times = np.concatenate([part.wkb_times for part in parts if part.wkb_times is not None])
            chosen, summary.wkb_times = _choose_rows("first", times, np.arange(len(groups)), groups, count)
            summary.wkb = wkb.take(pa.array(chosen))
        return summary


def _concatenate(arrays: list[np.ndarray | pa.Array]) -> np.ndarray | pa.Array:
    return np.concatenate(arrays) if isinstance(arrays[0], np.ndarray) else pa.concat_arrays(arrays)


def _reduce_values(
    values: pa.Array, functions: tuple[str, ...], groups: np.ndarray, count: int, instants: np.ndarray
) -> dict[str, np.ndarray | pa.Array]:
    """Return the state of the functions by group; null and NaN do not count as values."""
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    states: dict[str, np.ndarray | pa.Array] = {}
    there = values.is_valid().to_numpy(zero_copy_only=False) if values.null_count else None
    rows = np.arange(len(values)) if there is None else np.flatnonzero(there)
    members = groups if there is None else groups[rows]
    states["count"] = np.bincount(members, minlength=count)
    if not {"avg", "sum", "min", "max"}.isdisjoint(functions):
        numbers = _numbers(values if there is None else values.drop_null())
        if not {"avg", "sum"}.isdisjoint(functions):
            states["sum"] = _sum(numbers, members, count)
        for name in ("min", "max"):
            if name in functions:
                states[name] = _extreme(numbers, members, count, name)
    for name in ("first", "last"):
        if name in functions:
            chosen, times = _choose_rows(name, instants[rows], rows, members, count)
            states[f"{name} time"] = times
            states[name] = values.take(pa.array(chosen, mask=chosen < 0))
    return states


def _merge_states(
    states: dict[str, np.ndarray | pa.Array], groups: np.ndarray, count: int
) -> dict[str, np.ndarray | pa.Array]:
    merged: dict[str, np.ndarray | pa.Array] = {}
    counts = states["count"]
    merged["count"] = _sum(counts, groups, count)
    rows = np.flatnonzero(counts)
    members = groups[rows]
    if "sum" in states:
        merged["sum"] = _sum(states["sum"], groups, count)
    for name in ("min", "max"):
        if name in states:
            merged[name] = _extreme(states[name][rows], members, count, name)
    for name in ("first", "last"):
        if name in states:
            chosen, times = _choose_rows(name, states[f"{name} time"][rows], rows, members, count)
            merged[f"{name} time"] = times
            merged[name] = states[name].take(pa.array(chosen, mask=chosen < 0))
    return merged


def _numbers(values: pa.Array) -> np.ndarray:
    """Convert values without nulls to numbers that can be summed or compared."""
    if pa.types.is_date32(values.type):
        values = values.cast(pa.int32())
    elif pa.types.is_timestamp(values.type) or pa.types.is_time(values.type):
        values = values.cast(pa.int64())
    found: np.ndarray = values.to_numpy(zero_copy_only=False)
    return found


def _sum(numbers: np.ndarray, members: np.ndarray, count: int) -> np.ndarray:
    if numbers.dtype.kind == "f":
        return np.bincount(members, weights=numbers, minlength=count)
    total = np.zeros(count, np.int64)
    np.add.at(total, members, numbers)
    return total


def _extreme(numbers: np.ndarray, members: np.ndarray, count: int, name: str) -> np.ndarray:
    """Return the least or greatest number of each group; the extreme of the dtype for a group without one."""
    if numbers.dtype.kind == "f":
        low, high = -np.inf, np.inf
    else:
        bounds = np.iinfo(numbers.dtype)
        low, high = bounds.min, bounds.max
    found = np.full(count, high if name == "min" else low, numbers.dtype)
    (np.minimum if name == "min" else np.maximum).at(found, members, numbers)
    return found


def _choose_rows(
    name: str, instants: np.ndarray, rows: np.ndarray, members: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row with the first (or last) instant of each group, -1 without one, and that instant."""
    extreme = _extreme(instants, members, count, "min" if name == "first" else "max")
    at = instants == extreme[members]
    if name == "first":
        return _first_rows(members[at], rows[at], count), extreme
    chosen = np.full(count, -1, np.int64)
    chosen[members[at]] = rows[at]
    return chosen, extreme


def _first_rows(members: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the first of the rows of each group, -1 without one."""
    chosen = np.full(count, -1, np.int64)
    # Of several assignments to one index the last one counts.
    chosen[members[::-1]] = rows[::-1]
    return chosen
