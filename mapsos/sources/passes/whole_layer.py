"""Facts about a whole layer: distinct values, extents, bounds of time. One pass over Arrow columns each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.geometries import is_finite, reproject
from mapsos.sources.filtering.row_times import times_of
from mapsos.sources.rows import Rows
from mapsos.terms.crs import Crs
from mapsos.terms.times import Interval

PASS_ROWS = 65_536
"""Rows of a batch in a pass that stores no rows."""


def distinct_texts(passing: Iterable[Rows], column: str) -> tuple[str, ...]:
    """Return the distinct value texts in order of first appearance, '' for NULL."""
    found: dict[str, None] = {}
    for rows in passing:
        found |= dict.fromkeys(_filled(rows.texts(column)).unique().to_pylist())
    return tuple(found)


def extent_of(
    passing: Iterable[Rows], from_crs: Crs | None, to_crs: Crs | None
) -> tuple[float, float, float, float] | None:
    """Return minx miny maxx maxy of the geometries in ``to_crs``, None without any."""
    least = np.array([np.inf, np.inf])
    most = -least
    for rows in passing:
        geometry = rows.geometry
        if geometry is None:
            continue
        if from_crs is not None and to_crs is not None:
            geometry = reproject(geometry, from_crs, to_crs)
        bounds = geometry.bounds()
        bounds = bounds[is_finite(bounds)]
        if len(bounds):
            least = np.minimum(least, bounds[:, :2].min(axis=0))
            most = np.maximum(most, bounds[:, 2:].max(axis=0))
    if not np.isfinite(least).all():
        return None
    return float(least[0]), float(least[1]), float(most[0]), float(most[1])


def bounds_of_time(passing: Iterable[Rows], column: str) -> Interval | None:
    """Return the interval from the first begin to the last end of the column's times, None without any."""
    found: Interval | None = None
    for rows in passing:
        begin, end, valid = times_of(rows, column)
        if not valid.any():
            continue
        first, last = int(begin[valid].min()), int(end[valid].max())
        found = Interval(first, last) if found is None else Interval(min(first, found.begin), max(last, found.end))
    return found


def extremes_of_time(passing: Iterable[Rows], column: str, group: str | None, newest: bool) -> dict[str, Interval]:
    """Return the newest (or oldest) time of each group by begin; of equal begins the longest (or shortest)."""
    found: dict[str, Interval] = {}
    for rows in passing:
        begin, end, valid = times_of(rows, column)
        codes, keys = group_codes(rows, group)
        codes, begin, end = codes[valid], begin[valid], end[valid]
        if len(codes) == 0:
            continue
        order = np.lexsort((end, begin, codes))
        sorted_codes = codes[order]
        edges = np.flatnonzero(np.diff(sorted_codes))
        chosen = order[np.append(edges, len(order) - 1) if newest else np.insert(edges + 1, 0, 0)]
        for code, first, last in zip(codes[chosen].tolist(), begin[chosen].tolist(), end[chosen].tolist(), strict=True):
            interval = Interval(first, last)
            known = found.setdefault(keys[code], interval)
            found[keys[code]] = max(known, interval) if newest else min(known, interval)
    return found


def group_codes(rows: Rows, group: str | None) -> tuple[np.ndarray, list[str]]:
    """Return the index (int64) of each row's value text, and the texts by index; one empty text without a column."""
    if group is None:
        return np.zeros(rows.count, dtype=np.int64), [""]
    encoded = _filled(rows.texts(group)).dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()


def _filled(texts: pa.Array) -> pa.Array:
    return pc.fill_null(texts, "")
