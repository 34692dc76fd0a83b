"""Queries of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, Predicate
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.columns.calendar_steps import CalendarSteps

BATCH_ROWS = 16_384
"""Rows of a batch: fewer cost more calls a row, more cost memory and delay the first byte."""

SHAPE_BATCH_ROWS = 4096
"""Rows of a batch of lines or polygons, each of which may be as long as a hundred points."""


@dataclass(frozen=True)
class StepEnds:
    """The rows with the first, or the last, values of each step of time and of each group.

    Attributes
    ----------
    steps
        The steps of time.
    time
        The column of times; of rows with the same time the first (the last) in the order of reading counts.
    group
        The column whose value texts are the groups, None for one group.
    columns
        For each of them the first (last) row with a value is included, as well as the first (last) row at all.
    first, last
        Which of the two are requested.
    """

    steps: CalendarSteps
    time: str
    group: str | None
    columns: tuple[str, ...]
    first: bool
    last: bool


@dataclass(frozen=True)
class LayerQuery:
    """A query of one layer.

    Attributes
    ----------
    source
        The layer.
    values, texts
        Columns whose typed values, or value texts, each batch must contain (any case; the batch uses the source's
        spelling). Columns that only the predicate needs are not listed here.
    times
        Columns of any kind whose times each batch must contain.
    predicate
        Which rows, in addition to the layer's FILTER. Its names are columns of the source.
    geometry
        Whether batches contain geometries.
    crs
        CRS of the geometries, None for the layer's own.
    limit
        Maximum number of rows, None for all.
    batch_rows
        Maximum number of rows of a batch.
    ordered
        Whether equal queries must deliver their rows in the same order, whatever the limit: for pages.
    ends
        If these rows are enough: a source that finds them by an index may leave out others.
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
    ordered: bool = False
    ends: StepEnds | None = None
