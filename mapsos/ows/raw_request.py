"""The parameters of a request before they are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class RawRequest:
    """The parameters of a request before they are checked, the same from KVP, form POST and XML POST.

    Attributes
    ----------
    values
        All values of each parameter in order, by its name in lower case. An XML body's override a query string's of the
        same name (docs/mapserver-sos.md, "XML bodies"). Values that are XML (eventTime, featureOfInterest, result) are
        text from KVP, and serialized elements from a body.
    from_xml
        Whether the request had an XML body.
    root
        The name of the body's root element, None without an XML body.
    ignored
        Names in an XML body that the operation does not know, as the client wrote them; ``=`` for pairs without a name.
    """

    values: Mapping[str, tuple[str, ...]] = field(hash=False)
    from_xml: bool = False
    root: str | None = None
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def last(self, name: str) -> str | None:
        """Return the last value of a parameter (docs/mapserver-sos.md, "Key-value pairs"); None if absent."""
        found = self.values.get(name.lower())
        return found[-1] if found else None

    def first(self, name: str) -> str | None:
        """Return the first value of a parameter, which decides about the service; None if absent."""
        found = self.values.get(name.lower())
        return found[0] if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter, in order."""
        return self.values.get(name.lower(), ())
