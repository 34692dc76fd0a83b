"""Columns of SQLite without a declared type: those that views and SELECTs compute, and those of odd declarations.

GDAL calls such a column a string, or takes the type of the value in the first row for that of all rows, to which it
then converts numbers and strings without a word: 1.5 becomes 1, and a string 0. They are read as the strings that
SQLite itself makes of their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from mapsos.columns.texts import utf8_texts
from mapsos.sources.filtering.sql import Dialect, quote_identifier, quote_text
from mapsos.sources.source_columns import OgrColumn, SourceColumn
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

Ask = Callable[[str], list[list[str]]]
"""Runs a statement and returns its rows as strings."""

_TEXT_WORDS = ("CHAR", "CLOB", "TEXT")
"""Words in a declared type that make SQLite treat the column as strings."""

_REAL_WORDS = ("REAL", "FLOA", "DOUB", "NUM", "DEC")
_DECLARED = {
    ColumnKind.TEXT: _TEXT_WORDS,
    ColumnKind.INTEGER: ("INT", "BOOL"),
    ColumnKind.REAL: _REAL_WORDS,
    ColumnKind.BINARY: ("BLOB",),
}
"""Words in a declared type from which GDAL takes the kind; without one of them it takes that of the first value."""

_SAMPLE = 100
"""Rows whose values decide on the kind of a column."""

_VIEW = "mapsos_selected"


@dataclass(frozen=True)
class UndeclaredColumn(OgrColumn):
    """A column without a declared type. Its raw arrays contain the strings that SQLite makes of its values.

    ``first`` is the kind that GDAL takes from the first row, in which MapServer writes the values.
    """

    first: ColumnKind = ColumnKind.TEXT

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return the strings of SQLite; numbers as MapServer writes them, if it has them as numbers."""
        texts = utf8_texts(raw, self.encoding)
        if self.first is not ColumnKind.REAL:
            return texts
        import pyarrow.compute as pc

        return pc.coalesce(OgrColumn(Column(self.column.name, ColumnKind.REAL)).texts(texts), texts)


def read_declared_types(ask: Ask, table: str, selected: str) -> dict[str, str]:
    """Return the declared types of the columns of a table or view, in capitals; empty for what is computed.

    Parameters
    ----------
    ask
        Queries the database.
    table
        The table or view.
    selected
        A SELECT in place of the table; empty without one.
    """
    if selected:
        # A view in the memory of this connection: SQLite has no other way to describe the columns of a SELECT.
        try:
            ask(f"CREATE TEMP VIEW {_VIEW} AS {selected}")
        except RuntimeError:
            return {}
        table = _VIEW
    try:
        quoted = quote_text(table, Dialect.SQLITE)
        return {name: kind.upper() for name, kind in ask(f"SELECT name, type FROM pragma_table_info({quoted})")}
    finally:
        if selected:
            ask(f"DROP VIEW temp.{_VIEW}")


def declares_text(declared: str) -> bool:
    """Return whether SQLite compares a column of the declared type as strings."""
    return any(word in declared for word in _TEXT_WORDS)


def find_undeclared(
    columns: Iterable[OgrColumn], declared: dict[str, str], ask: Ask, from_clause: str
) -> dict[str, OgrColumn]:
    """Return the columns by name, those without a declared type as `UndeclaredColumn`.

    A column is one of numbers if some of its first values are, or if it is declared as one. Values of it that are not
    numbers have a text but no typed value.
    """
    found = {column.column.name: column for column in columns}
    loose = [name for name, column in found.items() if _is_undeclared(column.column, declared.get(name, ""))]
    for name, kinds in zip(loose, _sample(loose, ask, from_clause), strict=True):
        numeric = "real" in kinds or "integer" in kinds or any(word in declared.get(name, "") for word in _REAL_WORDS)
        kind = ColumnKind.REAL if numeric else ColumnKind.TEXT
        found[name] = UndeclaredColumn(Column(name, kind), encoding=found[name].encoding, first=found[name].column.kind)
    return found


class AnyTable(Protocol):
    """A layer whose database can be queried."""

    @property
    def columns(self) -> Mapping[str, SourceColumn]:
        """The columns by name."""

    @property
    def dialect(self) -> Dialect:
        """The dialect of statements."""

    def from_clause(self) -> str:
        """Return the FROM clause of the rows."""

    def ask(self, statement: str) -> list[list[str]]:
        """Return the few rows of a statement as strings."""


def find_stored_texts(table: AnyTable) -> dict[str, list[str]]:
    """Return strings that are stored in columns declared as numbers, by column: one pass over the rows."""
    found: dict[str, list[str]] = {}
    for name, column in table.columns.items() if table.dialect is Dialect.SQLITE else ():
        if column.column.kind in (ColumnKind.REAL, ColumnKind.INTEGER) and not isinstance(column, UndeclaredColumn):
            quoted = quote_identifier(name, Dialect.SQLITE)
            condition = f"typeof({quoted}) = 'text'"
            statement = f"SELECT DISTINCT CAST({quoted} AS TEXT) FROM {table.from_clause()} WHERE {condition} LIMIT 3"
            if texts := [text for (text,) in table.ask(statement)]:
                found[name] = texts
    return found


def _is_undeclared(column: Column, declared: str) -> bool:
    words = _DECLARED.get(column.kind)
    return words is not None and not any(word in declared for word in words)


def _sample(names: list[str], ask: Ask, from_clause: str) -> list[str]:
    """Return the types of the first values of each column, as SQLite names them, joined by commas."""
    if not names:
        return []
    terms = (f"group_concat(DISTINCT typeof({quote_identifier(name, Dialect.SQLITE)}))" for name in names)
    return ask(f"SELECT {', '.join(terms)} FROM (SELECT * FROM {from_clause} LIMIT {_SAMPLE})")[0]


def write_text(quoted: str) -> str:
    """Return SQL of the string of a value: binary values as hexadecimal digits."""
    return f"CASE typeof({quoted}) WHEN 'blob' THEN hex({quoted}) ELSE CAST({quoted} AS TEXT) END"


_MANY_ROWS = 20_000
"""Rows of a table from which on it matters whether an index finds few of them: fewer are read at once."""

_SAMPLES = 40
_FEW = 0.25
"""Share of the rows that SQLite looks up in an index in less time than it reads all."""


def finds_few(ask: Ask, table: str, condition: str) -> bool:
    """Return whether a condition selects few rows of a large table, by a sample of them; True of a small one.

    ``table`` is an identifier. Costs a search of each row of the sample, a tenth of a millisecond.
    """
    most = int(ask(f"SELECT max(rowid) AS most FROM {table}")[0][0] or 0)
    if most < _MANY_ROWS:
        return True
    step = most // _SAMPLES
    ids = ", ".join(str(step * number - step // 2) for number in range(1, _SAMPLES + 1))
    ((rows, found),) = ask(
        f"SELECT count(*) AS n, count(CASE WHEN {condition} THEN 1 END) AS found FROM {table} WHERE rowid IN ({ids})"
    )
    # Of a table most of whose rows were deleted, the sample says little.
    return int(rows) < _SAMPLES // 4 or int(found) <= _FEW * int(rows)
