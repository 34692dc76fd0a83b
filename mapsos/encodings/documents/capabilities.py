"""The Capabilities document as MapServer writes it, with its comments (docs/mapserver-sos.md, "GetCapabilities")."""

from __future__ import annotations

from lxml import etree

from mapsos.columns.xml_text import clean_text
from mapsos.encodings.documents.capabilities_parts import (
    SOS,
    SWE,
    CapabilitiesMarkup,
    OfferingDescription,
    add_answers,
    add_filters,
    add_offering_text,
    add_warning,
    write_sections,
)
from mapsos.encodings.elements import GML, add_element, set_link
from mapsos.encodings.markup import Envelope, Phenomenon, TimeExtent
from mapsos.terms.urns import PROCEDURE_URN, TRANSIENT_FEATURE


def write_capabilities(markup: CapabilitiesMarkup) -> bytes:
    """Write the whole document, UTF-8, indented by two spaces. The last few are cached."""
    return write_sections(markup, _write_filters, _write_contents)


_COMPARISON = (
    "LessThan",
    "GreaterThan",
    "LessThanEqualTo",
    "GreaterThanEqualTo",
    "EqualTo",
    "NotEqualTo",
    "Like",
    "Between",
)


def _write_filters(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    add_filters(root, ("gml:Point", "gml:LineString", "gml:Polygon", "gml:Envelope"), ("TM_Equals",), _COMPARISON)


def _write_contents(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    offerings = add_element(add_element(root, SOS, "Contents"), SOS, "ObservationOfferingList")
    for offering in markup.offerings:
        _write_offering(add_element(offerings, SOS, "ObservationOffering"), markup, offering)


def _write_offering(element: etree._Element, markup: CapabilitiesMarkup, offering: OfferingDescription) -> None:
    element.set(f"{{{GML}}}id", clean_text(offering.id))
    add_offering_text(element, GML, "description", offering.description, "sos_offering_description")
    add_offering_text(element, GML, "name", offering.name, "sos_offering_name")
    if offering.srs is None:
        add_warning(element, "sos_srs", "gml:srsName", "Required", was="")
    for srs in offering.srs or ():
        add_element(element, GML, "srsName", srs)
    if offering.envelope is not None:
        _write_envelope(element, offering.envelope)
    add_offering_text(
        element, SOS, "intendedApplication", offering.intended_application, "sos_offering_intendedapplication"
    )
    if offering.time_extent is not None:
        _write_time_period(add_element(element, SOS, "time"), offering.time_extent)
    for procedure in offering.procedures:
        set_link(add_element(element, SOS, "procedure"), PROCEDURE_URN + procedure)
    for phenomenon in offering.phenomena:
        _write_phenomenon(add_element(element, SOS, "observedProperty"), phenomenon)
    set_link(add_element(element, SOS, "featureOfInterest"), TRANSIENT_FEATURE)
    add_answers(element, markup)


def _write_envelope(element: etree._Element, extent: Envelope) -> None:
    envelope = add_element(add_element(element, GML, "boundedBy"), GML, "Envelope")
    if extent.label is not None:
        envelope.set("srsName", clean_text(f"urn:ogc:crs:{extent.label.lower()}"))
        envelope.set("srsDimension", "2")
    add_element(envelope, GML, "lowerCorner", f"{extent.minx:f} {extent.miny:f}")
    add_element(envelope, GML, "upperCorner", f"{extent.maxx:f} {extent.maxy:f}")


def _write_time_period(parent: etree._Element, extent: TimeExtent) -> None:
    """Write a gml:TimePeriod. An end that is now is marked on gml:endPosition, as the schema requires (D-17)."""
    period = add_element(parent, GML, "TimePeriod")
    add_element(period, GML, "beginPosition", extent.begin)
    end = add_element(period, GML, "endPosition", extent.end)
    if extent.open_end:
        end.set("indeterminatePosition", "now")


def _write_phenomenon(element: etree._Element, phenomenon: Phenomenon) -> None:
    # OWSLib reads the property from the link, MapServer's clients from the phenomenon inside: write both.
    set_link(element, phenomenon.id)
    composite = add_element(element, SWE, "CompositePhenomenon")
    composite.set(f"{{{GML}}}id", clean_text(phenomenon.id))
    composite.set("dimension", str(len(phenomenon.components)))
    if phenomenon.name is not None:
        add_element(composite, GML, "name", phenomenon.name)
    for component in phenomenon.components:
        set_link(add_element(composite, SWE, "component"), component)
