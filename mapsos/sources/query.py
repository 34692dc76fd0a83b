"""What a layer is asked: the question that sources/ answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, Predicate

if TYPE_CHECKING:
    from mapsos.columns.calendar_steps import CalendarSteps

BATCH_ROWS = 16_384
"""Rows of a batch: fewer cost more calls a row, more cost memory and a later first byte."""

SHAPE_BATCH_ROWS = 4096
"""The same for lines and polygons, each of which may be as long as a hundred points."""


@dataclass(frozen=True)
class StepEnds:
    """The rows that tell the first, or the last, values of each step of time and of each group.

    Attributes
    ----------
    steps
        How time is cut.
    time
        The column of times; of rows with the same time the first read (the last read) counts.
    group
        The column whose value texts make groups, None for one group.
    columns
        Of each of them, the first (last) row with a value, besides the first (last) row at all.
    first, last
        Which of the two are wanted.
    """

    steps: CalendarSteps
    time: str
    group: str | None
    columns: tuple[str, ...]
    first: bool
    last: bool


@dataclass(frozen=True)
class LayerQuery:
    """A question to one layer.

    Attributes
    ----------
    source
        The layer.
    values, texts
        Columns whose typed values, or value texts, each batch shall carry (any case; the batch uses the source's
        spelling). Columns that only the predicate needs are not named here.
    times
        Columns of any kind whose times each batch shall carry.
    predicate
        Which rows, besides the layer's own FILTER. Names in it are columns of the source.
    geometry
        Whether batches carry geometries.
    crs
        The CRS that geometries are wanted in, None for the layer's own.
    limit
        At most so many rows, None for all.
    batch_rows
        Rows of a batch, at most.
    ends
        If it is enough to have the rows that it speaks of: a source that finds them by an index may leave out others.
    """

    source: LayerSource
    values: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    predicate: Predicate = EVERYTHING
    geometry: bool = False
    crs: Crs | None = None
    limit: int | None = None
    batch_rows: int = BATCH_ROWS
    ends: StepEnds | None = None
