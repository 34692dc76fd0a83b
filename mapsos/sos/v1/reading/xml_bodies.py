"""Read XML bodies: requests of SOS 1.0.0 by POST as parameters (docs/mapserver-sos.md, "XML bodies"; D-20 to D-24)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mapsos.ows.exceptions import OwsException
from mapsos.ows.operation import Operation, Parameter, find_operation_row
from mapsos.ows.raw_request import Markup, RawRequest, Value
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
from mapsos.terms.names.near_names import NearMissError, TooManyNamesError, ignore_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

SOS = "http://www.opengis.net/sos/1.0"
WFS = "http://www.opengis.net/wfs"
_OWN = frozenset({SOS, ""})
_WFS = frozenset({WFS, ""})
_OWS = frozenset({"http://www.opengis.net/ows/1.1", "http://www.opengis.net/ows", SOS, ""})
_SOAP = frozenset({"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"})
_ABOUT = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")


def read_body(data: bytes, operations: tuple[Operation[Any], ...], unsupported: tuple[str, ...]) -> RawRequest:
    """Return the parameters in the body of a POST of any content type, by the table of operations.

    Letter case and order of elements do not matter, nor does the namespace of children if they have none; a SOAP 1.1
    or 1.2 envelope is taken off. The root must be in the namespace of SOS 1.0 (a DescribeFeatureType may be in that of
    WFS), else nothing but ``service`` and ``version`` is read and ``request`` stays missing. An empty element is as
    if it were absent. Lists of OWS (AcceptVersions, Sections, AcceptFormats) are joined by commas. Elements and
    attributes that the operation does not know are ignored.

    Raises OwsException: MissingParameterValue ``request`` for a body that is empty, not well-formed, too deep or
    has a document type declaration; InvalidParameterValue, with its name as locator, for an element or attribute that
    is a near miss of a known one, or a known one in a place or namespace where it is not read.
    """
    if not data.strip():
        raise _unreadable("The body of the request is empty.")
    try:
        root = _take_off_envelope(parse_document(data))
    except MarkupError as error:
        if "document type" in str(error):
            raise _unreadable("A document type declaration in the request is not accepted.") from error
        if isinstance(error, RefusedMarkup):
            raise _unreadable(f"The body of the request is rejected: {error}.") from error
        raise _unreadable("The body of the request is not well-formed XML.", detail=str(error)) from error
    namespace, name = _split(root)
    operation = find_operation_row(operations, name)
    values: dict[str, list[Value]] = {}
    ignored: tuple[str, ...] = ()
    if namespace == WFS and operation is not None and operation.name == "DescribeFeatureType":
        values["service"] = ["WFS"]
    elif namespace == SOS and name in unsupported:
        values["request"] = [name]
    if operation is None or (namespace != SOS and not values):
        for key in ("service", "version"):
            if (value := root.get(key)) is not None:
                values[key] = [value]
    else:
        values["request"] = [operation.name]
        if stray_text(root).strip():
            raise _unknown("text", operation.name, operation.name, ())
        ignored = _read_request(root, operation, operations, values)
    shown = (name if operation is None else operation.name) if namespace == SOS else f"{{{namespace}}}{name}"
    return RawRequest({key: tuple(found) for key, found in values.items()}, from_xml=True, root=shown, ignored=ignored)


def _take_off_envelope(root: etree._Element) -> etree._Element:
    namespace, name = _split(root)
    if name != "Envelope" or namespace not in _SOAP:
        return root
    bodies = [child for child in children(root) if _split(child) == (namespace, "Body")]
    if len(bodies) != 1 or len(children(bodies[0])) != 1:
        raise MarkupError("a SOAP envelope without a body of one element")
    return children(bodies[0])[0]


def _read_request(
    root: etree._Element,
    operation: Operation[Any],
    operations: tuple[Operation[Any], ...],
    values: dict[str, list[Value]],
) -> tuple[str, ...]:
    """Add the parameters in attributes and elements to ``values``; return the names of those that are ignored."""
    unknown = []
    for key in _attribute_names(root):
        name = key.rpartition("}")[2]
        known = operation.find_parameter(name)
        if known is None:
            unknown.append((name, "attribute"))
        elif known.xml != "attribute" or key != name:
            raise _unknown("attribute", name, operation.name, _list_names(operation, attributes=True))
        else:
            values[known.key] = [str(root.attrib[key])]
    for child in children(root):
        if not _read_child(child, operation, values):
            unknown.append((local_name(child), "element"))
    own = [parameter.name for parameter in operation.parameters]
    elsewhere = [parameter.key for row in operations for parameter in row.parameters]
    try:
        return ignore_names((name for name, _ in unknown), own, elsewhere)
    except NearMissError as error:
        raise _unknown(dict(unknown)[error.name], error.name, operation.name, (), error.meant) from error
    except TooManyNamesError as error:
        raise OwsException("InvalidParameterValue", "request", "msSOSDispatch", str(error)) from error


def _read_child(child: etree._Element, operation: Operation[Any], values: dict[str, list[Value]]) -> bool:
    """Add the parameter in an element to ``values``, if it is not empty; return False for an unknown one."""
    namespace, name = _split(child)
    known = operation.find_parameter(name)
    # Sections may stand there without the list around them.
    bare = operation.find_parameter("sections") if name.lower() == "section" else None
    if bare is not None and namespace in _OWN:
        if text := _text(child):
            values.setdefault(bare.key, []).append(text)
        return True
    if known is None:
        return False
    spaces = _OWS if known.xml == "list" else _WFS if known.key == "typename" else _OWN
    if known.xml in (None, "attribute") or namespace not in spaces:
        raise _unknown("element", name, operation.name, _list_names(operation, attributes=False))
    for attribute in _attribute_names(child):
        raise _unknown("attribute", attribute.rpartition("}")[2], known.name, ())
    if found := _read_content(child, known):
        values.setdefault(known.key, []).extend(found)
    return True


def _read_content(child: etree._Element, known: Parameter) -> list[Value]:
    """Return the values in an element; none if it is empty."""
    if known.xml == "markup":
        return _markup(child, known.key)
    if known.xml == "text":
        return [text] if (text := _text(child)) else []
    members = children(child)
    for member in members:
        if _split(member)[1].lower() != known.member or _split(member)[0] not in _OWS:
            raise _unknown("element", local_name(member), known.name, ())
    texts = [text for member in members if (text := _text(member))]
    return [",".join(texts)] if texts else []


def _list_names(operation: Operation[Any], *, attributes: bool) -> tuple[str, ...]:
    """Return the names of what a body can have: attributes of the request, or elements."""
    kinds = ("attribute",) if attributes else ("text", "list", "markup")
    return tuple(parameter.name for parameter in operation.parameters if parameter.xml in kinds)


def _markup(child: etree._Element, key: str) -> list[Value]:
    """Return the content of an element: one value per child, a single one for a result, which is one filter."""
    inside = tuple(children(child))
    if not inside:
        return [text] if (text := (child.text or "").strip()) else []
    if stray_text(child).strip():
        raise _unknown("text", local_name(child), local_name(child), ())
    if key != "result":
        return [Markup((element,), partial(_serialize_plainly, element)) for element in inside]
    return [Markup(inside, partial(_serialize_filter, inside))]


def _serialize_filter(elements: tuple[etree._Element, ...]) -> str:
    """Serialize a filter as MapServer shows it in exceptions; it does not know a Filter of the client's own (D-22)."""
    text = "".join(map(_serialize_plainly, elements))
    return text if local_name(elements[0]) == "Filter" else f"<ogc:Filter>{text}</ogc:Filter>"


def _serialize_plainly(element: etree._Element) -> str:
    """Serialize an element without the namespaces declared around it, which the reader of fragments does not need."""
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


def _attribute_names(element: etree._Element) -> Iterator[str]:
    """Yield the attributes of an element except those about the document (xsi:schemaLocation, xml:lang ...)."""
    return (str(key) for key in element.attrib if not str(key).startswith(_ABOUT))


def _split(element: etree._Element) -> tuple[str, str]:
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace[1:], name


def _unreadable(message: str, *, detail: str = "", status: int = 400) -> OwsException:
    return OwsException("MissingParameterValue", "request", "msSOSDispatch", message, detail=detail, status=status)


def _unknown(kind: str, name: str, where: str, known: tuple[str, ...], meant: str = "") -> OwsException:
    allowed = f" Allowed are: {', '.join(known)}." if known else f" Did you mean {meant}?" if meant else ""
    return OwsException("InvalidParameterValue", name, "msSOSDispatch", f"Unknown {kind} {name} in {where}.{allowed}")
