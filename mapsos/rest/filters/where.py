"""Read where: a condition over the fields of observations, parsed into predicates. Nothing of it ever becomes SQL.

The grammar is the part of SQL that users write into such a field: comparisons, IN, LIKE, BETWEEN, IS NULL, AND, OR,
NOT and parentheses, over numbers, strings, DATE and TIMESTAMP. Anything else is rejected with its position.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from mapsos.rest.errors import RestError
from mapsos.rest.filters.relaxed_json import NUMBER
from mapsos.terms.boolean_parser import BooleanParser, Word, compare_constants, negate
from mapsos.terms.like_patterns import MAX_PATTERN, split_pattern
from mapsos.terms.predicates import (
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
"""The fields of an observation that a condition can compare, with their kinds. Names are case-insensitive."""

_SYNONYMS = {name.replace("_", ""): name for name in FIELDS} | {"time_stamp": "phenomenon_time"}
"""Other names of the fields."""

MOST_LEVELS = 50
"""Maximum nesting depth of conditions."""
MOST_CONDITIONS = 1000
"""Maximum number of comparisons and members of lists in a condition."""
MOST_WORDS = 20_000
"""Maximum number of words in a condition, parentheses and commas included."""

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


def parse_where(text: str) -> Predicate:
    """Return a condition as a predicate whose names are those of `FIELDS`.

    Strings are compared by code point, case-sensitively. A time literal is as long as its precision, in UTC unless it
    states a zone. Comparisons of constants such as ``1=1`` are decided at once. Raises RestError with the 1-based
    position.
    """
    return _Condition(text).read()


class _Condition(BooleanParser):
    def __init__(self, text: str) -> None:
        super().__init__(_split(text), MOST_LEVELS)
        self._conditions = 0

    def refuse_word(self, wanted: str = "") -> RestError:
        message = f"{wanted.upper()} is expected here" if wanted else f"{self.here.text!r} is not expected here"
        return _refuse(self.here.place, message)

    def refuse_depth(self) -> RestError:
        return _refuse(self.here.place, f"more than {MOST_LEVELS} levels")

    def read_condition(self) -> Predicate:
        self._count()
        place = self.here.place
        first = self._read_operand()
        if isinstance(first, str):
            return self._read_about(first, place)
        operator = self._read_operator()
        second = self._read_operand()
        if isinstance(second, str):
            return _compare(second, MIRRORED[operator], first)
        return _decide(first, operator, second)

    def _read_about(self, field: str, place: int) -> Predicate:
        """Read the rest of a comparison, after the name of the field."""
        if self.take("is"):
            negated = self.take("not") is not None
            self.demand("null")
            return Not(IsNull(field)) if negated else IsNull(field)
        negated = self.take("not") is not None
        if self.take("in"):
            found = self._read_list(field)
        elif self.take("like"):
            found = self._read_like(field, place)
        elif self.take("between"):
            low = self._read_literal()
            self.demand("and")
            found = _between(field, low, self._read_literal())
        elif negated:
            raise _refuse(self.here.place, "IN, LIKE or BETWEEN is expected here")
        else:
            return _compare(field, self._read_operator(), self._read_literal())
        return negate(found) if negated else found

    def _read_list(self, field: str) -> Predicate:
        self.demand("(")
        members = [self._read_literal()]
        while self.take(","):
            self._count()
            members.append(self._read_literal())
        self.demand(")")
        if FIELDS[field] == "text":
            for member in members:
                _check(field, member)
            return OneOf(field, tuple(member.text for member in members))
        return any_of(*(_compare(field, "=", member) for member in members))

    def _read_like(self, field: str, place: int) -> Predicate:
        if FIELDS[field] != "text":
            raise _refuse(place, f"LIKE is for strings, {field} is not one")
        pattern = self._read_literal()
        _check(field, pattern)
        escape = ""
        if self.take("escape"):
            said = self._read_literal()
            if said.kind != "text" or len(said.text) != 1:
                raise _refuse(said.place, "expected one character after ESCAPE")
            escape = said.text
        return Like(field, _split_pattern(pattern, escape))

    def _read_operator(self) -> ComparisonOperator:
        token = self.take("=", "<>", "!=", "<", ">", "<=", ">=")
        if token is None:
            raise _refuse(self.here.place, "a comparison is expected here: = <> < > <= >= IN LIKE BETWEEN IS")
        return "<>" if token.text == "!=" else token.text  # type: ignore[return-value]

    def _read_operand(self) -> str | Word:
        token = self.here
        if token.kind != "name":
            return self._read_literal()
        self.advance()
        name = token.text.strip('"').lower()
        name = _SYNONYMS.get(name, name)
        if name not in FIELDS:
            raise _refuse(token.place, f"unknown field {token.text}; fields are {', '.join(FIELDS)}")
        return name

    def _read_literal(self) -> Word:
        token = self.here
        if token.kind in ("number", "text"):
            return self.advance()
        if self.take("date", "timestamp"):
            said = self.here
            if said.kind != "text":
                raise _refuse(said.place, f"a time in quotes is expected after {token.text.upper()}")
            return Word("time", self.advance().text, said.place)
        raise _refuse(token.place, "a number, a text in single quotes or a DATE is expected here")

    def _count(self) -> None:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise _refuse(self.here.place, f"more than {MOST_CONDITIONS} conditions")


def _split(text: str) -> list[Word]:
    tokens: list[Word] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refuse(place + 1, f"{text[place]!r} is not part of a condition")
        kind, said = match.lastgroup or "", match[0]
        if kind == "text":
            said = said[1:-1].replace("''", "'")
        elif kind == "name" and said.lower() in _KEYWORDS:
            kind, said = "mark", said.lower()
        if kind != "white":
            tokens.append(Word(kind, said, place + 1))
            if len(tokens) > MOST_WORDS:
                raise _refuse(place + 1, f"more than {MOST_WORDS} words")
        place = match.end()
    return [*tokens, Word("end", "the end", len(text) + 1)]


def _compare(field: str, operator: ComparisonOperator, literal: Word) -> Predicate:
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


def _between(field: str, low: Word, high: Word) -> Predicate:
    _check(field, low)
    _check(field, high)
    if FIELDS[field] != "time":
        return Between(field, low.text, high.text, kind=FIELDS[field])
    first, last = _read_time(low), _read_time(high)
    return Time(field, (Interval(first.begin, last.end),)) if first.begin < last.end else NOTHING


def _check(field: str, literal: Word) -> None:
    """Reject a literal of a kind other than that of the field. A time may be written as a string."""
    kind = FIELDS[field]
    if literal.kind != kind and not (kind == "time" and literal.kind == "text"):
        raise _refuse(literal.place, f"{field} is a {kind}, this is a {literal.kind}")


def _read_time(literal: Word) -> Interval:
    try:
        return parse_time(literal.text)
    except ValueError:
        raise _refuse(literal.place, f"{literal.text[:50]!r} is not a time") from None


def _decide(first: Word, operator: ComparisonOperator, second: Word) -> Predicate:
    if first.kind != second.kind:
        raise _refuse(second.place, f"a {first.kind} is compared with a {second.kind}")
    if first.kind == "number":
        return compare_constants(float(first.text), operator, float(second.text))
    if first.kind == "time":
        return compare_constants(_read_time(first).begin, operator, _read_time(second).begin)
    return compare_constants(first.text, operator, second.text)


def _split_pattern(pattern: Word, escape: str) -> tuple[str | Wildcard, ...]:
    text = pattern.text
    if len(text) > MAX_PATTERN:
        raise _refuse(pattern.place, f"a pattern of more than {MAX_PATTERN} characters")
    if escape and (len(text) - len(text.rstrip(escape))) % 2:
        raise _refuse(pattern.place, "a pattern that ends with its escape character")
    return split_pattern(text, "%", "_", escape)


def _refuse(place: int, message: str) -> RestError:
    return RestError(f"where cannot be read: {message} (character {place})")
