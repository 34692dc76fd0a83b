"""A time that is asked for: how observations must lie to an interval, or the newest or oldest of each procedure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mapsos.terms.times import Interval

TimeRelation: TypeAlias = Literal["during", "equals", "before", "after", "latest", "first"]


@dataclass(frozen=True)
class EventTime:
    """One time of a question.

    Attributes
    ----------
    relation
        How the time of an observation must lie to ``interval``; ``latest`` and ``first`` ask for the newest and the
        oldest observation of each procedure.
    interval
        In microseconds since 1970 UTC, begin inclusive and end exclusive; None for ``latest`` and ``first``.
    text
        As the client wrote it, for names of files.
    """

    relation: TimeRelation
    interval: Interval | None = None
    text: str = ""
