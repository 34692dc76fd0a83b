"""Columns of a data source: their names and kinds."""

from __future__ import annotations

import enum

from mapsos.terms.values import dataclass


class ColumnKind(enum.Enum):
    """The kind of a column's values, which decides their Arrow type in `mapsos.columns.batches.Batch.values`."""

    TEXT = "text"  # large_string
    INTEGER = "integer"  # int64
    REAL = "real"  # float64
    BOOLEAN = "boolean"  # bool
    DATE = "date"  # date32
    TIME = "time"  # time64[us]
    DATETIME = "datetime"  # timestamp[us, UTC]; an unknown zone counts as UTC
    LIST = "list"  # large_string, as (n:a,b)
    BINARY = "binary"  # large_binary

    # Enum's own hash runs in Python, some thirty times a request.
    __hash__ = object.__hash__


@dataclass(frozen=True)
class Column:
    """A column of a data source: its name as the source spells it and its kind."""

    name: str
    kind: ColumnKind
