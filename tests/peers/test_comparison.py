"""The comparison sees what it is there to see."""

from __future__ import annotations

import pytest

from .answers import Answer, read_reply
from .comparison import differences, read_side

DOCUMENT = '<a xmlns:x="u"><!--w--><b x:k="1">t</b><c/></a>'


def side(text: str, kind: str = "text/xml") -> Answer:
    return Answer({"content-type": kind}, text.encode())


@pytest.mark.parametrize(
    "other",
    [
        DOCUMENT.replace("<c/>", "<d/>"),
        DOCUMENT.replace("<c/>", ""),
        DOCUMENT.replace("<c/>", "<c/><c/>"),
        DOCUMENT.replace('"1"', '"2"'),
        DOCUMENT.replace("x:k", "k"),
        DOCUMENT.replace('"u"', '"v"'),
        DOCUMENT.replace(">t<", "> t<"),
        DOCUMENT.replace("<!--w-->", "<!--W-->"),
        '<a xmlns:x="u"><b x:k="1">t</b><!--w--><c/></a>',
        '<a xmlns:x="u"><!--w--><c/><b x:k="1">t</b></a>',
        DOCUMENT + "<!--after-->",
        DOCUMENT[:-1],
        DOCUMENT.replace("<c/>", "<c>x</c>"),
    ],
)
def test_sees_a_difference(other: str) -> None:
    assert differences(read_side(side(DOCUMENT)), read_side(side(other)))


def test_passes_over_layout() -> None:
    other = '<?xml version="1.0"?>\n<a xmlns:z="w" xmlns:x="u">\n <!--w-->\n <b x:k="1">t</b>\n <c></c>\n</a>\n'
    assert differences(read_side(side(DOCUMENT)), read_side(side(other))) == []


def test_sees_headers_and_pages() -> None:
    page = side("<HTML>a</HTML>", "text/html")
    assert differences(read_side(page), read_side(side("<HTML>b</HTML>", "text/html")))
    assert differences(read_side(page), read_side(side("<HTML>a</HTML>", "text/plain")))
    assert differences(read_side(page), read_side(page)) == []
    assert differences(read_side(read_reply(b"Location: a\n\n")), read_side(read_reply(b"Location: b\n\n")))
    assert differences(read_side(read_reply(b"", -11)), read_side(read_reply(b"")))


def test_reads_replies() -> None:
    reply = read_reply(b"Status: 302 Found\r\nLocation: a:b\r\n\r\nx")
    assert (reply.status, reply.headers, reply.body) == (302, {"location": "a:b"}, b"x")
    bare = read_reply(b'<?xml version="1.0"?><a b="c:d"/>')
    assert (bare.headers, bare.body) == ({}, b'<?xml version="1.0"?><a b="c:d"/>')
