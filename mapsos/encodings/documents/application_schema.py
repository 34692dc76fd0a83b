"""A GML 3.1.1 application schema: the elements that om:Measurement writes for layers as features.

A missing value is an empty element, as in MapServer, which XML Schema allows for no number and no time. So each type
of the schema is the union of one of XML Schema's and the empty string. It has the name of the type it widens: GDAL
looks at the local name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mapsos.columns.batches import ColumnKind
from mapsos.columns.xml_text import encode_name, escape_attribute
from mapsos.encodings.mapserver.member_markup import encode_prefix, indent
from mapsos.terms.values import dataclass

GML = "http://www.opengis.net/gml"
_SCHEMA = "http://www.w3.org/2001/XMLSchema"

_TYPES = {
    ColumnKind.INTEGER: "long",
    ColumnKind.REAL: "double",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.DATE: "date",
    ColumnKind.TIME: "time",
    ColumnKind.DATETIME: "dateTime",
}


@dataclass(frozen=True)
class PropertyType:
    """A value of a feature: its alias and the kind of its texts, None for any text."""

    alias: str
    kind: ColumnKind | None = None


@dataclass(frozen=True)
class FeatureType:
    """The element of a layer: its name, the properties after the geometry, and the kind of geometries, None for none.

    ``points`` stand in an ``msGeometry`` of the service's namespace, ``shapes`` (lines and polygons) in one without a
    namespace, as MapServer writes them (D-30).
    """

    layer_name: str
    properties: tuple[PropertyType, ...]
    geometry: Literal["points", "shapes"] | None


@dataclass(frozen=True)
class SchemaMarkup:
    """The contents of the schema. ``schemas`` is the root URL of the OGC schemas."""

    feature_types: tuple[FeatureType, ...]
    namespace_uri: str
    namespace_prefix: str
    schemas: str


def write_application_schema(markup: SchemaMarkup) -> bytes:
    """Return the schema, in UTF-8. Of feature types that share a name only the first is declared."""
    prefix = encode_prefix(markup.namespace_prefix)
    types: dict[str, FeatureType] = {}
    for found in markup.feature_types:
        types.setdefault(encode_name(found.layer_name), found)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<xsd:schema xmlns:xsd="{_SCHEMA}" xmlns:gml="{GML}"'
        f' xmlns:{prefix}="{escape_attribute(markup.namespace_uri)}"'
        f' targetNamespace="{escape_attribute(markup.namespace_uri)}" elementFormDefault="qualified" version="1.0">\n',
        indent(
            1,
            f'<xsd:import namespace="{GML}"'
            f' schemaLocation="{escape_attribute(markup.schemas)}/gml/3.1.1/base/gml.xsd"/>',
        ),
    ]
    written = [(name, _declare_values(found)) for name, found in types.items()]
    for name, values in written:
        parts.append(_declare_feature(name, types[name], values, prefix))
    used = sorted({kind for _, values in written for _, kind in values if kind is not None})
    if used:
        parts.append(_declare_missing())
    parts += [_declare_type(kind, prefix) for kind in used]
    parts.append("</xsd:schema>\n")
    return "".join(parts).encode()


def _declare_values(found: FeatureType) -> list[tuple[str, str | None]]:
    """Return element name and type of each value, in order. Elements of one name have one type, as required."""
    pairs = [
        (encode_name(value.alias), None if value.kind is None else _TYPES.get(value.kind))
        for value in found.properties
    ]
    kinds: dict[str, set[str | None]] = {}
    for name, kind in pairs:
        kinds.setdefault(name, set()).add(kind)
    return [(name, kind if len(kinds[name]) == 1 else None) for name, kind in pairs]


def _declare_feature(name: str, found: FeatureType, values: Iterable[tuple[str, str | None]], prefix: str) -> str:
    lines = "".join(
        indent(5, f'<xsd:element name="{value}" type="{"xsd:string" if kind is None else f"{prefix}:{kind}"}"/>')
        for value, kind in values
    )
    return (
        indent(
            1,
            f'<xsd:element name="{name}" type="{prefix}:{name}Type" substitutionGroup="gml:_Feature"/>',
            f'<xsd:complexType name="{name}Type">',
        )
        + indent(2, "<xsd:complexContent>")
        + indent(3, '<xsd:extension base="gml:AbstractFeatureType">')
        + indent(4, "<xsd:sequence>")
        + _declare_geometry(found)
        + lines
        + indent(4, "</xsd:sequence>")
        + indent(3, "</xsd:extension>")
        + indent(2, "</xsd:complexContent>")
        + indent(1, "</xsd:complexType>")
    )


def _declare_geometry(found: FeatureType) -> str:
    if found.geometry is None:
        return ""
    form = "" if found.geometry == "points" else ' form="unqualified"'
    return indent(5, f'<xsd:element name="msGeometry" type="gml:GeometryPropertyType"{form} minOccurs="0"/>')


def _declare_missing() -> str:
    return (
        indent(1, '<xsd:simpleType name="missing">')
        + indent(2, '<xsd:restriction base="xsd:string">')
        + indent(3, '<xsd:length value="0"/>')
        + indent(2, "</xsd:restriction>")
        + indent(1, "</xsd:simpleType>")
    )


def _declare_type(kind: str, prefix: str) -> str:
    return (
        indent(1, f'<xsd:simpleType name="{kind}">')
        + indent(2, f'<xsd:union memberTypes="xsd:{kind} {prefix}:missing"/>')
        + indent(1, "</xsd:simpleType>")
    )
