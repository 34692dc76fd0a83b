"""Sampling features (OGC 07-002r3): stations as sa:SamplingPoint, SamplingCurve or SamplingSurface with GML 3.1.1.

Coordinates are in the axis order of the CRS's authority, as the URN of the CRS implies.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lxml import etree

from mapsos.columns.xml_text import clean_text, encode_name
from mapsos.encodings.elements import GML, XLINK, XSI, add_element, set_link, set_schema_location, write_document
from mapsos.encodings.strict.identifiers import UNKNOWN
from mapsos.terms.crs import is_northing_first, write_crs_urn
from mapsos.terms.deadlines import check_often
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import shapely

SA = "http://www.opengis.net/sampling/1.0"


@dataclass(frozen=True)
class SamplingFeature:
    """A feature of interest.

    Attributes
    ----------
    id
        The id by which other requests name it.
    wkb
        Its geometry in x y order, None if missing.
    label
        The CRS of the geometry, None if unknown.
    description
        Further information, None if missing.
    observations
        URLs of GetObservation requests for its observations.
    """

    id: str
    wkb: bytes | None = None
    label: str | None = None
    description: str | None = None
    observations: tuple[str, ...] = ()


def write_sampling_features(features: Iterable[SamplingFeature], schemas: str) -> bytes:
    """Return a gml:FeatureCollection, in UTF-8, indented by two spaces. It can be empty."""
    root = etree.Element(f"{{{GML}}}FeatureCollection", nsmap={"gml": GML, "sa": SA, "xlink": XLINK, "xsi": XSI})
    set_schema_location(root, f"{GML} {schemas}/gml/3.1.1/base/gml.xsd {SA} {schemas}/sampling/1.0.0/sampling.xsd")
    for feature in check_often(features):
        _write_feature(add_element(root, GML, "featureMember"), feature)
    return write_document(root)


def _link(parent: etree._Element, name: str, target: str) -> None:
    set_link(add_element(parent, SA, name), target)


def _write_feature(member: etree._Element, feature: SamplingFeature) -> None:
    import shapely

    shape = None if feature.wkb is None else shapely.from_wkb(feature.wkb)
    dimension = 0 if shape is None or shape.is_empty else int(shapely.get_dimensions(shape))
    kind = ("SamplingPoint", "SamplingCurve", "SamplingSurface")[dimension]
    element = add_element(member, SA, kind)
    element.set(f"{{{GML}}}id", encode_name(f"feature_{feature.id}"))
    if feature.description is not None:
        add_element(element, GML, "description", feature.description)
    add_element(element, GML, "name", feature.id)
    _link(element, "sampledFeature", UNKNOWN)
    for url in feature.observations:
        _link(element, "relatedObservation", url)
    if shape is None or shape.is_empty:
        _link(element, "position", UNKNOWN)
        return
    holder = add_element(element, SA, "position" if dimension == 0 else "shape")
    geometry = (_write_point, _write_curve, _write_surface)[dimension](holder, shape, feature.label)
    if (urn := write_crs_urn(feature.label)) is not None:
        geometry.set("srsName", clean_text(urn))


def _write_point(holder: etree._Element, shape: shapely.Geometry, label: str | None) -> etree._Element:
    point = add_element(holder, GML, "Point")
    add_element(point, GML, "pos", _write_positions(shape, label))
    return point


def _write_curve(holder: etree._Element, shape: shapely.Geometry, label: str | None) -> etree._Element:
    import shapely

    lines = shapely.get_parts(shape)
    if len(lines) == 1:
        line = add_element(holder, GML, "LineString")
        add_element(line, GML, "posList", _write_positions(lines[0], label))
        return line
    curve = add_element(holder, GML, "Curve")
    segments = add_element(curve, GML, "segments")
    for one in lines:
        add_element(add_element(segments, GML, "LineStringSegment"), GML, "posList", _write_positions(one, label))
    return curve


def _write_surface(holder: etree._Element, shape: shapely.Geometry, label: str | None) -> etree._Element:
    import shapely

    polygons = shapely.get_parts(shape)
    if len(polygons) == 1:
        polygon = add_element(holder, GML, "Polygon")
        _write_rings(polygon, polygons[0], label)
        return polygon
    surface = add_element(holder, GML, "Surface")
    patches = add_element(surface, GML, "patches")
    for one in polygons:
        _write_rings(add_element(patches, GML, "PolygonPatch"), one, label)
    return surface


def _write_rings(parent: etree._Element, polygon: shapely.Polygon, label: str | None) -> None:
    for name, ring in (("exterior", polygon.exterior), *(("interior", ring) for ring in polygon.interiors)):
        linear = add_element(add_element(parent, GML, name), GML, "LinearRing")
        add_element(linear, GML, "posList", _write_positions(ring, label))


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
