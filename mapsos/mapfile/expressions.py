"""Read FILTER of a LAYER as a predicate: strings, regular expressions, lists and logical expressions.

Each form selects what MapServer 8.0 selects from a shapefile, except that NULL is not 0 or an empty string (D-14b) and
that times compare as intervals (D-06).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import Token, TokenKind, decode
from mapsos.terms.boolean_parser import BooleanParser, Word, compare_constants
from mapsos.terms.posix_patterns import write_re2
from mapsos.terms.predicates import (
    COMPARISONS,
    DECIMAL,
    EVERYTHING,
    MIRRORED,
    NOTHING,
    Compare,
    ComparisonOperator,
    Matches,
    OneOf,
    Predicate,
    Time,
    any_of,
)
from mapsos.terms.times import Interval, parse_time
from mapsos.terms.values import dataclass

MAX_DEPTH = 100
"""Maximum nesting depth of parentheses in an expression."""


def read_filter(token: Token, item: str | None, layer: str, encoding: str | None = None) -> Predicate:
    """Return the predicate of a FILTER.

    Parameters
    ----------
    token
        The value of FILTER.
    item
        FILTERITEM, None if absent. Without it a string, list or regular expression selects no rows, as in MapServer 8.
        Conditions in SQL are written in PROCESSING "NATIVE_FILTER=..." instead.
    layer
        NAME of the LAYER, for messages.
    encoding
        ENCODING of the LAYER or the map.

    Raises
    ------
    MapfileError
        The expression is faulty or not supported. ``near`` is the word in question.
    """
    text = decode(token.text, encoding)

    def make_error(message: str, near: str = "") -> MapfileError:
        message = f'LAYER "{layer}": FILTER: {message}'
        return MapfileError(token.file, token.line, message, fault="filter", near=near or text)

    if token.kind is TokenKind.STRING and text.startswith("(") and text.endswith(")"):
        return _Expression(text[1:-1], make_error).read()
    if token.kind is TokenKind.EXPRESSION:
        return _Expression(text, make_error).read()
    if token.kind is TokenKind.BINDING:
        raise make_error(f"[{text}] is not a condition", f"[{text}]")
    if not item:
        return NOTHING
    if token.kind is TokenKind.REGEX:
        return Matches(item, _read_pattern(text, make_error), not token.ignore_case)
    if token.kind is TokenKind.LIST:
        return OneOf(item, tuple(text.split(",")))
    return OneOf(item, (text,), not token.ignore_case)


def _read_pattern(text: str, make_error: Callable[..., MapfileError]) -> str:
    """Return a regular expression of MapServer as that of `Matches`."""
    try:
        return write_re2(text)
    except ValueError as error:
        raise make_error(str(error), text) from None


@dataclass(frozen=True)
class _Value(Word):
    """A literal, or the name of an item ([item], "[item]", `[item]`), of the kind "number", "text" or "time"."""

    is_item: bool = False


_WORD = re.compile(
    rf"""\s*(?:
      (?P<number>{DECIMAL}(?![\w.]))
    | \[(?P<item>[^\]]*)\]
    | "(?P<double>(?:\\.|[^"\\])*)"
    | '(?P<single>(?:\\.|[^'\\])*)'
    | `(?P<time>[^`]*)`
    | (?P<operator>=\*|~\*|==|!=|<>|<=|>=|&&|\|\||[=<>~!()])
    | (?P<name>[A-Za-z_]\w*)
    | (?P<other>\S)
    )""",
    re.X | re.S,
)
_ITEM_IN_QUOTES = re.compile(r"\[([^\]]*)\]")
_SYNONYMS = {"eq": "=", "==": "=", "ne": "<>", "!=": "<>", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "re": "~"}
_SYNONYMS |= {"&&": "and", "||": "or", "!": "not"}
_COMPARISONS = (*COMPARISONS, "~", "~*", "=*", "in")
_KNOWN = frozenset((*_COMPARISONS, "and", "or", "not", "(", ")"))
_ORDERS: dict[str, ComparisonOperator] = {relation: relation for relation in COMPARISONS}
_MIRRORED: dict[str, str] = dict((*MIRRORED.items(), ("=*", "=*")))


class _Expression(BooleanParser):
    def __init__(self, text: str, make_error: Callable[..., MapfileError]) -> None:
        self._error = make_error
        super().__init__([*self._split(text), Word("end", "", len(text) + 1)], MAX_DEPTH + 1)

    def read(self) -> Predicate:
        if self.here.kind == "end":
            raise self._error("the expression is empty", "()")
        return super().read()

    def refuse_word(self, wanted: str = "") -> MapfileError:
        word = self.here
        if word.kind == "end":
            return self._error("the expression is incomplete", ")")
        shown = f"[{word.text}]" if isinstance(word, _Value) and word.is_item else word.text
        known = word.kind != "mark" or word.text in _KNOWN
        return self._error(f"{shown} {'is not allowed here' if known else 'is not supported'}", shown)

    def refuse_depth(self) -> MapfileError:
        return self._error(f"parentheses nest more than {MAX_DEPTH} deep", "(")

    def read_condition(self) -> Predicate:
        if constant := self.take("true", "false"):
            return EVERYTHING if constant.text == "true" else NOTHING
        left = self._read_value()
        relation = self.take(*_COMPARISONS)
        if relation is None:
            raise self.refuse_word()
        return self._compare(left, relation.text, self._read_value())

    def _split(self, text: str) -> Iterator[Word]:
        for match in _WORD.finditer(text):
            kind, place = match.lastgroup or "", match.start() + 1
            word = match[kind]
            if kind == "number":
                yield _Value("number", word, place)
            elif kind == "item":
                yield _Value("number", word, place, is_item=True)
            elif kind in ("double", "single"):
                yield self._quoted(re.sub(r"\\([\"'\\])", r"\1", word), "text", place)
            elif kind == "time":
                yield self._quoted(word, "time", place)
            elif kind == "other":
                raise self._error(f"{word} is not supported", word)
            else:
                yield Word("mark", _SYNONYMS.get(word.lower(), word.lower()), place)

    def _quoted(self, text: str, kind: str, place: int) -> _Value:
        if match := _ITEM_IN_QUOTES.fullmatch(text):
            return _Value(kind, match[1], place, is_item=True)
        if _ITEM_IN_QUOTES.search(text):
            raise self._error(f'"{text}": quotes around an item must contain nothing else', text)
        return _Value(kind, text, place)

    def _read_value(self) -> _Value:
        word = self.here
        if not isinstance(word, _Value):
            raise self.refuse_word()
        self.advance()
        return word

    def _compare(self, left: _Value, relation: str, right: _Value) -> Predicate:
        if right.is_item and not left.is_item:
            if relation not in _MIRRORED:
                raise self._error(f"{relation} needs the item on its left", relation)
            left, relation, right = right, _MIRRORED[relation], left
        if left.is_item and right.is_item:
            raise self._error(f"[{left.text}] {relation} [{right.text}]: two items cannot be compared", relation)
        if not left.is_item:
            return self._compare_constants(left, relation, right)
        if relation == "in":
            return self._one_of(left, right)
        if relation in ("~", "~*"):
            if left.kind != "text" or right.kind != "text":
                raise self._error(f'{relation} needs "[{left.text}]" and a regular expression in quotes', relation)
            return Matches(left.text, _read_pattern(right.text, self._error), relation == "~")
        if left.kind == "time" or right.kind == "time":
            return self._compare_times(left, relation, right)
        if left.kind == "number" and right.kind != "number":
            raise self._error(f'[{left.text}] is a number; for text write "[{left.text}]"', f"[{left.text}]")
        if left.kind == "text" and right.kind != "text":
            raise self._error(f'"[{left.text}]" is text; for numbers write [{left.text}]', right.text)
        if relation == "=*":
            return OneOf(left.text, (right.text,), match_case=False)
        return Compare(left.text, _ORDERS[relation], right.text, kind="text" if left.kind == "text" else "number")

    def _one_of(self, left: _Value, right: _Value) -> Predicate:
        values = tuple(right.text.split(","))
        if left.kind == "text":
            return OneOf(left.text, values)
        for value in values:
            if not re.fullmatch(rf"\s*{DECIMAL}\s*", value):
                raise self._error(f'[{left.text}] IN "{right.text}": not a number: {value}', value)
        return any_of(*(Compare(left.text, "=", value.strip(), kind="number") for value in values))

    def _compare_times(self, left: _Value, relation: str, right: _Value) -> Predicate:
        interval = self._interval(right)
        same = Time(left.text, (interval,), "during")
        before, after = Time(left.text, (interval,), "before"), Time(left.text, (interval,), "after")
        choices: dict[str, Predicate] = {
            "=": same,
            "<>": any_of(before, after),
            "<": before,
            ">": after,
            "<=": any_of(before, same),
            ">=": any_of(same, after),
        }
        if relation not in choices:
            raise self._error(f"{relation} does not apply to times", relation)
        return choices[relation]

    def _interval(self, literal: _Value) -> Interval:
        try:
            return parse_time(literal.text)
        except ValueError as error:
            raise self._error(f"`{literal.text}` is not a time: {error}", literal.text) from None

    def _compare_constants(self, left: _Value, relation: str, right: _Value) -> Predicate:
        if left.kind != right.kind or left.kind == "time" or relation not in _ORDERS:
            raise self._error(f"{left.text} {relation} {right.text}: expected an item on one side", relation)
        if left.kind == "number":
            return compare_constants(float(left.text), _ORDERS[relation], float(right.text))
        return compare_constants(left.text, _ORDERS[relation], right.text)
