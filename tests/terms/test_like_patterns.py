"""Patterns of LIKE: how they are split, and what one text against them costs."""

from __future__ import annotations

import pytest

from mapsos.terms.like_patterns import meets_parts, split_pattern
from mapsos.terms.predicates import ANY_ONE, ANY_RUN


@pytest.mark.parametrize(
    ("pattern", "escape", "parts"),
    [
        ("a%b_c", "", ("a", ANY_RUN, "b", ANY_ONE, "c")),
        ("a!%b!!!_", "!", ("a%b!_",)),
        ("a!%", "", ("a!", ANY_RUN)),
        ("a!", "!", ("a!",)),
        ("100%%", "%", ("100%",)),
        ("", "", ("",)),
    ],
)
def test_a_pattern_is_split(pattern: str, escape: str, parts: tuple[object, ...]) -> None:
    assert split_pattern(pattern, "%", "_", escape) == parts


@pytest.mark.parametrize(
    ("pattern", "text", "meets"),
    [
        ("a%", "abc", True),
        ("%b%", "abc", True),
        ("_b_", "abc", True),
        ("%c%b%", "abc", False),
        ("%ab", "aab\nab", True),
        ("_", "", False),
        ("", "", True),
        ("%", "", True),
        ("A%", "abc", False),
    ],
)
def test_a_text_meets_a_pattern_or_not(pattern: str, text: str, meets: bool) -> None:
    assert meets_parts(text, split_pattern(pattern, "%", "_", "")) is meets


def test_many_wildcards_cost_no_more_than_text_times_pattern() -> None:
    # Tried one after the other, the ways to share these characters among the runs are more than there is time for.
    assert not meets_parts("a" * 500, (ANY_RUN, ANY_ONE) * 200 + ("!",))
