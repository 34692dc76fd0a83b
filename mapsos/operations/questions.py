"""What may be asked of a service, in no protocol's words: frozen values without raw text.

Every protocol reads its requests into these. Optional values are None where the client does not name any.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from mapsos.columns.calendar_steps import CalendarSteps
from mapsos.terms.crs import SrsName
from mapsos.terms.event_times import EventTime
from mapsos.terms.predicates import BBox, Predicate
from mapsos.terms.times import Duration


@dataclass(frozen=True)
class FeatureOfInterest:
    """A place as a predicate in x y order, or ids of stations or features as the client wrote them."""

    predicate: Predicate | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aggregation:
    """A summary for each procedure and step of the calendar of ``zone``, by one or more functions."""

    step: Duration
    functions: tuple[str, ...]
    zone: tzinfo

    def cut_calendar(self) -> CalendarSteps:
        """Return the calendar in steps."""
        return CalendarSteps(self.step, self.zone)


@dataclass(frozen=True)
class ObservationQuestion:
    """Which observations are asked for, and of what they are made.

    Attributes
    ----------
    offering, observed_properties
        As the client named them. ``offering`` None, or no properties: all of them.
    procedures
        Ids without ``urn:ogc:def:procedure:``; None for all.
    times
        Any of these; none for all times.
    feature
        Where, or at which stations or features.
    place
        A rectangle besides, in x y order.
    result
        What the values must be; names are aliases, columns or the observed property.
    srs
        The CRS of the answer; None for the map's.
    aggregation
        How observations are summarized; None for each of them by itself.
    ids
        Values of the layer's feature id column, where observations are asked for by id; none for all.
    """

    offering: str | None = None
    observed_properties: tuple[str, ...] = ()
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
    """Of which observations it is asked how many there are, and when; attributes as in `ObservationQuestion`.

    ``offerings`` and ``observed_properties`` are None for all; each name must be known.
    """

    offerings: tuple[str, ...] | None = None
    observed_properties: tuple[str, ...] | None = None
    procedures: tuple[str, ...] | None = None
    times: tuple[EventTime, ...] = ()
    feature: FeatureOfInterest | None = None
    place: BBox | None = None


@dataclass(frozen=True)
class FeatureQuestion:
    """Which features of interest are asked for: by id, by place, by their procedures, by when they were observed."""

    ids: tuple[str, ...] = ()
    place: Predicate | None = None
    procedures: tuple[str, ...] | None = None
    times: tuple[EventTime, ...] = ()


@dataclass(frozen=True)
class SensorQuestion:
    """Which sensor is to be described.

    Attributes
    ----------
    procedure
        Its id as the client wrote it, bare or as a URN.
    strict
        Whether the description must be valid, with a URN for the sensor: a document elsewhere is then only referred to
        where the mapfile insists on it.
    """

    procedure: str
    strict: bool = False
