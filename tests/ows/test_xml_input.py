"""XML fragments of key-value requests."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.xml_input import MarkupError, attribute, children, local_name, parse_fragments, serialize, text_of


def names(text: str, separators: str = "") -> list[str]:
    return [local_name(element) for element in parse_fragments(text, separators)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a/>", ["a"]),
        ("<gml:a/>", ["a"]),
        ("<x:a x:b='1'/>", ["a"]),
        ('<g:a xmlns:g="http://www.opengis.net/gml/3.2"/>', ["a"]),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', ["a"]),
        ("<a/> <b/>\n<c/>", ["a", "b", "c"]),
        ("<a><Or></or></A>", ["a"]),
        ("<a b='>' c=\"<\"/>".replace('<"', '&lt;"'), ["a"]),
    ],
)
def test_elements_are_found_by_local_name(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_separators_may_stand_between_elements() -> None:
    assert names("<a/>, <b/>", ",") == ["a", "b"]
    with pytest.raises(MarkupError):
        names("<a/>, <b/>")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "<a/>text",
        "<a/>` or 1=1",
        "<a><b/>` or 1=1</a>",
        "<a>",
        "<a></b>",
        "</fragments><fragments>",
        "<a/></fragments><fragments><b/>",
        "<!DOCTYPE a><a/>",
        "<a>&b;</a>",
        "<a>\ud800</a>",
        "<a>\x00</a>",
        "<a>" * 300 + "</a>" * 300,
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(MarkupError):
        names(text)


def test_parts_of_an_element() -> None:
    (element,) = parse_fragments('<a gml:id="1"><b> x </b><c><d/></c></a>')
    first, second = children(element)
    assert attribute(element, "id") == "1"
    assert attribute(element, "name") is None
    assert text_of(first) == " x "
    assert serialize(first).startswith("<b")
    with pytest.raises(MarkupError):
        text_of(second)


@given(st.text() | st.text("<>/abAB:= '\"&;!?-[]", max_size=100))
def test_any_text_is_elements_or_an_error(text: str) -> None:
    with contextlib.suppress(MarkupError):
        assert names(text)
