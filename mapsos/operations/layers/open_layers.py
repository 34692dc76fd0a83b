"""Open the layers whose facts are found: one at a time, or kept open for all facts of an answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from mapsos.operations.errors import Kind, ServiceError
from mapsos.sources.errors import SourceError
from mapsos.sources.identity import identity
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    from mapsos.sources.layer import Layer

T = TypeVar("T")


class _Held:
    """Shared by the facts of one answer: the identities of data as they were first found, and the last open layer."""

    def __init__(self) -> None:
        self.states: dict[LayerSource, Hashable | None] = {}
        self._source: LayerSource | None = None
        self._layer: Layer | None = None
        self._open = ExitStack()

    def open(self, source: LayerSource) -> Layer:
        if self._layer is None or self._source != source:
            self.close()
            self._layer, self._source = self._open.enter_context(read_layer(source)), source
        return self._layer

    def close(self) -> None:
        self._layer = None
        self._open.close()


_held: ContextVar[_Held | None] = ContextVar("_held", default=None)


@contextmanager
def hold_layers() -> Iterator[None]:
    """Find several facts about each of many layers: each is opened and its files examined once, not for each fact.

    An identity that is older than a fact does no harm: the fact is found again if the data have changed in between.
    """
    held = _Held()
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)
        held.close()


def find_state(source: LayerSource) -> Hashable | None:
    """Return the identity of the rows of a layer; within `hold_layers` as it was first found."""
    source = source.rows
    held = _held.get()
    if held is None:
        return identity(source)
    if source not in held.states:
        held.states[source] = identity(source)
    return held.states[source]


def ask_layer(source: LayerSource, question: Callable[[Layer], T]) -> T:
    """Return what an open layer answers; within `hold_layers` it stays open for the next. Raises ServiceError."""
    held = _held.get()
    if held is None:
        with read_layer(source) as layer:
            return question(layer)
    try:
        with source_errors():
            return question(held.open(source))
    except BaseException:
        held.close()
        raise


def release_held() -> None:
    """Close the layer that `hold_layers` keeps open, before a wait for another request: the next fact opens one."""
    held = _held.get()
    if held is not None:
        held.close()


@contextmanager
def read_layer(source: LayerSource) -> Iterator[Layer]:
    """Open a layer to query its data. Raises ServiceError if it cannot be opened or read."""
    from mapsos.sources.layer import open_layer

    with source_errors(), open_layer(source) as layer:
        yield layer


@contextmanager
def source_errors() -> Iterator[None]:
    """Turn SourceError into ServiceError for the client; the cause is for the log only."""
    try:
        yield
    except SourceError as error:
        raise ServiceError(Kind.UNREADABLE, "data", f"{error.message}.", detail=error.detail) from error
