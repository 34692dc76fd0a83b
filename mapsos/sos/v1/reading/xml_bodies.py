"""XML bodies: the requests of SOS 1.0.0 by POST as parameters (reference section 2.3, D-05, D-20 to D-24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.ows.xml_input import (
    MarkupError,
    RefusedMarkup,
    children,
    local_name,
    parse_document,
    serialize,
    stray_text,
    text_of,
)
from mapsos.sos.v1.dispatch import UNSUPPORTED_OPERATIONS

if TYPE_CHECKING:
    from lxml import etree

SOS = "http://www.opengis.net/sos/1.0"
WFS = "http://www.opengis.net/wfs"
_OWN = frozenset({SOS, ""})
_WFS = frozenset({WFS, ""})
_OWS = frozenset({"http://www.opengis.net/ows/1.1", "http://www.opengis.net/ows", SOS, ""})
_SOAP = frozenset({"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"})
_ABOUT = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")
_TEXTS = frozenset(
    {"offering", "procedure", "observedproperty", "responseformat", "resultmodel", "responsemode", "section"}
    | {"aggregateinterval", "aggregatefunction", "timezone"}
    | {"featureid", "typename", "featureofinterestid", "observationid"}
)
_LISTS = {"acceptversions": "version", "sections": "section", "acceptformats": "outputformat"}

_ATTRIBUTES = {
    "GetCapabilities": ("service", "version", "updateSequence"),
    "DescribeSensor": ("service", "version", "outputFormat"),
    "DescribeObservationType": ("service", "version"),
    "DescribeFeatureType": ("service", "version", "outputFormat"),
    "GetFeatureOfInterest": ("service", "version"),
    "GetObservationById": ("service", "version", "srsName"),
    "GetObservation": ("service", "version", "srsName"),
    "GetDataAvailability": ("service", "version"),
}
_CHILDREN = {
    "GetCapabilities": ("AcceptVersions", "Sections", "AcceptFormats", "section"),
    "DescribeSensor": ("procedure",),
    "DescribeObservationType": ("observedProperty",),
    "DescribeFeatureType": ("FeatureId", "TypeName"),
    "GetFeatureOfInterest": ("FeatureOfInterestId", "location", "procedure", "eventTime"),
    "GetObservationById": ("ObservationId", "responseFormat", "resultModel", "responseMode"),
    "GetObservation": (
        "offering",
        "eventTime",
        "procedure",
        "observedProperty",
        "featureOfInterest",
        "result",
        "responseFormat",
        "resultModel",
        "responseMode",
        "aggregateInterval",
        "aggregateFunction",
        "timezone",
    ),
    "GetDataAvailability": (
        "offering",
        "eventTime",
        "procedure",
        "observedProperty",
        "featureOfInterest",
        "responseFormat",
    ),
}


def read_body(data: bytes) -> RawRequest:
    """Read the body of a POST, whatever its content type.

    Letter case and order of elements do not matter, nor does the namespace of children if they have none; a SOAP 1.1
    or 1.2 envelope is taken off. The root must be in the namespace of SOS 1.0 (a DescribeFeatureType may be in that of
    WFS), else nothing but ``service`` and ``version`` is read and ``request`` stays missing. An element without text
    is missing; an empty eventTime, featureOfInterest or result is there with an empty value. Lists of OWS
    (AcceptVersions, Sections, AcceptFormats) are joined by commas.

    Raises OwsException: MissingParameterValue ``request`` for a body that is empty, not well-formed, too deep or
    has a document type declaration; InvalidParameterValue for an element or attribute that the operation does not
    have, with its name as locator.
    """
    if not data.strip():
        raise _unreadable("The body of the request is empty.")
    try:
        root = _take_off_envelope(parse_document(data))
    except MarkupError as error:
        if "document type" in str(error):
            raise _unreadable("A document type declaration in the request is not accepted.") from error
        if isinstance(error, RefusedMarkup):
            raise _unreadable(f"The body of the request is refused: {error}.") from error
        raise _unreadable("The body of the request is not well-formed XML.", detail=str(error)) from error
    namespace, name = _split(root)
    request = next((known for known in _CHILDREN if known.lower() == name.lower()), None)
    values: dict[str, list[str]] = {}
    if namespace == WFS and request == "DescribeFeatureType":
        values["service"] = ["WFS"]
    elif namespace == SOS and name in UNSUPPORTED_OPERATIONS:
        values["request"] = [name]
    if request is None or (namespace != SOS and not values):
        for key in ("service", "version"):
            if (value := root.get(key)) is not None:
                values[key] = [value]
    else:
        values["request"] = [request]
        _read_attributes(root, request, values)
        if stray_text(root).strip():
            raise _unknown("text", request, request, ())
        for child in children(root):
            _read_child(child, request, values)
    shown = (request or name) if namespace == SOS else f"{{{namespace}}}{name}"
    return RawRequest({key: tuple(found) for key, found in values.items()}, from_xml=True, root=shown)


def _take_off_envelope(root: etree._Element) -> etree._Element:
    namespace, name = _split(root)
    if name != "Envelope" or namespace not in _SOAP:
        return root
    bodies = [child for child in children(root) if _split(child) == (namespace, "Body")]
    if len(bodies) != 1 or len(children(bodies[0])) != 1:
        raise MarkupError("a SOAP envelope without a body of one element")
    return children(bodies[0])[0]


def _read_attributes(root: etree._Element, request: str, values: dict[str, list[str]]) -> None:
    for key in _attribute_names(root):
        known = _find(key, _ATTRIBUTES[request])
        if known is None:
            raise _unknown("attribute", key, request, _ATTRIBUTES[request])
        values[known.lower()] = [str(root.attrib[key])]


def _read_child(child: etree._Element, request: str, values: dict[str, list[str]]) -> None:
    namespace, name = _split(child)
    known = _find(name, _CHILDREN[request])
    key = known.lower() if known else ""
    if known is None or namespace not in (_OWS if key in _LISTS else _WFS if key == "typename" else _OWN):
        raise _unknown("element", name, request, _CHILDREN[request])
    for attribute in _attribute_names(child):
        raise _unknown("attribute", attribute.rpartition("}")[2], known, ())
    if key in _LISTS:
        members = children(child)
        for member in members:
            if _split(member)[1].lower() != _LISTS[key] or _split(member)[0] not in _OWS:
                raise _unknown("element", local_name(member), known, ())
        values.setdefault(key, []).append(",".join(_text(member) for member in members))
    elif key in _TEXTS:
        if text := _text(child):
            values.setdefault("sections" if key == "section" else key, []).append(text)
    else:
        values.setdefault(key, []).extend(_markup(child, key))


def _markup(child: etree._Element, key: str) -> list[str]:
    """What is inside an element: one text per element, joined for a result, which is one filter."""
    inside = children(child)
    if not inside:
        return [(child.text or "").strip()]
    if stray_text(child).strip():
        raise _unknown("text", local_name(child), local_name(child), ())
    texts = [_serialize_plainly(element) for element in inside]
    if key != "result":
        return texts
    # As MapServer shows it in an exception; it does not know a Filter of the client's own (D-22).
    wrapped = local_name(inside[0]) == "Filter"
    return ["".join(texts) if wrapped else f"<ogc:Filter>{''.join(texts)}</ogc:Filter>"]


def _serialize_plainly(element: etree._Element) -> str:
    """An element without the namespaces that the body declares around it: who reads fragments needs none."""
    start, end, rest = serialize(element).partition(">")
    parent = element.getparent()
    for prefix, uri in {} if parent is None else parent.nsmap.items():
        start = start.replace(f' xmlns{f":{prefix}" if prefix else ""}="{uri}"', "", 1)
    return start + end + rest


def _text(element: etree._Element) -> str:
    try:
        return text_of(element).strip()
    except MarkupError as error:
        raise _unknown("element", local_name(children(element)[0]), local_name(element), ()) from error


def _attribute_names(element: etree._Element) -> list[str]:
    """The attributes of an element but those that are about the document (xsi:schemaLocation, xml:lang ...)."""
    return [str(key) for key in element.attrib if not str(key).startswith(_ABOUT)]


def _find(name: str, known: tuple[str, ...]) -> str | None:
    return next((candidate for candidate in known if candidate.lower() == name.lower()), None)


def _split(element: etree._Element) -> tuple[str, str]:
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace[1:], name


def _unreadable(message: str, *, detail: str = "", status: int = 400) -> OwsException:
    return OwsException("MissingParameterValue", "request", "msSOSDispatch", message, detail=detail, status=status)


def _unknown(kind: str, name: str, where: str, known: tuple[str, ...]) -> OwsException:
    allowed = f" Allowed are: {', '.join(known)}." if known else ""
    return OwsException("InvalidParameterValue", name, "msSOSDispatch", f"Unknown {kind} {name} in {where}.{allowed}")
