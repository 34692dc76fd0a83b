"""Operations of a protocol: one row of the table that parsing, dispatch and capabilities are derived from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Generic, Literal, TypeAlias, TypeVar

from mapsos.terms.values import dataclass

Handler = TypeVar("Handler")
Values: TypeAlias = tuple[str, ...] | Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    Attributes
    ----------
    name
        As the standard spells it; case-insensitive in key-value pairs.
    xml
        Its form in an XML body: an attribute of the request, an element with text, a list of elements, or an element
        with further markup. None if a body cannot have it.
    member
        The name of the members of a list.
    repeatable
        Whether it may occur more than once with different values.
    values
        The allowed values that capabilities list, empty for any value; None if they do not list the parameter.
    listed, listed_values
        Name and values in capabilities as MapServer writes them, where they differ. An empty name is not listed.
    """

    name: str
    xml: Literal["attribute", "text", "list", "markup"] | None = None
    member: str = ""
    repeatable: bool = False
    values: Values | None = ()
    listed: str | None = None
    listed_values: Values | None = None

    @cached_property
    def key(self) -> str:
        """Return the name in lower case, the key of its values in a request."""
        return self.name.lower()

    def describe(self, *, strict: bool) -> tuple[str, tuple[str, ...]] | None:
        """Return the name and the values that capabilities list, None where they do not list the parameter."""
        name = self.name if strict or self.listed is None else self.listed
        values = self.values if strict or self.listed_values is None else self.listed_values
        if values is None or not name:
            return None
        return name, values() if callable(values) else values


@dataclass(frozen=True)
class Operation(Generic[Handler]):
    """An operation of one version of a protocol.

    Attributes
    ----------
    name
        As the standard spells it.
    parameters
        All parameters it reads, in the order of capabilities.
    answer
        Answers a request. It imports its modules when called, since imports are part of the cost of a CGI request.
    is_standard
        Whether the standard defines it. Documents that must be valid list no others.
    writes
        Whether it changes data. ``*`` in an enable_request never allows it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    answer: Handler
    is_standard: bool = True
    writes: bool = False

    def __hash__(self) -> int:
        return hash(self.name)

    def find_parameter(self, name: str) -> Parameter | None:
        """Return the parameter of a name in any case."""
        return next((parameter for parameter in self.parameters if parameter.key == name.lower()), None)


def find_operation_row(operations: tuple[Operation[Handler], ...], name: str) -> Operation[Handler] | None:
    """Return the operation of a name in any case."""
    return next((operation for operation in operations if operation.name.lower() == name.lower()), None)
