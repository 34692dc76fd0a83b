"""Push conditions of a predicate down to the driver, so that its indexes work: only ever wider than the predicate.

Conditions consist of identifiers and typed constants only (`mapsos.sources.filtering.sql`). A condition that might
leave out a row of the predicate is not pushed down: nothing below a Not, no string that cannot be a constant, no order
of strings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from mapsos.sources.filtering.alternatives import EqualsAny, Gathered, TimesOfValues, gather_alternatives
from mapsos.sources.filtering.comparisons import Typing, is_number, typing_of
from mapsos.sources.filtering.spatial import rectangle_in_layer
from mapsos.sources.filtering.sql import (
    Dialect,
    is_plain_text,
    join_all,
    join_any,
    quote_identifier,
    quote_text,
    write_number,
)
from mapsos.sources.filtering.time_ranges import MOST_SPANS, Span, join_nearest, widen, write_time_ranges
from mapsos.sources.reader import Narrowing, Reader
from mapsos.sources.source_columns import PostgresqlColumn, SourceColumn
from mapsos.terms.columns import ColumnKind
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import (
    And,
    BBox,
    Between,
    Compare,
    OneOf,
    Or,
    Predicate,
    Spatial,
    Time,
    all_of,
    list_conditions,
)
from mapsos.terms.times import parse_time
from mapsos.terms.values import dataclass

Rectangle = tuple[float, float, float, float]

MOST_VALUES = 500
"""Maximum number of values of one `OneOf` that are pushed down: drivers limit the size of a statement."""

_MOST_TERMS = 500
"""Maximum number of comparisons of a condition: drivers limit them, and their optimizers take longer for more."""

_OGR_WEIGHT = 12
"""How many comparisons one of OGR SQL counts for: it takes a dozen of them for a row as long as delivering it does."""

_MOST_LEVELS = 6
"""Maximum depth of a condition: drivers limit it."""

_MOST_RANGES = 20
"""Maximum number of ranges of numbers: more are joined."""

_MOST_SEEKS = 1000
"""Maximum number of values of a list times the spans of time in each of which they are searched."""

_Leaf: TypeAlias = Compare | Between | OneOf | Time | EqualsAny


@dataclass(frozen=True)
class _Condition:
    """SQL, the number of comparisons in it, and the levels of AND and OR."""

    text: str
    terms: int
    levels: int


_NO_CONDITION = _Condition("", 0, 0)


def narrow(predicate: Predicate, reader: Reader, crs: Crs | None) -> Narrowing:
    """Return the condition and rectangle that contain every row of the predicate, as narrow as is safe."""
    return Narrowing(_write(_drop_wide(predicate, reader), reader, {}).text, _rectangle(predicate, crs))


def _drop_wide(predicate: Predicate, reader: Reader) -> Predicate:
    """Leave out the conditions for which SQLite would look up so many rows in an index that all are read in less time.

    It has no statistics as a rule, and prefers any index to a scan. A condition stays if an index finds few rows by it,
    alone or with one on the second column of the index; and where it is on no index, by which none is chosen.
    """
    operands = tuple(list_conditions(predicate))
    by_name: dict[str, list[Predicate]] = {}
    for operand in operands:
        if isinstance(operand, OneOf | Time | Compare | Between):
            by_name.setdefault(operand.name, []).append(operand)
    few: set[str] = set()
    wide: set[str] = set()
    for key in dict.fromkeys(reader.index_keys()):
        named = [name for name in key if name in by_name]
        if not named or named[0] != key[0] or wide.union(few).issuperset(named) and len(named) == 1:
            continue
        text = _write_all(tuple(one for name in named for one in by_name[name]), reader, {}).text
        if text:
            (few if reader.finds_few(text) else wide).update(named)
    if not wide - few:
        return predicate
    dropped = [id(operand) for name in wide - few for operand in by_name[name]]
    return all_of(*(operand for operand in operands if id(operand) not in dropped))


def _rectangle(predicate: Predicate, crs: Crs | None) -> Rectangle | None:
    if isinstance(predicate, BBox | Spatial):
        return rectangle_in_layer(predicate, crs)
    if isinstance(predicate, And):
        found = [rectangle for operand in predicate.operands if (rectangle := _rectangle(operand, crs))]
        if not found:
            return None
        minx, miny = max(r[0] for r in found), max(r[1] for r in found)
        maxx, maxy = min(r[2] for r in found), min(r[3] for r in found)
        return (minx, miny, maxx, maxy) if minx <= maxx and miny <= maxy else found[0]
    if isinstance(predicate, Or):
        every = [_rectangle(operand, crs) for operand in predicate.operands]
        known = [rectangle for rectangle in every if rectangle is not None]
        if not every or len(known) < len(every):
            return None
        return (
            min(r[0] for r in known),
            min(r[1] for r in known),
            max(r[2] for r in known),
            max(r[3] for r in known),
        )
    return None


def _write(predicate: Gathered, reader: Reader, chosen: Mapping[str, int]) -> _Condition:
    """Return SQL that is true at least wherever the predicate is; empty without a condition.

    ``chosen`` are columns to which the predicate around this one gives one of some values, with their number.
    """
    if isinstance(predicate, And):
        return _write_all(tuple(list_conditions(predicate)), reader, chosen)
    if isinstance(predicate, Or):
        kinds = {name: column.column.kind for name, column in reader.columns.items()}
        some = [_write(one, reader, chosen) for one in gather_alternatives(predicate.operands, kinds.__getitem__)]
        terms = sum(condition.terms for condition in some)
        levels = 1 + max((condition.levels for condition in some), default=0)
        if terms > _MOST_TERMS or levels > _MOST_LEVELS or not all(condition.text for condition in some):
            return _NO_CONDITION
        return _Condition(join_any([condition.text for condition in some]), terms, levels)
    if isinstance(predicate, TimesOfValues):
        values, intervals = zip(*predicate.intervals, strict=True)
        return _write_all((OneOf(predicate.key, values), Time(predicate.name, intervals)), reader, chosen)
    if not isinstance(predicate, Compare | Between | OneOf | Time | EqualsAny):
        return _NO_CONDITION
    return _write_leaf(predicate, reader, chosen)


def _write_all(operands: tuple[Predicate, ...], reader: Reader, chosen: Mapping[str, int]) -> _Condition:
    """Return conditions joined by AND: as many as there is room for."""
    chosen = {**chosen, **{operand.name: len(operand.values) for operand in operands if isinstance(operand, OneOf)}}
    times = {operand.name for operand in operands if isinstance(operand, Time)}
    texts, terms, levels = [], 0, 0
    for operand in operands:
        condition = _write(operand, reader, chosen)
        too_long = terms + condition.terms > _MOST_TERMS or condition.levels >= _MOST_LEVELS
        if not condition.text or too_long:
            continue
        terms += condition.terms
        levels = max(levels, condition.levels)
        leads = _leads_to_times(operand, times, reader)
        texts.append(f"likelihood({condition.text}, 0.99)" if leads else f"({condition.text})")
    return _Condition(join_all(texts), terms, levels + 1)


def _write_leaf(predicate: _Leaf, reader: Reader, chosen: Mapping[str, int]) -> _Condition:
    name = predicate.name
    dialect = reader.condition_dialect(name)
    if dialect is None:
        return _NO_CONDITION
    kind = reader.columns[name].column.kind
    timed = isinstance(predicate, Time) or (not isinstance(predicate, OneOf) and _typing(predicate, kind) == "time")
    most = MOST_SPANS
    if timed and dialect is Dialect.SQLITE:
        leading = _find_leading(name, chosen, reader)
        if leading is None:
            return _NO_CONDITION
        most = max(1, min(most, _MOST_SEEKS // leading))
    try:
        column = quote_identifier(name, dialect)
        in_order = _order(reader.columns[name], column)
        if isinstance(predicate, Time):
            text = write_time_ranges(in_order, kind, dialect, _spans(predicate), most)
        elif isinstance(predicate, OneOf):
            text = _one_of(column, kind, predicate.values, dialect) if predicate.match_case else ""
        elif isinstance(predicate, EqualsAny):
            text = _any_of(predicate, column, in_order, kind, dialect, most)
        else:
            text = _comparison(predicate, column, in_order, kind, dialect)
    except ValueError:
        return _NO_CONDITION
    return _Condition(text, text.count(column) * (_OGR_WEIGHT if dialect is Dialect.OGR else 1), 1)


def _typing(predicate: Compare | Between | EqualsAny, kind: ColumnKind) -> Typing:
    return predicate.typing if isinstance(predicate, EqualsAny) else typing_of(predicate, kind)


def _find_leading(column: str, chosen: Mapping[str, int], reader: Reader) -> int | None:
    """Return for how many values SQLite seeks the times of a column in an index: 1, or those of a column before it.

    None without such an index: it would compare each string with many bounds, which costs more than to read them all.
    """
    keys = reader.index_keys()
    if any(key[0] == column for key in keys):
        return 1
    leading = [chosen[key[0]] for key in keys if key[1:] == (column,) and key[0] in chosen]
    return max(1, min(leading)) if leading else None


def _leads_to_times(predicate: Predicate, times: set[str], reader: Reader) -> bool:
    """Return whether SQLite has an index of a column followed by one of the times.

    SQLite may take the column alone for selective enough to scan all index entries of a value. A hint that it is not
    makes SQLite seek each range of times.
    """
    if not (isinstance(predicate, OneOf) and times and reader.condition_dialect(predicate.name) is Dialect.SQLITE):
        return False
    return any(key[0] == predicate.name and key[1:] and key[1] in times for key in reader.index_keys())


def _order(column: SourceColumn, quoted: str) -> str:
    """Return the column for ranges of strings, which are in the order of bytes."""
    by_rules = isinstance(column, PostgresqlColumn) and column.column.kind is ColumnKind.TEXT and not column.bytewise
    return f'{quoted} COLLATE "C"' if by_rules else quoted


def _one_of(column: str, kind: ColumnKind, values: tuple[str, ...], dialect: Dialect) -> str:
    if not 0 < len(values) <= MOST_VALUES:
        return ""
    if kind is ColumnKind.TEXT and all(value and is_plain_text(value, dialect) for value in values):
        constants = [quote_text(value, dialect) for value in values]
    elif kind is ColumnKind.INTEGER and all(_is_integer(value) for value in values):
        constants = [write_number(int(value)) for value in values]
    else:
        return ""
    return f"{column} = {constants[0]}" if len(constants) == 1 else f"{column} IN ({', '.join(constants)})"


def _is_integer(text: str) -> bool:
    return re.fullmatch("-?[0-9]{1,10}", text) is not None and abs(int(text)) < 2**31 and str(int(text)) == text


def _comparison(predicate: Compare | Between, column: str, in_order: str, kind: ColumnKind, dialect: Dialect) -> str:
    typing = typing_of(predicate, kind)
    if typing == "text":
        plain = isinstance(predicate, Compare) and predicate.operator == "=" and predicate.match_case
        if not plain or kind is not ColumnKind.TEXT:
            return ""
        assert isinstance(predicate, Compare)
        return _one_of(column, kind, (predicate.literal,), dialect)
    if typing == "number":
        if kind not in (ColumnKind.INTEGER, ColumnKind.REAL):
            return ""
        return _number_bounds(predicate, column, exact=kind is ColumnKind.INTEGER)
    if isinstance(predicate, Between):
        first, last = parse_time(predicate.low).begin, parse_time(predicate.high).end
        return write_time_ranges(in_order, kind, dialect, [widen(first, last)])
    interval = parse_time(predicate.literal)
    spans = {
        "=": widen(interval.begin, interval.end),
        "<": widen(None, interval.begin),
        "<=": widen(None, interval.end),
        ">": widen(interval.begin, None),
        ">=": widen(interval.begin, None),
    }
    span = spans.get(predicate.operator)
    return write_time_ranges(in_order, kind, dialect, [] if span is None else [span])


def _number_bounds(predicate: Compare | Between, column: str, exact: bool) -> str:
    """Return bounds a little wider than the literals, so that no rounding of the driver loses a row.

    ``exact`` states whether the column has integers: one of another type may have decimals beyond double precision.
    """
    least, most = partial(_bound, towards=-math.inf, exact=exact), partial(_bound, towards=math.inf, exact=exact)
    if isinstance(predicate, Between):
        low, high = least(predicate.low), most(predicate.high)
    elif predicate.operator == "=":
        low, high = least(predicate.literal), most(predicate.literal)
    elif predicate.operator in ("<", "<="):
        low, high = None, most(predicate.literal)
    elif predicate.operator in (">", ">="):
        low, high = least(predicate.literal), None
    else:
        return ""
    bounds = []
    if low is not None:
        bounds.append(f"{column} >= {low}")
    if high is not None:
        bounds.append(f"{column} <= {high}")
    return " AND ".join(bounds)


def _bound(literal: str, towards: float, exact: bool) -> str:
    """Return an integer of ordinary size for integers as it is, any other number moved outwards by some units."""
    if not is_number(literal):
        raise ValueError("not a number")
    number = Decimal(literal)
    # Not abs(), which overflows beyond the exponents of a context.
    if exact and number.copy_abs() < 2**31 and number == number.to_integral_value():
        return write_number(int(number))
    return write_number(_step(float(number), towards))


def _any_of(predicate: EqualsAny, column: str, in_order: str, kind: ColumnKind, dialect: Dialect, most: int) -> str:
    """Return the condition that a column equals one of the literals: a list of integers, else some ranges."""
    literals = predicate.literals
    if predicate.typing == "time":
        intervals = [parse_time(literal) for literal in literals]
        return write_time_ranges(in_order, kind, dialect, [widen(one.begin, one.end) for one in intervals], most)
    if kind not in (ColumnKind.INTEGER, ColumnKind.REAL):
        return ""
    if kind is ColumnKind.INTEGER and (listed := _one_of(column, kind, literals, dialect)):
        return listed
    numbers = sorted(map(float, literals))
    if not math.isfinite(numbers[0]) or not math.isfinite(numbers[-1]):
        return ""
    ranges = join_nearest([(number, number) for number in numbers], _MOST_RANGES)
    bounds = [(_step(low, -math.inf), _step(high, math.inf)) for low, high in ranges]
    return join_any([f"{column} >= {write_number(low)} AND {column} <= {write_number(high)}" for low, high in bounds])


def _step(number: float, towards: float) -> float:
    """Return a number moved outwards by some units, so that no rounding of the driver loses a row."""
    for _ in range(4):
        number = math.nextafter(number, towards)
    return number


def _spans(predicate: Time) -> list[Span]:
    if predicate.relation == "before":
        return [widen(None, interval.begin) for interval in predicate.intervals]
    if predicate.relation == "after":
        return [widen(interval.end, None) for interval in predicate.intervals]
    return [widen(interval.begin, interval.end) for interval in predicate.intervals]
