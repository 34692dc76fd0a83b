"""OGC filters as predicates (OGC 04-095, and the names of OGC 09-026r2; docs/mapserver-sos.md, "result")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from mapsos.ows import temporal_operators
from mapsos.ows.geometry_bounds import check_geometries
from mapsos.ows.spatial_operators import is_spatial, parse_spatial
from mapsos.ows.xml_input import (
    RefusedMarkup,
    attribute,
    check_mixed_content,
    children,
    local_name,
    parse_fragments,
    text_of,
)
from mapsos.terms.like_patterns import MAX_PATTERN, split_pattern
from mapsos.terms.predicates import (
    MIRRORED,
    And,
    Between,
    Compare,
    ComparisonOperator,
    IsNull,
    Like,
    Not,
    OneOf,
    Or,
    Predicate,
    Spatial,
    TemporalRelation,
    Time,
    ValueKind,
    walk,
)
from mapsos.terms.times import current_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml import etree

FEATURE_ID = "gml:id"
"""The name of a `OneOf` over feature ids. A property cannot have this name, since prefixes are stripped."""

MAX_NODES = 2000
MAX_DEPTH = 64

_COMPARISONS: dict[str, ComparisonOperator] = {
    "PropertyIsEqualTo": "=",
    "PropertyIsNotEqualTo": "<>",
    "PropertyIsLessThan": "<",
    "PropertyIsGreaterThan": ">",
    "PropertyIsLessThanOrEqualTo": "<=",
    "PropertyIsGreaterThanOrEqualTo": ">=",
}
_IDS = {"FeatureId": "fid", "GmlObjectId": "id", "ResourceId": "rid"}
_PROPERTY = ("PropertyName", "ValueReference")
_PREFIXED = re.compile(r"([^\W\d][\w.-]*):([^:]+)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LITERAL_TYPES: dict[ValueKind, tuple[str, ...]] = {
    "text": ("string",),
    "number": ("integer", "int", "long", "short", "decimal", "double", "float"),
    "time": ("date", "dateTime", "gYear", "gYearMonth"),
}


def parse_filter(source: str | Sequence[etree._Element], now: int | None = None) -> Predicate:
    """Return a filter as a predicate over property names as the client wrote them, without a namespace prefix.

    Parameters
    ----------
    source
        A Filter element or the operator alone, in any namespace, as text or as the elements of a body. Feature ids
        become a `OneOf` named `FEATURE_ID`.
    now
        The time that a client's ``now`` means, in microseconds since 1970 UTC; None for the clock's.

    Raises
    ------
    RefusedMarkup
        It has more than `MAX_NODES` elements, `MAX_DEPTH` levels or `MAX_PATTERN` characters of a pattern, or its
        geometries exceed the bounds of `mapsos.ows.geometry_bounds`. The message is for clients.
    ValueError
        It is not a filter, or has functions or arithmetic. The message is for the log.
    """
    elements = parse_fragments(source.strip()) if isinstance(source, str) else list(source)
    check_mixed_content(elements)
    found = _parse_filter(elements, current_time() if now is None else now)
    check_geometries(leaf.wkb for leaf in walk(found) if isinstance(leaf, Spatial))
    return found


def strip_prefix(name: str) -> str:
    """Return a property's name without its namespace prefix; URNs and URLs keep theirs. Raises ValueError if empty."""
    name = name.strip()
    if not name:
        raise ValueError("a property without a name")
    match = _PREFIXED.fullmatch(name)
    if match is None or match[1].lower() in ("urn", "http", "https"):
        return name
    return match[2].strip()


def _parse_filter(elements: list[etree._Element], now: int) -> Predicate:
    _check_size(elements)
    if len(elements) == 1 and local_name(elements[0]) == "Filter":
        elements = children(elements[0])
    if elements and all(local_name(element) in _IDS for element in elements):
        return _parse_ids(elements)
    if len(elements) != 1:
        raise ValueError("expected one operator, or ids, in a Filter")
    return _parse_operator(elements[0], now)


def _parse_operator(element: etree._Element, now: int) -> Predicate:
    name = local_name(element)
    if name in _COMPARISONS:
        return _parse_comparison(element, _COMPARISONS[name])
    if is_spatial(name):
        return parse_spatial(element)
    if name in temporal_operators.OPERATORS:
        return _parse_temporal(element, now)
    if name in _IDS:
        return _parse_ids([element])
    if name in ("And", "Or", "Not"):
        return _parse_logic(element, now)
    if name in _PARSERS:
        return _PARSERS[name](element)
    raise ValueError(f"unsupported operator {name}")


def _parse_logic(element: etree._Element, now: int) -> Predicate:
    name = local_name(element)
    operands = tuple(_parse_operator(child, now) for child in children(element))
    if not operands or (name == "Not" and len(operands) > 1):
        raise ValueError(f"wrong number of operands in {name}")
    if name == "Not":
        return Not(operands[0])
    # MapServer rejects a single operand, although its documentation has an example of one.
    if len(operands) == 1:
        return operands[0]
    return And(operands) if name == "And" else Or(operands)


def _parse_comparison(element: etree._Element, operator: ComparisonOperator) -> Predicate:
    operands = children(element)
    if len(operands) != 2:
        raise ValueError(f"{local_name(element)} takes a property and a literal")
    if attribute(element, "matchAction") not in (None, "Any"):
        raise ValueError("matchAction is not supported")
    if local_name(operands[0]) == "Literal":
        operands.reverse()
        operator = MIRRORED[operator]
    literal, kind = _read_literal(operands[1])
    match_case = _read_match_case(element)
    if not match_case and operator not in ("=", "<>") and not _NUMBER.fullmatch(literal):
        raise ValueError("case-insensitive order of texts is not supported")
    return Compare(_read_property(operands[0]), operator, literal, match_case, kind)


def _parse_like(element: etree._Element) -> Predicate:
    operands = children(element)
    if len(operands) != 2:
        raise ValueError("PropertyIsLike takes a property and a literal")
    any_run, any_one = attribute(element, "wildCard"), attribute(element, "singleChar")
    escape = attribute(element, "escapeChar") or attribute(element, "escape")
    if not any_run or not any_one or not escape or len({any_run, any_one, escape}) != 3:
        raise ValueError("PropertyIsLike takes wildCard, singleChar and escapeChar, all different")
    literal, _ = _read_literal(operands[1])
    if len(literal) > MAX_PATTERN:
        raise RefusedMarkup(f"the pattern of a PropertyIsLike has at most {MAX_PATTERN} characters")
    parts = split_pattern(literal, any_run, any_one, escape)
    return Like(_read_property(operands[0]), parts, _read_match_case(element))


def _parse_between(element: etree._Element) -> Predicate:
    operands = children(element)
    if [local_name(operand) for operand in operands[1:]] != ["LowerBoundary", "UpperBoundary"]:
        raise ValueError("PropertyIsBetween takes a property, LowerBoundary and UpperBoundary")
    (low, low_kind), (high, high_kind) = _read_boundary(operands[1]), _read_boundary(operands[2])
    if low_kind != high_kind:
        raise ValueError("boundaries of different types")
    return Between(_read_property(operands[0]), low, high, low_kind)


def _read_boundary(element: etree._Element) -> tuple[str, ValueKind | None]:
    inside = children(element)
    if len(inside) > 1:
        raise ValueError(f"{local_name(element)} takes one literal")
    return _read_literal(inside[0]) if inside else (text_of(element).strip(), None)


def _parse_null(element: etree._Element) -> Predicate:
    operands = children(element)
    if len(operands) != 1:
        raise ValueError(f"{local_name(element)} takes one property")
    return IsNull(_read_property(operands[0]))


def _parse_temporal(element: etree._Element, now: int) -> Predicate:
    named = [child for child in children(element) if local_name(child) in _PROPERTY]
    if len(named) != 1:
        raise ValueError(f"{local_name(element)} takes one property")
    time = temporal_operators.parse_temporal_element(element, now)
    if time.interval is None:
        raise ValueError(f"{time.relation} is not supported in a filter")
    return Time(_read_property(named[0]), (time.interval,), cast(TemporalRelation, time.relation))


def _parse_ids(elements: list[etree._Element]) -> Predicate:
    ids: list[str] = []
    for element in elements:
        given = attribute(element, _IDS[local_name(element)])
        if not given or len(children(element)) or len(element.attrib) != 1:
            raise ValueError(f"{local_name(element)} takes an id")
        bare = given.rpartition(".")[2]
        # The gml:id of a member is "o_" followed by the id.
        ids += [bare, bare[2:]] if bare.startswith("o_") and len(bare) > 2 else [bare]
    return OneOf(FEATURE_ID, tuple(dict.fromkeys(ids)))


def _read_property(element: etree._Element) -> str:
    if local_name(element) not in _PROPERTY:
        raise ValueError(f"{local_name(element)} where a property is expected")
    return strip_prefix(text_of(element))


def _read_literal(element: etree._Element) -> tuple[str, ValueKind | None]:
    """Return the text of a literal unchanged, white space included, and its type if the client states one."""
    if local_name(element) != "Literal":
        raise ValueError(f"{local_name(element)} where a literal is expected")
    stated = attribute(element, "type")
    if stated is None:
        return text_of(element), None
    for kind, types in _LITERAL_TYPES.items():
        if stated.rpartition(":")[2] in types:
            return text_of(element), kind
    raise ValueError(f"a literal of type {stated}")


def _read_match_case(element: etree._Element) -> bool:
    stated = (attribute(element, "matchCase") or "true").strip().lower()
    if stated not in ("true", "1", "false", "0"):
        raise ValueError(f"matchCase {stated}")
    return stated in ("true", "1")


def _check_size(elements: list[etree._Element]) -> None:
    level = list(elements)
    nodes = depth = 0
    while level:
        nodes += len(level)
        depth += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise RefusedMarkup(f"a filter has at most {MAX_NODES} elements in {MAX_DEPTH} levels")
        level = [child for element in level for child in children(element)]


_PARSERS: dict[str, Callable[[etree._Element], Predicate]] = {
    "PropertyIsLike": _parse_like,
    "PropertyIsBetween": _parse_between,
    "PropertyIsNull": _parse_null,
}
