"""The currency of the house: a batch of rows as Arrow columns, made by sources/ and spent by encodings/."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

    from mapsos.columns.geometries import GeometryColumn

T = TypeVar("T")


class ColumnKind(enum.Enum):
    """What a column holds; decides its Arrow type in `Batch.values`."""

    TEXT = "text"  # large_string
    INTEGER = "integer"  # int64
    REAL = "real"  # float64
    BOOLEAN = "boolean"  # bool
    DATE = "date"  # date32
    TIME = "time"  # time64[us]
    DATETIME = "datetime"  # timestamp[us, UTC]; an unknown zone is taken for UTC
    LIST = "list"  # large_string, as (n:a,b)
    BINARY = "binary"  # large_binary


@dataclass(frozen=True)
class Column:
    """A column of a data source: its name as the source spells it and its kind."""

    name: str
    kind: ColumnKind


class Batch:
    """Some rows of one layer, all columns of the same length.

    Parameters
    ----------
    rows
        Number of rows.
    values
        Arrow arrays by column name, typed as `ColumnKind` says; None in them is NULL.
    texts
        Arrow large_string arrays by column name: the value text of each row (docs/mapserver-sos.md, "Value text":
        ``%.15g`` numbers, raw DBF text, date-times with their zone), None where that is an empty value. A column
        may be here, in ``values``, or in both: sources/ fills in what the query asked for.
    times
        Arrow arrays of timestamp[us, UTC] by column name: when the time in each row begins, null where a value is no
        time. A number or a text may be a time too.
    geometry
        The geometries if they were asked for, in the CRS that was asked for.
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
        """The part of it from row ``start`` (0-based) on, at most ``rows`` rows; nothing is copied."""
        return Batch(
            max(0, min(rows, self.rows - start)),
            {name: array.slice(start, rows) for name, array in self.values.items()},
            {name: array.slice(start, rows) for name, array in self.texts.items()},
            None if self.geometry is None else self.geometry.slice(start, rows),
            {name: array.slice(start, rows) for name, array in self.times.items()},
        )


class MappedBatches(ABC):
    """Batches, to be used once, that are read ahead by a thread, which can make something else of each at once."""

    @abstractmethod
    def map(self, make: Callable[[Batch], T]) -> Iterator[T]:
        """What ``make``, in that thread, makes of each batch."""

    def __iter__(self) -> Iterator[Batch]:
        return self.map(lambda batch: batch)


def map_batches(batches: Iterable[Batch], make: Callable[[Batch], T]) -> Iterator[T]:
    """What ``make`` makes of each batch, in the thread that reads them ahead if there is one."""
    return batches.map(make) if isinstance(batches, MappedBatches) else map(make, batches)
