"""Decide which rows a predicate selects, on Arrow columns, so that every driver delivers the same rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.sources.filtering.alternatives import (
    EqualsAny,
    Gathered,
    TimesOfValues,
    gather_alternatives,
    gather_conditions,
)
from mapsos.sources.filtering.comparisons import compare, compare_between, equals_any
from mapsos.sources.filtering.row_times import find_within, times_of
from mapsos.sources.filtering.spatial import in_rectangle, in_relation
from mapsos.sources.filtering.text_patterns import fold_case, matches_expression, matches_parts
from mapsos.sources.rows import Rows
from mapsos.terms import predicates as p
from mapsos.terms.deadlines import NEVER, Deadline
from mapsos.terms.layer_source import LayerSource


def evaluate(predicate: p.Predicate, rows: Rows, source: LayerSource, deadline: Deadline = NEVER) -> np.ndarray:
    """Return an array (rows,) of bool: whether each row satisfies the predicate, spelled as the source does.

    Logic has three values: an undecided row (a comparison with NULL) satisfies neither the predicate nor its Not.
    Raises `mapsos.sources.errors.SourceError` for a regular expression of the mapfile that is not supported, and
    DeadlineError, which is checked for each operand.
    """
    mask: np.ndarray = pc.fill_null(_decide(predicate, rows, source, deadline), False).to_numpy(zero_copy_only=False)
    return mask


def _decide(predicate: Gathered, rows: Rows, source: LayerSource, deadline: Deadline) -> pa.Array:
    """Return a boolean array, null for undecided rows."""
    deadline.check()
    match predicate:
        case p.And(operands):
            decided = _constant(True, rows.count)
            for operand in gather_conditions(operands, rows.kind):
                decided = pc.and_kleene(decided, _decide(operand, rows, source, deadline))
            return decided
        case p.Or(operands):
            decided = _constant(False, rows.count)
            for alternative in gather_alternatives(operands, rows.kind):
                decided = pc.or_kleene(decided, _decide(alternative, rows, source, deadline))
            return decided
        case EqualsAny(name, literals, typing):
            return equals_any(rows, name, literals, typing)
        case TimesOfValues():
            return _at_times_of_values(predicate, rows)
        case p.Not(operand):
            return pc.invert(_decide(operand, rows, source, deadline))
        case p.Everything():
            return _constant(True, rows.count)
        case p.Nothing():
            return _constant(False, rows.count)
        case p.Compare():
            return compare(predicate, rows)
        case p.Between():
            return compare_between(predicate, rows)
        case p.Like(name, parts, match_case):
            return matches_parts(rows.known_texts(name), parts, match_case)
        case p.Matches(name, expression, match_case):
            return matches_expression(rows.known_texts(name), expression, match_case, source.layer)
        case p.IsNull(name):
            return rows.values(name).is_null()
        case p.OneOf(name, values, match_case):
            return _one_of(rows.known_texts(name), values, match_case)
        case p.Time():
            return _at_time(predicate, rows)
        case p.BBox():
            return in_rectangle(predicate, rows.geometry, rows.count, source.crs, deadline)
        case p.Spatial():
            return in_relation(predicate, rows.geometry, rows.count, source.crs, deadline)


def _constant(truth: bool, count: int) -> pa.Array:
    return pa.array(np.full(count, truth))


def _one_of(texts: pa.Array, values: tuple[str, ...], match_case: bool) -> pa.Array:
    if not match_case:
        texts = fold_case(texts)
        values = tuple(value.casefold() for value in values)
    found = pc.is_in(texts, value_set=pa.array(values, pa.large_string()))
    return pc.if_else(texts.is_valid(), found, pa.scalar(None, pa.bool_()))


def _at_time(predicate: p.Time, rows: Rows) -> pa.Array:
    """Compare values with intervals; NULL, or a value that is not a time, satisfies none."""
    begin, end, valid = times_of(rows, predicate.name)
    begins = np.array([interval.begin for interval in predicate.intervals], np.int64)
    ends = np.array([interval.end for interval in predicate.intervals], np.int64)
    if not len(begins):
        found = np.zeros(rows.count, dtype=bool)
    elif predicate.relation == "before":
        found = end <= begins.max()
    elif predicate.relation == "after":
        found = begin >= ends.min()
    else:
        found = find_within(begin, end, begins, ends)
    return pa.array(found, mask=~valid)


def _at_times_of_values(predicate: TimesOfValues, rows: Rows) -> pa.Array:
    """Compare the time of each row with the interval of its value; undecided as the Or of all pairs is."""
    begin, end, valid = times_of(rows, predicate.name)
    texts = rows.known_texts(predicate.key)
    values = pa.array([value for value, _ in predicate.intervals], pa.large_string())
    begins = np.array([interval.begin for _, interval in predicate.intervals], np.int64)
    ends = np.array([interval.end for _, interval in predicate.intervals], np.int64)
    place = pc.fill_null(pc.index_in(texts, value_set=values), -1).to_numpy(zero_copy_only=False)
    missing = ~texts.is_valid().to_numpy(zero_copy_only=False)
    known = (place >= 0) & ~missing
    found = known & (begin >= begins[place]) & (end <= ends[place])
    undecided = np.where(missing, ~valid | find_within(begin, end, begins, ends), known & ~valid)
    return pa.array(found, mask=undecided)
