"""Compare a column with a literal, typed as `mapsos.terms.predicates.Compare` is (docs/mapserver-sos.md, "result")."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.parse_numbers import parse_numbers
from mapsos.sources.filtering.row_times import find_within, times_of
from mapsos.sources.filtering.text_patterns import fold_case
from mapsos.sources.rows import Rows
from mapsos.terms.columns import ColumnKind
from mapsos.terms.predicates import Between, Compare, ComparisonOperator
from mapsos.terms.times import Interval, parse_time

# The exponent is limited, as that of a huge number takes a Decimal long.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?", re.ASCII)
_FUNCTIONS = {
    "=": "equal",
    "<>": "not_equal",
    "<": "less",
    ">": "greater",
    "<=": "less_equal",
    ">=": "greater_equal",
}

Typing = Literal["text", "number", "time"]


def is_number(literal: str) -> bool:
    """Return whether the literal is a decimal number, without white space."""
    return _NUMBER.fullmatch(literal) is not None


def typing_of(predicate: Compare | Between, kind: ColumnKind) -> Typing:
    """Return how the predicate compares a column of that kind.

    ``predicate.kind`` decides if it is set and the literals allow it. Otherwise a date or date-time compares as time
    with literals that are times; after that numbers compare as numbers, everything else as text.
    """
    literals = (predicate.literal,) if isinstance(predicate, Compare) else (predicate.low, predicate.high)
    if predicate.kind == "text":
        return "text"
    dated = kind in (ColumnKind.DATE, ColumnKind.DATETIME) and predicate.kind is None
    if (dated or predicate.kind == "time") and all(_time_of(literal) for literal in literals):
        return "time"
    if predicate.kind != "time" and all(map(is_number, literals)):
        return "number"
    return "text"


def _time_of(literal: str) -> Interval | None:
    try:
        return parse_time(literal)
    except ValueError:
        return None


def compare(predicate: Compare, rows: Rows) -> pa.Array:
    """Compare each row: a boolean array (rows,), null where the column is NULL."""
    typing = typing_of(predicate, rows.kind(predicate.name))
    if typing == "number":
        return _compare_number(rows, predicate.name, predicate.operator, predicate.literal)
    if typing == "time":
        return _compare_time(rows, predicate.name, predicate.operator, predicate.literal)
    return _compare_text(rows, predicate.name, predicate.operator, predicate.literal, predicate.match_case)


def compare_between(predicate: Between, rows: Rows) -> pa.Array:
    """Compare each row with both bounds, typed alike: a boolean array (rows,), null where the column is NULL."""
    typing = typing_of(predicate, rows.kind(predicate.name))
    name, low, high = predicate.name, predicate.low, predicate.high
    if typing == "number":
        return pc.and_kleene(_compare_number(rows, name, ">=", low), _compare_number(rows, name, "<=", high))
    if typing == "time":
        return pc.and_kleene(_compare_time(rows, name, ">=", low), _compare_time(rows, name, "<=", high))
    return pc.and_kleene(_compare_text(rows, name, ">=", low, True), _compare_text(rows, name, "<=", high, True))


def equals_any(rows: Rows, name: str, literals: Sequence[str], typing: Typing) -> pa.Array:
    """Return whether each row equals one of the literals, as `compare` decides: a boolean array (rows,), null for NULL.

    ``typing`` is number or time. Costs the logarithm of the number of literals.
    """
    if typing == "time":
        intervals = [parse_time(literal) for literal in literals]
        begin, end, valid = times_of(rows, name)
        begins, ends = (np.array([getattr(one, side) for one in intervals], np.int64) for side in ("begin", "end"))
        return pa.array(find_within(begin, end, begins, ends) & valid, mask=~_known(rows, name))
    kind = rows.kind(name)
    if kind in (ColumnKind.INTEGER, ColumnKind.BOOLEAN):
        values = rows.values(name).cast(pa.int64())
        known = values.is_valid()
        numbers = {int(number) for number in map(Decimal, literals) if _is_long(number)}
        found = _is_among(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), np.array(sorted(numbers), np.int64))
    else:
        texts = None if kind is ColumnKind.REAL else rows.known_texts(name)
        values = rows.values(name) if texts is None else parse_numbers(texts)
        known = values.is_valid() if texts is None else texts.is_valid()
        floats = np.array(sorted({float(literal) for literal in literals}), np.float64)
        found = _is_among(pc.fill_null(values, math.nan).to_numpy(zero_copy_only=False), floats)
    return pc.if_else(known, pa.array(found), pa.scalar(None, pa.bool_()))


def _is_long(number: Decimal) -> bool:
    return -(2**63) <= number < 2**63 and number == number.to_integral_value()


def _is_among(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return whether each value equals one of the numbers, which are in order; NaN does not."""
    if not len(numbers):
        return np.zeros(len(values), np.bool_)
    place = np.minimum(np.searchsorted(numbers, values), len(numbers) - 1)
    found: np.ndarray = numbers[place] == values
    return found


def _apply(operator: ComparisonOperator, column: pa.Array, scalar: object) -> pa.Array:
    return pc.call_function(_FUNCTIONS[operator], [column, scalar])


def _compare_text(rows: Rows, name: str, operator: ComparisonOperator, literal: str, match_case: bool) -> pa.Array:
    texts = rows.known_texts(name)
    if not match_case:
        texts, literal = fold_case(texts), literal.casefold()
    return _apply(operator, texts, pa.scalar(literal, pa.large_string()))


def _compare_number(rows: Rows, name: str, operator: ComparisonOperator, literal: str) -> pa.Array:
    kind = rows.kind(name)
    values = rows.values(name)
    if kind is ColumnKind.INTEGER:
        return _compare_integer(values, operator, Decimal(literal))
    if kind is ColumnKind.BOOLEAN:
        return _compare_integer(values.cast(pa.int64()), operator, Decimal(literal))
    if kind is not ColumnKind.REAL:
        texts = rows.known_texts(name)
        decided = _apply(operator, parse_numbers(texts), pa.scalar(float(literal)))
        # A value that is not a number differs from every number: only NULL is undecided.
        return pc.if_else(texts.is_valid(), pc.fill_null(decided, operator == "<>"), pa.scalar(None, pa.bool_()))
    return _apply(operator, values, pa.scalar(float(literal)))


def _compare_integer(values: pa.Array, operator: ComparisonOperator, literal: Decimal) -> pa.Array:
    """Compare integers exactly, whatever their length: as a double 2**53 + 1 equals 2**53."""
    bound = -(2**63), 2**63 - 1
    if literal < bound[0] or literal > bound[1]:
        above = literal > 0
        truth = {"=": False, "<>": True, "<": above, "<=": above, ">": not above, ">=": not above}[operator]
        return _everywhere(values, truth)
    floor = int(literal.to_integral_value(rounding="ROUND_FLOOR"))
    if floor == literal:
        return _apply(operator, values, pa.scalar(floor, pa.int64()))
    if operator in ("=", "<>"):
        return _everywhere(values, operator == "<>")
    return _apply("<=" if operator in ("<", "<=") else ">", values, pa.scalar(floor, pa.int64()))


def _everywhere(values: pa.Array, truth: bool) -> pa.Array:
    return pc.if_else(values.is_valid(), pa.scalar(truth), pa.scalar(None, pa.bool_()))


def _compare_time(rows: Rows, name: str, operator: ComparisonOperator, literal: str) -> pa.Array:
    """Compare with the interval of the literal: equal lies within it, less is before it, greater after."""
    interval = parse_time(literal)
    begin, end, valid = times_of(rows, name)
    within = (begin >= interval.begin) & (end <= interval.end)
    decided: dict[str, np.ndarray] = {
        "=": within,
        "<>": ~within,
        "<": begin < interval.begin,
        "<=": (begin < interval.begin) | within,
        ">": (begin >= interval.begin) & ~within,
        ">=": begin >= interval.begin,
    }
    return pa.array(decided[operator] & valid, mask=~_known(rows, name))


def _known(rows: Rows, name: str) -> np.ndarray:
    known: np.ndarray = rows.raw[name].is_valid().to_numpy(zero_copy_only=False)
    return known
