"""Parts that both Capabilities documents share: their contents, the identical sections, and the document as a whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import TypeAlias

from lxml import etree

from mapsos.columns.xml_text import clean_text
from mapsos.encodings.elements import GML, XLINK, XSI, add_element, set_link, set_schema_location, write_document
from mapsos.encodings.markup import Envelope, Phenomenon, TimeExtent
from mapsos.mapfile.model import Identification, Provider
from mapsos.ows.negotiation import SECTIONS
from mapsos.terms.values import dataclass

OM = "http://www.opengis.net/om/1.0"
OWS = "http://www.opengis.net/ows/1.1"
SWE = "http://www.opengis.net/swe/1.0.1"
OGC = "http://www.opengis.net/ogc"
SOS = "http://www.opengis.net/sos/1.0"
_NAMESPACES = {
    "gml": GML,
    "om": OM,
    "ows": OWS,
    "swe": SWE,
    "xlink": XLINK,
    "xsi": XSI,
    "ogc": OGC,
    "sos": SOS,
}



@dataclass(frozen=True)
class OfferingDescription:
    """An sos:ObservationOffering. Missing metadata are None; ``srs`` None writes comment L3.

    In a strict document ids of phenomena, procedures and ``features`` are URIs.
    """

    id: str
    description: str | None
    name: str | None
    srs: tuple[str, ...] | None
    envelope: Envelope | None
    intended_application: str | None
    time_extent: TimeExtent | None
    procedures: tuple[str, ...]
    phenomena: tuple[Phenomenon, ...]
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class OperationDescription:
    """An operation with its parameters, each with its allowed values, empty for any value."""

    name: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class CapabilitiesMarkup:
    """The contents of the document.

    Attributes
    ----------
    operations
        The operations to list.
    sections
        The sections to write.
    conformances
        The values of the parameter that chooses between valid documents and those of MapServer, empty without this
        parameter.
    response_formats, result_models
        Those of observations.
    """

    identification: Identification
    provider: Provider
    online_resource: str
    schemas: str
    operations: tuple[OperationDescription, ...]
    offerings: tuple[OfferingDescription, ...]
    sections: frozenset[str]
    update_sequence: str | None = None
    max_features: str | None = None
    conformances: tuple[str, ...] = ()
    response_formats: tuple[str, ...] = ()
    result_models: tuple[str, ...] = ()


WriteSection: TypeAlias = Callable[[etree._Element, CapabilitiesMarkup], None]
"""Writes a section below the root."""

_KEPT_DOCUMENTS = 16
_KEPT_BYTES = 8 * 1024 * 1024
_kept: OrderedDict[int, tuple[Hashable, bytes]] = OrderedDict()
_lock = Lock()


def write_sections(markup: CapabilitiesMarkup, write_filters: WriteSection, write_contents: WriteSection) -> bytes:
    """Return the document, in UTF-8, indented by two spaces, with two sections written by the caller's functions.

    The last few documents are cached, 8 MiB at most: the same markup with the same writers costs a look-up.
    """
    writers = (_write_identification, _write_provider, _write_operations, write_filters, write_contents)
    key = (markup, writers)
    number = hash(key)  # once: for a large service it takes as long as the rest of the request
    with _lock:
        known, document = _kept.get(number, (None, b""))
        if known == key:
            _kept.move_to_end(number)
            return document
    document = _write_document(markup, writers)
    with _lock:
        _kept[number] = (key, document)
        while len(_kept) > _KEPT_DOCUMENTS or sum(len(kept) for _, kept in _kept.values()) > _KEPT_BYTES:
            _kept.popitem(last=False)
    return document


def _write_document(markup: CapabilitiesMarkup, writers: tuple[WriteSection, ...]) -> bytes:
    root = etree.Element(f"{{{SOS}}}Capabilities", nsmap=_NAMESPACES)
    root.set("version", "1.0.0")
    if markup.update_sequence is not None:
        root.set("updateSequence", clean_text(markup.update_sequence))
    set_schema_location(root, f"{SOS} {markup.schemas}/sos/1.0.0/sosGetCapabilities.xsd")
    for section, write in zip(SECTIONS, writers, strict=True):
        if section in markup.sections:
            write(root, markup)
    return write_document(root)


def _comment(parent: etree._Element, text: str) -> None:
    # A comment must not contain two hyphens in a row, nor end in one.
    parent.append(etree.Comment(clean_text(text).replace("--", "- -")))


def _add_metadata(
    parent: etree._Element, name: str, value: str | None, key: str, level: str = "Optional", was: str = "was "
) -> None:
    """Add an ows element from metadata, or its WARNING comment if they are missing (W1 to W21)."""
    add_element(parent, OWS, name, value or "")
    if value is None:
        add_warning(parent, f"ows_{key}", f"ows:{name}", level, was)


def add_warning(parent: etree._Element, key: str, target: str, level: str, was: str = "was ") -> None:
    """Add the WARNING comment about missing metadata."""
    _comment(parent, f'WARNING: {level} metadata "{key}" {was}missing for {target}')


def _write_identification(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    said = markup.identification
    section = add_element(root, OWS, "ServiceIdentification")
    _add_metadata(section, "Title", said.title, "title", was="")
    _add_metadata(section, "Abstract", said.abstract, "abstract")
    if said.keyword_list is None:
        add_warning(section, "ows_keywordlist", "ows:KeywordList", "Optional")
    else:
        keywords = add_element(section, OWS, "Keywords")
        for keyword in said.keyword_list:
            add_element(keywords, OWS, "Keyword", keyword)
    add_element(section, OWS, "ServiceType", "SOS").set("codeSpace", "OGC")
    add_element(section, OWS, "ServiceTypeVersion", "1.0.0")
    _add_metadata(section, "Fees", said.fees, "fees")
    _add_metadata(section, "AccessConstraints", said.access_constraints, "accessconstraints")


def _write_provider(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    said = markup.provider
    section = add_element(root, OWS, "ServiceProvider")
    _add_metadata(section, "ProviderName", said.organization, "contactorganization", "Mandatory")
    _add_link(section, "ProviderSite", said.site)
    contact = add_element(section, OWS, "ServiceContact")
    _add_metadata(contact, "IndividualName", said.person, "contactperson")
    _add_metadata(contact, "PositionName", said.position, "contactposition")
    info = add_element(contact, OWS, "ContactInfo")
    phone = add_element(info, OWS, "Phone")
    _add_metadata(phone, "Voice", said.voice_telephone, "contactvoicetelephone")
    _add_metadata(phone, "Facsimile", said.facsimile_telephone, "contactfacsimiletelephone")
    address = add_element(info, OWS, "Address")
    _add_metadata(address, "DeliveryPoint", said.address, "address")
    _add_metadata(address, "City", said.city, "city")
    _add_metadata(address, "AdministrativeArea", said.state_or_province, "stateorprovince")
    _add_metadata(address, "PostalCode", said.postcode, "postcode")
    _add_metadata(address, "Country", said.country, "country")
    _add_metadata(address, "ElectronicMailAddress", said.electronic_mail_address, "contactelectronicmailaddress")
    _add_link(info, "OnlineResource", said.site)
    _add_metadata(info, "HoursOfService", said.hours_of_service, "hoursofservice")
    _add_metadata(info, "ContactInstructions", said.contact_instructions, "contactinstructions")
    _add_metadata(contact, "Role", said.role, "role")


def _add_link(parent: etree._Element, name: str, url: str | None) -> None:
    element = add_element(parent, OWS, name)
    element.set(f"{{{XLINK}}}type", "simple")
    set_link(element, url or "")
    if url is None:
        add_warning(parent, "ows_service_onlineresource", f"ows:{name}/@xlink:href", "Optional")


def _write_operations(root: etree._Element, markup: CapabilitiesMarkup) -> None:
    """Write ows:OperationsMetadata: the available operations, and the constraints common to all."""
    section = add_element(root, OWS, "OperationsMetadata")
    for described in markup.operations:
        operation = _add_operation(section, described.name, markup.online_resource)
        for parameter, values in described.parameters:
            _add_domain(operation, "Parameter", parameter, values)
    if markup.conformances:
        _add_domain(section, "Parameter", "conformance", markup.conformances)
    if markup.max_features is not None:
        _add_domain(section, "Constraint", "DefaultMaxFeatures", markup.max_features.split(","))


def _add_operation(section: etree._Element, name: str, online_resource: str) -> etree._Element:
    """Add an ows:Operation with its addresses for GET and POST."""
    operation = add_element(section, OWS, "Operation")
    operation.set("name", name)
    http = add_element(add_element(operation, OWS, "DCP"), OWS, "HTTP")
    for method in ("Get", "Post"):
        link = add_element(http, OWS, method)
        link.set(f"{{{XLINK}}}type", "simple")
        set_link(link, online_resource)
    return operation


def _add_domain(parent: etree._Element, kind: str, name: str, values: Sequence[str]) -> None:
    """Add an ows:Parameter or ows:Constraint with its allowed values; without values any is allowed."""
    domain = add_element(parent, OWS, kind)
    domain.set("name", name)
    if not values:
        add_element(domain, OWS, "AnyValue")
        return
    allowed = add_element(domain, OWS, "AllowedValues")
    for value in values:
        add_element(allowed, OWS, "Value", value)


_SPATIAL_OPERATORS = (
    "Equals",
    "Disjoint",
    "Touches",
    "Within",
    "Overlaps",
    "Crosses",
    "Intersects",
    "Contains",
    "DWithin",
    "Beyond",
    "BBOX",
)


def add_filters(
    root: etree._Element, geometries: Sequence[str], temporal: Sequence[str], comparison: Sequence[str]
) -> None:
    """Add sos:Filter_Capabilities: the geometries, and the temporal and comparison operators, that filters can have."""
    section = add_element(root, SOS, "Filter_Capabilities")
    spatial = add_element(section, OGC, "Spatial_Capabilities")
    operands = add_element(spatial, OGC, "GeometryOperands")
    for operand in geometries:
        add_element(operands, OGC, "GeometryOperand", operand)
    operators = add_element(spatial, OGC, "SpatialOperators")
    for name in _SPATIAL_OPERATORS:
        add_element(operators, OGC, "SpatialOperator").set("name", name)
    times = add_element(section, OGC, "Temporal_Capabilities")
    operands = add_element(times, OGC, "TemporalOperands")
    for operand in ("gml:TimePeriod", "gml:TimeInstant"):
        add_element(operands, OGC, "TemporalOperand", operand)
    operators = add_element(times, OGC, "TemporalOperators")
    for name in temporal:
        add_element(operators, OGC, "TemporalOperator").set("name", name)
    scalar = add_element(section, OGC, "Scalar_Capabilities")
    add_element(scalar, OGC, "LogicalOperators")
    operators = add_element(scalar, OGC, "ComparisonOperators")
    for name in comparison:
        add_element(operators, OGC, "ComparisonOperator", name)
    ids = add_element(section, OGC, "Id_Capabilities")
    add_element(ids, OGC, "EID")
    add_element(ids, OGC, "FID")


def add_answers(element: etree._Element, markup: CapabilitiesMarkup) -> None:
    """Add the response formats, models and modes of an offering: the end of an sos:ObservationOffering."""
    for response_format in markup.response_formats:
        add_element(element, SOS, "responseFormat", response_format)
    # In MapServer's order.
    for result_model in reversed(markup.result_models):
        add_element(element, SOS, "resultModel", result_model)
    add_element(element, SOS, "responseMode", "inline")


def add_offering_text(element: etree._Element, namespace: str, name: str, text: str | None, key: str) -> None:
    """Add an element from metadata, or the WARNING comment if they are missing (L1, L2, L4)."""
    prefix = "gml" if namespace == GML else "sos"
    if text is None:
        add_warning(element, key, f"{prefix}:{name}", "Optional", was="")
    else:
        add_element(element, namespace, name, text)
