"""What an operation of a protocol is: one row of the table that everything about it is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

Handler = TypeVar("Handler")
Values: TypeAlias = tuple[str, ...] | Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    Attributes
    ----------
    name
        As the standard spells it. Key-value pairs have it in any case.
    xml
        What it is in an XML body: an attribute of the request, an element with text, a list of elements, an element
        with further markup; None where a body cannot have it.
    member
        Of a list, the name of its members.
    repeatable
        Whether it may be given more than once with different values.
    values
        What capabilities say that it may be, nothing for any value; None where they do not list it.
    listed, listed_values
        Where capabilities as MapServer writes them differ: its name there, empty where they do not list it; and what
        they say that it may be.
    """

    name: str
    xml: Literal["attribute", "text", "list", "markup"] | None = None
    member: str = ""
    repeatable: bool = False
    values: Values | None = ()
    listed: str | None = None
    listed_values: Values | None = None

    @property
    def key(self) -> str:
        """The name in lower case, by which values of a request are found."""
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
        All that it reads, in the order of capabilities.
    answer
        What answers it. It imports what it needs when it is called: imports are a part of what a CGI request costs.
    is_standard
        Whether the standard has it: documents that must be valid list no others.
    writes
        Whether it changes data: ``*`` in an enable_request never allows it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    answer: Handler
    is_standard: bool = True
    writes: bool = False

    def find_parameter(self, name: str) -> Parameter | None:
        """Return the parameter of a name in any case."""
        return next((parameter for parameter in self.parameters if parameter.key == name.lower()), None)


def find_operation_row(operations: tuple[Operation[Handler], ...], name: str) -> Operation[Handler] | None:
    """Return the operation of a name in any case."""
    return next((operation for operation in operations if operation.name.lower() == name.lower()), None)
