"""Requested times: the relation of observations to an interval, or the newest or oldest of each procedure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mapsos.terms.times import Interval

TimeRelation: TypeAlias = Literal["during", "equals", "before", "after", "latest", "first"]


@dataclass(frozen=True)
class EventTime:
    """One requested time.

    Attributes
    ----------
    relation
        Relation of the time of an observation to ``interval``; ``latest`` and ``first`` request the newest and the
        oldest observation of each procedure.
    interval
        In microseconds since 1970 UTC, begin inclusive and end exclusive; None for ``latest`` and ``first``.
    text
        As the client wrote it, for file names.
    """

    relation: TimeRelation
    interval: Interval | None = None
    text: str = ""
