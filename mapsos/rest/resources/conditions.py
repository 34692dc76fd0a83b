"""The condition of a query, held against one observed property of one layer: fields become columns or constants."""

from __future__ import annotations

from dataclasses import replace

from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.rest.errors import RestError
from mapsos.rest.resources.observed_properties import ValueColumn
from mapsos.terms.like_patterns import meets_parts
from mapsos.terms.predicates import (
    COMPARISONS,
    EVERYTHING,
    NOTHING,
    And,
    Between,
    Compare,
    IsNull,
    Like,
    Not,
    OneOf,
    Or,
    Predicate,
    Time,
    all_of,
    any_of,
)

Condition = Compare | Between | Like | IsNull | OneOf | Time


def apply_condition(
    condition: Predicate, meaning: LayerMeaning, column: ValueColumn, procedure: str | None
) -> Predicate:
    """The condition (names of `where.FIELDS`) as one about the layer's columns.

    What is the same for all of the layer's observations is decided here; a field that they do not have satisfies
    nothing but IS NULL. ``procedure`` is the constant id of a layer without a column of procedures. Raises RestError
    for ids that cannot be found by a column.
    """
    fields = _Fields(meaning, column, procedure)
    return _apply(condition, fields, negated=False)


class _Fields:
    """What the fields are for one observed property of one layer: a column, or a text for all rows, or nothing."""

    def __init__(self, meaning: LayerMeaning, column: ValueColumn, procedure: str | None) -> None:
        time, stations = meaning.time_column, meaning.procedure_column
        station_column = stations.name if stations is not None else None
        self.columns = {
            "phenomenon_time": time.name if time is not None else None,
            "result_time": time.name if time is not None else None,
            "procedure": station_column,
            "feature_of_interest": station_column,
            "numeric_value": column.column.name if column.numeric else None,
            "text_value": None if column.numeric else column.column.name,
        }
        self.constants = {
            "type": column.observation_type,
            "observed_property": column.definition,
            "uom": column.uom,
            "procedure": procedure,
            "feature_of_interest": procedure,
        }
        ids = meaning.feature_id_column
        if ids is not None and not column.suffix:
            self.columns["id"] = ids.name


def _apply(condition: Predicate, fields: _Fields, *, negated: bool) -> Predicate:
    if isinstance(condition, Not):
        return _apply(condition.operand, fields, negated=not negated)
    if isinstance(condition, And | Or):
        parts = [_apply(operand, fields, negated=negated) for operand in condition.operands]
        # De Morgan: what cannot be decided satisfies neither a condition nor its opposite, so only leaves are negated.
        return all_of(*parts) if isinstance(condition, And) != negated else any_of(*parts)
    if not isinstance(condition, Condition):
        return condition if not negated else NOTHING if condition == EVERYTHING else EVERYTHING
    name = fields.columns.get(condition.name)
    if name is not None:
        leaf = replace(condition, name=name)
        return Not(leaf) if negated else leaf
    if condition.name == "id":
        raise RestError("where cannot be answered: id is only known to layers with a column of feature ids")
    holds = _decide(condition, fields.constants.get(condition.name))
    return NOTHING if holds is None else EVERYTHING if holds != negated else NOTHING


def _decide(condition: Condition, text: str | None) -> bool | None:
    """Whether a text satisfies a condition; None where that is not defined, since there is no text."""
    if isinstance(condition, IsNull):
        return text is None
    if text is None or isinstance(condition, Time):
        return None
    if isinstance(condition, OneOf):
        return text in condition.values
    if isinstance(condition, Between):
        return condition.low <= text <= condition.high
    if isinstance(condition, Like):
        return meets_parts(text, condition.parts)
    return COMPARISONS[condition.operator](text, condition.literal)
