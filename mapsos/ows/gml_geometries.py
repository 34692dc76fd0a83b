"""Geometries in requests: GML 2, 3.1 and 3.2 as rectangles and as WKB, always in x y order."""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING

from mapsos.ows.xml_input import attribute, children, local_name, text_of
from mapsos.terms.crs import SrsName, is_northing_first, parse_srs_name
from mapsos.terms.predicates import BBox
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml import etree

Position = tuple[float, float]

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_UNSAID = frozenset({"description", "identifier", "name", "metaDataProperty", "boundedBy"})
RECTANGLES = frozenset({"Envelope", "Box"})
GEOMETRIES = frozenset(
    {
        "Point",
        "LineString",
        "LinearRing",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiCurve",
        "MultiPolygon",
        "MultiSurface",
        "MultiGeometry",
    }
)
# Each collection with its WKB code and the types of its members.
_COLLECTIONS = {
    "MultiPoint": (4, ("Point",)),
    "MultiLineString": (5, ("LineString",)),
    "MultiCurve": (5, ("LineString",)),
    "MultiPolygon": (6, ("Polygon",)),
    "MultiSurface": (6, ("Polygon",)),
    "MultiGeometry": (7, tuple(sorted(GEOMETRIES - {"LinearRing"}))),
}


@dataclass(frozen=True)
class Geometry:
    """A geometry in a request.

    Attributes
    ----------
    wkb
        Two dimensions, little-endian, x y.
    crs
        A label such as ``EPSG:4326``, None if the request states none.
    """

    wkb: bytes
    crs: str | None


GREATEST_COORDINATE = 1e100
"""Maximum magnitude of a coordinate, beyond those of any CRS. GEOS multiplies two of them: 1e155 overflows."""


def read_number(text: str) -> float:
    """Return a finite decimal number; only white space may surround it. Raises ValueError."""
    text = text.strip()
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"no number: {text[:50]!r}")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"a number out of range: {text[:50]}")
    return number


def read_srs_name(text: str) -> SrsName:
    """Return a CRS name whose code exists. Raises ValueError."""
    found = parse_srs_name(text)
    if found is None:
        raise ValueError(f"no name of a CRS: {text[:100]!r}")
    # An unknown code fails here, where the parameter that named it is still known.
    is_northing_first(found.label)
    return found


def parse_rectangle(element: etree._Element) -> BBox:
    """Return a gml:Envelope or gml:Box, with srsName on it or on its corners. Raises ValueError.

    A reversed rectangle stays reversed: no feature intersects it.
    """
    srs_name = _own_srs_name(element)
    corners: list[Position] = []
    for child in children(element):
        name = local_name(child)
        if name in ("lowerCorner", "upperCorner", "pos"):
            of_corner = _own_srs_name(child) or srs_name
            if corners and of_corner != srs_name:
                raise ValueError("corners in different CRSs")
            srs_name = of_corner
            found = _read_positions(text_of(child), attribute(child, "srsDimension"), single=True)
        elif name == "coordinates":
            found = _read_coordinates(child)
        elif name == "coord":
            found = [_read_coord(child)]
        elif name in _UNSAID:
            continue
        else:
            raise ValueError(f"{local_name(element)} with {name}")
        # lowerCorner comes first, in any order of the elements.
        corners = found + corners if name == "lowerCorner" else corners + found
    if len(corners) != 2:
        raise ValueError(f"{local_name(element)} takes two corners")
    (minx, miny), (maxx, maxy) = corners
    if srs_name is not None and srs_name.northing_first:
        minx, miny, maxx, maxy = miny, minx, maxy, maxx
    return BBox(minx, miny, maxx, maxy, srs_name.label if srs_name else None)


def parse_geometry(element: etree._Element) -> Geometry:
    """Return any geometry of `GEOMETRIES` or `RECTANGLES`. Raises ValueError for others and for malformed ones.

    Coordinates in the authority's axis order, if the CRS name requires it, are turned to x y. A third dimension is
    dropped, and open rings are closed.
    """
    if local_name(element) in RECTANGLES:
        box = parse_rectangle(element)
        west, south, east, north = map(_limit, (box.minx, box.miny, box.maxx, box.maxy))
        ring = [(west, south), (east, south), (east, north), (west, north)]
        return Geometry(_write_polygon([[*ring, ring[0]]]), box.crs)
    names = {found for node in element.iter("*") if (found := _own_srs_name(node)) is not None}
    if len(names) > 1:
        raise ValueError("a geometry in several CRSs")
    srs_name = names.pop() if names else None
    swap = srs_name is not None and srs_name.northing_first
    return Geometry(_write(element, swap, None), srs_name.label if srs_name else None)


def _limit(coordinate: float) -> float:
    return max(-GREATEST_COORDINATE, min(GREATEST_COORDINATE, coordinate))


def _write(element: etree._Element, swap: bool, dimension: str | None) -> bytes:
    name = local_name(element)
    dimension = attribute(element, "srsDimension") or dimension
    if name == "Point":
        positions = _positions(element, swap, dimension)
        if len(positions) != 1:
            raise ValueError("a Point takes one position")
        return struct.pack("<BIdd", 1, 1, *positions[0])
    if name in ("LineString", "LinearRing"):
        positions = _positions(element, swap, dimension)
        if len(positions) < 2:
            raise ValueError(f"a {name} takes two positions or more")
        return struct.pack("<BI", 1, 2) + _write_positions(positions)
    if name == "Polygon":
        return _write_polygon(_rings(element, swap, dimension))
    if name in _COLLECTIONS:
        code, allowed = _COLLECTIONS[name]
        members = list(_members(element))
        if not members or any(local_name(member) not in allowed for member in members):
            raise ValueError(f"{name} takes {', '.join(allowed)}")
        return struct.pack("<BII", 1, code, len(members)) + b"".join(
            _write(member, swap, dimension) for member in members
        )
    raise ValueError(f"unsupported geometry {name}")


def _members(element: etree._Element) -> Iterator[etree._Element]:
    for child in children(element):
        name = local_name(child)
        if name in GEOMETRIES:
            yield child
        elif name.endswith(("Member", "Members")):
            yield from children(child)
        elif name not in _UNSAID:
            raise ValueError(f"{local_name(element)} with {name}")


def _rings(element: etree._Element, swap: bool, dimension: str | None) -> list[list[Position]]:
    outer: list[list[Position]] = []
    inner: list[list[Position]] = []
    for child in children(element):
        name = local_name(child)
        if name in _UNSAID:
            continue
        rings = outer if name in ("exterior", "outerBoundaryIs") else inner
        if rings is inner and name not in ("interior", "innerBoundaryIs"):
            raise ValueError(f"Polygon with {name}")
        for ring in children(child):
            if local_name(ring) != "LinearRing":
                raise ValueError(f"a boundary of {local_name(ring)}")
            positions = _positions(ring, swap, attribute(ring, "srsDimension") or dimension)
            if positions and positions[0] != positions[-1]:
                positions.append(positions[0])
            if len(positions) < 4:
                raise ValueError("a LinearRing takes three positions or more")
            rings.append(positions)
    if len(outer) != 1:
        raise ValueError("a Polygon takes one outer boundary")
    return outer + inner


def _positions(element: etree._Element, swap: bool, dimension: str | None) -> list[Position]:
    found: list[Position] = []
    for child in children(element):
        name = local_name(child)
        if name in ("pos", "posList"):
            own = attribute(child, "srsDimension") or attribute(child, "dimension") or dimension
            found += _read_positions(text_of(child), own, single=name == "pos")
        elif name == "coordinates":
            found += _read_coordinates(child)
        elif name == "coord":
            found.append(_read_coord(child))
        elif name == "pointMember":
            for point in children(child):
                found += _positions(point, False, dimension)
        elif name not in _UNSAID:
            raise ValueError(f"{local_name(element)} with {name}")
    if any(abs(number) > GREATEST_COORDINATE for position in found for number in position):
        raise ValueError(f"coordinates beyond {GREATEST_COORDINATE:g}")
    return [(y, x) for x, y in found] if swap else found


def _read_positions(text: str, dimension: str | None, *, single: bool) -> list[Position]:
    """Return the positions of gml:pos or gml:posList. Commas between numbers count as spaces: clients use them."""
    numbers = [read_number(part) for part in text.replace(",", " ").split()]
    size = int(dimension) if dimension and dimension.strip() in ("2", "3") else 2
    if dimension and dimension.strip() not in ("2", "3"):
        raise ValueError(f"srsDimension {dimension}")
    if single and len(numbers) in (2, 3):
        return [(numbers[0], numbers[1])]
    if single or not numbers or len(numbers) % size:
        raise ValueError("a wrong count of coordinates")
    return list(zip(numbers[::size], numbers[1::size], strict=True))


def _read_coordinates(element: etree._Element) -> list[Position]:
    """Return the positions of gml:coordinates. A list with commas only, as MapServer writes it, is read in pairs."""
    decimal = attribute(element, "decimal") or "."
    comma = attribute(element, "cs") or ","
    blank = attribute(element, "ts") or " "
    if len({decimal, comma, blank}) != 3 or any(len(sign) != 1 for sign in (decimal, comma, blank)):
        raise ValueError("separators of coordinates")
    text = text_of(element)
    tuples = text.split() if blank.isspace() else [part for part in text.split(blank) if part.strip()]
    read: Callable[[str], float] = lambda part: read_number(part.replace(decimal, "."))  # noqa: E731
    rows = [[read(part) for part in row.strip().strip(comma).split(comma)] for row in tuples]
    if len(rows) == 1 and len(rows[0]) > 3 and len(rows[0]) % 2 == 0:
        rows = [rows[0][index : index + 2] for index in range(0, len(rows[0]), 2)]
    if not rows or any(len(row) not in (2, 3) for row in rows):
        raise ValueError("a wrong count of coordinates")
    return [(row[0], row[1]) for row in rows]


def _read_coord(element: etree._Element) -> Position:
    named = {local_name(child): text_of(child) for child in children(element)}
    if not {"X", "Y"} <= named.keys() <= {"X", "Y", "Z"}:
        raise ValueError("a coord takes X and Y")
    return read_number(named["X"]), read_number(named["Y"])


def _own_srs_name(element: etree._Element) -> SrsName | None:
    text = attribute(element, "srsName")
    return None if text is None else read_srs_name(text)


def _write_polygon(rings: list[list[Position]]) -> bytes:
    return struct.pack("<BII", 1, 3, len(rings)) + b"".join(_write_positions(ring) for ring in rings)


def _write_positions(positions: list[Position]) -> bytes:
    flat = [number for position in positions for number in position]
    return struct.pack(f"<I{len(flat)}d", len(positions), *flat)
