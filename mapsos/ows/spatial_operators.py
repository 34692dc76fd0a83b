"""Spatial operators of OGC filters, in ``result`` and in ``featureOfInterest`` (OGC 04-095, clause 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mapsos.ows.gml_geometries import GEOMETRIES, RECTANGLES, parse_geometry, parse_rectangle, read_number
from mapsos.ows.xml_input import attribute, children, local_name, text_of
from mapsos.terms.predicates import BBox, Predicate, Spatial, SpatialRelation

if TYPE_CHECKING:
    from lxml import etree

OPERATORS: dict[str, SpatialRelation] = {
    "Equals": "equals",
    "Disjoint": "disjoint",
    "Touches": "touches",
    "Within": "within",
    "Overlaps": "overlaps",
    "Crosses": "crosses",
    "Intersects": "intersects",
    "Intersect": "intersects",
    "Contains": "contains",
    "DWithin": "dwithin",
    "Beyond": "beyond",
}

# Metres per unit; None for the unit of the CRS itself. Keys are in lower case.
_UNITS: dict[str, float | None] = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres", "9001"), 1.0),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres", "9036"), 1000.0),
    **dict.fromkeys(("ft", "foot", "feet", "[ft_i]", "9002"), 0.3048),
    **dict.fromkeys(("in", "inch", "inches", "[in_i]"), 0.0254),
    **dict.fromkeys(("mi", "mile", "miles", "statute mile", "[mi_i]", "9093"), 1609.344),
    **dict.fromkeys(("nm", "nmi", "nauticalmile", "nauticalmiles", "nautical mile", "[nmi_i]", "9030"), 1852.0),
    **dict.fromkeys(("dd", "deg", "degree", "degrees", "9102", "9122"), None),
}


def is_spatial(name: str) -> bool:
    """Return whether an element of that local name is a spatial operator."""
    return name == "BBOX" or name in OPERATORS


def parse_spatial(element: etree._Element) -> Predicate:
    """Return a spatial operator as a predicate. Raises ValueError if its operands are wrong.

    The property that it names is ignored: an observation has one geometry.
    """
    name = local_name(element)
    distances = [child for child in children(element) if local_name(child) == "Distance"]
    operands = [
        child for child in children(element) if local_name(child) not in ("PropertyName", "ValueReference", "Distance")
    ]
    if len(operands) != 1:
        raise ValueError(f"{name} takes one geometry")
    if name == "BBOX":
        if distances:
            raise ValueError("BBOX takes no Distance")
        return parse_place(operands[0], rectangle_only=True)
    geometry = parse_geometry(operands[0])
    relation = OPERATORS[name]
    if relation not in ("dwithin", "beyond"):
        if distances:
            raise ValueError(f"{name} takes no Distance")
        return Spatial(relation, geometry.wkb, geometry.crs)
    if len(distances) != 1:
        raise ValueError(f"{name} takes one Distance")
    distance, units = _read_distance(distances[0])
    return Spatial(relation, geometry.wkb, geometry.crs, distance, units)


def parse_place(element: etree._Element, *, rectangle_only: bool = False) -> BBox | Spatial:
    """Return a predicate for what intersects a bare rectangle or geometry. Raises ValueError for other elements."""
    name = local_name(element)
    if name in RECTANGLES:
        return parse_rectangle(element)
    if rectangle_only or name not in GEOMETRIES:
        raise ValueError(f"unsupported geometry {name}")
    geometry = parse_geometry(element)
    return Spatial("intersects", geometry.wkb, geometry.crs)


def _read_distance(element: etree._Element) -> tuple[float, Literal["m"] | None]:
    distance = read_number(text_of(element))
    if distance < 0:
        raise ValueError("a negative Distance")
    unit = attribute(element, "units") or attribute(element, "uom")
    if unit is None:
        return distance, None
    # A unit is a plain name, or the end of a URN or URL.
    bare = unit.strip().rsplit("#", 1)[-1].rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower()
    if bare not in _UNITS:
        raise ValueError(f"unknown unit {unit[:50]!r}")
    factor = _UNITS[bare]
    return (distance, None) if factor is None else (distance * factor, "m")
