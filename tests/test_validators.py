"""Entity tags: the same document is not sent twice."""

from __future__ import annotations

import pytest

from mapsos.web.entity_tags import tag_response
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
