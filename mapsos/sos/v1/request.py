"""The argument of every operation of SOS 1.0.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mapsos.operations.answers import Answer
from mapsos.operations.context import Context
from mapsos.ows.operation import Operation
from mapsos.ows.raw_request import RawRequest
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class SosRequest:
    """A request whose parameters are all those of its operation.

    Attributes
    ----------
    context
        The service, the client and the time.
    raw
        The parameters.
    strict
        Whether documents must be valid against the schemas of OGC.
    operations
        All operations of this version, for capabilities.
    reads_body
        False for HEAD: no observation is read then.
    """

    context: Context
    raw: RawRequest
    strict: bool
    operations: tuple[Operation[Handler], ...]
    reads_body: bool = True


def is_enabled(context: Context, operation: Operation[Handler]) -> bool:
    """Return whether the client may use an operation."""
    return context.is_enabled(operation.name, writes=operation.writes)


Handler: TypeAlias = Callable[[SosRequest], Answer]
