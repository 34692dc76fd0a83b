"""Cached facts about a layer's data: columns, procedures, extent, time bounds.

Facts are cached while the data are unchanged, so that capabilities are computed once. Files are identified by path,
size and modification time. Databases have no such identity: their facts have a time to live.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from mapsos.columns.batches import Column
from mapsos.operations.layers.open_layers import ask_layer, find_state, release_held
from mapsos.sources.identity import identity
from mapsos.terms.crs import Crs
from mapsos.terms.deadlines import BusyError, DeadlineError, current_deadline, wait_aside
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, NOTHING, Predicate, Time, list_conditions
from mapsos.terms.times import Interval
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.sources.facts import GroupFacts

T = TypeVar("T")

TIME_TO_LIVE = 60.0
"""Seconds for which facts about a source without identity are trusted."""

_LOOK = 0.2
"""Seconds between two looks at whether the client of a request that waits is still there."""

_MOST_VALUES = 500_000


_Key: TypeAlias = tuple[LayerSource, Hashable]


@dataclass(frozen=True)
class _Fact:
    """A value, the identity of the data (None: they have none), and the time when it was found in monotonic seconds."""

    value: object
    state: Hashable | None
    since: float


class _Finding:
    """The work of one thread that finds a fact, and how it ended; other threads with the same question wait for it."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.error: Exception | None = None


class DistinctValues(tuple[str, ...]):
    """The distinct values of a column as strings, in order of first appearance."""

    @cached_property
    def spellings(self) -> Mapping[str, tuple[str, ...]]:
        """Return all spellings of each case-folded value. Made once, since it takes milliseconds for 50,000 values."""
        found: dict[str, tuple[str, ...]] = {}
        for value in self:
            folded = value.casefold()
            found[folded] = (*found.get(folded, ()), value)
        return found

    @cached_property
    def case_folded(self) -> tuple[str, ...]:
        """Return the values that differ by more than letter case, each in its first spelling."""
        return tuple(spelled[0] for spelled in self.spellings.values())


class FactStore:
    """Cached facts by question and identity of the data; the least recently used are dropped first. Thread-safe.

    ``most`` limits the total number of values: one for each fact, plus one for each member of a collection. The newest
    fact is always cached.
    """

    def __init__(self, most: int = _MOST_VALUES) -> None:
        self._facts: OrderedDict[_Key, _Fact] = OrderedDict()
        self._finding: dict[_Key, _Finding] = {}
        self._lock = threading.Lock()
        self._most = most
        self._values = 0
        self._forgotten = 0

    def recall(self, source: LayerSource, question: Hashable, find: Callable[[], T]) -> T:
        """Return the cached answer to ``question`` if the data have not changed, else the result of ``find``.

        If several threads have the same question, one calls ``find``, and the others wait for its result or its
        exception, which is not cached. A thread waits at most until its own deadline, and raises DeadlineError then.
        """
        # Layers with the same rows share what is known of them.
        source = source.rows
        key = (source, question)
        while True:
            state = find_state(source)
            with self._lock:
                remembered = self._look_up(key, state)
                if remembered is not None:
                    return cast("T", remembered.value)
                forgotten = self._forgotten
                others = self._finding.get(key)
                if others is None:
                    mine = self._finding[key] = _Finding()
            if others is None:
                break
            _wait(others.ended)
            # The deadline of another request does not apply to this one, nor what it has waited for.
            if others.error is not None and not isinstance(others.error, DeadlineError | BusyError):
                raise others.error
        try:
            found = find()
            with self._lock:
                # What was found before a write is not stored after it.
                if self._forgotten == forgotten:
                    self._keep(key, _Fact(found, state, time.monotonic()))
        except Exception as error:
            mine.error = error
            raise
        finally:
            with self._lock:
                if self._finding.get(key) is mine:
                    del self._finding[key]
            mine.ended.set()
        return found

    def look_up(self, source: LayerSource, question: Hashable) -> _Fact | None:
        """Return the cached answer to a question about data that are known not to have changed, None without one."""
        state = identity(source.rows)
        if state is None:
            return None
        with self._lock:
            return self._look_up((source.rows, question), state)

    def knows(self, source: LayerSource, question: Hashable) -> bool:
        """Return whether the answer to a question is cached and the data have not changed."""
        state = find_state(source.rows)
        with self._lock:
            return self._look_up((source.rows, question), state) is not None

    def fill(
        self, sources: Iterable[LayerSource], find: Callable[[], Iterable[tuple[LayerSource, Hashable, object]]]
    ) -> None:
        """Cache facts about several sources that ``find`` finds at once: each a source, a question and its answer."""
        states = {source.rows: find_state(source) for source in sources}
        forgotten = self._forgotten
        found = list(find())
        with self._lock:
            for source, question, value in found if self._forgotten == forgotten else ():
                self._keep((source.rows, question), _Fact(value, states[source.rows], time.monotonic()))

    def forget(self, source: LayerSource | None = None) -> None:
        """Drop the facts about a source; None for all sources. Facts that are being found now are not stored."""
        with self._lock:
            self._forgotten += 1
            self._finding.clear()
            for key in [key for key in self._facts if source is None or key[0] in (source.rows, source.unfiltered)]:
                self._drop(key)

    def _look_up(self, key: _Key, state: Hashable | None) -> _Fact | None:
        fact = self._facts.get(key)
        if fact is None or fact.state != state:
            return None
        # Each fact of a database expires separately: if all expired at once, every request would wait.
        if state is None and time.monotonic() - fact.since >= TIME_TO_LIVE:
            return None
        self._facts.move_to_end(key)
        return fact

    def _keep(self, key: _Key, fact: _Fact) -> None:
        if key in self._facts:
            self._drop(key)
        self._facts[key] = fact
        self._values += _count_values(fact.value)
        while self._values > self._most and len(self._facts) > 1:
            self._drop(next(iter(self._facts)))

    def _drop(self, key: _Key) -> None:
        self._values -= _count_values(self._facts.pop(key).value)


def _wait(event: threading.Event) -> None:
    """Wait for an event until the deadline of the request, or until its client leaves: then raise DeadlineError."""
    deadline = current_deadline()
    if event.is_set():
        return
    # The other request may wait for its connection.
    release_held()
    with wait_aside():
        while not event.wait(_LOOK if deadline.left is None else min(max(deadline.left, 0.001), _LOOK)):
            deadline.check()


def _count_values(fact: object) -> int:
    return 1 + len(fact) if isinstance(fact, tuple | dict) else 1


_store = FactStore()


def list_columns(source: LayerSource) -> tuple[Column, ...]:
    """Return the columns of a layer in source order. Raises ServiceError."""
    return _find_schema(source)[0]


def has_geometry(source: LayerSource) -> bool:
    """Return whether the source has geometries. Raises ServiceError."""
    return _find_schema(source)[1]


def _find_schema(source: LayerSource) -> tuple[tuple[Column, ...], bool]:
    """Return the columns and whether there are geometries, which an open layer knows without reading rows."""
    # FILTER and CRS change neither, so that thousands of layers of one table share them.
    return _recall(
        source.unfiltered,
        "schema",
        lambda: ask_layer(source, lambda layer: (tuple(layer.columns), layer.has_geometry)),
    )


def list_values(source: LayerSource, column: str, predicate: Predicate = EVERYTHING) -> DistinctValues:
    """Return the distinct values of a column as strings in order of first appearance, ``""`` for NULL.

    Raises ServiceError.
    """
    return _recall(
        source,
        ("values", column, predicate),
        lambda: ask_layer(source, lambda layer: DistinctValues(layer.distinct(column, predicate))),
    )


def find_extent(
    source: LayerSource, crs: Crs | None, predicate: Predicate = EVERYTHING
) -> tuple[float, float, float, float] | None:
    """Return minx, miny, maxx, maxy of the geometries in ``crs`` (None: that of the layer); None without geometries."""
    return _recall(
        source, ("extent", crs, predicate), lambda: ask_layer(source, lambda layer: layer.extent(predicate, crs))
    )


def find_time_bounds(source: LayerSource, column: str, predicate: Predicate = EVERYTHING) -> Interval | None:
    """Return the interval from the earliest to the latest time of a column; None if no row has a time."""
    return _recall(
        source,
        ("time", column, predicate),
        lambda: ask_layer(source, lambda layer: layer.time_bounds(column, predicate)),
    )


def rule_out(source: LayerSource, predicate: Predicate) -> Predicate:
    """Return the predicate, or Nothing if it demands a time outside of the bounds of a column, where these are cached.

    Only the bounds of files count: those of a database may have changed since.
    """
    for condition in list_conditions(predicate):
        if isinstance(condition, Time):
            fact = _store.look_up(source, ("time", condition.name, EVERYTHING))
            if fact is not None and not _may_hold(condition, cast("Interval | None", fact.value)):
                return NOTHING
    return predicate


def _may_hold(condition: Time, bounds: Interval | None) -> bool:
    """Return whether a time within the bounds (None: without any time) can satisfy the condition."""
    if bounds is None:
        return False
    if condition.relation == "before":
        return any(bounds.begin < interval.begin for interval in condition.intervals)
    if condition.relation == "after":
        return any(bounds.end > interval.end for interval in condition.intervals)
    return any(bounds.begin < interval.end and interval.begin < bounds.end for interval in condition.intervals)


def find_group_facts(
    source: LayerSource,
    group: str | None,
    time: str | None,
    texts: tuple[str, ...] = (),
    predicate: Predicate = EVERYTHING,
    crs: Crs | None = None,
) -> Mapping[str, GroupFacts]:
    """Return facts about the rows of each value of ``group``, as `Layer.group_facts`. Raises ServiceError."""
    return _recall(
        source,
        ("groups", group, time, texts, predicate, crs),
        lambda: ask_layer(source, lambda layer: layer.group_facts(group, time, texts, predicate, crs)),
    )


def find_availability(
    source: LayerSource, group: str | None, time: str | None, predicate: Predicate = EVERYTHING
) -> Mapping[str, GroupFacts]:
    """Return the number and times of rows by value of ``group``, as `Layer.availability`. Raises ServiceError."""
    return _recall(
        source,
        ("availability", group, time, predicate),
        lambda: ask_layer(source, lambda layer: layer.availability(group, time, predicate)),
    )


def tells_steps(source: LayerSource, time: str, group: str | None) -> bool:
    """Return whether an index may find the first and last rows of time steps, as `Layer.tells_steps`."""
    return _recall(
        source, ("steps", time, group), lambda: ask_layer(source, lambda layer: layer.tells_steps(time, group))
    )


def knows_fact(source: LayerSource, question: Hashable) -> bool:
    """Return whether a fact about the data of a layer is cached and still valid."""
    return _store.knows(source, question)


def store_facts(
    sources: Iterable[LayerSource], find: Callable[[], Iterable[tuple[LayerSource, Hashable, object]]]
) -> None:
    """Cache facts that are found together, as `FactStore.fill` does."""
    _store.fill(sources, find)


def forget_facts(source: LayerSource | None = None) -> None:
    """Drop the facts about a source; None for all sources (`mapsos.operations.host.Host.forget`)."""
    _store.forget(source)


def _recall(source: LayerSource, question: Hashable, find: Callable[[], T]) -> T:
    return _store.recall(source, question, find)
