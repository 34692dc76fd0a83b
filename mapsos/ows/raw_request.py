"""What a client may ask of SOS 1.0.0, as typed questions. Optional values are None where the client did not say."""

from __future__ import annotations

from dataclasses import dataclass

from mapsos.terms.predicates import Predicate
from mapsos.terms.times import Interval


@dataclass(frozen=True)
class RawRequest:
    """The parameters of a request before they are checked, the same from KVP, form POST and XML POST.

    ``values`` maps a parameter name in lower case to all its values in order (an XML body's override a query
    string's of the same name, reference section 2.3). Values that are XML (eventTime, featureOfInterest, result) are
    kept as text from KVP and as serialized elements from a body. ``nameless`` tells of a pair without a name
    (``=value``), which is in no other way part of this.
    """

    values: dict[str, tuple[str, ...]]
    from_xml: bool = False
    root: str | None = None
    nameless: bool = False

    def last(self, name: str) -> str | None:
        """The last value of a parameter (the one that counts, reference section 2.1), None if absent."""
        found = self.values.get(name.lower())
        return found[-1] if found else None

    def first(self, name: str) -> str | None:
        """The first value of a parameter: what detecting the service looks at."""
        found = self.values.get(name.lower())
        return found[0] if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter, in order."""
        return self.values.get(name.lower(), ())


@dataclass(frozen=True)
class EventTime:
    """One eventTime: a temporal operator with the interval it speaks of, or the newest or oldest per procedure."""

    relation: str  # during, equals, before, after, latest, first
    interval: Interval | None = None
    text: str = ""


@dataclass(frozen=True)
class FeatureOfInterest:
    """A spatial predicate, or ids of stations or features (as the client wrote them)."""

    predicate: Predicate | None = None
    ids: tuple[str, ...] = ()
