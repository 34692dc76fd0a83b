"""Decide which rows a predicate selects, on Arrow columns, so that every driver delivers the same rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.sources.filtering.comparisons import compare, compare_between
from mapsos.sources.filtering.row_times import times_of
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


def _decide(predicate: p.Predicate, rows: Rows, source: LayerSource, deadline: Deadline) -> pa.Array:
    """Return a boolean array, null for undecided rows."""
    deadline.check()
    match predicate:
        case p.And(operands):
            decided = _constant(True, rows.count)
            for operand in operands:
                decided = pc.and_kleene(decided, _decide(operand, rows, source, deadline))
            return decided
        case p.Or(operands):
            decided = _constant(False, rows.count)
            for operand in operands:
                decided = pc.or_kleene(decided, _decide(operand, rows, source, deadline))
            return decided
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
    found = np.zeros(rows.count, dtype=bool)
    for interval in predicate.intervals:
        if predicate.relation == "before":
            found |= end <= interval.begin
        elif predicate.relation == "after":
            found |= begin >= interval.end
        else:
            found |= (begin >= interval.begin) & (end <= interval.end)
    return pa.array(found, mask=~valid)
