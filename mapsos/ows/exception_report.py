"""The ExceptionReport of OWS 1.1 (docs/mapserver-sos.md, "Report"; OGC 06-121r3, clause 8)."""

from __future__ import annotations

from mapsos.columns.xml_text import escape_attribute, escape_text
from mapsos.ows.exceptions import OwsException


def write_report(error: OwsException, schemas: str = "http://schemas.opengis.net", language: str = "en-US") -> bytes:
    """Return the document that reports a failure to a client, in UTF-8.

    Characters that XML cannot hold become U+FFFD. Nothing heavy is imported: an error costs no more than its text.

    Parameters
    ----------
    schemas
        Root URL of the OGC schemas.
    language
        The value of xml:lang.
    """
    location = f"http://www.opengis.net/ows/1.1 {schemas}/ows/1.1.0/owsExceptionReport.xsd"
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ows:ExceptionReport xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0"'
        f' xml:lang="{escape_attribute(language)}" xsi:schemaLocation="{escape_attribute(location)}">\n'
        f'  <ows:Exception exceptionCode="{escape_attribute(error.code)}"'
        f' locator="{escape_attribute(error.locator)}">\n'
        f"    <ows:ExceptionText>{escape_text(error.text)}</ows:ExceptionText>\n"
        "  </ows:Exception>\n"
        "</ows:ExceptionReport>\n"
    )
    return document.encode()
