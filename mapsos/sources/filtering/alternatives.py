"""Gather alternatives that compare one column in the same way: they are decided, and pushed down, by one comparison.

Otherwise a filter of two thousand comparisons costs the sum of all of them for each row, and drivers limit how many
they take. What is gathered selects the same rows, undecided ones included.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from mapsos.sources.filtering.comparisons import Typing, typing_of
from mapsos.terms.columns import ColumnKind
from mapsos.terms.predicates import And, Compare, Not, OneOf, Or, Predicate, TemporalRelation, Time
from mapsos.terms.times import Interval
from mapsos.terms.values import dataclass

MOST_APART = 20
"""Pairs of a value and a period that are left as they are: a driver searches an index for each."""


@dataclass(frozen=True)
class EqualsAny:
    """A column that equals one of several literals, all compared as ``typing`` (number or time)."""

    name: str
    literals: tuple[str, ...]
    typing: Typing


@dataclass(frozen=True)
class TimesOfValues:
    """A column of times within the interval that belongs to the value of another column, ``key``."""

    key: str
    name: str
    intervals: tuple[tuple[str, Interval], ...]


V = TypeVar("V", bound=Hashable)

Gathered = Predicate | EqualsAny | TimesOfValues


def gather_alternatives(operands: Iterable[Predicate], kind_of: Callable[[str], ColumnKind]) -> list[Gathered]:
    """Return alternatives that select the same rows as the operands of an Or, as few as possible."""
    apart: list[Gathered] = []
    texts: dict[tuple[str, bool], list[str]] = {}
    equals: dict[tuple[str, Typing], list[str]] = {}
    times: dict[tuple[str, TemporalRelation], list[Interval]] = {}
    pairs: dict[tuple[str, str], list[tuple[str, Interval]]] = {}
    for operand in _flatten(operands, Or):
        if isinstance(operand, OneOf):
            texts.setdefault((operand.name, operand.match_case), []).extend(operand.values)
        elif isinstance(operand, Time):
            relation: TemporalRelation = "during" if operand.relation == "equals" else operand.relation
            times.setdefault((operand.name, relation), []).extend(operand.intervals)
        elif isinstance(operand, Compare) and operand.operator == "=":
            typing = typing_of(operand, kind_of(operand.name))
            if typing == "text":
                texts.setdefault((operand.name, operand.match_case), []).append(operand.literal)
            else:
                equals.setdefault((operand.name, typing), []).append(operand.literal)
        elif (pair := _read_pair(operand)) is not None:
            key, name, value, interval = pair
            pairs.setdefault((key, name), []).append((value, interval))
        else:
            apart.append(operand)
    apart += [OneOf(name, _distinct(values), match_case) for (name, match_case), values in texts.items()]
    apart += [Time(name, _distinct(intervals), relation) for (name, relation), intervals in times.items()]
    apart += [EqualsAny(name, _distinct(literals), typing) for (name, typing), literals in equals.items()]
    for (key, name), found in pairs.items():
        if len(found) > MOST_APART and len({value for value, _ in found}) == len(found):
            apart.append(TimesOfValues(key, name, tuple(found)))
        else:
            apart += [And((OneOf(key, (value,)), Time(name, (interval,)))) for value, interval in found]
    return apart


def gather_conditions(operands: Iterable[Predicate], kind_of: Callable[[str], ColumnKind]) -> list[Predicate]:
    """Return conditions that select the same rows as the operands of an And, inequalities of a column as one."""
    apart: list[Predicate] = []
    unequal: dict[str, list[Predicate]] = {}
    for operand in _flatten(operands, And):
        # A value that is not a time is neither equal nor unequal to one.
        if (
            isinstance(operand, Compare)
            and operand.operator == "<>"
            and typing_of(operand, kind_of(operand.name)) != "time"
        ):
            equal = Compare(operand.name, "=", operand.literal, operand.match_case, operand.kind)
            unequal.setdefault(operand.name, []).append(equal)
        elif isinstance(operand, Not):
            unequal.setdefault("", []).append(operand.operand)
        else:
            apart.append(operand)
    return [*apart, *(Not(Or(tuple(some)) if len(some) > 1 else some[0]) for some in unequal.values())]


def _flatten(operands: Iterable[Predicate], joining: type[And | Or]) -> Iterable[Predicate]:
    for operand in operands:
        if isinstance(operand, joining):
            yield from _flatten(operand.operands, joining)
        else:
            yield operand


def _read_pair(operand: Predicate) -> tuple[str, str, str, Interval] | None:
    """Return key, time, value and interval of the rows with one value within one interval; None for others."""
    match operand:
        case And((OneOf(key, (value,), True), Time(name, (interval,), "during"))):
            return key, name, value, interval
    return None


def _distinct(values: list[V]) -> tuple[V, ...]:
    return tuple(dict.fromkeys(values))
