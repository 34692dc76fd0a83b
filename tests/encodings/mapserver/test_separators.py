from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsos.encodings.mapserver.separators import Separators


def protect(token: str, block: str, *values: str) -> list[str]:
    protected: list[str] = Separators(token, block).protect(pa.array(values, pa.large_string())).to_pylist()
    return protected


@pytest.mark.parametrize(
    ("token", "block", "value", "expected"),
    [
        (",", "\n", "a,b\nc", "a%2Cb%0Ac"),
        (",", "\n", "a\r\nb", "a%0D%0Ab"),
        (",", ";", "a\r\nb", "a\r\nb"),
        (",", "\n", "50% of 1;2", "50% of 1;2"),
        ("||", "@@", "a|b||c@d@@e", "a|b%7C%7Cc@d%40%40e"),
        ("||", "@@", "a|", "a%7C"),
        (",", "@@", "me@", "me%40"),
        (",", "@@", "@@@", "%40%40%40"),
        (",", "@@", "me@here", "me@here"),
        (";", ";;", "a;;b;c", "a%3B%3Bb%3Bc"),
        ("·", "\n", "a·b", "a%C2%B7b"),
        (".", "\n", "1.5", "1%2E5"),
        ("$^", "\n", "a$^", "a%24%5E"),
        ("", "\n", "a,b", "a,b"),
    ],
)
def test_protected_values(token: str, block: str, value: str, expected: str) -> None:
    assert protect(token, block, "plain", value, "") == ["plain", expected, ""]


@settings(deadline=None)
@given(
    st.sampled_from([",", ";", "||", "@@", "ab", "aba", " | ", "\t"]),
    st.sampled_from(["\n", "@@", "\r\n", "##", "|||", "END"]),
    st.lists(st.lists(st.text("ab,;|@#END \r\n\t", max_size=6), min_size=2, max_size=2), min_size=1, max_size=4),
)
def test_readers_find_as_many_values_as_there_are(token: str, block: str, records: list[list[str]]) -> None:
    flat = [value for record in records for value in record]
    protected = iter(protect(token, block, *flat))
    if token in block:
        return
    text = block.join(token.join([next(protected), next(protected)]) for _ in records)
    assert [len(record.split(token)) for record in text.split(block)] == [2] * len(records)
