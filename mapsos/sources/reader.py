"""The protocol of readers, each of which is one handle on the data of a layer, and the plan of a reading."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol

from mapsos.sources.filtering.sql import Dialect
from mapsos.sources.query import BATCH_ROWS
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import SourceColumn
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Narrowing:
    """A condition and rectangle pushed down to the driver, so that it delivers fewer rows: wider than the predicate.

    ``condition`` is SQL of the driver's dialect built of typed constants, empty without one; ``rectangle`` is minx miny
    maxx maxy in the CRS of the layer.
    """

    condition: str = ""
    rectangle: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class ReadPlan:
    """The columns and rows that a reader must deliver.

    Attributes
    ----------
    columns
        Names of columns, spelled as the source does.
    geometry
        Whether to deliver geometries.
    narrowing
        Which rows may be left out, None for none.
    batch_rows
        Maximum number of rows at a time.
    first_rows
        How many rows will be used at all, None if unknown.
    most_rows
        How many rows of those that satisfy the predicate will be used at most, None for all: the first batch need not
        have more.
    ordered
        Whether equal plans must deliver their rows in the same order.
    """

    columns: tuple[str, ...]
    geometry: bool
    narrowing: Narrowing | None = None
    batch_rows: int = BATCH_ROWS
    first_rows: int | None = None
    most_rows: int | None = None
    ordered: bool = False


class Reader(Protocol):
    """One handle on the data of a layer: for one reading at a time, in one thread at a time."""

    @property
    def source(self) -> LayerSource:
        """The source that was opened."""

    @property
    def columns(self) -> Mapping[str, SourceColumn]:
        """The columns by name, in the source's order and spelling."""

    @property
    def has_geometry(self) -> bool:
        """Whether rows can have geometries."""

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver the rows of the plan in the source's order. Closing the generator ends the reading."""

    def condition_dialect(self, name: str) -> Dialect | None:
        """Return the dialect in which conditions on a column can be pushed down, None if they cannot."""

    def index_keys(self) -> Sequence[tuple[str, ...]]:
        """Return the first two columns (or the only one) of each index over all rows; empty where that is unknown.

        A column that the index does not hold in the order of bytes is an empty string.
        """

    def finds_few(self, condition: str) -> bool:
        """Return whether SQL on the columns of one index of `index_keys` selects few rows, as far as it matters.

        Few are so many that to look each of them up takes less time than to read all.
        """

    def is_fresh(self) -> bool:
        """Return whether the handle shows the data as they are now, so that it can be used again without reopening.

        Called when a reader is returned to the pool and again before its next use (`mapsos.sources.pool`): it must be
        cheap, and return False whenever that is not certain.
        """

    def adopt(self, source: LayerSource) -> bool:
        """Serve another layer of the same data from now on, and return True; False, without effect, if that differs.

        Called while no reading uses the reader.
        """

    def close(self) -> None:
        """Close every file and connection."""
