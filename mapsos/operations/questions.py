"""The questions that a service answers, independent of any protocol: frozen values without raw text.

Every protocol reads its requests into these. An optional value is None where the client does not name any. A question
can be written as JSON and read back, so that it can be answered later and by another process.
"""

from __future__ import annotations

import json
from datetime import tzinfo
from typing import TypeAlias

from mapsos.columns.calendar_steps import CalendarSteps
from mapsos.terms.crs import SrsName
from mapsos.terms.predicates import BBox, Predicate
from mapsos.terms.times import Duration, EventTime
from mapsos.terms.value_json import TERMS, ValueCodec
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class FeatureOfInterest:
    """A place as a predicate in x y order, or ids of stations or features as the client wrote them.

    Both may be given: SOS 1.0 has either, REST both at once.
    """

    predicate: Predicate | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aggregation:
    """Summaries of the observations of each procedure in each step of a calendar.

    Attributes
    ----------
    step
        The length of a step.
    functions
        ``avg``, ``min``, ``max``, ``sum``, ``count``, ``first`` or ``last``; at least one.
    zone
        The time zone of the calendar.
    """

    step: Duration
    functions: tuple[str, ...]
    zone: tzinfo

    def cut_calendar(self) -> CalendarSteps:
        """Return the calendar in steps."""
        return CalendarSteps(self.step, self.zone)


@dataclass(frozen=True)
class ObservationQuestion:
    """Which observations to return, and in which form. Conditions are joined by AND, the values of one by OR.

    Attributes
    ----------
    offerings, observed_properties
        Names as the client wrote them, matched case-insensitively; None for all.
    procedures
        Ids as the client wrote them, or without ``urn:ogc:def:procedure:``; None for all.
    times
        Times of the observations; empty for all times.
    feature
        The place of the observations, or the ids of their stations or features.
    place
        A rectangle in x y order that observations must also intersect.
    result
        A condition on the values. Names are those of the protocol: in SOS aliases, columns or the observed property,
        in REST the fields of an observation.
    srs
        The CRS of the answer; None for the map's.
    aggregation
        How to summarize the observations; None for single observations.
    ids
        Values of the layer's feature id column; empty for all.
    """

    offerings: tuple[str, ...] | None = None
    observed_properties: tuple[str, ...] | None = None
    procedures: tuple[str, ...] | None = None
    times: tuple[EventTime, ...] = ()
    feature: FeatureOfInterest | None = None
    place: BBox | None = None
    result: Predicate | None = None
    srs: SrsName | None = None
    aggregation: Aggregation | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class AvailabilityQuestion:
    """Which observations to count and to return the first and last time of.

    Attributes are those of `ObservationQuestion`. Each name must be known.
    """

    offerings: tuple[str, ...] | None = None
    observed_properties: tuple[str, ...] | None = None
    procedures: tuple[str, ...] | None = None
    times: tuple[EventTime, ...] = ()
    feature: FeatureOfInterest | None = None
    place: BBox | None = None


@dataclass(frozen=True)
class FeatureQuestion:
    """Which features of interest to list: by id, by place, by procedures, by the times of their observations."""

    ids: tuple[str, ...] = ()
    place: Predicate | None = None
    procedures: tuple[str, ...] | None = None
    times: tuple[EventTime, ...] = ()


@dataclass(frozen=True)
class SensorQuestion:
    """Which sensor to describe.

    Attributes
    ----------
    procedure
        Its id as the client wrote it, bare or as a URN.
    strict
        Whether the description must be valid, with a URN for the sensor. Without it a redirect to a document elsewhere
        is a valid answer; with it only where the mapfile requires one.
    """

    procedure: str
    strict: bool = False


Question: TypeAlias = ObservationQuestion | AvailabilityQuestion | FeatureQuestion | SensorQuestion

_QUESTIONS = (ObservationQuestion, AvailabilityQuestion, FeatureQuestion, SensorQuestion)
CODEC = ValueCodec((*TERMS, *_QUESTIONS, FeatureOfInterest, Aggregation), by_name=True)
"""Writes and reads questions."""


def write_question(question: Question) -> str:
    """Return a question as JSON.

    Raises
    ------
    TypeError
        The time zone of an aggregation has neither a name nor a fixed offset.
    """
    return json.dumps(CODEC.encode(question), separators=(",", ":"))


def read_question(text: str) -> Question:
    """Return the question that `write_question` wrote, equal to the one it was given.

    Questions of an earlier version can be read if the classes only got further fields with defaults since.

    Raises
    ------
    ValueError
        The text is not a question of this version.
    """
    try:
        question = CODEC.decode(json.loads(text))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise ValueError(f"not a question: {text[:100]!r}") from error
    if not isinstance(question, _QUESTIONS):
        raise ValueError(f"not a question: {text[:100]!r}")
    return question
