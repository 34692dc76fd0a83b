"""FILTER of a LAYER as a predicate: strings, regular expressions, lists and logical expressions.

What each form selects is what MapServer 8.0 selects from a shapefile, except that NULL is not 0 or an empty text
(D-14b) and that times compare as intervals (D-06).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import Token, TokenKind, decode
from mapsos.terms.posix_patterns import compile_posix
from mapsos.terms.predicates import (
    COMPARISONS,
    EVERYTHING,
    MIRRORED,
    NOTHING,
    Compare,
    ComparisonOperator,
    Matches,
    Not,
    OneOf,
    Predicate,
    Time,
    all_of,
    any_of,
)
from mapsos.terms.times import Interval, parse_time

MAX_DEPTH = 100
"""How deep parentheses nest before an expression is refused."""


def read_filter(token: Token, item: str | None, layer: str, encoding: str | None = None) -> Predicate:
    """Read the value of a FILTER.

    Parameters
    ----------
    token
        As it stands in the mapfile.
    item
        FILTERITEM. A string, list or regular expression without one selects nothing, as in MapServer 8; conditions in
        the language of a database belong into PROCESSING "NATIVE_FILTER=...".
    layer, encoding
        The LAYER's NAME, for messages; and its ENCODING.

    Raises
    ------
    MapfileError
        Naming the word that mapsos does not know.
    """
    text = decode(token.text, encoding)

    def refuse(message: str, near: str = "") -> MapfileError:
        return MapfileError(token.file, token.line, f'LAYER "{layer}": FILTER: {message}', near=near or text)

    if token.kind is TokenKind.STRING and text.startswith("(") and text.endswith(")"):
        return _Expression(text[1:-1], refuse).read()
    if token.kind is TokenKind.EXPRESSION:
        return _Expression(text, refuse).read()
    if token.kind is TokenKind.BINDING:
        raise refuse(f"[{text}] is no condition", f"[{text}]")
    if not item:
        return NOTHING
    if token.kind is TokenKind.REGEX:
        return Matches(item, _checked_pattern(text, refuse), not token.ignore_case)
    if token.kind is TokenKind.LIST:
        return OneOf(item, tuple(text.split(",")))
    return OneOf(item, (text,), not token.ignore_case)


def _checked_pattern(text: str, refuse: Callable[..., MapfileError]) -> str:
    try:
        compile_posix(text)
    except ValueError as error:
        raise refuse(str(error), text) from None
    return text


Kind = Literal["number", "text", "time"]


@dataclass(frozen=True)
class _Item:
    """[item], "[item]" or `[item]`."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class _Literal:
    text: str
    kind: Kind


_WORD = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
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
_OPERATORS = {"eq": "=", "==": "=", "ne": "<>", "!=": "<>", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "re": "~"}
_COMPARISONS = (*COMPARISONS, "~", "~*", "=*", "in")
_ORDERS: dict[str, ComparisonOperator] = {relation: relation for relation in COMPARISONS}
_MIRRORED: dict[str, str] = dict((*MIRRORED.items(), ("=*", "=*")))
_JOINS = {"and": "and", "&&": "and", "or": "or", "||": "or", "not": "not", "!": "not"}


class _Expression:
    """A logical expression, read by descent: OR binds loosest, then AND, then NOT."""

    def __init__(self, text: str, refuse: Callable[..., MapfileError]) -> None:
        self._refuse = refuse
        self._words = list(self._split(text))
        self._next = 0
        self._depth = 0

    def read(self) -> Predicate:
        if not self._words:
            raise self._refuse("the expression is empty", "()")
        result = self._read_or()
        if self._next < len(self._words):
            raise self._unexpected()
        return result

    def _split(self, text: str) -> Iterator[_Item | _Literal | str]:
        for match in _WORD.finditer(text):
            if match.lastgroup == "number":
                yield _Literal(match["number"], "number")
            elif match.lastgroup == "item":
                yield _Item(match["item"], "number")
            elif match.lastgroup in ("double", "single"):
                inner = re.sub(r"\\([\"'\\])", r"\1", match[match.lastgroup])
                yield self._quoted(inner, "text")
            elif match.lastgroup == "time":
                yield self._quoted(match["time"], "time")
            elif match.lastgroup == "other":
                raise self._refuse(f"{match['other']} is not supported", match["other"])
            elif match.lastgroup is not None:
                word = match[match.lastgroup].lower()
                yield _JOINS.get(word, _OPERATORS.get(word, word))

    def _quoted(self, text: str, kind: Kind) -> _Item | _Literal:
        if match := _ITEM_IN_QUOTES.fullmatch(text):
            return _Item(match[1], kind)
        if _ITEM_IN_QUOTES.search(text):
            raise self._refuse(f'"{text}": an item stands alone in its quotes', text)
        return _Literal(text, kind)

    def _peek(self) -> _Item | _Literal | str | None:
        return self._words[self._next] if self._next < len(self._words) else None

    def _accept(self, word: str) -> bool:
        if self._peek() == word:
            self._next += 1
            return True
        return False

    def _unexpected(self) -> MapfileError:
        word = self._peek()
        if word is None:
            return self._refuse("the expression breaks off", ")")
        if isinstance(word, str):
            known = word in _COMPARISONS or word in _JOINS.values() or word in ("(", ")")
            return self._refuse(f"{word} {'cannot stand here' if known else 'is not supported'}", word)
        shown = f"[{word.name}]" if isinstance(word, _Item) else word.text
        return self._refuse(f"{shown} cannot stand here", shown)

    def _read_or(self) -> Predicate:
        operands = [self._read_and()]
        while self._accept("or"):
            operands.append(self._read_and())
        return any_of(*operands)

    def _read_and(self) -> Predicate:
        operands = [self._read_not()]
        while self._accept("and"):
            operands.append(self._read_not())
        return all_of(*operands)

    def _read_not(self) -> Predicate:
        negations = 0
        while self._accept("not"):
            negations += 1
        operand = self._read_operand()
        if negations % 2 == 0:
            return operand
        if operand is EVERYTHING or operand is NOTHING:
            return NOTHING if operand is EVERYTHING else EVERYTHING
        return Not(operand)

    def _read_operand(self) -> Predicate:
        if self._accept("("):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise self._refuse("parentheses nest too deeply", "(")
            inner = self._read_or()
            if not self._accept(")"):
                raise self._unexpected()
            self._depth -= 1
            return inner
        if self._peek() in ("true", "false"):
            return EVERYTHING if self._accept("true") else self._take(NOTHING)
        left = self._read_value()
        relation = self._peek()
        if not isinstance(relation, str) or relation not in _COMPARISONS:
            raise self._unexpected()
        self._next += 1
        return self._compare(left, relation, self._read_value())

    def _take(self, predicate: Predicate) -> Predicate:
        self._next += 1
        return predicate

    def _read_value(self) -> _Item | _Literal:
        word = self._peek()
        if word is None or isinstance(word, str):
            raise self._unexpected()
        self._next += 1
        return word

    def _compare(self, left: _Item | _Literal, relation: str, right: _Item | _Literal) -> Predicate:
        if isinstance(left, _Literal) and isinstance(right, _Item):
            if relation not in _MIRRORED:
                raise self._refuse(f"{relation} wants the item on its left", relation)
            left, relation, right = right, _MIRRORED[relation], left
        if isinstance(left, _Item) and isinstance(right, _Item):
            raise self._refuse(f"[{left.name}] {relation} [{right.name}]: two items cannot be compared", relation)
        if isinstance(left, _Literal):
            assert isinstance(right, _Literal)
            return self._compare_constants(left, relation, right)
        assert isinstance(right, _Literal)
        if relation == "in":
            return self._one_of(left, right)
        if relation in ("~", "~*"):
            if left.kind != "text" or right.kind != "text":
                raise self._refuse(f'{relation} wants "[{left.name}]" and a regular expression in quotes', relation)
            return Matches(left.name, _checked_pattern(right.text, self._refuse), relation == "~")
        if left.kind == "time" or right.kind == "time":
            return self._compare_times(left, relation, right)
        if left.kind == "number" and right.kind != "number":
            raise self._refuse(f'[{left.name}] is a number; for text write "[{left.name}]"', f"[{left.name}]")
        if left.kind == "text" and right.kind != "text":
            raise self._refuse(f'"[{left.name}]" is text; for numbers write [{left.name}]', right.text)
        if relation == "=*":
            return OneOf(left.name, (right.text,), match_case=False)
        return Compare(left.name, _ORDERS[relation], right.text, kind=left.kind)

    def _one_of(self, left: _Item, right: _Literal) -> Predicate:
        values = tuple(right.text.split(","))
        if left.kind == "text":
            return OneOf(left.name, values)
        for value in values:
            if not re.fullmatch(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", value):
                raise self._refuse(f'[{left.name}] IN "{right.text}": {value} is no number', value)
        return any_of(*(Compare(left.name, "=", value.strip(), kind="number") for value in values))

    def _compare_times(self, left: _Item, relation: str, right: _Literal) -> Predicate:
        interval = self._interval(right)
        same = Time(left.name, (interval,), "during")
        before, after = Time(left.name, (interval,), "before"), Time(left.name, (interval,), "after")
        choices: dict[str, Predicate] = {
            "=": same,
            "<>": any_of(before, after),
            "<": before,
            ">": after,
            "<=": any_of(before, same),
            ">=": any_of(same, after),
        }
        if relation not in choices:
            raise self._refuse(f"{relation} is not for times", relation)
        return choices[relation]

    def _interval(self, literal: _Literal) -> Interval:
        try:
            return parse_time(literal.text)
        except ValueError as error:
            raise self._refuse(f"`{literal.text}` is no time: {error}", literal.text) from None

    def _compare_constants(self, left: _Literal, relation: str, right: _Literal) -> Predicate:
        """Decide constants at once: ``1 = 1`` is what programs write that join conditions by AND."""
        if left.kind != right.kind or left.kind == "time" or relation not in _ORDERS:
            raise self._refuse(f"{left.text} {relation} {right.text} compares no item", relation)
        decide = COMPARISONS[_ORDERS[relation]]
        read = float if left.kind == "number" else str
        return EVERYTHING if decide(read(left.text), read(right.text)) else NOTHING
