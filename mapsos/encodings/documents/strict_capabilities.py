"""The parts of a Capabilities document that is valid for any mapfile and lists all that is supported."""

from __future__ import annotations

from lxml import etree

from mapsos.columns.xml_text import encode_name, encode_uri
from mapsos.encodings.documents.capabilities_parts import (
    SOS,
    SWE,
    CapabilitiesMarkup,
    OfferingDescription,
    add_answers,
    add_filters,
    add_offering_text,
    write_sections,
)
from mapsos.encodings.elements import GML, add_element, add_period, set_link
from mapsos.encodings.markup import Envelope, Phenomenon
from mapsos.encodings.strict.identifiers import UNKNOWN, write_corners
from mapsos.terms.crs import parse_srs_name, write_crs_urn

_TEMPORAL = ("TM_During", "TM_Equals", "TM_After", "TM_Before")
_COMPARISON = (
    "EqualTo",
    "NotEqualTo",
    "LessThan",
    "GreaterThan",
    "LessThanEqualTo",
    "GreaterThanEqualTo",
    "Like",
    "Between",
    "NullCheck",
)


def write_strict_capabilities(markup: CapabilitiesMarkup) -> bytes:
    """Write the whole document, UTF-8, indented by two spaces. The last few are cached."""
    return write_sections(markup, _write_filters, _write_contents)


def _write_filters(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    """Write sos:Filter_Capabilities with every supported operator."""
    add_filters(root, ("gml:Envelope", "gml:Point", "gml:LineString", "gml:Polygon"), _TEMPORAL, _COMPARISON)


def _write_contents(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    """Write sos:Contents. Ids are NCNames, unique in the document."""
    offerings = add_element(add_element(root, SOS, "Contents"), SOS, "ObservationOfferingList")
    taken = {encode_name(offering.id) for offering in markup.offerings}
    for offering in markup.offerings:
        _write_offering(add_element(offerings, SOS, "ObservationOffering"), markup, offering, taken)


def _write_offering(
    element: etree._Element, markup: CapabilitiesMarkup, offering: OfferingDescription, taken: set[str]
) -> None:
    id_ = encode_name(offering.id)
    element.set(f"{{{GML}}}id", id_)
    add_offering_text(element, GML, "description", offering.description, "sos_offering_description")
    add_offering_text(element, GML, "name", offering.name, "sos_offering_name")
    labels = (parsed.label for word in offering.srs or () if (parsed := parse_srs_name(word)) is not None)
    for urn in dict.fromkeys(urn for label in labels if (urn := write_crs_urn(label)) is not None):
        add_element(element, GML, "srsName", urn)
    _write_extent(element, offering.envelope)
    add_offering_text(
        element, SOS, "intendedApplication", offering.intended_application, "sos_offering_intendedapplication"
    )
    add_period(add_element(element, SOS, "time"), offering.time_extent)
    _add_links(element, "procedure", offering.procedures or (UNKNOWN,))
    for phenomenon in offering.phenomena:
        _write_phenomenon(add_element(element, SOS, "observedProperty"), phenomenon, id_, taken)
    _add_links(element, "featureOfInterest", offering.features)
    add_answers(element, markup)


def _add_links(element: etree._Element, name: str, targets: tuple[str, ...]) -> None:
    for target in targets:
        set_link(add_element(element, SOS, name), target)


def _write_extent(element: etree._Element, extent: Envelope | None) -> None:
    holder = add_element(element, GML, "boundedBy")
    if extent is None:
        add_element(holder, GML, "Null", "unknown")
        return
    urn, lower, upper = write_corners(extent)
    envelope = add_element(holder, GML, "Envelope")
    if urn is not None:
        envelope.set("srsName", urn)
    add_element(envelope, GML, "lowerCorner", lower)
    add_element(envelope, GML, "upperCorner", upper)


def _write_phenomenon(element: etree._Element, phenomenon: Phenomenon, offering: str, taken: set[str]) -> None:
    set_link(element, phenomenon.id)
    number, name = 1, encode_name(phenomenon.id.rpartition(":")[2])
    id_ = f"{offering}.{name}"
    while id_ in taken:
        number += 1
        id_ = f"{offering}.{name}.{number}"
    taken.add(id_)
    composite = add_element(element, SWE, "CompositePhenomenon")
    composite.set(f"{{{GML}}}id", id_)
    composite.set("dimension", str(len(phenomenon.components)))
    add_element(composite, GML, "name", phenomenon.name or phenomenon.id)
    for component in phenomenon.components:
        set_link(add_element(composite, SWE, "component"), encode_uri(component))
