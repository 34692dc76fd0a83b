"""Predicates that select rows: a small closed tree that every protocol builds and sources/ evaluates.

A leaf has a *name*. The name that a client wrote (an alias, a column, a property id) becomes the name of a column when
an operation calls `rename` for each layer; sources/ sees column names only, which are case-insensitive.
"""

from __future__ import annotations

import dataclasses
import enum
import operator
from collections.abc import Callable, Iterator
from typing import Any, Literal

from mapsos.terms.times import Interval
from mapsos.terms.values import dataclass

ComparisonOperator = Literal["=", "<>", "<", ">", "<=", ">="]
SpatialRelation = Literal[
    "equals", "disjoint", "touches", "within", "overlaps", "crosses", "intersects", "contains", "dwithin", "beyond"
]
TemporalRelation = Literal["during", "equals", "before", "after"]
ValueKind = Literal["text", "number", "time"]

DECIMAL = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
"""A decimal number, as a regular expression of Python and of RE2."""

COMPARISONS: dict[ComparisonOperator, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
"""The meaning of each operator for two values of one kind."""

MIRRORED: dict[ComparisonOperator, ComparisonOperator] = {
    "=": "=",
    "<>": "<>",
    "<": ">",
    ">": "<",
    "<=": ">=",
    ">=": "<=",
}
"""The equivalent operator with its sides swapped."""


@dataclass(frozen=True)
class Everything:
    """Every row."""


@dataclass(frozen=True)
class Nothing:
    """No row."""


@dataclass(frozen=True)
class Compare:
    """A column compared with a literal.

    ``kind`` None: a literal that is a number compares as a number, anything else as text. A column value that is not a
    number never equals a number and is neither less nor greater than it; NULL satisfies no operator at all. Text
    compares by code point. ``match_case`` False is for ``=`` and ``<>``.
    """

    name: str
    operator: ComparisonOperator
    literal: str
    match_case: bool = True
    kind: ValueKind | None = None


@dataclass(frozen=True)
class Between:
    """A column between two literals, both inclusive, typed as in `Compare`."""

    name: str
    low: str
    high: str
    kind: ValueKind | None = None


@dataclass(frozen=True)
class Like:
    """A column's whole string matched with a pattern in parts: literal strings and wildcards."""

    name: str
    parts: tuple[str | Wildcard, ...]
    match_case: bool = True


class Wildcard(enum.Enum):
    """A wildcard of `Like`: `ANY_RUN` (zero or more characters) or `ANY_ONE` (one character)."""

    ANY_RUN = "ANY_RUN"
    ANY_ONE = "ANY_ONE"


ANY_RUN = Wildcard.ANY_RUN
ANY_ONE = Wildcard.ANY_ONE


@dataclass(frozen=True)
class Matches:
    """A regular expression of RE2, found anywhere in a column's string: only from FILTER expressions of a mapfile."""

    name: str
    expression: str
    match_case: bool = True


@dataclass(frozen=True)
class IsNull:
    """The column has no value. An empty string is a value."""

    name: str


@dataclass(frozen=True)
class OneOf:
    """The column's string is one of the values, compared exactly (``match_case``) or by Unicode case folding."""

    name: str
    values: tuple[str, ...]
    match_case: bool = True


@dataclass(frozen=True)
class Time:
    """The column's time compared with intervals (any of them), in UTC.

    A year or month is an interval of that length, anything finer is the instant at its start (so a date counts from its
    midnight). ``during`` and ``equals``: the value lies within the interval, which is half open; ``before``: it ends at
    or before the interval's begin; ``after``: it begins at or after its end. NULL, and a value that is not a time,
    satisfy none.
    """

    name: str
    intervals: tuple[Interval, ...]
    relation: TemporalRelation = "during"


@dataclass(frozen=True)
class BBox:
    """The geometry intersects the rectangle, edges included; x y order, in ``crs`` (a label such as EPSG:4326).

    ``crs`` None means the CRS of the layer. A row without geometry does not satisfy it.
    """

    minx: float
    miny: float
    maxx: float
    maxy: float
    crs: str | None = None


@dataclass(frozen=True)
class Spatial:
    """The geometry's relation to a given one: WKB in x y order, in ``crs`` as in `BBox`.

    ``distance`` is for ``dwithin`` and ``beyond``, in units of ``crs`` (``units`` None) or in metres (``units`` "m":
    geodesic metres are turned into degrees of latitude where the CRS is geographic).
    """

    relation: SpatialRelation
    wkb: bytes
    crs: str | None = None
    distance: float = 0.0
    units: Literal["m"] | None = None


@dataclass(frozen=True)
class And:
    """All operands."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True)
class Or:
    """Any operand."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not:
    """The negation. Rows for which the operand is undecided (NULL in a comparison) satisfy neither of the two."""

    operand: Predicate


Leaf = Everything | Nothing | Compare | Between | Like | Matches | IsNull | OneOf | Time | BBox | Spatial
Predicate = Leaf | And | Or | Not

EVERYTHING = Everything()
NOTHING = Nothing()


def all_of(*operands: Predicate) -> Predicate:
    """Join predicates by And, without Everything; `EVERYTHING` if none is left."""
    kept = tuple(operand for operand in operands if not isinstance(operand, Everything))
    if any(isinstance(operand, Nothing) for operand in kept):
        return NOTHING
    return And(kept) if len(kept) > 1 else kept[0] if kept else EVERYTHING


def any_of(*operands: Predicate) -> Predicate:
    """Join predicates by Or, without Nothing; `NOTHING` if none is left."""
    kept = tuple(operand for operand in operands if not isinstance(operand, Nothing))
    if any(isinstance(operand, Everything) for operand in kept):
        return EVERYTHING
    return Or(kept) if len(kept) > 1 else kept[0] if kept else NOTHING


def list_conditions(predicate: Predicate) -> Iterator[Predicate]:
    """Yield the conditions that must all be true: the predicate itself, or the operands of its And, recursively."""
    if isinstance(predicate, And):
        for operand in predicate.operands:
            yield from list_conditions(operand)
    else:
        yield predicate


def rename(predicate: Predicate, resolve: Callable[[str], str]) -> Predicate:
    """Replace the name of each leaf by the one that ``resolve`` returns; exceptions of ``resolve`` pass through."""
    if isinstance(predicate, And | Or):
        return type(predicate)(tuple(rename(operand, resolve) for operand in predicate.operands))
    if isinstance(predicate, Not):
        return Not(rename(predicate.operand, resolve))
    if isinstance(predicate, Compare | Between | Like | Matches | IsNull | OneOf | Time):
        return dataclasses.replace(predicate, name=resolve(predicate.name))
    return predicate


def walk(predicate: Predicate) -> Iterator[Predicate]:
    """Yield the predicate and all predicates below it, outermost first."""
    yield predicate
    if isinstance(predicate, And | Or):
        for operand in predicate.operands:
            yield from walk(operand)
    elif isinstance(predicate, Not):
        yield from walk(predicate.operand)


def names(predicate: Predicate) -> tuple[str, ...]:
    """Return the distinct names in a predicate, in order of first appearance."""
    found = (getattr(leaf, "name", None) for leaf in walk(predicate))
    return tuple(dict.fromkeys(name for name in found if name is not None))


def needs_geometry(predicate: Predicate) -> bool:
    """Return whether a leaf needs the geometry."""
    return any(isinstance(leaf, BBox | Spatial) for leaf in walk(predicate))
