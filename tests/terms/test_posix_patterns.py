from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.terms.posix_patterns import compile_posix


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"^/srv/maps/[a-z]+\.map$", ["/srv/maps/a.map"], ["/srv/maps/a.map\n", "x/srv/maps/a.map", "/srv/maps/axmap"]),
        (r"[/\\]{2}|[/\\]?\.+[/\\]|,", ["a//b", r"a\\b", "../a", "a,b", "./a"], ["/a/b.map", "a"]),
        ("^[[:alpha:]_]+$", ["ab_"], ["a1"]),
        ("^[^[:digit:]]$", ["a"], ["1"]),
        ("^[]a]$", ["]", "a"], ["b"]),
        (r"^[\w]$", ["\\", "w"], ["a"]),
        (r"^\w+$", ["a1_"], ["é", "-"]),
        (r"^\d$", ["d"], ["1"]),
        (r"\<map\>", ["a map b"], ["amap"]),
        ("^a.b$", ["a\nb"], ["ab"]),
        ("^(a|b){2}$", ["ab"], ["a"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    compiled = compile_posix(pattern)
    assert [text for text in yes if not compiled.search(text)] == []
    assert [text for text in no if compiled.search(text)] == []


def test_letter_case() -> None:
    assert compile_posix("^A$", ignore_case=True).search("a")
    assert not compile_posix("^A$").search("a")


@pytest.mark.parametrize("pattern", ["(", "[a", "(?:a)", "a++", "*a", "[[:nope:]]", "a{2,1}"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        compile_posix(pattern)


@given(st.text("ab[]()\\^$.*+?{}|:-1,/", max_size=12), st.text(max_size=5))
def test_any_text_is_a_pattern_or_a_value_error(pattern: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        compile_posix(pattern).search(text)
