"""The parameters of a request before they are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from itertools import zip_longest
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from lxml import etree


class Markup:
    """A value that is XML in a body: its elements, as they were parsed.

    Its text, for messages, is only written if requested: each part of a body that is written repeats the namespaces
    declared around it, so that writing all of them would cost the product of both.
    """

    def __init__(self, elements: tuple[etree._Element, ...], write: Callable[[], str]) -> None:
        self.elements = elements
        self._write = write

    def __str__(self) -> str:
        return self._write()

    def is_same(self, other: Markup) -> bool:
        """Return whether both have the same names, attributes and texts all the way down, whatever their prefixes."""
        pairs = zip_longest(self.elements, other.elements)
        return all(first is not None and second is not None and _is_same(first, second) for first, second in pairs)


Value: TypeAlias = str | Markup


def _is_same(first: etree._Element, second: etree._Element) -> bool:
    return all(
        one is not None
        and other is not None
        and one.tag == other.tag
        and len(one) == len(other)
        and one.attrib == other.attrib
        and (one.text or "") == (other.text or "")
        and (one is first or (one.tail or "") == (other.tail or ""))
        for one, other in zip_longest(first.iter(), second.iter())
    )


@dataclass(frozen=True)
class RawRequest:
    """The parameters of a request before they are checked, the same from KVP, form POST and XML POST.

    Attributes
    ----------
    values
        All values of each parameter in order, by its name in lower case. An XML body's override a query string's of the
        same name (docs/mapserver-sos.md, "XML bodies"). Values that are XML (eventTime, featureOfInterest, result) are
        text from KVP, and elements from a body.
    from_xml
        Whether the request had an XML body.
    root
        The name of the body's root element, None without an XML body.
    ignored
        Names in an XML body that the operation does not know, as the client wrote them; ``=`` for pairs without a name.
    """

    values: Mapping[str, tuple[Value, ...]] = field(hash=False)
    from_xml: bool = False
    root: str | None = None
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def last(self, name: str) -> str | None:
        """Return the last value of a parameter (docs/mapserver-sos.md, "Key-value pairs"); None if absent."""
        found = self.values.get(name.lower())
        return str(found[-1]) if found else None

    def first(self, name: str) -> str | None:
        """Return the first value of a parameter, which decides about the service; None if absent."""
        found = self.values.get(name.lower())
        return str(found[0]) if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter as texts, in order."""
        return tuple(map(str, self.values.get(name.lower(), ())))

    def parts(self, name: str) -> tuple[Value, ...]:
        """Return all values of a parameter that may be XML, in order: texts, or elements of a body."""
        return self.values.get(name.lower(), ())
