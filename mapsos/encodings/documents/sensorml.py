"""SensorML 1.0.1 and 1.0.0 (OGC 07-000): one sml:System for one procedure.

The versions differ in their namespaces; also, 1.0.0 does not name lists of capabilities.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from lxml import etree

from mapsos.columns.xml_text import clean_text, encode_name
from mapsos.encodings.elements import (
    GML,
    XLINK,
    XSI,
    add_element,
    add_period,
    set_link,
    set_schema_location,
    write_document,
)
from mapsos.encodings.markup import Phenomenon, TimeExtent
from mapsos.mapfile.model import Provider
from mapsos.terms.crs import find_axis_unit, is_northing_first, name_crs
from mapsos.terms.values import dataclass

_SML = "http://www.opengis.net/sensorML/"
_SWE = "http://www.opengis.net/swe/"
_SPACES = {"1.0.1": (f"{_SML}1.0.1", f"{_SWE}1.0.1"), "1.0.0": (f"{_SML}1.0", f"{_SWE}1.0")}
_DEFINITION = "urn:ogc:def:"
_UCUM = re.compile(r"[^:\s]+")
_KNOWN_UNITS = {"degree": "deg", "metre": "m", "foot": "[ft_i]", "US survey foot": "[ft_us]"}

FieldKind = Literal["Quantity", "Count", "Category", "Text", "Boolean", "Time"]
SensorMLVersion = Literal["1.0.0", "1.0.1"]


@dataclass(frozen=True)
class SensorField:
    """A field of the sensor's observations: its alias, kind and unit, None if the metadata state no unit."""

    name: str
    definition: str
    kind: FieldKind
    uom: str | None = None


@dataclass(frozen=True)
class SensorPlace:
    """Where the sensor has observed: minx miny maxx maxy in the CRS of the label; a station is a single point."""

    bounds: tuple[float, float, float, float]
    label: str

    @property
    def is_position(self) -> bool:
        """Return whether the area is a single point."""
        return self.bounds[:2] == self.bounds[2:]


@dataclass(frozen=True)
class ObservationLink:
    """A GetObservation request for the sensor's observations: its URL without escaping, and a description."""

    url: str
    offering: str
    observed_property: str
    response_format: str


@dataclass(frozen=True)
class SensorMarkup:
    """The contents of the document. Unknown values are None.

    ``period`` is that of the observations, ``valid_time`` that of the description.
    """

    procedure: str
    urn: str
    name: str
    short_name: str
    schemas: str
    provider: Provider
    description: str | None = None
    keywords: tuple[str, ...] = ()
    classification: str | None = None
    intended_application: str | None = None
    valid_time: TimeExtent | None = None
    period: TimeExtent | None = None
    place: SensorPlace | None = None
    observations: int = 0
    inputs: tuple[Phenomenon, ...] = ()
    outputs: tuple[SensorField, ...] = ()
    links: tuple[ObservationLink, ...] = ()

    def write(self, version: SensorMLVersion) -> bytes:
        """Return the document, in UTF-8, indented by two spaces."""
        return _Writer(version).write(self)


class _Writer:
    def __init__(self, version: SensorMLVersion) -> None:
        self._version = version
        self._sml, self._swe = _SPACES[version]

    def write(self, markup: SensorMarkup) -> bytes:
        names = {"sml": self._sml, "swe": self._swe, "gml": GML, "xlink": XLINK, "xsi": XSI}
        root = etree.Element(f"{{{self._sml}}}SensorML", nsmap=names)
        root.set("version", "1.0" if self._version == "1.0.0" else self._version)
        set_schema_location(root, f"{self._sml} {markup.schemas}/sensorML/{self._version}/sensorML.xsd")
        system = self._add(self._add(root, "member"), "System")
        system.set(f"{{{GML}}}id", encode_name(f"sensor_{markup.procedure}"))
        if markup.description is not None:
            add_element(system, GML, "description", markup.description)
        add_element(system, GML, "name", markup.name)
        self._write_keywords(system, markup)
        self._write_terms(system, "identification", "Identifier", (
            ("uniqueID", "identifier:OGC:1.0:uniqueID", markup.urn),
            ("longName", "identifier:OGC:1.0:longName", markup.name),
            ("shortName", "identifier:OGC:1.0:shortName", markup.short_name),
        ))
        self._write_terms(system, "classification", "Classifier", (
            ("sensorType", "classifier:OGC:1.0:sensorType", markup.classification),
            ("intendedApplication", "classifier:OGC:1.0:application", markup.intended_application),
        ))
        if markup.valid_time is not None:
            add_period(self._add(system, "validTime"), markup.valid_time)
        self._write_capabilities(system, markup)
        self._write_contact(system, markup.provider)
        for link in markup.links:
            self._write_link(system, link)
        if markup.place is not None and markup.place.is_position:
            self._write_position(system, markup.place)
        self._write_fields(system, markup)
        return write_document(root)

    def _add(self, parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
        return add_element(parent, self._sml, name, text)

    def _add_swe(self, parent: etree._Element, kind: str, text: str | None = None, /, **more: str) -> etree._Element:
        element = add_element(parent, self._swe, kind, text)
        for key, value in more.items():
            element.set(key, clean_text(value))
        return element

    def _write_keywords(self, system: etree._Element, markup: SensorMarkup) -> None:
        if markup.keywords:
            keywords = self._add(self._add(system, "keywords"), "KeywordList")
            for keyword in markup.keywords:
                self._add(keywords, "keyword", keyword)

    def _write_terms(
        self, system: etree._Element, element: str, kind: str, terms: tuple[tuple[str, str, str | None], ...]
    ) -> None:
        given = [(name, definition, value) for name, definition, value in terms if value]
        if not given:
            return
        entries = self._add(self._add(system, element), f"{kind}List")
        for name, definition, value in given:
            entry = self._add(entries, kind.lower())
            entry.set("name", name)
            term = self._add(entry, "Term")
            term.set("definition", f"{_DEFINITION}{definition}")
            self._add(term, "value", value)

    def _write_capabilities(self, system: etree._Element, markup: SensorMarkup) -> None:
        capabilities = self._add(system, "capabilities")
        if self._version != "1.0.0":
            capabilities.set("name", "observations")
        record = self._add_swe(capabilities, "DataRecord")
        count = self._add_swe(
            self._add_swe(record, "field", name="numberOfObservations"),
            "Count",
            definition=f"{_DEFINITION}property:OGC:1.0:numberOfObservations",
        )
        self._add_swe(count, "value", str(markup.observations))
        if (period := markup.period) is not None:
            times = self._add_swe(
                self._add_swe(record, "field", name="observedPeriod"),
                "TimeRange",
                definition=f"{_DEFINITION}property:OGC:1.0:observedPeriod",
            )
            self._add_swe(times, "value", f"{period.begin} {'now' if period.open_end else period.end}")
        if (place := markup.place) is not None:
            envelope = self._add_swe(
                self._add_swe(record, "field", name="observedArea"),
                "Envelope",
                definition=f"{_DEFINITION}property:OGC:1.0:observedBBOX",
                referenceFrame=name_crs(place.label),
            )
            minx, miny, maxx, maxy = place.bounds
            self._write_vector(self._add_swe(envelope, "lowerCorner"), place.label, minx, miny)
            self._write_vector(self._add_swe(envelope, "upperCorner"), place.label, maxx, maxy)

    def _write_vector(self, parent: etree._Element, label: str, x: float, y: float) -> None:
        vector = self._add_swe(parent, "Vector")
        for axis, name, unit, value in _order_axes(label, x, y):
            quantity = self._add_swe(self._add_swe(vector, "coordinate", name=name), "Quantity", axisID=axis)
            if unit is not None:
                self._add_swe(quantity, "uom", code=unit)
            self._add_swe(quantity, "value", f"{value:.15g}")

    def _write_contact(self, system: etree._Element, said: Provider) -> None:
        contact = self._add(system, "contact")
        contact.set(f"{{{XLINK}}}role", f"{_DEFINITION}classifiers:OGC:contactType:provider")
        party = self._add(contact, "ResponsibleParty")
        self._add_given(party, (
            ("individualName", said.person), ("organizationName", said.organization), ("positionName", said.position)
        ))
        info = self._add(party, "contactInfo")
        for element, texts in (
            ("phone", (("voice", said.voice_telephone), ("facsimile", said.facsimile_telephone))),
            ("address", (
                ("deliveryPoint", said.address),
                ("city", said.city),
                ("administrativeArea", said.state_or_province),
                ("postalCode", said.postcode),
                ("country", said.country),
                ("electronicMailAddress", said.electronic_mail_address),
            )),
        ):
            if any(text for _, text in texts):
                self._add_given(self._add(info, element), texts)
        if said.site:
            set_link(self._add(info, "onlineResource"), said.site)
        self._add_given(info, (
            ("hoursOfService", said.hours_of_service), ("contactInstructions", said.contact_instructions)
        ))
        if not len(info):
            party.remove(info)
        if not len(party):
            system.remove(contact)

    def _add_given(self, parent: etree._Element, texts: tuple[tuple[str, str | None], ...]) -> None:
        for name, text in texts:
            if text:
                self._add(parent, name, text)

    def _write_link(self, system: etree._Element, link: ObservationLink) -> None:
        documentation = self._add(system, "documentation")
        documentation.set(f"{{{XLINK}}}arcrole", f"{_DEFINITION}role:OGC:1.0:GetObservation")
        document = self._add(documentation, "Document")
        about = f"Observations of {link.observed_property} in the offering {link.offering}"
        add_element(document, GML, "description", about)
        self._add(document, "format", link.response_format)
        set_link(self._add(document, "onlineResource"), link.url)

    def _write_position(self, system: etree._Element, place: SensorPlace) -> None:
        element = self._add(system, "position")
        element.set("name", "sensorPosition")
        position = self._add_swe(element, "Position", referenceFrame=name_crs(place.label))
        self._write_vector(self._add_swe(position, "location"), place.label, *place.bounds[:2])

    def _write_fields(self, system: etree._Element, markup: SensorMarkup) -> None:
        if markup.inputs:
            inputs = self._add(self._add(system, "inputs"), "InputList")
            for phenomenon in markup.inputs:
                element = self._add(inputs, "input")
                element.set("name", clean_text(phenomenon.id))
                self._add_swe(element, "ObservableProperty", definition=_write_uri(phenomenon.id))
        if markup.outputs:
            outputs = self._add(self._add(system, "outputs"), "OutputList")
            for field in markup.outputs:
                element = self._add(outputs, "output")
                element.set("name", clean_text(field.name))
                self._write_field(element, field)

    def _write_field(self, parent: etree._Element, field: SensorField) -> None:
        component = self._add_swe(parent, field.kind, definition=_write_uri(field.definition))
        if field.kind == "Time":
            set_link(self._add_swe(component, "uom"), f"{_DEFINITION}unit:ISO:8601")
        elif field.uom and field.kind in ("Quantity", "Count"):
            unit = self._add_swe(component, "uom")
            if _UCUM.fullmatch(field.uom):
                unit.set("code", clean_text(field.uom))
            else:
                set_link(unit, _write_uri(field.uom))


def _order_axes(label: str, x: float, y: float) -> list[tuple[str, str, str | None, float]]:
    """Return axis id, name, unit and value of both coordinates, in the order of the authority."""
    try:
        northing_first, unit = is_northing_first(label), find_axis_unit(label)
    except ValueError:
        return [("x", "x", None, x), ("y", "y", None, y)]
    names = ("longitude", "latitude") if "degree" in (unit or "") else ("easting", "northing")
    code = _KNOWN_UNITS.get(unit or "")
    east, north = ("x", names[0], code, x), ("y", names[1], code, y)
    return [north, east] if northing_first else [east, north]


def _write_uri(text: str) -> str:
    """Return a text as a URI reference, percent-encoded where needed."""
    return quote(clean_text(text), safe="%/:?#@!$&'()*+,;=~-._")
