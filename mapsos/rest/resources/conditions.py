"""Apply the condition of a query to one observed property of one layer: fields become columns or constants."""

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
    """Return a condition about fields as a predicate over the columns of a layer.

    Fields that are constant for all observations of the layer are decided here. A missing field only matches IS NULL.

    Parameters
    ----------
    condition
        A condition about fields of `mapsos.rest.filters.where.FIELDS`.
    meaning, column
        The layer and its observed property.
    procedure
        The procedure of all rows of a layer without procedure column.

    Raises
    ------
    RestError
        The condition is about ids, and the layer has no column for them.
    """
    fields = _Fields(meaning, column, procedure)
    return _apply(condition, fields, negated=False)


class _Fields:
    """The fields of one observed property of one layer: columns, constants for all rows, or missing."""

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
        # De Morgan: an undecided leaf matches neither a condition nor its negation, so only leaves are negated.
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
    """Return whether a text matches a condition; None if undecided, for a missing text."""
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
