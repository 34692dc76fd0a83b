from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mapsos.json_text import number_json_column, quote_json, quote_json_column


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_read_back_alone_and_in_columns(texts: list[str | None]) -> None:
    column = quote_json_column(pa.array(texts, pa.large_string()))
    assert [json.loads(text) for text in column.to_pylist()] == texts
    assert [json.loads(quote_json(text)) for text in texts] == texts


@given(st.lists(st.none() | st.floats(allow_nan=True)))
def test_numbers_are_numbers_or_null(numbers: list[float | None]) -> None:
    texts = number_json_column(pa.array(numbers, pa.float64())).to_pylist()
    for number, text in zip(numbers, texts, strict=True):
        read = json.loads(text)
        if number is None or number != number or abs(number) == float("inf"):
            assert read is None
        else:
            assert read == float(f"{number:.15g}")


def test_whole_numbers_are_whole() -> None:
    assert number_json_column(pa.array([1, None, -(2**62)], pa.int64())).to_pylist() == ["1", "null", str(-(2**62))]
