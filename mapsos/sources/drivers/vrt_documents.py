"""VRTs as XML that stands alone: absolute paths, nested VRTs within it, and no data source shared between openings.

GDAL opens the source of an ``SrcSQL`` once for all VRTs that the same thread opens, and so two readings of the same
layer would each get a part of the rows of the other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from osgeo import gdal

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DEEPEST = 8
"""Levels of VRTs in VRTs; GDAL itself stops at 32, where they name each other."""

_ROOT = "<ogrvrtdatasource"


def is_vrt(connection: str) -> bool:
    """Return whether a connection is the path of a VRT, or one itself."""
    return connection.lower().endswith(".vrt") or _is_document(connection)


def read_document(connection: str, depth: int = 0) -> Element | None:
    """Return the root of a VRT, None where it cannot be read: GDAL reports the error.

    ``connection`` is its path, or the XML itself.
    """
    from xml.etree import ElementTree

    folder = "" if connection.lstrip().startswith("<") else os.path.dirname(os.path.abspath(connection))
    try:
        root = ElementTree.fromstring(_read_file(connection) if folder else connection)
    except (OSError, RuntimeError, ValueError, ElementTree.ParseError):
        return None
    for source in find_elements(root, "srcdatasource"):
        text = (source.text or "").strip()
        if folder and attribute(source, "relativetovrt").lower() in ("1", "yes", "true", "on"):
            text = os.path.join(folder, text)
        nested = read_document(text, depth + 1) if is_vrt(text) and depth < _DEEPEST else None
        source.text = text if nested is None else write_document(nested)
        source.attrib = {"relativeToVRT": "0", "shared": "0"}
    return root


def write_document(root: Element) -> str:
    """Return a VRT as text, which GDAL opens like the path of one."""
    from xml.etree import ElementTree

    return ElementTree.tostring(root, encoding="unicode")


def _is_document(connection: str) -> bool:
    return connection.lstrip()[: len(_ROOT)].lower() == _ROOT


def _read_file(path: str) -> bytes:
    """Return the bytes of a file, also of one within an archive. Raises OSError or RuntimeError."""
    file = gdal.VSIFOpenL(path, "rb")
    if file is None:
        raise OSError(path)
    try:
        gdal.VSIFSeekL(file, 0, os.SEEK_END)
        size = gdal.VSIFTellL(file)
        gdal.VSIFSeekL(file, 0, os.SEEK_SET)
        return bytes(gdal.VSIFReadL(1, size, file) or b"")
    finally:
        gdal.VSIFCloseL(file)


def find_elements(element: Element, tag: str) -> list[Element]:
    """Return the elements of a name in lower case, in whatever case they are written, as GDAL does."""
    return [each for each in element.iter() if each.tag.lower() == tag]


def attribute(element: Element, name: str) -> str:
    """Return the value of an attribute, whose name is in lower case, in whatever case it is written; '' without it."""
    return next((value for key, value in element.attrib.items() if key.lower() == name), "")
