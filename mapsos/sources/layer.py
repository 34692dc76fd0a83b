"""A layer: its columns, and its rows as batches of Arrow columns in answer to a `LayerQuery`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from mapsos.columns.batches import Batch
from mapsos.sources.errors import SourceError
from mapsos.sources.facts import Bounds, GroupFacts, TableFacts
from mapsos.sources.identity import identity
from mapsos.sources.layer_readers import LayerReaders
from mapsos.sources.open_reader import open_facts
from mapsos.sources.query import LayerQuery
from mapsos.sources.rows import Rows
from mapsos.terms.columns import Column
from mapsos.terms.crs import Crs
from mapsos.terms.deadlines import current_deadline
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, Everything, Nothing, Predicate, all_of, rename
from mapsos.terms.times import Interval

if TYPE_CHECKING:
    from mapsos.sources.layer_rows import LayerRows
    from mapsos.sources.passes.densities import TimeDensity

T = TypeVar("T")


def open_layer(source: LayerSource) -> Layer:
    """Open the data of a layer, for use as a context manager. Raises `SourceError`."""
    return Layer(source)


class Layer:
    """An open layer. Several readings may run at once, also in several threads: each has its own reader.

    Facts come from the data source where it knows them, else from a pass over the rows. Raises `SourceError` wherever
    the data cannot be read, also in the middle of a reading, and DeadlineError when the time of the request that opened
    the layer is over.
    """

    def __init__(self, source: LayerSource) -> None:
        self.source = source
        self._deadline = current_deadline()
        self._readers = LayerReaders(source)
        reader = self._readers.idle
        assert reader is not None
        self._spelled: dict[str, str] = {}
        for name in reader.columns:
            self._spelled.setdefault(name.casefold(), name)
        self._columns = {name: column.column for name, column in reader.columns.items()}
        self._has_geometry = reader.has_geometry

    def __enter__(self) -> Layer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Return the idle readers to the pool; a reading that still runs returns its own at its end."""
        self._readers.close()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the source's order and spelling, without geometry and feature id."""
        return tuple(self._columns.values())

    @property
    def has_geometry(self) -> bool:
        """Whether rows can have geometries."""
        return self._has_geometry

    @property
    def crs(self) -> Crs | None:
        """CRS of the coordinates, as the mapfile states it."""
        return self.source.crs

    def find_column(self, name: str) -> Column | None:
        """Return the column of that name (an exact match, else case-insensitive), None if not found."""
        if name in self._columns:
            return self._columns[name]
        spelled = self._spelled.get(name.casefold())
        return None if spelled is None else self._columns[spelled]

    def read(self, query: LayerQuery, *, push_down: bool = True) -> Generator[Batch]:
        """Yield the rows of the query in batches of at most ``query.batch_rows`` rows; none of them is empty.

        Closing the generator ends the reading and closes its dataset at once. ``push_down`` False pushes no condition
        down to the driver, which changes the cost and never the rows.

        Raises
        ------
        SourceError
            The data cannot be read, or a column does not exist.
        """
        known = self._find_ends(query) if push_down else None
        yield from self._rows.read(query, known, push_down)

    def _find_ends(self, query: LayerQuery) -> list[Rows] | None:
        """Return the rows that `LayerQuery.ends` describes, found by an index; None where that is not certain."""
        if query.ends is None or query.limit is not None:
            return None
        state = identity(self.source)
        ends = replace(
            query.ends,
            time=self._spell(query.ends.time),
            group=self._spell_any(query.ends.group),
            columns=tuple(map(self._spell, query.ends.columns)),
        )
        wanted = rename(query.predicate, self._spell)
        found = self._query_facts(lambda facts: facts.find_ends(ends, wanted))
        if found is None or state is None:
            return None
        narrowing, count = found
        rows = self._rows.read_known(query, narrowing) if count else []
        # A row that the predicate leaves out may have hidden another one.
        return rows if sum(some.count for some in rows) == count and identity(self.source) == state else None

    def tells_steps(self, time_column: str, group_column: str | None) -> bool:
        """Return whether an index may find the first and last rows of steps of time, so that `StepEnds` cost little."""
        time, group = self._spell(time_column), self._spell_any(group_column)
        return bool(self._query_facts(lambda facts: facts.tells_steps(time, group)))

    def distinct(self, column: str, predicate: Predicate = EVERYTHING) -> tuple[str, ...]:
        """Return the distinct value texts of a column in order of first appearance, '' for NULL (D-34)."""
        name = self._spell(column)
        known = self._query_facts(lambda facts: facts.distinct(name, predicate))
        return self._rows.distinct(name, predicate) if known is None else known

    def extent(self, predicate: Predicate = EVERYTHING, crs: Crs | None = None) -> Bounds | None:
        """Return minx miny maxx maxy of the geometries in ``crs`` (None: the layer's), None without any.

        Without a predicate and in the layer's own CRS the extent that the driver knows (a header, a catalogue) counts.
        """
        if not self._has_geometry:
            return None
        same = crs is None or self.crs is None or crs.definition == self.crs.definition
        if same and isinstance(all_of(self.source.row_filter, predicate), Everything):
            known = self._query_facts(lambda facts: facts.extent())
            if known is not None:
                return known
        return self._rows.extent(predicate, crs)

    def time_bounds(self, column: str, predicate: Predicate = EVERYTHING) -> Interval | None:
        """Return the interval from the first begin to the last end (exclusive) of a column's times, None without."""
        name = self._spell(column)
        known = self._query_facts(lambda facts: facts.time_bounds(name, predicate))
        return self._rows.time_bounds(name, predicate) if known is None else known

    def count(self, predicate: Predicate = EVERYTHING) -> int:
        """Return the number of rows, MAXFEATURES included."""
        known = self.known_count(predicate)
        return self._rows.count(predicate) if known is None else known

    def known_count(self, predicate: Predicate = EVERYTHING) -> int | None:
        """Return the number of rows as the data source counts them, None where only a pass is exact."""
        wanted = rename(predicate, self._spell)
        if isinstance(all_of(self.source.row_filter, wanted), Nothing):
            return 0
        return self._query_facts(lambda facts: facts.count(wanted))

    def count_by_time(
        self, time_column: str | None, predicate: Predicate = EVERYTHING, density: TimeDensity | None = None
    ) -> TimeDensity:
        """Return rows counted by the begin of a column's times, MAXFEATURES included: one pass.

        They are added to those of ``density``, if given, which is then the result.
        """
        return self._rows.count_by_time(self._spell_any(time_column), predicate, density)

    def extreme_times(
        self, time_column: str, group_column: str | None, predicate: Predicate = EVERYTHING, newest: bool = True
    ) -> dict[str, Interval]:
        """Return the newest (or oldest) time by value text of the group column ('' without one and for NULL).

        A group whose rows have no time is missing.
        """
        time, group = self._spell(time_column), self._spell_any(group_column)
        known = self._query_facts(lambda facts: facts.extreme_times(time, group, predicate, newest))
        return self._rows.extreme_times(time, group, predicate, newest) if known is None else known

    def group_facts(
        self,
        group_column: str | None,
        time_column: str | None = None,
        text_columns: tuple[str, ...] = (),
        predicate: Predicate = EVERYTHING,
        crs: Crs | None = None,
    ) -> dict[str, GroupFacts]:
        """Return the facts by value text of the group column ('' without one and for NULL).

        Bounds are in ``crs`` (None: the layer's). Groups come in order of first appearance.
        """
        group, time = self._spell_any(group_column), self._spell_any(time_column)
        texts = tuple(map(self._spell, text_columns))
        if time is None and group is not None:
            wanted = rename(predicate, self._spell)
            known = self._query_facts(lambda facts: facts.one_place(group, wanted))
            found = None if known is None else self._rows.facts_at_one_place(group, texts, wanted, crs, known)
            if found is not None:
                return found
        return self._rows.group_facts(group, time, texts, predicate, self._has_geometry, crs)

    def availability(
        self, group_column: str | None, time_column: str | None, predicate: Predicate = EVERYTHING
    ) -> dict[str, GroupFacts]:
        """Return number of rows and bounds of time by value text of the group column."""
        group, time = self._spell_any(group_column), self._spell_any(time_column)
        if time is not None:
            known = self._query_facts(lambda facts: facts.availability(group, time, predicate))
            if known is not None:
                return known
        return self._rows.availability(group, time, predicate)

    def split_values(self, column: str, values: tuple[str, ...]) -> Iterator[Predicate]:
        """Yield predicates that together select the rows with one of some strings of a column, each by one reading.

        Where an index may find the rows, each has as many strings as a statement may contain; else one has all.
        """
        return self._rows.split_values(self._spell(column), values)

    @cached_property
    def _rows(self) -> LayerRows:
        from mapsos.sources.layer_rows import LayerRows

        return LayerRows(self.source, self._readers, self._spell, self._deadline)

    def _query_facts(self, question: Callable[[TableFacts], T | None]) -> T | None:
        """Return what the data source reports without a pass over its rows, None where it does not."""
        reader = self._readers.idle
        facts = None if reader is None else open_facts(reader)
        return None if facts is None else question(facts)

    def _spell(self, name: str) -> str:
        column = self.find_column(name)
        if column is None:
            raise SourceError(f"layer {self.source.layer} has no column {name}")
        return column.name

    def _spell_any(self, name: str | None) -> str | None:
        return None if name is None else self._spell(name)
