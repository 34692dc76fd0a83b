"""Documents that are built as trees of elements: those of a size that does not grow with observations."""

from __future__ import annotations

from lxml import etree

from mapsos.columns.xml_text import clean_text
from mapsos.encodings.markup import TimeExtent

GML = "http://www.opengis.net/gml"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def add_element(parent: etree._Element, namespace: str, name: str, text: str | None = None) -> etree._Element:
    """An element at the end of another, with text if it is given."""
    element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    if text is not None:
        element.text = clean_text(text)
    return element


def add_period(parent: etree._Element, extent: TimeExtent | None) -> None:
    """A valid gml:TimePeriod at the end of an element: a side without text is unknown, or the end that is now."""
    period = add_element(parent, GML, "TimePeriod")
    begin, end = ("", "") if extent is None else (extent.begin, extent.end)
    for name, text in (("beginPosition", begin), ("endPosition", end)):
        position = add_element(period, GML, name, text or None)
        if not text:
            now = name == "endPosition" and extent is not None and extent.open_end
            position.set("indeterminatePosition", "now" if now else "unknown")


def set_link(element: etree._Element, target: str) -> None:
    """Let an element refer to something, by xlink:href."""
    element.set(f"{{{XLINK}}}href", clean_text(target))


def set_schema_location(root: etree._Element, locations: str) -> None:
    """Say where the schemas of a document are: namespaces and URLs by turns."""
    root.set(f"{{{XSI}}}schemaLocation", clean_text(locations))


def write_document(root: etree._Element) -> bytes:
    """The whole document, UTF-8, indented by two blanks."""
    body: bytes = etree.tostring(root, encoding="UTF-8", pretty_print=True)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
