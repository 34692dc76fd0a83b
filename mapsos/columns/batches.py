"""Batches of rows as Arrow columns: read by sources/, written by encodings/."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from mapsos.terms.columns import Column, ColumnKind

if TYPE_CHECKING:
    import pyarrow as pa

    from mapsos.columns.geometries import GeometryColumn

__all__ = ["Batch", "Column", "ColumnKind", "MappedBatches", "map_batches"]

T = TypeVar("T")


class Batch:
    """Rows of one layer, all columns of the same length.

    Parameters
    ----------
    rows
        Number of rows.
    values
        Arrow arrays by column name, typed by `ColumnKind`; None in them is NULL.
    texts
        Arrow large_string arrays by column name: the value text of each row (docs/mapserver-sos.md, "Value text":
        ``%.15g`` numbers, raw DBF text, date-times with their zone), None for an empty value. A column is here, in
        ``values``, or in both, as the query requests.
    times
        Arrow arrays of timestamp[us, UTC] by column name: the begin of the time in each row, null where a value is not
        a time. A number or a string may be a time too.
    geometry
        The geometries if the query requests them, in the CRS that it requests.
    """

    def __init__(
        self,
        rows: int,
        values: Mapping[str, pa.Array],
        texts: Mapping[str, pa.Array],
        geometry: GeometryColumn | None = None,
        times: Mapping[str, pa.Array] | None = None,
    ) -> None:
        self.rows = rows
        self.values = values
        self.texts = texts
        self.geometry = geometry
        self.times = times or {}

    def slice(self, start: int, rows: int) -> Batch:
        """Return at most ``rows`` rows from row ``start`` (0-based) on, without copying."""
        return Batch(
            max(0, min(rows, self.rows - start)),
            {name: array.slice(start, rows) for name, array in self.values.items()},
            {name: array.slice(start, rows) for name, array in self.texts.items()},
            None if self.geometry is None else self.geometry.slice(start, rows),
            {name: array.slice(start, rows) for name, array in self.times.items()},
        )


class MappedBatches(ABC):
    """Batches that a thread reads ahead, to be iterated once; that thread can also convert each of them."""

    @abstractmethod
    def map(self, make: Callable[[Batch], T]) -> Iterator[T]:
        """Yield the result of ``make`` for each batch; it is called in that thread."""

    def __iter__(self) -> Iterator[Batch]:
        return self.map(lambda batch: batch)


def map_batches(batches: Iterable[Batch], make: Callable[[Batch], T]) -> Iterator[T]:
    """Return the results of ``make`` for the batches; it is called in the thread that reads them ahead, if any."""
    return batches.map(make) if isinstance(batches, MappedBatches) else map(make, batches)
