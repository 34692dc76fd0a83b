"""where: a condition over the fields of observations, parsed into predicates. Nothing of it ever becomes SQL.

The grammar is that part of SQL which people write into such a field: comparisons, IN, LIKE, BETWEEN, IS NULL, AND, OR,
NOT and parentheses, over numbers, texts, DATE and TIMESTAMP. Anything else is refused with the place where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mapsos.rest.errors import RestError
from mapsos.rest.filters.relaxed_json import NUMBER
from mapsos.terms.like_patterns import MAX_PATTERN, split_pattern
from mapsos.terms.predicates import (
    COMPARISONS,
    EVERYTHING,
    MIRRORED,
    NOTHING,
    Between,
    Compare,
    ComparisonOperator,
    IsNull,
    Like,
    Not,
    OneOf,
    Predicate,
    Time,
    Wildcard,
    all_of,
    any_of,
)
from mapsos.terms.times import FOREVER, Interval, parse_time

FieldKind = Literal["text", "number", "time"]

FIELDS: dict[str, FieldKind] = {
    "id": "text",
    "type": "text",
    "phenomenon_time": "time",
    "result_time": "time",
    "procedure": "text",
    "observed_property": "text",
    "feature_of_interest": "text",
    "numeric_value": "number",
    "text_value": "text",
    "uom": "text",
}
"""The fields of an observation that a condition may speak of, by what they hold. Names count without case."""

_SYNONYMS = {name.replace("_", ""): name for name in FIELDS} | {"time_stamp": "phenomenon_time"}
NAMES = frozenset({*FIELDS, *_SYNONYMS})
"""What a condition may call the fields."""

MOST_LEVELS = 50
"""How deep conditions may stand in each other."""
MOST_CONDITIONS = 1000
"""How many comparisons, or members of lists, a condition may have."""

_TOKEN = re.compile(
    rf"""
    (?P<white>\s+)
  | (?P<number>{NUMBER}(?![0-9A-Za-z_.]))
  | (?P<text>'(?:[^']|'')*')
  | (?P<name>"[A-Za-z_][A-Za-z0-9_]*"|[A-Za-z_][A-Za-z0-9_]*)
  | (?P<mark><>|!=|<=|>=|[<>=(),])
    """,
    re.VERBOSE,
)
_KEYWORDS = frozenset(["and", "or", "not", "in", "like", "escape", "between", "is", "null", "date", "timestamp"])


@dataclass(frozen=True)
class _Token:
    kind: str  # number, text, name, keyword, mark, end
    text: str  # keywords in lower case, texts without their quotes
    place: int


@dataclass(frozen=True)
class _Literal:
    kind: FieldKind
    text: str
    place: int


def parse_where(text: str) -> Predicate:
    """The observations that a condition admits, as a predicate whose names are those of `FIELDS`.

    Comparisons of texts are by code point and with case. A time literal is as long as its precision, in UTC unless it
    says otherwise. ``1=1`` and its like are decided at once. Raises RestError with the place, counted from 1.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_split(text))
        self._next = 0
        self._levels = 0
        self._conditions = 0

    def parse(self) -> Predicate:
        found = self._read_or()
        if self._here.kind != "end":
            raise _refuse(self._here.place, f"{self._here.text!r} is not expected here")
        return found

    @property
    def _here(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> _Token | None:
        """The token that comes, if it is one of these keywords or marks; it is then read."""
        token = self._here
        if token.kind not in ("keyword", "mark") or token.text not in texts:
            return None
        self._next += 1
        return token

    def _demand(self, text: str) -> None:
        if self._take(text) is None:
            raise _refuse(self._here.place, f"{text.upper()} is expected here")

    def _read_or(self) -> Predicate:
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise _refuse(self._here.place, f"more than {MOST_LEVELS} levels")
        found = [self._read_and()]
        while self._take("or"):
            found.append(self._read_and())
        self._levels -= 1
        return any_of(*found)

    def _read_and(self) -> Predicate:
        found = [self._read_not()]
        while self._take("and"):
            found.append(self._read_not())
        return all_of(*found)

    def _read_not(self) -> Predicate:
        negated = False
        while self._take("not"):
            negated = not negated
        if self._take("("):
            found = self._read_or()
            self._demand(")")
        else:
            found = self._read_condition()
        return _negate(found) if negated else found

    def _read_condition(self) -> Predicate:
        self._count()
        place = self._here.place
        first = self._read_operand()
        if isinstance(first, str):
            return self._read_about(first, place)
        operator = self._read_operator()
        second = self._read_operand()
        if isinstance(second, str):
            return _compare(second, MIRRORED[operator], first)
        return EVERYTHING if _decide(first, operator, second) else NOTHING

    def _read_about(self, field: str, place: int) -> Predicate:
        """What is said of a field, after its name."""
        if self._take("is"):
            negated = self._take("not") is not None
            self._demand("null")
            return Not(IsNull(field)) if negated else IsNull(field)
        negated = self._take("not") is not None
        if self._take("in"):
            found = self._read_list(field)
        elif self._take("like"):
            found = self._read_like(field, place)
        elif self._take("between"):
            low = self._read_literal()
            self._demand("and")
            found = _between(field, low, self._read_literal())
        elif negated:
            raise _refuse(self._here.place, "IN, LIKE or BETWEEN is expected here")
        else:
            return _compare(field, self._read_operator(), self._read_literal())
        return _negate(found) if negated else found

    def _read_list(self, field: str) -> Predicate:
        self._demand("(")
        members = [self._read_literal()]
        while self._take(","):
            self._count()
            members.append(self._read_literal())
        self._demand(")")
        if FIELDS[field] == "text":
            for member in members:
                _check(field, member)
            return OneOf(field, tuple(member.text for member in members))
        return any_of(*(_compare(field, "=", member) for member in members))

    def _read_like(self, field: str, place: int) -> Predicate:
        if FIELDS[field] != "text":
            raise _refuse(place, f"LIKE is for texts, {field} is none")
        pattern = self._read_literal()
        _check(field, pattern)
        escape = ""
        if self._take("escape"):
            said = self._read_literal()
            if said.kind != "text" or len(said.text) != 1:
                raise _refuse(said.place, "ESCAPE wants one character")
            escape = said.text
        return Like(field, _split_pattern(pattern, escape))

    def _read_operator(self) -> ComparisonOperator:
        token = self._take("=", "<>", "!=", "<", ">", "<=", ">=")
        if token is None:
            raise _refuse(self._here.place, "a comparison is expected here: = <> < > <= >= IN LIKE BETWEEN IS")
        return "<>" if token.text == "!=" else token.text  # type: ignore[return-value]

    def _read_operand(self) -> str | _Literal:
        token = self._here
        if token.kind != "name":
            return self._read_literal()
        self._next += 1
        name = token.text.strip('"').lower()
        name = _SYNONYMS.get(name, name)
        if name not in FIELDS:
            raise _refuse(token.place, f"there is no field {token.text}; fields are {', '.join(FIELDS)}")
        return name

    def _read_literal(self) -> _Literal:
        token = self._here
        if token.kind in ("number", "text"):
            self._next += 1
            return _Literal("number" if token.kind == "number" else "text", token.text, token.place)
        if self._take("date", "timestamp"):
            said = self._here
            if said.kind != "text":
                raise _refuse(said.place, f"a time in quotes is expected after {token.text.upper()}")
            self._next += 1
            return _Literal("time", said.text, said.place)
        raise _refuse(token.place, "a number, a text in single quotes or a DATE is expected here")

    def _count(self) -> None:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise _refuse(self._here.place, f"more than {MOST_CONDITIONS} conditions")


def _split(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refuse(place + 1, f"{text[place]!r} is not part of a condition")
        kind, said = match.lastgroup or "", match[0]
        if kind == "text":
            said = said[1:-1].replace("''", "'")
        elif kind == "name" and said.lower() in _KEYWORDS:
            kind, said = "keyword", said.lower()
        if kind != "white":
            tokens.append(_Token(kind, said, place + 1))
        place = match.end()
    return [*tokens, _Token("end", "the end", len(text) + 1)]


def _compare(field: str, operator: ComparisonOperator, literal: _Literal) -> Predicate:
    _check(field, literal)
    if FIELDS[field] != "time":
        return Compare(field, operator, literal.text, kind=FIELDS[field])
    time = _read_time(literal)
    spans: dict[str, Callable[[], Predicate]] = {
        "=": lambda: Time(field, (time,), "equals"),
        "<>": lambda: Not(Time(field, (time,), "equals")),
        "<": lambda: Time(field, (Interval(-FOREVER, time.begin),)),
        "<=": lambda: Time(field, (Interval(-FOREVER, time.end),)),
        ">": lambda: Time(field, (Interval(time.end, FOREVER),)),
        ">=": lambda: Time(field, (Interval(time.begin, FOREVER),)),
    }
    return spans[operator]()


def _between(field: str, low: _Literal, high: _Literal) -> Predicate:
    _check(field, low)
    _check(field, high)
    if FIELDS[field] != "time":
        return Between(field, low.text, high.text, kind=FIELDS[field])
    first, last = _read_time(low), _read_time(high)
    return Time(field, (Interval(first.begin, last.end),)) if first.begin < last.end else NOTHING


def _check(field: str, literal: _Literal) -> None:
    """Refuse a literal of another kind than the field; a time may be written as text."""
    kind = FIELDS[field]
    if literal.kind != kind and not (kind == "time" and literal.kind == "text"):
        raise _refuse(literal.place, f"{field} is a {kind}, this is a {literal.kind}")


def _read_time(literal: _Literal) -> Interval:
    try:
        return parse_time(literal.text)
    except ValueError:
        raise _refuse(literal.place, f"{literal.text[:50]!r} is no time") from None


def _decide(first: _Literal, operator: ComparisonOperator, second: _Literal) -> bool:
    """Whether a comparison of two literals holds."""
    if first.kind != second.kind:
        raise _refuse(second.place, f"a {first.kind} is compared with a {second.kind}")
    one: float | str | int
    other: float | str | int
    if first.kind == "number":
        one, other = float(first.text), float(second.text)
    elif first.kind == "time":
        one, other = _read_time(first).begin, _read_time(second).begin
    else:
        one, other = first.text, second.text
    return COMPARISONS[operator](one, other)


def _split_pattern(pattern: _Literal, escape: str) -> tuple[str | Wildcard, ...]:
    text = pattern.text
    if len(text) > MAX_PATTERN:
        raise _refuse(pattern.place, f"a pattern of more than {MAX_PATTERN} characters")
    if escape and (len(text) - len(text.rstrip(escape))) % 2:
        raise _refuse(pattern.place, "a pattern that ends with its escape character")
    return split_pattern(text, "%", "_", escape)


def _negate(predicate: Predicate) -> Predicate:
    if predicate in (EVERYTHING, NOTHING):
        return NOTHING if predicate == EVERYTHING else EVERYTHING
    return Not(predicate)


def _refuse(place: int, message: str) -> RestError:
    return RestError(f"where cannot be read: {message} (character {place})")
