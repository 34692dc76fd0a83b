"""Identifiers in valid documents: of procedures, CRSs, units, and of what is unknown."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from mapsos.columns.xml_text import encode_id, encode_uri, escape_attribute
from mapsos.encodings.markup import Envelope
from mapsos.terms.crs import is_northing_first, write_crs_urn
from mapsos.terms.urns import PROCEDURE_URN

UNKNOWN = "urn:ogc:def:nil:OGC:unknown"
INAPPLICABLE = "urn:ogc:def:nil:OGC:inapplicable"

_UCUM = "urn:ogc:def:uom:UCUM::"
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_UOM_SYMBOL = re.compile(r"[^: \n\r\t]+")


@lru_cache(maxsize=4096)
def write_procedure_urn(procedure: str) -> str:
    """Return the URN of a procedure; an id that cannot be part of a URI is percent-escaped."""
    return PROCEDURE_URN + encode_id(procedure) if procedure else UNKNOWN


def write_corners(envelope: Envelope) -> tuple[str | None, str, str]:
    """Return the URN of an envelope's CRS, and the corners in its axis order (without a URN in x y order)."""
    urn = write_crs_urn(envelope.label)
    lower, upper = (envelope.minx, envelope.miny), (envelope.maxx, envelope.maxy)
    if urn is not None and is_northing_first(envelope.label or ""):
        lower, upper = lower[::-1], upper[::-1]
    return urn, f"{lower[0]:f} {lower[1]:f}", f"{upper[0]:f} {upper[1]:f}"


def write_uom_attribute(uom: str | None) -> str:
    """Return a unit as the URI that gml:MeasureType requires: the symbol itself if it is one, else a URN with it."""
    if not uom:
        return UNKNOWN
    return uom if encode_uri(uom) == uom and _is_reference(uom) else _UCUM + quote(uom, safe="")


def write_uom_element(uom: str | None) -> str:
    """Return the swe:uom of a quantity: a symbol, else a reference; nothing without a unit."""
    if not uom:
        return ""
    if _UOM_SYMBOL.fullmatch(uom):
        return f'<swe:uom code="{escape_attribute(uom)}"/>'
    target = encode_uri(uom) if _SCHEME.match(uom) else _UCUM + quote(uom, safe="")
    return f'<swe:uom xlink:href="{escape_attribute(target)}"/>'


def _is_reference(text: str) -> bool:
    """Return whether a colon in a text is that of a URI's scheme."""
    return ":" not in text.partition("/")[0] or _SCHEME.match(text) is not None
