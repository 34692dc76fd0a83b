"""Facts about the rows that share a value: how many, when, where. One pass over Arrow columns for all groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from mapsos.columns.geometries import is_finite, reproject
from mapsos.sources.facts import GroupFacts
from mapsos.sources.filtering.row_times import times_of
from mapsos.sources.passes.whole_layer import group_codes
from mapsos.sources.rows import Rows
from mapsos.terms.crs import Crs
from mapsos.terms.times import Interval

if TYPE_CHECKING:
    from mapsos.columns.geometries import GeometryColumn


class _Groups:
    """The groups found so far, each with an index, and arrays by that index."""

    def __init__(self, texts: int) -> None:
        self.numbers: dict[str, int] = {}
        self.rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.begin: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.end: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.least: npt.NDArray[np.float64] = np.zeros((0, 2))
        self.most: npt.NDArray[np.float64] = np.zeros((0, 2))
        self.wkb: dict[int, bytes] = {}
        self.texts: list[dict[int, str]] = [{} for _ in range(texts)]

    def number(self, keys: list[str]) -> npt.NDArray[np.int64]:
        """Return the indices of groups, adding those that are new."""
        numbers = np.array([self.numbers.setdefault(key, len(self.numbers)) for key in keys], np.int64)
        new = len(self.numbers) - len(self.rows)
        if new:
            limits = np.iinfo(np.int64)
            self.rows = np.concatenate([self.rows, np.zeros(new, np.int64)])
            self.begin = np.concatenate([self.begin, np.full(new, limits.max)])
            self.end = np.concatenate([self.end, np.full(new, limits.min)])
            self.least = np.concatenate([self.least, np.full((new, 2), np.inf)])
            self.most = np.concatenate([self.most, np.full((new, 2), -np.inf)])
        return numbers

    def facts(self) -> dict[str, GroupFacts]:
        """Return the facts of each group, in order of first appearance."""
        found = {}
        for key, number in self.numbers.items():
            timed = self.begin[number] <= self.end[number]
            placed = self.least[number][0] <= self.most[number][0]
            found[key] = GroupFacts(
                int(self.rows[number]),
                Interval(int(self.begin[number]), int(self.end[number])) if timed else None,
                tuple(map(float, (*self.least[number], *self.most[number]))) if placed else None,  # type: ignore[arg-type]
                self.wkb.get(number),
                tuple(texts.get(number, "") for texts in self.texts),
            )
        return found


def facts_of_groups(
    passing: Iterable[Rows],
    group: str | None,
    time: str | None,
    texts: tuple[str, ...],
    from_crs: Crs | None,
    to_crs: Crs | None,
) -> dict[str, GroupFacts]:
    """Return the facts by value text of ``group`` ('' for NULL, and for all rows if it is None), bounds in ``to_crs``.

    Memory grows with the groups, not with the rows.
    """
    groups = _Groups(len(texts))
    for rows in passing:
        codes, keys = group_codes(rows, group)
        numbers = groups.number(keys)[codes]
        np.add.at(groups.rows, numbers, 1)
        if time is not None:
            begin, end, valid = times_of(rows, time)
            np.minimum.at(groups.begin, numbers[valid], begin[valid])
            np.maximum.at(groups.end, numbers[valid], end[valid])
        if (geometry := rows.geometry) is not None:
            if from_crs is not None and to_crs is not None:
                geometry = reproject(geometry, from_crs, to_crs)
            _add_places(groups, numbers, geometry)
        for column, known in zip(texts, groups.texts, strict=True):
            _add_texts(known, numbers, rows, column)
    return groups.facts()


def _add_places(groups: _Groups, numbers: npt.NDArray[np.int64], geometry: GeometryColumn) -> None:
    bounds = geometry.bounds()
    placed = np.flatnonzero(is_finite(bounds))
    np.minimum.at(groups.least, numbers[placed], bounds[placed, :2])
    np.maximum.at(groups.most, numbers[placed], bounds[placed, 2:])
    for number, first in zip(*np.unique(numbers[placed], return_index=True), strict=True):
        if int(number) not in groups.wkb:
            groups.wkb[int(number)] = geometry.wkb[int(placed[first])].as_py()


def _add_texts(known: dict[int, str], numbers: npt.NDArray[np.int64], rows: Rows, column: str) -> None:
    values = pc.fill_null(rows.texts(column), "")
    filled = np.flatnonzero(pc.greater(pc.binary_length(values), 0).to_numpy(zero_copy_only=False))
    for number, first in zip(*np.unique(numbers[filled], return_index=True), strict=True):
        if int(number) not in known:
            known[int(number)] = values[int(filled[first])].as_py()
