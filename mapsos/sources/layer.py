"""A layer: its columns, and its rows as batches of Arrow columns in answer to a `LayerQuery`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from mapsos.columns.batches import Batch, Column
from mapsos.sources.errors import SourceError
from mapsos.sources.file_watch import FileWatch
from mapsos.sources.filtering.row_times import instants_of
from mapsos.sources.passes.whole_layer import PASS_ROWS, bounds_of_time, distinct_texts, extent_of, extremes_of_time
from mapsos.sources.pool import acquire_reader, release_reader
from mapsos.sources.query import LayerQuery
from mapsos.sources.read_ahead import read_rows_ahead
from mapsos.sources.reader import Narrowing, Reader, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.terms.crs import Crs
from mapsos.terms.deadlines import current_deadline
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING, Everything, Nothing, Predicate, all_of, names, needs_geometry, rename
from mapsos.terms.times import Interval

if TYPE_CHECKING:
    from mapsos.sources.indexes.postgresql_facts import ServerFacts
    from mapsos.sources.indexes.sqlite_facts import Database
    from mapsos.sources.passes.densities import TimeDensity
    from mapsos.sources.passes.groups import GroupFacts

T = TypeVar("T")


_MOST_OPENINGS = 5


def open_layer(source: LayerSource) -> Layer:
    """Open what the layer names, to be used as a context manager. Raises `SourceError`."""
    return Layer(source)


class Layer:
    """An open layer. Several readings may run at once, also in several threads: each has a reader of its own.

    Raises `SourceError` wherever its data cannot be read, also in the middle of a reading, and DeadlineError when the
    time of the request that it was opened for is over.
    """

    def __init__(self, source: LayerSource) -> None:
        self.source = source
        self._deadline = current_deadline()
        self._watch, reader = _open_watched(source)
        self._idle: list[Reader] = [reader]
        self._closed = False
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
        """Give back the readers that no reading uses; a reading that still runs gives its own back at its end."""
        self._closed = True
        while self._idle:
            release_reader(self._idle.pop())

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
        """CRS of the coordinates, as the mapfile says."""
        return self.source.crs

    def find_column(self, name: str) -> Column | None:
        """The column of that name without regard to case (an exact match first), None if there is none."""
        if name in self._columns:
            return self._columns[name]
        spelled = self._spelled.get(name.casefold())
        return None if spelled is None else self._columns[spelled]

    def read(self, query: LayerQuery, *, push_down: bool = True) -> Generator[Batch]:
        """Answer the query in batches of at most ``query.batch_rows`` rows; none of them is empty.

        Closing the generator ends the reading and closes its dataset at once. ``push_down`` False keeps every
        condition from the driver, which changes the cost and never the rows. Raises `SourceError`, also for a column
        that does not exist.
        """
        from mapsos.columns.geometries import reproject

        values = tuple(dict.fromkeys(self._spell(name) for name in query.values))
        texts = tuple(dict.fromkeys(self._spell(name) for name in query.texts))
        times = tuple(dict.fromkeys(self._spell(name) for name in query.times))
        target = query.crs if query.crs is not None and self.crs is not None else None
        columns = (*values, *texts, *times)
        known = self._find_ends(query, columns) if push_down else None
        if known is not None:
            reading: Generator[Rows] = (rows for rows in known)
        else:
            reading = self._read_rows(
                columns, query.predicate, query.geometry, query.limit, query.batch_rows, push_down
            )
        try:
            for rows in reading:
                geometry = rows.geometry if query.geometry else None
                if geometry is not None and target is not None and self.crs is not None:
                    geometry = reproject(geometry, self.crs, target)
                yield Batch(
                    rows.count,
                    {name: rows.values(name) for name in values},
                    {name: rows.texts(name) for name in texts},
                    geometry,
                    {name: instants_of(rows, name) for name in times},
                )
        finally:
            reading.close()

    def _find_ends(self, query: LayerQuery, columns: tuple[str, ...]) -> list[Rows] | None:
        """The rows that `LayerQuery.ends` speaks of, found by an index; None where that is not certain."""
        from mapsos.sources.identity import identity

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
        found = self._ask_database(lambda database: database.find_ends(ends, wanted))
        if found is None or state is None:
            return None
        narrowing, count = found
        rows_of = self._read_rows(columns, wanted, query.geometry, None, query.batch_rows, known=narrowing)
        rows = list(rows_of) if count else []
        # A row that the predicate leaves out may have kept another one from being found.
        return rows if sum(some.count for some in rows) == count and identity(self.source) == state else None

    def tells_steps(self, time_column: str, group_column: str | None) -> bool:
        """Whether an index may tell the first and last rows of steps of time, so that `StepEnds` are found at once."""
        time, group = self._spell(time_column), self._spell_any(group_column)
        return bool(self._ask_database(lambda database: database.tells_steps(time, group)))

    def distinct(self, column: str, predicate: Predicate = EVERYTHING) -> tuple[str, ...]:
        """Distinct value texts of a column in order of first appearance, '' for NULL: one pass at most (D-34)."""
        name = self._spell(column)
        known = self._ask_database(lambda database: database.distinct(name, predicate))
        if known is not None:
            return known
        return distinct_texts(self._pass((name,), predicate), name)

    def extent(
        self, predicate: Predicate = EVERYTHING, crs: Crs | None = None
    ) -> tuple[float, float, float, float] | None:
        """Minx miny maxx maxy of the geometries in ``crs`` (None: the layer's), None if there are none: one pass.

        Without a predicate and in the layer's own CRS, what the driver knows by itself (a header, a catalogue) counts.
        """
        if not self._has_geometry:
            return None
        same = crs is None or self.crs is None or crs.definition == self.crs.definition
        if same and isinstance(all_of(self.source.admitted, predicate), Everything):
            known = self._ask_database(lambda database: database.extent())
            if known is not None:
                return known
        return extent_of(self._pass((), predicate, geometry=True), self.crs, crs)

    def time_bounds(self, column: str, predicate: Predicate = EVERYTHING) -> Interval | None:
        """From the first begin to the last end (exclusive) of a column's times, None without any: a pass at most."""
        name = self._spell(column)
        known = self._ask_database(lambda database: database.time_bounds(name, predicate))
        if known is not None:
            return known
        return bounds_of_time(self._pass((name,), predicate), name)

    def count(self, predicate: Predicate = EVERYTHING) -> int:
        """Number of rows, MAXFEATURES included."""
        known = self.known_count(predicate)
        return sum(rows.count for rows in self._pass((), predicate)) if known is None else known

    def known_count(self, predicate: Predicate = EVERYTHING) -> int | None:
        """Number of rows as the data source counts them by itself, None where only a pass would tell exactly."""
        wanted = rename(predicate, self._spell)
        if isinstance(all_of(self.source.admitted, wanted), Nothing):
            return 0
        return self._ask_database(lambda database: database.count(wanted))

    def count_by_time(self, density: TimeDensity, time_column: str | None, predicate: Predicate = EVERYTHING) -> None:
        """Count rows into ``density``, MAXFEATURES included, by when the times of a column begin: one pass."""
        name = self._spell_any(time_column)
        density.add(self._pass(() if name is None else (name,), predicate), name)

    def extreme_times(
        self, time_column: str, group_column: str | None, predicate: Predicate = EVERYTHING, newest: bool = True
    ) -> dict[str, Interval]:
        """The newest (or oldest) time by value text of the group column ('' without one and for NULL): one pass.

        A group whose rows have no time is not there.
        """
        time_name = self._spell(time_column)
        group = self._spell_any(group_column)
        known = self._ask_database(lambda database: database.extreme_times(time_name, group, predicate, newest))
        if known is not None:
            return known
        columns = (time_name,) if group is None else (time_name, group)
        return extremes_of_time(self._pass(columns, predicate), time_name, group, newest)

    def group_facts(
        self,
        group_column: str | None,
        time_column: str | None = None,
        text_columns: tuple[str, ...] = (),
        predicate: Predicate = EVERYTHING,
        crs: Crs | None = None,
    ) -> dict[str, GroupFacts]:
        """How many rows, when and where, by value text of the group column ('' without one and for NULL): one pass.

        Places are in ``crs`` (None: the layer's). Groups come in order of first appearance.
        """
        from mapsos.sources.passes.groups import facts_of_groups

        group = self._spell_any(group_column)
        time = self._spell_any(time_column)
        texts = tuple(map(self._spell, text_columns))
        columns = tuple(name for name in (group, time, *texts) if name is not None)
        if time is None and (found := self._find_places(group, texts, predicate, crs)) is not None:
            return found
        passing = self._pass(columns, predicate, geometry=self._has_geometry)
        return facts_of_groups(passing, group, time, texts, self.crs, crs)

    def _find_places(
        self, group: str | None, texts: tuple[str, ...], predicate: Predicate, crs: Crs | None
    ) -> dict[str, GroupFacts] | None:
        """Facts of groups whose rows are all at one point, from the first row of each; None where a pass is needed."""
        from mapsos.sources.passes.groups import facts_of_groups

        wanted = rename(predicate, self._spell)
        known = self._ask_database(lambda database: database.one_place(group, wanted))
        if known is None or group is None:
            return None
        narrowing, counts = known
        rows = self._read_rows((group, *texts), wanted, True, None, PASS_ROWS, known=narrowing)
        found = facts_of_groups(rows, group, None, texts, self.crs, crs)
        certain = all(facts.wkb is not None and all(facts.texts) for facts in found.values())
        if not certain or set(found) != set(counts):
            return None
        return {text: replace(facts, rows=counts[text]) for text, facts in found.items()}

    def availability(
        self, group_column: str | None, time_column: str | None, predicate: Predicate = EVERYTHING
    ) -> dict[str, GroupFacts]:
        """How many rows and from when to when, by value text of the group column: one grouped query, or one pass."""
        from mapsos.sources.passes.groups import facts_of_groups

        group = self._spell_any(group_column)
        time = self._spell_any(time_column)
        if time is not None:
            known = self._ask_database(lambda database: database.availability(group, time, predicate))
            if known is not None:
                return known
        columns = tuple(name for name in (group, time) if name is not None)
        # A place in the predicate brings geometries, which nobody asks about here.
        passing = (Rows(rows.count, rows.columns, rows.raw) for rows in self._pass(columns, predicate))
        return facts_of_groups(passing, group, time, (), self.crs, None)

    def _ask_database(self, question: Callable[[Database | ServerFacts], T | None]) -> T | None:
        """What the data source can say by itself without a pass over its rows, None where it cannot."""
        database = self._idle[-1].open_database() if self._idle else None
        return None if database is None else question(database)

    def _pass(self, columns: tuple[str, ...], predicate: Predicate, geometry: bool = False) -> Generator[Rows]:
        return self._read_rows(columns, predicate, geometry, None, PASS_ROWS)

    def _read_rows(
        self,
        columns: tuple[str, ...],
        predicate: Predicate,
        geometry: bool,
        limit: int | None,
        batch_rows: int,
        push_down: bool = True,
        known: Narrowing | None = None,
    ) -> Generator[Rows]:
        from mapsos.sources.filtering.evaluate import evaluate
        from mapsos.sources.filtering.pushdown import narrow

        wanted = rename(all_of(self.source.admitted, predicate), self._spell)
        limits = [count for count in (limit, self.source.max_features) if count is not None]
        left = min(limits) if limits else None
        if isinstance(wanted, Nothing) or (left is not None and left <= 0):
            return
        everything = isinstance(wanted, Everything)
        watch, reader = (self._watch, self._idle.pop()) if self._idle else _open_watched(self.source)
        done = False
        try:
            plan = ReadPlan(
                columns=tuple(dict.fromkeys((*columns, *names(wanted)))),
                geometry=geometry or needs_geometry(wanted),
                narrowing=known or (narrow(wanted, reader, self.crs) if push_down else None),
                batch_rows=batch_rows,
                first_rows=left if everything else None,
            )
            stream = reader.rows(plan)
            # What filters nothing leaves the geometries as they are read.
            found = _find_runs(stream) if everything and geometry else stream
            coming = read_rows_ahead(found, plan.batch_rows)
            try:
                for rows in coming:
                    self._deadline.check()
                    watch.check()
                    if not everything:
                        mask = evaluate(wanted, rows, self.source)
                        rows = rows if mask.all() else rows.take(mask)
                    if left is not None:
                        rows = rows.head(left)
                        left -= rows.count
                    if rows.count:
                        yield rows
                    if left == 0:
                        break
                else:
                    # A file that was cut off looks like one that has come to its end.
                    watch.check()
                    done = True
            finally:
                coming.close()
                stream.close()
        finally:
            if not done:
                reader.close()
            elif self._closed or self._idle:
                release_reader(reader)
            else:
                self._idle.append(reader)

    def _spell(self, name: str) -> str:
        column = self.find_column(name)
        if column is None:
            raise SourceError(f"layer {self.source.layer} has no column {name}")
        return column.name

    def _spell_any(self, name: str | None) -> str | None:
        return None if name is None else self._spell(name)


def _open_watched(source: LayerSource) -> tuple[FileWatch, Reader]:
    """A reader, and the watch on its files; opened again where they were replaced meanwhile, one after the other."""
    for _ in range(_MOST_OPENINGS):
        watch = FileWatch(source)
        reader = acquire_reader(source)
        if not watch.is_replaced():
            return watch, reader
        reader.close()
    raise SourceError(f"data source of layer {source.layer} is being replaced")


def _find_runs(rows_of: Iterator[Rows]) -> Iterator[Rows]:
    """The same rows, their lines and polygons found: by the thread that reads, which waits for the one after it.

    For an answer that does not want them it is 6 ns a number lost.
    """
    for rows in rows_of:
        if rows.geometry is not None:
            rows.geometry.vertex_runs()
        yield rows
