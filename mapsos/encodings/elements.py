"""Build documents as trees of elements, for documents whose size does not grow with the observations."""

from __future__ import annotations

from lxml import etree

from mapsos.columns.xml_text import clean_text
from mapsos.encodings.markup import TimeExtent

GML = "http://www.opengis.net/gml"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def add_element(parent: etree._Element, namespace: str, name: str, text: str | None = None) -> etree._Element:
    """Append an element to another, with text unless it is None."""
    element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    if text is not None:
        element.text = clean_text(text)
    return element


def add_period(parent: etree._Element, extent: TimeExtent | None) -> None:
    """Append a valid gml:TimePeriod to an element. A missing begin or end is unknown, or now for an open end."""
    period = add_element(parent, GML, "TimePeriod")
    begin, end = ("", "") if extent is None else (extent.begin, extent.end)
    for name, text in (("beginPosition", begin), ("endPosition", end)):
        position = add_element(period, GML, name, text or None)
        if not text:
            now = name == "endPosition" and extent is not None and extent.open_end
            position.set("indeterminatePosition", "now" if now else "unknown")


def set_link(element: etree._Element, target: str) -> None:
    """Set the xlink:href of an element."""
    element.set(f"{{{XLINK}}}href", clean_text(target))


def set_schema_location(root: etree._Element, locations: str) -> None:
    """Set the schemas of a document: namespaces and URLs alternate."""
    root.set(f"{{{XSI}}}schemaLocation", clean_text(locations))


def write_document(root: etree._Element) -> bytes:
    """Return the document, in UTF-8, indented by two spaces."""
    body: bytes = etree.tostring(root, encoding="UTF-8", pretty_print=True)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
