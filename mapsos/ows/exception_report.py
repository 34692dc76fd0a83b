"""The ExceptionReport of OWS 1.1 (reference section 3; OGC 06-121r3, clause 8)."""

from __future__ import annotations

import re

from mapsos.ows.exceptions import OwsException

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def write_report(error: OwsException, schemas: str = "http://schemas.opengis.net", language: str = "en-US") -> bytes:
    """The document that tells a client of a failure, in UTF-8.

    ``schemas`` is the root of the schema tree, ``language`` the value of xml:lang. Characters that XML cannot hold
    become U+FFFD. Nothing is imported for it: an error costs no more than its text.
    """
    location = f"http://www.opengis.net/ows/1.1 {schemas}/ows/1.1.0/owsExceptionReport.xsd"
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ows:ExceptionReport xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0"'
        f' xml:lang="{_escape(language, _ATTRIBUTE)}" xsi:schemaLocation="{_escape(location, _ATTRIBUTE)}">\n'
        f'  <ows:Exception exceptionCode="{_escape(error.code, _ATTRIBUTE)}"'
        f' locator="{_escape(error.locator, _ATTRIBUTE)}">\n'
        f"    <ows:ExceptionText>{_escape(error.text, _TEXT)}</ows:ExceptionText>\n"
        "  </ows:Exception>\n"
        "</ows:ExceptionReport>\n"
    )
    return document.encode()


def _escape(text: str, table: dict[int, str]) -> str:
    return _NO_XML.sub("\ufffd", text).translate(table)
