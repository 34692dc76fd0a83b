from __future__ import annotations

import pytest

from mapsos.terms.boolean_parser import BooleanParser, Word, compare_constants, negate
from mapsos.terms.predicates import EVERYTHING, NOTHING, And, IsNull, Not, Or, Predicate

A, B, C = IsNull("a"), IsNull("b"), IsNull("c")


class Letters(BooleanParser):
    """A language whose only conditions are single letters."""

    def __init__(self, text: str, most_levels: int = 3) -> None:
        marks = ("and", "or", "not", "(", ")")
        words = [Word("mark" if word in marks else "letter", word, n) for n, word in enumerate(text.split(), 1)]
        super().__init__([*words, Word("end", "end", len(words) + 1)], most_levels)

    def read_condition(self) -> Predicate:
        if self.here.kind != "letter":
            raise self.refuse_word("letter")
        word = self.advance()
        return EVERYTHING if word.text == "T" else IsNull(word.text)

    def refuse_word(self, wanted: str = "") -> Exception:
        return ValueError(f"{self.here.place}: {self.here.text}, not {wanted}")

    def refuse_depth(self) -> Exception:
        return ValueError("deep")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", A),
        ("a or b and c", Or((A, And((B, C))))),
        ("( a or b ) and c", And((Or((A, B)), C))),
        ("not a and b", And((Not(A), B))),
        ("not ( a and b )", Not(And((A, B)))),
        ("not not a", A),
        ("not not not a", Not(A)),
        ("not T", NOTHING),
        ("T or a", EVERYTHING),
        ("T and a", A),
        ("( ( a ) )", A),
    ],
)
def test_what_binds(text: str, expected: Predicate) -> None:
    assert Letters(text).read() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: end, not letter"),
        ("a b", "2: b, not "),
        ("a and", "3: end, not letter"),
        ("( a", "3: end, not )"),
        ("a )", "2: ), not "),
        ("or a", "1: or, not letter"),
        ("( ( ( a ) ) )", "deep"),
    ],
)
def test_refusals_are_the_languages_own(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Letters(text).read()
    assert str(caught.value) == message


def test_levels_bound_the_stack_and_nothing_else_uses_it() -> None:
    with pytest.raises(ValueError, match="deep"):
        Letters("( " * 100_000 + "a" + " )" * 100_000).read()
    assert Letters("not " * 100_001 + "a").read() == Not(A)
    assert Letters(" or ".join(["( a )"] * 10_000)).read() == Or((A,) * 10_000)


def test_constants() -> None:
    assert negate(EVERYTHING) == NOTHING
    assert negate(NOTHING) == EVERYTHING
    assert compare_constants(1.0, "<", 2.0) == EVERYTHING
    assert compare_constants("10", ">", "9") == NOTHING
