"""Observations of the REST interface as Python values, for pages and JSON with indents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from math import isfinite
from typing import Any

import pyarrow as pa

from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.esri.observation_columns import ObservationColumns, read_pages
from mapsos.encodings.esri.observation_markup import ObservationMarkup, Page, PageCutter

_FIRST_EXPONENT = 1e10
"""The size from which `shortest_texts` writes an exponent, so that JSON parsers read a float instead of an integer."""


_MOST_BYTES = 16 * 1024 * 1024
"""The document ends with the batch in which its columns exceed this size: as Python values they need ten times that."""


def gather_observations(
    page: Page, layers: Sequence[LayerAnswer[ObservationMarkup]], check: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Return the document that `observation_json.write_observations` writes, as a JSON parser would read it.

    It is shorter than the page, with ``exceededTransferLimit``, if the observations are very large.

    Parameters
    ----------
    check
        Called after each batch; may raise to stop reading.
    """
    cutter = PageCutter(page)
    observations: list[dict[str, Any]] = []
    size, cut = 0, False
    for markup, columns in read_pages(cutter, page.zone, layers):
        if size > _MOST_BYTES:
            cut = True
            break
        size += columns.nbytes
        observations += _gather(markup, columns)
        check()
    document: dict[str, Any] = {"observationData": observations}
    if cutter.exceeded or cut:
        document["exceededTransferLimit"] = True
    return document


def _gather(markup: ObservationMarkup, columns: ObservationColumns) -> list[dict[str, Any]]:
    type, observed_property = markup.type, markup.observed_property
    result_type, uom = markup.result_type, markup.uom
    ids = columns.ids.to_pylist()
    times, procedures = (_list_texts(texts, len(ids)) for texts in (columns.times, columns.procedures))
    return [
        {
            "id": id,
            "type": type,
            "phenomenonTime": time,
            "resultTime": time,
            "observedProperty": observed_property,
            "procedure": procedure,
            "featureOfInterest": procedure,
            "result": {"type": result_type, "uom": uom, "value": value},
        }
        for id, time, procedure, value in zip(ids, times, procedures, _list_values(columns.values), strict=True)
    ]


def _list_texts(texts: pa.Array | str | None, rows: int) -> Iterable[str | None]:
    if not isinstance(texts, pa.Array):
        return repeat(texts, rows)
    # Stations and times recur: one string for all their rows.
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    return [None if index is None else distinct[index] for index in encoded.indices.to_pylist()]


def _list_values(values: pa.Array) -> list[Any]:
    if not pa.types.is_floating(values.type):
        found: list[Any] = values.to_pylist()
        return found
    return [_read_number(value) for value in values.to_pylist()]


def _read_number(value: float | None) -> float | None:
    """Return a number as a JSON parser reads its shortest text; None for NaN and infinities, which JSON lacks."""
    if value is None or not isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _FIRST_EXPONENT else value
