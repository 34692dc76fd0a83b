"""The parts of an om:member that both result models share: names, procedure, phenomenon and indentation."""

from __future__ import annotations

from mapsos.columns.xml_text import encode_name, escape_attribute, escape_text
from mapsos.encodings.layer_description import PropertyDescription
from mapsos.encodings.markup import Envelope, Phenomenon
from mapsos.terms.urns import PROCEDURE_URN

MISSING_PROCEDURE_ITEM = (
    '<!--WARNING: Optional metadata "sos_procedure_item" missing for sos:procedure.  '
    "If you have more than 1 procedures, sos:procedure will output them incorrectly.-->"
)
"""Comment P1 (docs/mapserver-sos.md, "Warning comments")."""

_TAKEN_PREFIXES = frozenset({"gml", "ows", "swe", "xlink", "xsi", "sos", "om", "xml", "xmlns"})


def indent(depth: int, *lines: str) -> str:
    """Return lines of markup, each indented by two spaces per level and with its line end."""
    spaces = "  " * depth
    return spaces + f"\n{spaces}".join(lines) + "\n" if lines else ""


def encode_prefix(prefix: str) -> str:
    """Return the user's namespace prefix as a name that differs from the document's own prefixes."""
    name = encode_name(prefix)
    return f"{name}_" if name.lower() in _TAKEN_PREFIXES else name


def describe_phenomenon(observed: PropertyDescription) -> Phenomenon:
    """Return the composite phenomenon of a layer: its id as the mapfile spells it, and all columns."""
    return Phenomenon(observed.id, observed.name, observed.components)


def write_procedure(procedure: str) -> str:
    """Return the om:procedure of a member, for a plain text id."""
    return indent(3, f'<om:procedure xlink:href="{PROCEDURE_URN}{escape_attribute(procedure)}"/>')


def write_phenomenon(phenomenon: Phenomenon) -> tuple[str, str]:
    """Return the om:observedProperty of a member in two halves, between which the phenomenon's id can get a suffix."""
    components = (
        f'<swe:component xlink:href="{escape_attribute(component)}"/>' for component in phenomenon.components
    )
    name = () if phenomenon.name is None else (f"<gml:name>{escape_text(phenomenon.name)}</gml:name>",)
    return (
        indent(3, "<om:observedProperty>")
        + f'        <swe:CompositePhenomenon gml:id="{escape_attribute(phenomenon.id)}',
        f'" dimension="{len(phenomenon.components)}">\n'
        + indent(5, *name, *components)
        + indent(4, "</swe:CompositePhenomenon>")
        + indent(3, "</om:observedProperty>"),
    )


def crs_attributes(label: str | None) -> str:
    """Return the attributes of gml:Point and gml:Envelope: none without label (docs/mapserver-sos.md, "Envelopes")."""
    return "" if label is None else f' srsName="urn:ogc:crs:{escape_attribute(label.lower())}" srsDimension="2"'


def write_envelope(depth: int, envelope: Envelope) -> str:
    """Return a gml:boundedBy at a depth (docs/mapserver-sos.md, "Envelopes")."""
    return (
        indent(depth, "<gml:boundedBy>")
        + indent(depth + 1, f"<gml:Envelope{crs_attributes(envelope.label)}>")
        + indent(
            depth + 2,
            f"<gml:lowerCorner>{envelope.minx:f} {envelope.miny:f}</gml:lowerCorner>",
            f"<gml:upperCorner>{envelope.maxx:f} {envelope.maxy:f}</gml:upperCorner>",
        )
        + indent(depth + 1, "</gml:Envelope>")
        + indent(depth, "</gml:boundedBy>")
    )
