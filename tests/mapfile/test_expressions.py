from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.expressions import MAX_DEPTH, read_filter
from mapsos.mapfile.tokens import Token, TokenKind, split_text
from mapsos.terms.predicates import (
    EVERYTHING,
    NOTHING,
    And,
    Compare,
    Matches,
    Not,
    OneOf,
    Or,
    Predicate,
    Time,
)
from mapsos.terms.times import parse_time


def read(text: str, item: str | None = None) -> Predicate:
    (token,) = split_text(text, "f.map")
    return read_filter(token, item, "l")


def number(operator: str, literal: str, name: str = "v") -> Compare:
    return Compare(name, operator, literal, kind="number")  # type: ignore[arg-type]


def text(operator: str, literal: str, name: str = "s") -> Compare:
    return Compare(name, operator, literal, kind="text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filter_text", "item", "expected"),
    [
        ('"S1"', "stn", OneOf("stn", ("S1",))),
        ('"S1"i', "stn", OneOf("stn", ("S1",), match_case=False)),
        ('"v = 5"', None, NOTHING),
        ("/^S/", "stn", Matches("stn", "^S")),
        ("/^S/i", "stn", Matches("stn", "^S", match_case=False)),
        (r"/\<S[\d]$/", "stn", Matches("stn", r"\bS[\\d]\z")),
        ("{S1,S3}", "stn", OneOf("stn", ("S1", "S3"))),
        ("{S1, it's}", "stn", OneOf("stn", ("S1", " it's"))),
        ("([v] > 5)", "ignored", number(">", "5")),
        ('"([v] > 5)"', None, number(">", "5")),
    ],
)
def test_forms(filter_text: str, item: str | None, expected: Predicate) -> None:
    assert read(filter_text, item) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        *[(f"[v] {written} 5", number(meant, "5")) for written, meant in [
            ("=", "="), ("==", "="), ("eq", "="), ("EQ", "="), ("!=", "<>"), ("ne", "<>"), ("<>", "<>"),
            ("<", "<"), ("lt", "<"), (">", ">"), ("gt", ">"), ("<=", "<="), ("le", "<="), (">=", ">="), ("ge", ">="),
        ]],
        ("[v]>-1.5e3", number(">", "-1.5e3")),
        ("5 < [v]", number(">", "5")),
        ("5 >= [v]", number("<=", "5")),
        ("\"[s]\" = 'x y'", text("=", "x y")),
        ("'[s]' != \"it's\"", text("<>", "it's")),
        (r"'[s]' = 'it\'s'", text("=", "it's")),
        ('"[s]" ~ "^a"', Matches("s", "^a")),
        ('"[s]" re "^a"', Matches("s", "^a")),
        ('"[s]" ~* "^a"', Matches("s", "^a", match_case=False)),
        ('"[s]" =* "a"', OneOf("s", ("a",), match_case=False)),
        ('"[s]" IN "a,b"', OneOf("s", ("a", "b"))),
        ('[v] in "5,1"', Or((number("=", "5"), number("=", "1")))),
        ("[v] = 1 AND [v] = 2 and [v] = 3", And((number("=", "1"), number("=", "2"), number("=", "3")))),
        ("[v] = 1 OR [v] = 2 && [v] = 3", Or((number("=", "1"), And((number("=", "2"), number("=", "3")))))),
        ("([v] = 1 || [v] = 2) AND [v] = 3", And((Or((number("=", "1"), number("=", "2"))), number("=", "3")))),
        ("NOT [v] = 1 AND [v] = 2", And((Not(number("=", "1")), number("=", "2")))),
        ("!([v] = 1)", Not(number("=", "1"))),
        ("not not [v] = 1", number("=", "1")),
        ("1 = 1 AND [v] = 2", number("=", "2")),
        ("1 = 2 OR [v] = 2", number("=", "2")),
        ("'a' = 'a'", EVERYTHING),
        ("not 'a' = 'a'", NOTHING),
        ("true", EVERYTHING),
        ("[a b] = 1", number("=", "1", "a b")),
    ],
)  # fmt: skip
def test_expressions(expression: str, expected: Predicate) -> None:
    assert read(f"({expression})") == expected


def test_times_are_intervals_of_their_precision() -> None:
    year = (parse_time("2003"),)
    same, before, after = (Time("t", year, relation) for relation in ("during", "before", "after"))  # type: ignore[arg-type]
    assert read("(`[t]` = `2003`)") == same
    assert read("(`[t]` < `2003`)") == before
    assert read("(`[t]` >= `2003`)") == Or((same, after))
    assert read("(`[t]` != `2003`)") == Or((before, after))
    assert read("(`2003` > `[t]`)") == before


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("[v] + 1 = 6", "+"),
        ('"[s]" like "S%"', "like"),
        ('length("[s]") = 3', "length"),
        ("intersects([shape], fromText('POINT(1 1)'))", ","),
        ("[s] = 'x'", "[s]"),
        ('"[v]" = 5', "5"),
        ("[v] =", ")"),
        ("[v] 5", "5"),
        ("[v]", ")"),
        ("[a] = [b]", "="),
        ("[v] = 5 [x]", "[x]"),
        ("", "()"),
        ('"[s]" ~ "[a"', "[a"),
        ("`[t]` = `bogus`", "bogus"),
        ("'x[s]' = 'xa'", "x[s]"),
        ("[v] in '1,x'", "x"),
        ("5 in [v]", "in"),
        ("((" * 200 + "1=1" + "))" * 200, "("),
        ("[v] = 1 xor [v] = 2", "xor"),
    ],
)
def test_what_is_not_supported_is_named(expression: str, named: str) -> None:
    token = Token(TokenKind.EXPRESSION, expression, "f.map", 7)
    with pytest.raises(MapfileError) as caught:
        read_filter(token, None, "my layer")
    assert (caught.value.line, caught.value.near) == (7, named)
    assert 'LAYER "my layer"' in caught.value.message


def test_only_the_digits_of_ascii_make_a_number() -> None:
    with pytest.raises(MapfileError, match="not supported"):
        read("([v] > ٣)")


@pytest.mark.parametrize(("filter_text", "item"), [(r"/(a)\1/", "stn"), (r"""("[stn]" ~ '(a)\1')""", None)])
def test_a_back_reference_is_refused(filter_text: str, item: str | None) -> None:
    with pytest.raises(MapfileError, match="back-references such as .1 are not supported"):
        read(filter_text, item)


def test_bad_regular_expression_of_a_filter_item() -> None:
    with pytest.raises(MapfileError, match="regular expression"):
        read("/(a/", "stn")


@given(st.lists(st.sampled_from(
    ["[v]", '"[s]"', "`[t]`", "5", "'x'", "`2001`", "=", "<", "~", "in", "and", "or", "not", "(", ")", "true", "{", "§"]
)))
def test_any_words_give_a_predicate_or_an_error(words: list[str]) -> None:
    with contextlib.suppress(MapfileError):
        read_filter(Token(TokenKind.EXPRESSION, " ".join(words), "f.map", 1), None, "l")


def test_parentheses_nest_within_a_bound() -> None:
    assert read("(" * (MAX_DEPTH + 1) + "[v] > 5" + ")" * (MAX_DEPTH + 1)) == number(">", "5")
    with pytest.raises(MapfileError, match="nest more than 100 deep"):
        read("(" * (MAX_DEPTH + 2) + "[v] > 5" + ")" * (MAX_DEPTH + 2))
