"""Read the rows of an open layer, as batches or in a pass: narrowed by the driver, decided here on Arrow columns."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from mapsos.columns.batches import Batch
from mapsos.columns.geometries import reproject
from mapsos.sources.errors import unreadable
from mapsos.sources.facts import Bounds, GroupFacts
from mapsos.sources.filtering.evaluate import evaluate
from mapsos.sources.filtering.pushdown import MOST_VALUES, narrow
from mapsos.sources.filtering.row_times import instants_of
from mapsos.sources.layer_readers import LayerReaders
from mapsos.sources.passes.densities import TimeDensity
from mapsos.sources.passes.groups import facts_of_groups
from mapsos.sources.passes.whole_layer import PASS_ROWS, bounds_of_time, distinct_texts, extent_of, extremes_of_time
from mapsos.sources.query import LayerQuery
from mapsos.sources.read_ahead import read_rows_ahead
from mapsos.sources.reader import Narrowing, Reader, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.terms.crs import Crs, CrsError
from mapsos.terms.deadlines import Deadline
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import Everything, Nothing, OneOf, Predicate, all_of, names, needs_geometry, rename
from mapsos.terms.times import Interval


class LayerRows:
    """The rows of one open layer. Columns are spelled as the source does; those of predicates in any case.

    Parameters
    ----------
    source
        The layer.
    readers
        Its readers; each reading takes one.
    spell
        Returns the source's spelling of a column's name. Raises `mapsos.sources.errors.SourceError` for an unknown one.
    deadline
        Checked for each batch.
    """

    def __init__(
        self, source: LayerSource, readers: LayerReaders, spell: Callable[[str], str], deadline: Deadline
    ) -> None:
        self._source = source
        self._readers = readers
        self._spell = spell
        self._deadline = deadline

    def read(self, query: LayerQuery, known: list[Rows] | None, push_down: bool) -> Generator[Batch]:
        """Yield the batches of a query, none of them empty: of the rows that are ``known``, else as they are read.

        Closing the generator ends the reading and closes its dataset at once.
        """
        values = self._spell_all(query.values)
        texts = self._spell_all(query.texts)
        times = self._spell_all(query.times)
        crs = self._source.crs
        if known is not None:
            reading: Generator[Rows] = (rows for rows in known)
        else:
            columns = (*values, *texts, *times)
            reading = self.rows(
                columns,
                query.predicate,
                query.geometry,
                query.limit,
                query.batch_rows,
                push_down,
                ordered=query.ordered,
            )
        try:
            for rows in reading:
                geometry = rows.geometry if query.geometry else None
                if geometry is not None and query.crs is not None and crs is not None:
                    with self._in_known_crs():
                        geometry = reproject(geometry, crs, query.crs)
                yield Batch(
                    rows.count,
                    {name: rows.values(name) for name in values},
                    {name: rows.texts(name) for name in texts},
                    geometry,
                    {name: instants_of(rows, name) for name in times},
                )
        finally:
            reading.close()

    def read_known(self, query: LayerQuery, narrowing: Narrowing) -> list[Rows]:
        """Return the rows of a query that a narrowing finds."""
        columns = self._spell_all((*query.values, *query.texts, *query.times))
        return list(self.rows(columns, query.predicate, query.geometry, None, query.batch_rows, known=narrowing))

    def distinct(self, column: str, predicate: Predicate) -> tuple[str, ...]:
        """Return the distinct value texts of a column in order of first appearance, '' for NULL."""
        return distinct_texts(self.read_pass((column,), predicate), column)

    def extent(self, predicate: Predicate, crs: Crs | None) -> Bounds | None:
        """Return the bounds of the geometries in ``crs`` (None: the layer's), None without any."""
        with self._in_known_crs():
            return extent_of(self.read_pass((), predicate, geometry=True), self._source.crs, crs)

    def time_bounds(self, column: str, predicate: Predicate) -> Interval | None:
        """Return the interval from the first begin to the last end (exclusive) of a column of times."""
        return bounds_of_time(self.read_pass((column,), predicate), column)

    def count(self, predicate: Predicate) -> int:
        """Return the number of rows, MAXFEATURES included."""
        return sum(rows.count for rows in self.read_pass((), predicate))

    def count_by_time(self, time: str | None, predicate: Predicate, density: TimeDensity | None) -> TimeDensity:
        """Return rows counted by the begin of their times, MAXFEATURES included, added to those of ``density``."""
        density = TimeDensity() if density is None else density
        density.add(self.read_pass(() if time is None else (time,), predicate), time)
        return density

    def extreme_times(self, time: str, group: str | None, predicate: Predicate, newest: bool) -> dict[str, Interval]:
        """Return the newest (or oldest) time by value text of the group column."""
        columns = (time,) if group is None else (time, group)
        return extremes_of_time(self.read_pass(columns, predicate), time, group, newest)

    def group_facts(
        self,
        group: str | None,
        time: str | None,
        texts: Sequence[str],
        predicate: Predicate,
        geometry: bool,
        crs: Crs | None,
    ) -> dict[str, GroupFacts]:
        """Return the facts by value text of the group column, bounds in ``crs`` (None: the layer's)."""
        columns = tuple(name for name in (group, time, *texts) if name is not None)
        passing = self.read_pass(columns, predicate, geometry)
        with self._in_known_crs():
            return facts_of_groups(passing, group, time, tuple(texts), self._source.crs, crs)

    def facts_at_one_place(
        self,
        group: str,
        texts: Sequence[str],
        predicate: Predicate,
        crs: Crs | None,
        known: tuple[Narrowing, dict[str, int]],
    ) -> dict[str, GroupFacts] | None:
        """Return the facts of groups that are all at one point, from the first row of each; None if not certain.

        ``known`` is the answer of `mapsos.sources.facts.TableFacts.one_place`.
        """
        narrowing, counts = known
        rows = self.rows((group, *texts), predicate, True, None, PASS_ROWS, known=narrowing)
        with self._in_known_crs():
            found = facts_of_groups(rows, group, None, tuple(texts), self._source.crs, crs)
        certain = all(facts.wkb is not None and all(facts.texts) for facts in found.values())
        if not certain or set(found) != set(counts):
            return None
        return {text: replace(facts, rows=counts[text]) for text, facts in found.items()}

    def availability(self, group: str | None, time: str | None, predicate: Predicate) -> dict[str, GroupFacts]:
        """Return number of rows and bounds of time by value text of the group column."""
        columns = tuple(name for name in (group, time) if name is not None)
        # A rectangle in the predicate brings geometries, which are not of interest here.
        passing = (Rows(rows.count, rows.columns, rows.raw) for rows in self.read_pass(columns, predicate))
        return facts_of_groups(passing, group, time, (), self._source.crs, None)

    def rows(
        self,
        columns: tuple[str, ...],
        predicate: Predicate,
        geometry: bool,
        limit: int | None,
        batch_rows: int,
        push_down: bool = True,
        known: Narrowing | None = None,
        ordered: bool = False,
    ) -> Generator[Rows]:
        """Yield the rows that predicate and FILTER select, none of them empty.

        ``known`` replaces the narrowing that the predicate would have; ``push_down`` False leaves it out.
        ``ordered`` is that of `ReadPlan`.
        """
        wanted = rename(all_of(self._source.row_filter, predicate), self._spell)
        limits = [count for count in (limit, self._source.max_features) if count is not None]
        left = min(limits) if limits else None
        if isinstance(wanted, Nothing) or (left is not None and left <= 0):
            return
        everything = isinstance(wanted, Everything)
        watch, reader = self._readers.take()
        done = False
        try:
            narrowing = known or (self._narrow(wanted, reader) if push_down else None)
            plan = ReadPlan(
                columns=tuple(dict.fromkeys((*columns, *names(wanted)))),
                geometry=geometry or needs_geometry(wanted),
                narrowing=narrowing,
                batch_rows=batch_rows,
                first_rows=left if everything else None,
                most_rows=left,
                ordered=ordered,
            )
            stream = reader.rows(plan)
            # A predicate that filters nothing leaves the geometries as they are read.
            found = _find_runs(stream) if everything and geometry else stream
            coming = read_rows_ahead(found, plan.batch_rows)
            try:
                for rows in coming:
                    self._deadline.check()
                    watch.check()
                    if not everything:
                        with self._in_known_crs():
                            mask = evaluate(wanted, rows, self._source, self._deadline)
                        rows = rows if mask.all() else rows.take(mask)
                    if left is not None:
                        rows = rows.head(left)
                        left -= rows.count
                    if rows.count:
                        yield rows
                    if left == 0:
                        break
                else:
                    # A truncated file looks like one that has come to its end.
                    watch.check()
                    done = True
            finally:
                coming.close()
                stream.close()
        finally:
            self._readers.give_back(reader, done=done)

    def read_pass(self, columns: tuple[str, ...], predicate: Predicate, geometry: bool = False) -> Generator[Rows]:
        """Yield the rows that predicate and FILTER select, in the large batches of a pass that keeps no rows."""
        return self.rows(columns, predicate, geometry, None, PASS_ROWS)

    def split_values(self, column: str, values: tuple[str, ...]) -> Iterator[Predicate]:
        """Yield predicates that together select the rows with one of some strings of a column."""
        reader = self._readers.idle
        indexed = reader is not None and any(key[0] == column for key in reader.index_keys())
        size = MOST_VALUES if indexed or self._source.is_postgresql else max(1, len(values))
        for start in range(0, len(values), size):
            yield OneOf(column, values[start : start + size])

    def _narrow(self, wanted: Predicate, reader: Reader) -> Narrowing:
        with self._in_known_crs():
            return narrow(wanted, reader, self._source.crs)

    @contextmanager
    def _in_known_crs(self) -> Iterator[None]:
        """Report a CRS of the mapfile that PROJ does not know as a layer that cannot be read.

        Clients cannot be the cause: names of CRSs in requests are checked before.
        """
        try:
            yield
        except CrsError as error:
            raise unreadable(self._source, str(error)) from error

    def _spell_all(self, named: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(self._spell, named)))


def _find_runs(rows_of: Iterator[Rows]) -> Iterator[Rows]:
    """Yield the same rows with their lines and polygons found: in the thread that reads, which has time to spare.

    Costs 6 ns a number, for nothing where the response does not need them.
    """
    for rows in rows_of:
        if rows.geometry is not None:
            rows.geometry.vertex_runs()
        yield rows
