from __future__ import annotations

import contextlib
import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.terms.posix_patterns import compile_posix, write_re2

PATTERNS = pytest.mark.parametrize(
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
        ("^a{,2}b{1,}$", ["b", "aab", "abb"], ["aaab", "a{,2}b"]),
        (r"\<abc", ["x abc", "abcd"], ["xabc", "_abc"]),
        (r"^[\d]$", ["\\", "d"], ["1"]),
        (r"^a\sb$", ["a b", "a\vb", "a\nb"], ["ab"]),
        (r"\`a\'", ["a"], ["a\n", "ba"]),
    ],
)


@PATTERNS
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    compiled = compile_posix(pattern)
    assert [text for text in yes if not compiled.search(text)] == []
    assert [text for text in no if compiled.search(text)] == []


@PATTERNS
def test_re2_finds_the_same(pattern: str, yes: list[str], no: list[str]) -> None:
    assert pc.match_substring_regex(pa.array([*yes, *no]), write_re2(pattern)).to_pylist() == (
        [True] * len(yes) + [False] * len(no)
    )


@pytest.mark.parametrize(
    ("pattern", "part"), [(r"(a)\1", r"back-references such as \1"), ("a{1001}", "at most 1000"), ("(a", "regular")]
)
def test_what_re2_does_not_support(pattern: str, part: str) -> None:
    with pytest.raises(ValueError, match=re.escape(part)):
        write_re2(pattern)


@given(
    st.lists(st.sampled_from([*"ab[]()\\^$.*?{}|:-1,/ \n", "{,2}", "[^a-b]", "[]a]", r"\s", r"\B", r"\`"]), max_size=9),
    st.lists(st.text("ab[]\\^1 \n\v{,", max_size=6), max_size=5),
)
def test_re2_finds_the_same_by_any_pattern(parts: list[str], texts: list[str]) -> None:
    pattern = "".join(parts)
    try:
        text = write_re2(pattern)
    except ValueError:
        return
    found = pc.match_substring_regex(pa.array(texts, pa.string()), text).to_pylist()
    assert found == [compile_posix(pattern).search(text) is not None for text in texts], text


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
