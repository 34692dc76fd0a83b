from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mapsos.columns.xml_text import (
    clean_text,
    encode_name,
    escape_attribute,
    escape_attribute_column,
    escape_text,
    escape_text_column,
    without_nulls,
)

TEXTS = [
    "plain",
    "",
    "A & B",
    "<b>&amp;</b>",
    "]]>",
    "\"q\" 'a'",
    "line\nfeed\ttab\rreturn\r\n",
    "café 日本 \U0001f30d",
    "bell\x07 nul\x00 escape\x1b",
    "not a character \ufffe \uffff, but this is \ufffd and \uff21",
]


def column(*texts: str | None) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.mark.parametrize("text", TEXTS)
def test_a_parser_reads_the_text_again(text: str) -> None:
    element = etree.fromstring(f'<a b="{escape_attribute(text)}">{escape_text(text)}</a>')
    assert (element.text or "") == clean_text(text)
    assert element.get("b") == clean_text(text)


@settings(deadline=None)
@given(st.lists(st.text() | st.none()))
def test_columns_are_escaped_as_single_texts_are(texts: list[str | None]) -> None:
    texts = [text if text is None else clean_text(text) for text in texts]
    assert escape_text_column(column(*texts)).to_pylist() == [escape_text(text or "") for text in texts]
    assert escape_attribute_column(column(*texts)).to_pylist() == [escape_attribute(text or "") for text in texts]


@pytest.mark.parametrize("text", TEXTS)
def test_a_column_with_one_text_among_plain_ones(text: str) -> None:
    assert escape_text_column(column("a", text, None)).to_pylist() == ["a", escape_text(text), ""]
    assert escape_attribute_column(column("a", text, None)).to_pylist() == ["a", escape_attribute(text), ""]


def test_a_column_that_needs_nothing_is_not_copied() -> None:
    plain = column("a", "b\nc", "日本")
    assert escape_text_column(plain) is plain


def test_lone_surrogates_are_replaced() -> None:
    assert escape_text("a\ud800b") == "a\ufffdb"


def test_a_part_of_a_column_is_looked_at_alone() -> None:
    part = column("<", "a", "b", ">").slice(1, 2)
    assert escape_text_column(part) is part


def test_other_text_columns_become_large_ones() -> None:
    texts = pa.array(["b", None, "b"]).dictionary_encode()
    assert without_nulls(texts).equals(column("b", "", "b"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("value", "value"),
        ("Überschuß.1-a", "Überschuß.1-a"),
        ("my id", "my_x0020_id"),
        ("1val", "_x0031_val"),
        ("t&x", "t_x0026_x"),
        ("a:b", "a_x003A_b"),
        ("-a", "_x002D_a"),
        ("a_x0020_b", "a_x0020_b"),
        ("a_x0020_ b", "a_x005F_x0020__x0020_b"),
        ("\U000f0000", "_xF0000_"),
        ("", "_"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert encode_name(text) == name


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_is_an_element_name(text: str) -> None:
    name = encode_name(text)
    assert etree.fromstring(f"<{name}/>".encode()).tag == name
    assert encode_name(name) == name
