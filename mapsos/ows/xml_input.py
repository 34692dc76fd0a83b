"""Parse XML from clients: bodies and fragments, without entities, document types or network.

Elements are identified by their local names, so that any prefix, GML 3.1 or 3.2 and a missing namespace are all
understood. lxml is imported when there is XML to parse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml import etree

MAX_DEPTH = 128
MAX_TAGS = 100_000
"""Maximum number of tags in a document or fragment; start and end tags are counted separately."""
MAX_ATTRIBUTES = 100_000
"""Maximum number of equals signs, and so of attributes."""
MAX_NAMESPACES = 256
"""Maximum number of namespace declarations, since each is repeated in every part that is serialized."""
MAX_NAMESPACE = 500
"""Maximum length of the name of a namespace, since it is a part of each name of an element in it."""
ENCODINGS = ("UTF-8", "UTF-16", "US-ASCII", "ISO-8859-1", "windows-1252")
"""Accepted encodings of documents."""

_NAMESPACES = {
    "gml": "http://www.opengis.net/gml",
    "ogc": "http://www.opengis.net/ogc",
    "fes": "http://www.opengis.net/fes/2.0",
    "sos": "http://www.opengis.net/sos/1.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "om": "http://www.opengis.net/om/1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml\s[^<>]*\?>")
_ENCODING = re.compile(rb"\s*<\?xml\s[^<>]*?encoding\s*=\s*[\"']([^\"'<>]*)[\"']")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
          (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))  # fmt: skip
_LONG = f"{{{MAX_NAMESPACE + 1}}}"
_LONG_NAMESPACE = re.compile(
    rf"xmlns(?:[^\s=]{_LONG}|[^\s=]*+\s*+=\s*+(?:\"[^\"]{_LONG}|'[^']{_LONG}))",
)
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]")
# Possessive, so that a long unterminated text is scanned once.
_TAG = re.compile(r"<(/?)([A-Za-z_][\w.:-]*+)((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>")


class MarkupError(ValueError):
    """Text that is not XML, or XML of a kind that is never accepted from a client."""


class RefusedMarkup(MarkupError):
    """Markup that is rejected for its size or kind, whether it is well-formed or not. The message is for clients."""


def parse_document(data: bytes) -> etree._Element:
    """Return the root of a document in one of `ENCODINGS`. The cost is linear in its size.

    Raises
    ------
    RefusedMarkup
        It has another encoding, more than `MAX_DEPTH` levels, `MAX_TAGS` tags, `MAX_ATTRIBUTES` attributes or
        `MAX_NAMESPACES` declarations, or the name of a namespace has more than `MAX_NAMESPACE` characters.
    MarkupError
        It is not well-formed, or has a document type.
    """
    return _parse_text(_decode(data))


def _parse_text(text: str) -> etree._Element:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    # The parser only gets this encoding, so that no markup escapes the checks of the text.
    if "<!DOCTYPE" in text:
        raise MarkupError("a document type declaration is not accepted")
    if text.count("<") > MAX_TAGS:
        raise RefusedMarkup(f"more than {MAX_TAGS} tags are not accepted")
    if text.count("xmlns") > MAX_NAMESPACES:
        raise RefusedMarkup(f"more than {MAX_NAMESPACES} namespace declarations are not accepted")
    if text.count("=") > MAX_ATTRIBUTES:
        raise RefusedMarkup(f"more than {MAX_ATTRIBUTES} attributes are not accepted")
    if _LONG_NAMESPACE.search(text):
        raise RefusedMarkup(f"namespaces of more than {MAX_NAMESPACE} characters are not accepted")
    try:
        root = etree.fromstring(_DECLARATION.sub("", text, 1).encode(), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise MarkupError(f"not well-formed XML: {error}") from error
    _check_depth(root)
    return root


def _decode(data: bytes) -> str:
    marked = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        name = marked[1]
    else:
        declared = _ENCODING.match(data)
        name = declared[1].decode("ascii", "replace") if declared else "utf-8"
        if name.lower() not in map(str.lower, ENCODINGS):
            raise RefusedMarkup(f"the encoding {name} is not accepted; allowed are {', '.join(ENCODINGS)}")
    try:
        return data.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise MarkupError(f"not well-formed XML: {error}") from error


def parse_fragments(text: str, separators: str = "") -> list[etree._Element]:
    """Return the elements in a text; only white space and ``separators`` may stand between them.

    Prefixes need not be declared, and an end tag may differ from its start tag in letter case. Raises MarkupError for
    other texts, as `parse_document` does.
    """
    text = _DECLARATION.sub("", text)
    prefixes = {prefix for prefix in _PREFIX.findall(text) if not prefix.lower().startswith("xml")}
    declarations = "".join(
        f' xmlns:{prefix}="{_NAMESPACES.get(prefix, "urn:undeclared")}"' for prefix in sorted(prefixes)
    )
    try:
        root = _parse_wrapped(text, declarations)
    except RefusedMarkup:
        raise
    except MarkupError:
        closed = _close_as_opened(text)
        if closed == text:
            raise
        root = _parse_wrapped(closed, declarations)
    if not len(root) or stray_text(root).strip(separators + " \t\r\n"):
        raise MarkupError("text beside the elements")
    found = list(root)
    check_mixed_content(found)
    return found


def check_mixed_content(elements: Iterable[etree._Element]) -> None:
    """Raise MarkupError if text stands beside elements anywhere in these."""
    if any(len(part) and stray_text(part).strip() for element in elements for part in element.iter("*")):
        raise MarkupError("text beside elements")


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element) -> list[etree._Element]:
    """Return the child elements."""
    return list(element.iterchildren("*"))


def stray_text(element: etree._Element) -> str:
    """Return the text beside the child elements."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def attribute(element: etree._Element, name: str) -> str | None:
    """Return the attribute of that local name in any namespace; None if it is missing."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None


def text_of(element: etree._Element) -> str:
    """Return the text of an element unchanged. Raises MarkupError if it has child elements."""
    if len(element):
        raise MarkupError(f"element {local_name(element)} holds an element instead of text")
    return element.text or ""


def serialize(element: etree._Element) -> str:
    """Return an element as text, with the namespaces it needs and without the text that follows it."""
    from lxml import etree

    return etree.tostring(element, encoding="unicode", with_tail=False)


def _parse_wrapped(text: str, declarations: str) -> etree._Element:
    return _parse_text(f"<fragments{declarations}>{text}</fragments>")


def _check_depth(root: etree._Element) -> None:
    level: list[etree._Element] = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise RefusedMarkup(f"elements nested too deeply: more than {MAX_DEPTH} levels are not accepted")


def _close_as_opened(text: str) -> str:
    return "".join(_matched_tags(text))


def _matched_tags(text: str) -> Iterator[str]:
    opened: list[str] = []
    position = 0
    for tag in _TAG.finditer(text):
        slash, name, rest = tag.groups()
        yield text[position : tag.start()]
        position = tag.end()
        if slash and opened:
            start = opened.pop()
            yield f"</{start if start.lower() == name.lower() else name}>"
            continue
        if not slash and not rest.endswith("/"):
            opened.append(name)
        yield tag[0]
    yield text[position:]
