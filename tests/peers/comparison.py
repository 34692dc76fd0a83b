"""Two answers side by side: documents element for element, comments included, and where they part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from .answers import Answer

COMMENT = "#comment"
TEXT = "#text"


@dataclass
class Node:
    """An element, a comment, or a run of text that is not blank, with the prefix its name was written with."""

    name: str
    space: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This node and everything in it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, name: str) -> list[Node]:
        """Every node of a (prefixed) name in here."""
        return [node for node in self.walk() if node.name == name]

    @property
    def content(self) -> str:
        """All text in here."""
        return "".join(node.text for node in self.walk() if node.name == TEXT)

    def remove(self, unwanted: Callable[[Node], bool]) -> None:
        """Take out every descendant that is unwanted."""
        self.children = [child for child in self.children if not unwanted(child)]
        for child in self.children:
            child.remove(unwanted)


@dataclass
class Side:
    """One of two answers, as normalisers may change it."""

    answer: Answer
    status: int
    headers: dict[str, str]
    tree: Node | None = None
    text: str = ""
    trouble: str = ""


def read_side(answer: Answer) -> Side:
    """Parse an answer as what its Content-Type says."""
    headers = {name: value for name, value in answer.headers.items() if name in ("content-type", "location")}
    status = answer.status or (302 if "location" in headers else 200)
    side = Side(answer, status, headers)
    if answer.exit_code:
        side.trouble = f"exit code {answer.exit_code}: {answer.complaint}"
    if answer.kind == "text/xml":
        try:
            root = etree.fromstring(answer.body, etree.XMLParser(resolve_entities=False, huge_tree=True))
        except etree.XMLSyntaxError as error:
            side.trouble = f"ill-formed XML: {error}"
            side.text = answer.text
        else:
            document = Node("#document")
            document.children = [
                *(read_node(one) for one in reversed(list(root.itersiblings(preceding=True)))),
                read_node(root),
                *(read_node(one) for one in root.itersiblings()),
            ]
            side.tree = document
    else:
        side.text = answer.text
    return side


def read_node(element: etree._Element) -> Node:
    """An lxml element or comment as a Node, blank text left out."""
    if not isinstance(element.tag, str):
        return Node(COMMENT, text=element.text or "")
    qualified = etree.QName(element)
    name = f"{element.prefix}:{qualified.localname}" if element.prefix else qualified.localname
    node = Node(name, qualified.namespace or "")
    node.attributes = {prefixed(element, key): value for key, value in element.attrib.items()}
    if element.text and element.text.strip():
        node.children.append(Node(TEXT, text=element.text))
    for child in element:
        node.children.append(read_node(child))
        if child.tail and child.tail.strip():
            node.children.append(Node(TEXT, text=child.tail))
    return node


CUSTOMARY = {
    "http://www.opengis.net/gml": "gml",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
    "http://www.w3.org/XML/1998/namespace": "xml",
}
"""Namespaces of the attributes of SOS, and the prefixes that both servers write."""


def prefixed(element: etree._Element, key: str) -> str:
    """An attribute's name with its customary prefix if that is in scope, else with its namespace."""
    qualified = etree.QName(key)
    if not qualified.namespace:
        return qualified.localname
    prefix = CUSTOMARY.get(qualified.namespace)
    if prefix == "xml" or (prefix and element.nsmap.get(prefix) == qualified.namespace):
        return f"{prefix}:{qualified.localname}"
    return f"{{{qualified.namespace}}}{qualified.localname}"


def differences(ours: Side, theirs: Side) -> list[str]:
    """Every place where two answers part, readable, in document order; empty if they are equal."""
    found: list[str] = []
    if ours.status != theirs.status:
        found.append(f"HTTP status: ours {ours.status}, theirs {theirs.status}")
    for name in sorted({*ours.headers, *theirs.headers}):
        if ours.headers.get(name) != theirs.headers.get(name):
            found.append(f"header {name}: ours {ours.headers.get(name)!r}, theirs {theirs.headers.get(name)!r}")
    if ours.trouble or theirs.trouble:
        found.append(f"trouble: ours {ours.trouble or 'none'}; theirs {theirs.trouble or 'none'}")
    if (ours.tree is None) != (theirs.tree is None):
        shown = [side.answer.text[:600] for side in (ours, theirs)]
        found.append(f"only one is a document\n  ours   {shown[0]}\n  theirs {shown[1]}")
    elif ours.tree is not None and theirs.tree is not None:
        compare_nodes(ours.tree, theirs.tree, "", found)
    elif ours.text != theirs.text:
        found.append(f"text:\n  ours   {ours.text[:600]!r}\n  theirs {theirs.text[:600]!r}")
    return found


def compare_nodes(ours: Node, theirs: Node, path: str, found: list[str]) -> None:
    """Add to ``found`` where two nodes differ; on different children, only the first place where they part."""
    path = f"{path}/{theirs.name}" if theirs.name != "#document" else path
    if (ours.name, ours.space) != (theirs.name, theirs.space):
        found.append(f"{path}: ours is {show(ours)}, theirs {show(theirs)}")
        return
    if ours.text != theirs.text:
        found.append(f"{path}: ours {ours.text!r}, theirs {theirs.text!r}")
    for name in sorted({*ours.attributes, *theirs.attributes}):
        if ours.attributes.get(name) != theirs.attributes.get(name):
            one, other = ours.attributes.get(name), theirs.attributes.get(name)
            found.append(f"{path}/@{name}: ours {one!r}, theirs {other!r}")
    for index in range(max(len(ours.children), len(theirs.children))):
        one = ours.children[index] if index < len(ours.children) else None
        other = theirs.children[index] if index < len(theirs.children) else None
        place = f"{path}[{index}]"
        if one is None or other is None:
            found.append(f"{place}: ours {show(one)}, theirs {show(other)}")
            return
        if (one.name, one.space) != (other.name, other.space):
            found.append(f"{place}: ours {show(one)}, theirs {show(other)}")
            return
        compare_nodes(one, other, path if index == 0 else place, found)


def show(node: Node | None) -> str:
    """A node in one line."""
    if node is None:
        return "nothing"
    if node.name in (COMMENT, TEXT):
        return f"{node.name} {node.text!r}"
    attributes = "".join(f" {name}={value!r}" for name, value in sorted(node.attributes.items()))
    return f"<{node.name}{attributes}> {node.content[:80]!r}"
