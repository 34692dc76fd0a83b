"""Answers that would be too long: refused before anything is sent, with what to ask for instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.facts import read_layer
from mapsos.operations.observations.selection import LayerSelection
from mapsos.terms.predicates import Time, all_of
from mapsos.terms.times import SECOND, Interval, format_interval

if TYPE_CHECKING:
    from mapsos.sources.passes.densities import TimeDensity

Selections = Sequence[LayerSelection]


@dataclass(frozen=True)
class Excess:
    """An answer of too many rows: how many it would have, and a time with fewer and how many that has, if one is known.

    The time is half open, in whole seconds.
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
    """Whether an answer would have more rows than the limit, and what to ask for instead; None if it has not.

    Costs nothing where the number is known and small enough; else what databases need to count the rows, where they
    do so exactly, or a pass over the times of the rows; for an answer that is refused that pass in any case, and
    another over those of the window that is proposed.

    Parameters
    ----------
    limit
        How many rows an answer may have, in all its layers together.
    most
        How many it is cut at (``maxfeatures``), None if it is not; where that is within the limit nothing is refused.
    known
        How many it has, None if nobody knows yet.
    selections
        Its layers, each with which of its rows.
    select_during
        What they would be if the same were asked for this time.
    skipped
        How many of the rows are left out at the beginning.

    Raises
    ------
    ServiceError
        If a source cannot be read.
    """
    if most is not None and most <= limit:
        return None
    density = None
    if known is None:
        known = _count(selections)
    if known is None:
        density = _measure(selections)
        known = density.total
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
    """Refuse an answer that would have more rows than the limit; for the parameters and the cost see `find_excess`.

    Raises ServiceError with how many rows there are, the limit, and an eventTime that has fewer, if one was found.
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
    """Refuse an answer of more summaries, in all its layers together, than the limit; ``most`` as in `find_excess`.

    Raises ServiceError with how many there are and the limit.
    """
    if known <= limit or (most is not None and most <= limit):
        return
    message = (
        f"The response would contain {known if most is None else min(known, most)} observations, which are summaries; "
        f"the limit is {limit}. Request longer intervals, fewer procedures or a shorter period."
    )
    raise ServiceError(Kind.TOO_LARGE, "summaries", message)


def _propose(
    limit: int, density: TimeDensity, selections: Selections, select_during: Callable[[Interval], Selections]
) -> tuple[Interval, int] | None:
    """A time from the first of the rows on that has at most so many rows, and how many it has."""
    window = density.find_window(limit)
    while window is None and (first := density.find_first()) is not None:
        density = _measure(selections, first)
        window = density.find_window(limit)
    while window is not None:
        # Asked for like this there may be more: rows without any time, or of a time that the first question left out.
        rows = _measure(select_during(window)).total
        if rows <= limit:
            return (window, rows) if rows else None
        seconds = (window.end - window.begin) // SECOND // 2
        window = Interval(window.begin, window.begin + seconds * SECOND) if seconds else None
    return None


def _count(selections: Selections) -> int | None:
    """How many rows there are where every data source counts them by itself."""
    total = 0
    for selection in selections:
        with read_layer(selection.meaning.layer.source) as layer:
            number = layer.known_count(selection.predicate)
        if number is None:
            return None
        total += number
    return total


def _measure(selections: Selections, within: Interval | None = None) -> TimeDensity:
    from mapsos.sources.passes.densities import TimeDensity

    density = TimeDensity()
    for selection in selections:
        column = selection.meaning.time_column if selection.meaning.layer.time_item else None
        predicate = selection.predicate
        if column is not None and within is not None:
            predicate = all_of(predicate, Time(column.name, (within,)))
        with read_layer(selection.meaning.layer.source) as layer:
            layer.count_by_time(density, column.name if column else None, predicate)
    return density
