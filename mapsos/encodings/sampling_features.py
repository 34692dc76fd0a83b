"""Sampling features (OGC 07-002r3): stations as sa:SamplingPoint, SamplingCurve or SamplingSurface with GML 3.1.1.

Coordinates are in the order of the authority's axes, as the URN of the CRS says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from mapsos.crs import is_northing_first
from mapsos.xml_text import clean_text, encode_name

if TYPE_CHECKING:
    import shapely

GML = "http://www.opengis.net/gml"
SA = "http://www.opengis.net/sampling/1.0"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
UNKNOWN = "urn:ogc:def:nil:OGC:unknown"


@dataclass(frozen=True)
class SamplingFeature:
    """A feature of interest.

    Attributes
    ----------
    id
        What a client names it by in other requests.
    wkb
        Its geometry in x y order, None where there is none.
    label
        The CRS of the geometry, None where nobody says.
    description
        What is worth knowing of it besides, None for nothing.
    observations
        URLs of GetObservation requests for its observations.
    """

    id: str
    wkb: bytes | None = None
    label: str | None = None
    description: str | None = None
    observations: tuple[str, ...] = ()


def write_sampling_features(features: Iterable[SamplingFeature], schemas: str) -> bytes:
    """A gml:FeatureCollection of them, UTF-8, indented by two blanks; without members where there are none."""
    root = etree.Element(f"{{{GML}}}FeatureCollection", nsmap={"gml": GML, "sa": SA, "xlink": XLINK, "xsi": XSI})
    where = f"{GML} {schemas}/gml/3.1.1/base/gml.xsd {SA} {schemas}/sampling/1.0.0/sampling.xsd"
    root.set(f"{{{XSI}}}schemaLocation", clean_text(where))
    for feature in features:
        _write_feature(_add(root, GML, "featureMember"), feature)
    body: bytes = etree.tostring(root, encoding="UTF-8", pretty_print=True)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body


def _add(parent: etree._Element, namespace: str, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    if text is not None:
        element.text = clean_text(text)
    return element


def _link(parent: etree._Element, name: str, target: str) -> None:
    _add(parent, SA, name).set(f"{{{XLINK}}}href", clean_text(target))


def _write_feature(member: etree._Element, feature: SamplingFeature) -> None:
    import shapely

    shape = None if feature.wkb is None else shapely.from_wkb(feature.wkb)
    dimension = 0 if shape is None or shape.is_empty else int(shapely.get_dimensions(shape))
    kind = ("SamplingPoint", "SamplingCurve", "SamplingSurface")[dimension]
    element = _add(member, SA, kind)
    element.set(f"{{{GML}}}id", encode_name(f"feature_{feature.id}"))
    if feature.description is not None:
        _add(element, GML, "description", feature.description)
    _add(element, GML, "name", feature.id)
    _link(element, "sampledFeature", UNKNOWN)
    for url in feature.observations:
        _link(element, "relatedObservation", url)
    if shape is None or shape.is_empty:
        _link(element, "position", UNKNOWN)
        return
    holder = _add(element, SA, "position" if dimension == 0 else "shape")
    geometry = (_write_point, _write_curve, _write_surface)[dimension](holder, shape, feature.label)
    if feature.label is not None:
        authority, _, code = feature.label.partition(":")
        geometry.set("srsName", clean_text(f"urn:ogc:def:crs:{authority}::{code}"))


def _write_point(holder: etree._Element, shape: shapely.Geometry, label: str | None) -> etree._Element:
    point = _add(holder, GML, "Point")
    _add(point, GML, "pos", _write_positions(shape, label))
    return point


def _write_curve(holder: etree._Element, shape: shapely.Geometry, label: str | None) -> etree._Element:
    import shapely

    lines = shapely.get_parts(shape)
    if len(lines) == 1:
        line = _add(holder, GML, "LineString")
        _add(line, GML, "posList", _write_positions(lines[0], label))
        return line
    curve = _add(holder, GML, "Curve")
    segments = _add(curve, GML, "segments")
    for one in lines:
        _add(_add(segments, GML, "LineStringSegment"), GML, "posList", _write_positions(one, label))
    return curve


def _write_surface(holder: etree._Element, shape: shapely.Geometry, label: str | None) -> etree._Element:
    import shapely

    polygons = shapely.get_parts(shape)
    if len(polygons) == 1:
        polygon = _add(holder, GML, "Polygon")
        _write_rings(polygon, polygons[0], label)
        return polygon
    surface = _add(holder, GML, "Surface")
    patches = _add(surface, GML, "patches")
    for one in polygons:
        _write_rings(_add(patches, GML, "PolygonPatch"), one, label)
    return surface


def _write_rings(parent: etree._Element, polygon: shapely.Polygon, label: str | None) -> None:
    for name, ring in (("exterior", polygon.exterior), *(("interior", ring) for ring in polygon.interiors)):
        linear = _add(_add(parent, GML, name), GML, "LinearRing")
        _add(linear, GML, "posList", _write_positions(ring, label))


def _write_positions(shape: shapely.Geometry, label: str | None) -> str:
    import shapely

    coordinates = shapely.get_coordinates(shape)
    if label is not None and _is_northing_first(label):
        coordinates = coordinates[:, ::-1]
    return " ".join(f"{number:.15g}" for number in coordinates.ravel().tolist())


def _is_northing_first(label: str) -> bool:
    try:
        return is_northing_first(label)
    except ValueError:
        return False
