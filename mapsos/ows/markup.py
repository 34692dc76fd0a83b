"""XML from clients: bodies and fragments parsed without entities, document types or network, names without namespaces.

Elements are told apart by their local names, so that any prefix, GML 3.1 or 3.2 and a missing namespace are all
understood. lxml is imported when there is XML to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

MAX_DEPTH = 128

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
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]")
# Possessive, so that a long text without an end is read once.
_TAG = re.compile(r"<(/?)([A-Za-z_][\w.:-]*+)((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>")


class MarkupError(ValueError):
    """Text that is not XML, or XML of a kind that is never taken from a client."""


def parse_document(data: bytes) -> etree._Element:
    """The root of a whole document; MarkupError if it is not well-formed, has a document type, or is too deep."""
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
    if b"<!DOCTYPE" in data:
        raise MarkupError("a document type declaration is not accepted")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise MarkupError(f"not well-formed XML: {error}") from error
    # An encoding without ASCII hides the declaration from the search above.
    if root.getroottree().docinfo.internalDTD is not None:
        raise MarkupError("a document type declaration is not accepted")
    _check_depth(root)
    return root


def parse_fragments(text: str, separators: str = "") -> list[etree._Element]:
    """The elements that a text consists of, between which white space and ``separators`` may stand.

    Prefixes need not be declared, and an end tag may differ from its start tag in letter case. MarkupError if it is
    anything else.
    """
    text = _DECLARATION.sub("", text)
    prefixes = {prefix for prefix in _PREFIX.findall(text) if not prefix.lower().startswith("xml")}
    declarations = "".join(
        f' xmlns:{prefix}="{_NAMESPACES.get(prefix, "urn:undeclared")}"' for prefix in sorted(prefixes)
    )
    try:
        root = _parse_wrapped(text, declarations)
    except MarkupError:
        closed = _close_as_opened(text)
        if closed == text:
            raise
        root = _parse_wrapped(closed, declarations)
    if not len(root) or stray_text(root).strip(separators + " \t\r\n"):
        raise MarkupError("text beside the elements")
    if any(len(element) and stray_text(element).strip() for child in root for element in child.iter("*")):
        raise MarkupError("text beside elements")
    return list(root)


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element) -> list[etree._Element]:
    """The child elements."""
    return list(element.iterchildren("*"))


def stray_text(element: etree._Element) -> str:
    """The text that stands beside the child elements."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def attribute(element: etree._Element, name: str) -> str | None:
    """The attribute of that local name, whatever its namespace; None if there is none."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None


def text_of(element: etree._Element) -> str:
    """The text of an element that has no child elements, as it stands; MarkupError if it has any."""
    if len(element):
        raise MarkupError(f"element {local_name(element)} holds an element instead of text")
    return element.text or ""


def serialize(element: etree._Element) -> str:
    """An element as text, with the namespaces it needs and without what follows it."""
    from lxml import etree

    return etree.tostring(element, encoding="unicode", with_tail=False)


def _parse_wrapped(text: str, declarations: str) -> etree._Element:
    try:
        data = f"<fragments{declarations}>{text}</fragments>".encode()
    except UnicodeEncodeError as error:
        raise MarkupError("characters that XML cannot hold") from error
    return parse_document(data)


def _check_depth(root: etree._Element) -> None:
    level: list[etree._Element] = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise MarkupError("elements nested too deeply")


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
