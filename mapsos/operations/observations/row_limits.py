"""Reject answers with too many rows before the first byte, and propose a period that has fewer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.open_layers import read_layer
from mapsos.operations.observations.selection import LayerSelection
from mapsos.terms.predicates import Time, all_of
from mapsos.terms.times import SECOND, Interval, format_interval
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.sources.passes.densities import TimeDensity

Selections = Sequence[LayerSelection]


@dataclass(frozen=True)
class Excess:
    """The number of rows of an answer that exceeds the limit; and a period with fewer and its number, if one was found.

    The period has whole seconds: begin inclusive, end exclusive.
    """

    rows: int
    window: tuple[Interval, int] | None


def find_excess(
    limit: int,
    most: int | None,
    known: int | None,
    selections: Selections,
    select_during: Callable[[Interval], Selections],
    skipped: int = 0,
) -> Excess | None:
    """Return how far an answer exceeds the limit and what to request instead; None if it is within the limit.

    Costs nothing if the number is known and small enough. Otherwise databases count the rows if they can do so exactly,
    else the times of the rows are read. For a rejected answer the times are read in any case, and once more those of
    the proposed period.

    Parameters
    ----------
    limit
        Maximum number of rows of all layers together.
    most
        The number of rows after which the answer is cut off (``maxfeatures``), None for all; up to the limit nothing is
        rejected.
    known
        The number of rows, None if unknown.
    selections
        The layers with the predicates for their rows.
    select_during
        Returns the same for a question with this period.
    skipped
        The number of rows to skip at the beginning.

    Raises
    ------
    ServiceError
        A source cannot be read.
    """
    if most is not None and most <= limit:
        return None
    density = None
    if known is None:
        known = _count(selections)
    if known is None:
        density = _measure(selections)
        known = _count_all(density)
    known = max(0, known - skipped)
    known = known if most is None else min(known, most)
    if known <= limit:
        return None
    return Excess(known, _propose(limit, density or _measure(selections), selections, select_during))


def check_rows(
    limit: int,
    most: int | None,
    known: int | None,
    selections: Selections,
    select_during: Callable[[Interval], Selections],
) -> None:
    """Reject an answer with more rows than the limit; for the parameters and the cost see `find_excess`.

    Raises
    ------
    ServiceError
        The limit is exceeded. The message has the number of rows, the limit, and an eventTime with fewer, if one was
        found.
    """
    excess = find_excess(limit, most, known, selections, select_during)
    if excess is None:
        return
    advice = "Request fewer procedures, a smaller area or another time."
    if excess.window is not None:
        window, rows = excess.window
        advice = f"Request a shorter period, for example eventTime={format_interval(window)}, which has {rows}."
    message = f"The response would contain {excess.rows} observations; the limit is {limit}. {advice}"
    raise ServiceError(Kind.TOO_LARGE, "time", message)


def check_summaries(limit: int, most: int | None, known: int) -> None:
    """Reject an answer with more summaries in all layers than the limit; ``most`` as in `find_excess`.

    Raises
    ------
    ServiceError
        The limit is exceeded. The message has the number and the limit.
    """
    if known <= limit or (most is not None and most <= limit):
        return
    message = (
        f"The response would contain {known if most is None else min(known, most)} observations, which are summaries; "
        f"the limit is {limit}. Request longer intervals, fewer procedures or a shorter period."
    )
    raise ServiceError(Kind.TOO_LARGE, "summaries", message)


def _propose(
    limit: int, density: TimeDensity | None, selections: Selections, select_during: Callable[[Interval], Selections]
) -> tuple[Interval, int] | None:
    """Return a period from the first row on with at most ``limit`` rows, and its number of rows."""
    window = None
    while density is not None and (window := density.find_window(limit)) is None:
        first = density.find_first()
        density = None if first is None else _measure(selections, first)
    while window is not None:
        # The same question with this period may have more rows: those without a time, or of times not in the first one.
        rows = _count_all(_measure(select_during(window)))
        if rows <= limit:
            return (window, rows) if rows else None
        seconds = (window.end - window.begin) // SECOND // 2
        window = Interval(window.begin, window.begin + seconds * SECOND) if seconds else None
    return None


def _count(selections: Selections) -> int | None:
    """Return the number of rows if every data source can count them, else None."""
    total = 0
    for selection in selections:
        with read_layer(selection.meaning.layer.source) as layer:
            number = layer.known_count(selection.predicate)
        if number is None:
            return None
        total += number
    return total


def _count_all(density: TimeDensity | None) -> int:
    return 0 if density is None else density.total


def _measure(selections: Selections, within: Interval | None = None) -> TimeDensity | None:
    """Return the rows by their times; None without layers. A period narrows them further."""
    density = None
    for selection in selections:
        column = selection.meaning.time_column if selection.meaning.layer.time_item else None
        predicate = selection.predicate
        if column is not None and within is not None:
            predicate = all_of(predicate, Time(column.name, (within,)))
        with read_layer(selection.meaning.layer.source) as layer:
            density = layer.count_by_time(column.name if column else None, predicate, density)
    return density
