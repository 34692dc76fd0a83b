"""Facts of a table that SQLite reports by aggregates and indexes, and the extent that a driver knows.

Every fact is the one that a pass over the rows would find, or None where that is not certain.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.drivers.opening import guarded
from mapsos.sources.facts import Bounds, GroupFacts, TableFacts
from mapsos.sources.filtering.sql import Dialect, is_unicode, quote_identifier
from mapsos.sources.indexes.index_skips import count_each, find_extremes, find_first_ids, list_distinct
from mapsos.sources.indexes.index_steps import find_ends, find_span, tells_steps
from mapsos.sources.indexes.sql_table import SqlTable
from mapsos.sources.indexes.time_texts import find_digits, write_pattern
from mapsos.sources.query import StepEnds
from mapsos.sources.reader import Narrowing, Reader
from mapsos.terms.columns import ColumnKind
from mapsos.terms.predicates import BBox, Everything, Predicate
from mapsos.terms.times import Interval, parse_time

_EXACT_EXTENTS = ("GPKG", "FlatGeobuf")
"""Drivers that store the extent of a layer: PostgreSQL estimates it, SQLite may take it from old statistics."""


_complete_indexes: WeakKeyDictionary[SqlTable, bool] = WeakKeyDictionary()
"""Whether the spatial index of a table holds every row; a reader is used again only while its data are the same."""


def open_table_facts(reader: Reader) -> SqliteFacts | None:
    """Return the facts of the table or layer of a reader, None for one that the mapfile narrows down."""
    if not isinstance(reader, OgrReader) or reader.selected or reader.source.native_filter:
        return None
    return SqliteFacts(reader)


class SqliteFacts(TableFacts):
    """Facts of a table of SQLite or GeoPackage; of other drivers the extent alone."""

    def __init__(self, reader: SqlTable) -> None:
        self._reader = reader
        self._source = reader.source

    def distinct(self, column: str, predicate: Predicate) -> tuple[str, ...] | None:
        """Return the distinct strings in order of first appearance: by an index on the column, if any."""
        reader = self._reader
        if not self._is_plain_table() or not self._is_text(column) or not self._admits_all(predicate):
            return None
        with guarded(self._source):
            if (found := list_distinct(reader, column)) is not None:
                return found
            name = quote_identifier(column, reader.dialect)
            order = quote_identifier(reader.fid_name, reader.dialect)
            # By bytes, whatever collation the table declares: values that differ only in case are two.
            statement = f"SELECT {name} FROM {self._table()} GROUP BY {name} COLLATE BINARY ORDER BY MIN({order})"
            texts = tuple(dict.fromkeys(row[0] for row in reader.ask(statement)))
            # A pass over the rows replaces bytes that are not UTF-8, as answers do.
            return texts if all(map(is_unicode, texts)) else None

    def time_bounds(self, column: str, predicate: Predicate) -> Interval | None:
        """Return the bounds of time, where all times are written alike and in UTC, so that strings sort as times."""
        reader = self._reader
        with guarded(self._source):
            digits = self._find_digits(column, predicate)
            if digits is None:
                return None
            if (span := find_span(reader, column, digits)) is not None:
                return span
            name = quote_identifier(column, reader.dialect)
            differs = f"{name} NOT GLOB {write_pattern(digits)}"
            extremes = find_extremes(reader, column)
            if extremes is not None:
                # GDAL runs a statement to its first row to learn its columns, and then again: so that row is cheap.
                others = reader.ask(
                    "SELECT '' AS other UNION ALL "
                    f"SELECT * FROM (SELECT 'x' FROM {self._table()} WHERE {differs} LIMIT 1)"
                )
                first, last = extremes
                alike = len(others) == 1
            else:
                _, (first, last, differing) = reader.ask(
                    "SELECT '' AS least, '' AS most, '' AS other UNION ALL "
                    f"SELECT MIN({name} COLLATE BINARY), MAX({name} COLLATE BINARY), MAX({differs}) "
                    f"FROM {self._table()}"
                )
                alike = differing == "0"
        if not alike:
            return None
        try:
            return _span(first, last)
        except ValueError:
            return None

    def availability(self, group: str | None, column: str, predicate: Predicate) -> dict[str, GroupFacts] | None:
        """Return number of rows and bounds of time by group, in order of first appearance, if strings sort as times."""
        reader = self._reader
        if group is not None and not self._is_text(group):
            return None
        with guarded(self._source):
            digits = self._find_digits(column, predicate)
            if digits is None:
                return None
            name = quote_identifier(column, reader.dialect)
            differs = f"{name} NOT GLOB {write_pattern(digits)}"
            order = quote_identifier(reader.fid_name, reader.dialect)
            key = "''" if group is None else f"IFNULL({quote_identifier(group, reader.dialect)}, '')"
            by = "" if group is None else f" GROUP BY {key} COLLATE BINARY"
            _, *found = reader.ask(
                "SELECT '' AS key, '' AS least, '' AS most, '' AS number, '' AS other UNION ALL SELECT * FROM ("
                f"SELECT {key}, MIN({name} COLLATE BINARY), MAX({name} COLLATE BINARY), COUNT(*), MAX({differs}) "
                f"FROM {self._table()}{by} ORDER BY MIN({order}))"
            )
        if any(other not in ("0", "") or not is_unicode(text) for text, *_, other in found):
            return None
        try:
            return {
                text: GroupFacts(int(number), _span(first, last) if first else None)
                for text, first, last, number, _ in found
            }
        except ValueError:
            return None

    def one_place(self, group: str | None, predicate: Predicate) -> tuple[Narrowing, dict[str, int]] | None:
        """Return how to read the first row of each group and the numbers of rows, if all rows are at one point.

        For a group column of strings without NULL that an index begins with.
        """
        reader, known = self._reader, self.extent()
        if group is None or known is None or known[:2] != known[2:] or not self._is_plain_table():
            return None
        if not self._is_text(group) or not self._admits_all(predicate):
            return None
        with guarded(self._source):
            ids = find_first_ids(reader, group)
            if ids is None or "" in ids:
                return None
            counts = count_each(reader, group, tuple(ids))
        return None if counts is None else (self._narrow(list(ids.values())), counts)

    def _narrow(self, ids: list[int]) -> Narrowing:
        """Return a narrowing to rows by their feature ids."""
        fid = quote_identifier(self._reader.fid_name, self._reader.dialect)
        return Narrowing(f"{fid} IN ({', '.join(map(str, ids))})")

    def count(self, predicate: Predicate) -> int | None:
        """Return the number of rows, by strings of a text column and by times that are all in UTC."""
        from mapsos.sources.indexes.row_counts import count_exactly

        if not self._is_plain_table():
            return None
        with guarded(self._source):
            return count_exactly(self._reader, predicate, self._admits_all)

    def find_ends(self, ends: StepEnds, predicate: Predicate) -> tuple[Narrowing, int] | None:
        """Return how to read rows that include all rows of ``ends``, and how many they are."""
        reader = self._reader
        if not self._is_plain_table():
            return None
        with guarded(self._source):
            ids = find_ends(reader, ends, predicate)
        return None if ids is None else (self._narrow(ids), len(ids))

    def tells_steps(self, time: str, group: str | None) -> bool:
        """Return whether an index may find the first and last rows of steps of time."""
        with guarded(self._source):
            return self._is_plain_table() and tells_steps(self._reader, time, group)

    def extent(self) -> Bounds | None:
        """Return minx miny maxx maxy as stored in the file, None where the driver could only estimate it."""
        exact = self._reader.driver in _EXACT_EXTENTS and self._source.row_filter == Everything()
        return self._reader.known_extent if exact else None

    def _find_digits(self, column: str, predicate: Predicate) -> int | None:
        """Return how many digits of a second the times seem to have, None where SQL cannot compare them."""
        kind = self._reader.columns[column].column.kind
        if not self._is_plain_table() or kind is not ColumnKind.DATETIME or not self._admits_all(predicate):
            return None
        return find_digits(self._reader, column)

    def _is_text(self, column: str) -> bool:
        """Return whether a column contains strings for SQLite too."""
        reader = self._reader
        return reader.columns[column].column.kind is ColumnKind.TEXT and reader.condition_dialect(column) is not None

    def _is_plain_table(self) -> bool:
        reader = self._reader
        return reader.dialect is Dialect.SQLITE and bool(reader.fid_name) and self._source.row_filter == Everything()

    def _admits_all(self, predicate: Predicate) -> bool:
        """Return whether the predicate is Everything, or a rectangle around all rows, which are all in the index."""
        if isinstance(predicate, Everything):
            return True
        crs, known = self._source.crs, self.extent()
        if not isinstance(predicate, BBox) or known is None or (crs is None and predicate.crs is not None):
            return False
        if predicate.crs is not None and crs is not None and predicate.crs not in (crs.definition, crs.label):
            return False
        inside = predicate.minx <= known[0] and predicate.miny <= known[1]
        inside = inside and predicate.maxx >= known[2] and predicate.maxy >= known[3]
        return inside and self._has_geometry_everywhere()

    def _has_geometry_everywhere(self) -> bool:
        """Return whether the spatial index holds every row."""
        reader = self._reader
        if reader not in _complete_indexes:
            index = f"rtree_{reader.table}_{reader.geometry_name}_rowid"
            with guarded(self._source):
                if not reader.has_table(index):
                    return False
                indexed = reader.ask(f"SELECT count(*) FROM {quote_identifier(index, reader.dialect)}")
                complete = indexed == reader.ask(f"SELECT count(*) FROM {self._table()}")
            _complete_indexes[reader] = complete
        return _complete_indexes[reader]

    def _table(self) -> str:
        return quote_identifier(self._reader.table, self._reader.dialect)


def _span(first: str, last: str) -> Interval:
    """Return the interval from one string to another, included. Raises ValueError if one is not a time."""
    return Interval(parse_time(first).begin, parse_time(last).begin + 1)
