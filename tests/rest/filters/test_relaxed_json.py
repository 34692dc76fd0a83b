from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.rest.filters.relaxed_json import MOST_LEVELS, parse_relaxed_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "{xmin:0.0,ymax:43,spatialReference:{wkid:4326}}",
            {"xmin": 0.0, "ymax": 43, "spatialReference": {"wkid": 4326}},
        ),
        ("{'a b': 'it\\'s \"so\"'}", {"a b": 'it\'s "so"'}),
        ("{'a': 'c\\\\d'}", {"a": "c\\d"}),
        ("[+1.5, -.5, 2., 1e3, -7]", [1.5, -0.5, 2.0, 1000.0, -7]),
        ("[true,false,null]", [True, False, None]),
        ('{"$a_1":[[]]}', {"$a_1": [[]]}),
        ("[bare]", ["bare"]),
    ],
)
def test_reads_strict_and_relaxed_texts(text: str, value: object) -> None:
    assert parse_relaxed_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{a}",
        "{a:1,}",
        "{a:1,a:2}",
        "[1 2]",
        "{a:1}x",
        "[1e999]",
        "[0x10]",
        "[1-2]",
        "{a:`b`}",
        "// c",
        "[NaN]x",
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(ValueError, match="^not JSON|^duplicate name$"):
        parse_relaxed_json(text)


def test_is_bounded_in_depth() -> None:
    assert parse_relaxed_json("[" * MOST_LEVELS + "]" * MOST_LEVELS) is not None
    with pytest.raises(ValueError, match="levels"):
        parse_relaxed_json("[" * 100_000)


@given(VALUES)
def test_reads_whatever_json_writes(value: object) -> None:
    assert parse_relaxed_json(json.dumps(value, ensure_ascii=False)) == value


@given(st.text())
def test_gives_a_value_or_says_why_not(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_relaxed_json(text)
