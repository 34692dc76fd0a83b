"""Entity tags: the same document is not sent twice."""

from __future__ import annotations

import pytest

from mapsos.web.entity_tags import answer_condition, matches, tag_response, write_date
from mapsos.web.messages import Response

DOCUMENT = Response(headers=(("Content-Type", "text/xml"),), body=(b"<a/>",))


def tag_of(response: Response) -> str:
    return dict(response.headers)["ETag"]


def test_same_document_same_tag() -> None:
    tag = tag_of(tag_response(DOCUMENT, None))
    assert tag == tag_of(tag_response(Response(body=(b"<a", b"/>")), None))
    assert tag != tag_of(tag_response(Response(body=(b"<b/>",)), None))
    assert tag.startswith('W/"')


@pytest.mark.parametrize("form", ["{tag}", '"x", {tag}', "*", "{strong}"])
def test_client_that_has_it_gets_304(form: str) -> None:
    tag = tag_of(tag_response(DOCUMENT, None))
    response = tag_response(DOCUMENT, form.format(tag=tag, strong=tag.removeprefix("W/")))
    assert response.status == 304
    assert list(response.body) == []
    assert tag_of(response) == tag
    assert "Content-Type" not in dict(response.headers)


@pytest.mark.parametrize("given", ['"x"', "", 'W/"x"', "garbage"])
def test_client_that_has_another_gets_the_document(given: str) -> None:
    assert tag_response(DOCUMENT, given).body == (b"<a/>",)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('"1"', True),
        ('W/"1"', True),
        ("*", True),
        (" * ", True),
        ('"x","1"', True),
        ('"x" , W/"1" ,', True),
        ('"a, b", "1"', True),
        ('"", "1"', True),
        ("1", False),
        ('"1', False),
        ('"a,*,b"', False),
        ('"x", *', False),
        ('"11"', False),
        ('w/"2"', False),
        ('"\u00e9"', False),
        ("", False),
        (",", False),
    ],
)
@pytest.mark.parametrize("tag", ['"1"', 'W/"1"'])
def test_the_comparison_is_weak_and_of_whole_tags(given: str, tag: str, expected: bool) -> None:
    assert matches(given, tag) is expected


@pytest.mark.parametrize("given", [None, "*"])
def test_both_answers_depend_on_the_coding(given: str | None) -> None:
    response = Response(headers=(("ETag", '"1"'), ("Vary", "Accept")), body=(b"x",), operation="page")
    answer = answer_condition(response, given)
    assert dict(answer.headers) == {"ETag": '"1"', "Vary": "Accept, Accept-Encoding"}
    assert answer.operation == "page"


@pytest.mark.parametrize(
    ("seconds", "date"),
    [(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT")],
)
def test_dates_are_those_of_http(seconds: int, date: str) -> None:
    assert write_date(seconds) == date
