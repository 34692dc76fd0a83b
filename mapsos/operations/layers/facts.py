"""What is known of a layer's data without reading it again: columns, procedures, extent, time bounds.

Facts are kept as long as the data are the same (DESIGN: capabilities cost nothing twice): for files that is their
path, size and modification time; for databases, which have no such identity, a time to live.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

from mapsos.columns.batches import Column
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, Predicate
from mapsos.terms.times import Interval

if TYPE_CHECKING:
    from mapsos.sources.layer import Layer
    from mapsos.sources.passes.groups import GroupFacts

T = TypeVar("T")

TIME_TO_LIVE = 60.0
"""Seconds for which facts of a source without identity are believed."""

_MOST_VALUES = 500_000


class FactStore:
    """Facts by question and identity of the data, the least recently used forgotten first. Safe for threads.

    ``most`` bounds their values together: one for each fact, and one for each member of what is a collection. The
    newest fact is kept whatever its size.
    """

    def __init__(self, most: int = _MOST_VALUES) -> None:
        self._facts: OrderedDict[Hashable, tuple[Hashable, object]] = OrderedDict()
        self._lock = threading.Lock()
        self._most = most
        self._values = 0

    def recall(self, source: LayerSource, question: Hashable, find: Callable[[], T]) -> T:
        """The remembered answer to ``question`` if the data have not changed, else what ``find`` finds now."""
        from mapsos.sources.identity import identity

        state = identity(source)
        if state is None:
            state = int(time.monotonic() / TIME_TO_LIVE)
        key = (source, question)
        with self._lock:
            remembered = self._facts.get(key)
            if remembered is not None and remembered[0] == state:
                self._facts.move_to_end(key)
                return remembered[1]  # type: ignore[return-value]
        found = find()
        with self._lock:
            if key in self._facts:
                self._values -= _count_values(self._facts.pop(key)[1])
            self._facts[key] = (state, found)
            self._values += _count_values(found)
            while self._values > self._most and len(self._facts) > 1:
                _, (_, forgotten) = self._facts.popitem(last=False)
                self._values -= _count_values(forgotten)
        return found

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._facts.clear()
            self._values = 0


def _count_values(fact: object) -> int:
    return 1 + len(fact) if isinstance(fact, tuple | dict) else 1


_store = FactStore()


def list_columns(source: LayerSource) -> tuple[Column, ...]:
    """The columns of a layer in source order. Raises SourceError."""
    return _find_schema(source)[0]


def has_geometry(source: LayerSource) -> bool:
    """Whether the source has geometries at all. Raises SourceError."""
    return _find_schema(source)[1]


def _find_schema(source: LayerSource) -> tuple[tuple[Column, ...], bool]:
    """The columns, and whether there are geometries: what an open layer knows without reading."""
    return _recall(source, "schema", lambda: _ask(source, lambda layer: (tuple(layer.columns), layer.has_geometry)))


def list_values(source: LayerSource, column: str, predicate: Predicate = EVERYTHING) -> tuple[str, ...]:
    """Distinct value texts of a column in order of first appearance, ``""`` for NULL. Raises SourceError."""
    return _recall(
        source,
        ("values", column, predicate),
        lambda: _ask(source, lambda layer: tuple(layer.distinct(column, predicate))),
    )


def find_extent(
    source: LayerSource, crs: Crs | None, predicate: Predicate = EVERYTHING
) -> tuple[float, float, float, float] | None:
    """The bounds of the geometries in x y order in ``crs`` (None: the layer's own); None if there are none."""
    return _recall(source, ("extent", crs, predicate), lambda: _ask(source, lambda layer: layer.extent(predicate, crs)))


def find_time_bounds(source: LayerSource, column: str, predicate: Predicate = EVERYTHING) -> Interval | None:
    """From the earliest to the latest time of a column; None if no row has a time."""
    return _recall(
        source, ("time", column, predicate), lambda: _ask(source, lambda layer: layer.time_bounds(column, predicate))
    )


def find_group_facts(
    source: LayerSource,
    group: str | None,
    time: str | None,
    texts: tuple[str, ...] = (),
    predicate: Predicate = EVERYTHING,
    crs: Crs | None = None,
) -> dict[str, GroupFacts]:
    """What is known of the rows of each value of ``group``, as `Layer.group_facts` has it. Raises SourceError."""
    return _recall(
        source,
        ("groups", group, time, texts, predicate, crs),
        lambda: _ask(source, lambda layer: layer.group_facts(group, time, texts, predicate, crs)),
    )


def find_availability(
    source: LayerSource, group: str | None, time: str | None, predicate: Predicate = EVERYTHING
) -> dict[str, GroupFacts]:
    """How many rows and when, by value of ``group``, as `Layer.availability` has it. Raises SourceError."""
    return _recall(
        source,
        ("availability", group, time, predicate),
        lambda: _ask(source, lambda layer: layer.availability(group, time, predicate)),
    )


def tells_steps(source: LayerSource, time: str, group: str | None) -> bool:
    """Whether an index may tell the first and last rows of steps of time, as `Layer.tells_steps` has it."""
    return _recall(source, ("steps", time, group), lambda: _ask(source, lambda layer: layer.tells_steps(time, group)))


def forget_facts() -> None:
    """Forget everything: for tests and for a worker that starts afresh."""
    _store.forget()


def _recall(source: LayerSource, question: Hashable, find: Callable[[], T]) -> T:
    return _store.recall(source, question, find)


def _ask(source: LayerSource, question: Callable[[Layer], T]) -> T:
    from mapsos.sources.layer import open_layer

    with open_layer(source) as layer:
        return question(layer)
