"""Geometries as MapServer's GML (docs/mapserver-sos.md, "Geometries" and "Envelopes"), for a whole batch at once.

The markup is MapServer's, with its oddities (D-30): GML 2 elements for lines and polygons, in an msGeometry without a
namespace; lines with commas only, and one at the end; polygons with a space at the end. It is complete: inner rings
are gml:innerBoundaryIs of their polygon. Axis order is x y.

Texts are laid out once for all vertices of a batch; rings, parts and features are longer runs of the same text.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mapsos.columns.fixed_decimals import format_fixed
from mapsos.columns.texts import column_offsets
from mapsos.columns.xml_text import escape_attribute
from mapsos.encodings.joining import Pieces, join_rows
from mapsos.encodings.mapserver.member_markup import crs_attributes, indent
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import numpy.typing as npt
    import shapely

    from mapsos.columns.geometries import GeometryColumn
    from mapsos.columns.vertex_runs import VertexRuns


_DEPTH = 6
_MULTIPOINT, _COLLECTION = 4, 7
_LINE_ENDS, _RING_ENDS = (",", ","), (",", " ")
POSITION_ENDS = (" ", "")
_LEAST_DIMENSION = {"any": 0, "point": 0, "line": 1, "polygon": 2}


@dataclass(frozen=True)
class GeometryTexts:
    """Corners ("x y") and the geometry element of each row; ``present`` states which rows have a geometry.

    Rows without a geometry, or with an empty one, have arbitrary texts.
    """

    present: pa.Array | bool
    lower: pa.Array
    upper: pa.Array
    element: Pieces


class GeometryMarkup:
    """The format of the geometries of one layer.

    Parameters
    ----------
    shape
        The LAYER's TYPE. ``point`` writes the vertices of any geometry as points; ``line`` writes lines, and polygons
        as lines; ``polygon`` only polygons; ``any`` each geometry as its own type. A geometry without any of these
        counts as missing.
    label
        The CRS label, None for no srsName.
    prefix
        The user's namespace prefix, as it is written.
    """

    def __init__(self, shape: str, label: str | None, prefix: str) -> None:
        self._as_points = shape == "point"
        self._points_first = shape in ("point", "any")
        self._least_dimension = _LEAST_DIMENSION[shape]
        self._prefix = prefix
        self._point_crs = crs_attributes(label)
        self._crs = "" if label is None else f' srsName="{escape_attribute(label)}"'

    def write(self, geometry: GeometryColumn | None) -> GeometryTexts | None:
        """Return the texts of a column of geometries, None if no row has one."""
        if geometry is None:
            return None
        if self._points_first and (points := geometry.point_coordinates()) is not None:
            known = find_points(points)
            if known is None:
                return None
            texts = format_fixed(known.points, POSITION_ENDS)
            return GeometryTexts(known.present, texts, texts, self._wrap_point(texts))
        if not self._as_points and (runs := geometry.vertex_runs()) is not None:
            return self._write_runs(runs)
        found = find_shapes(geometry.shapes(), self._least_dimension, unified=not self._as_points)
        if found is None:
            return None
        import shapely

        lower, upper = map(found.spread, _write_corners(shapely.bounds(found.shapes)))
        element = self._write_shapes(found.shapes)
        spread = [piece if isinstance(piece, str) else found.spread(piece) for piece in element]
        return GeometryTexts(found.present, lower, upper, spread)

    def _write_runs(self, runs: VertexRuns) -> GeometryTexts | None:
        """Return the texts of lines, or of polygons of one ring, none of them missing."""
        if runs.dimension < self._least_dimension:
            return None
        is_line = runs.dimension == 1
        coordinates = format_runs(runs.coordinates, runs.counts, _LINE_ENDS if is_line else _RING_ENDS)
        element = self._wrap_line(coordinates) if is_line else self._wrap_ring(coordinates)
        return GeometryTexts(True, *_write_corners(runs.bounds), element)

    def _write_shapes(self, shapes: npt.NDArray[np.object_]) -> Pieces:
        import shapely

        writers = (self._write_points, self._write_lines, self._write_polygons)
        dimensions = np.zeros(len(shapes), np.int64) if self._as_points else shapely.get_dimensions(shapes)
        kinds = np.unique(dimensions)
        if len(kinds) == 1:
            return writers[kinds[0]](shapes)
        chosen = [np.flatnonzero(dimensions == kind) for kind in kinds]
        texts = [join_rows(len(rows), writers[kind](shapes[rows])) for kind, rows in zip(kinds, chosen, strict=True)]
        return (pa.concat_arrays(texts).take(pa.array(np.argsort(np.concatenate(chosen)))),)

    def _wrap_point(self, position: pa.Array) -> Pieces:
        opening, closing = _wrap(_DEPTH, f"{self._prefix}:msGeometry")
        before, after = self._point(_DEPTH + 1)
        return (opening + before, position, after + closing)

    def _point(self, depth: int) -> tuple[str, str]:
        blanks = "  " * (depth + 1)
        return (
            indent(depth, f"<gml:Point{self._point_crs}>") + f"{blanks}<gml:pos>",
            "</gml:pos>\n" + indent(depth, "</gml:Point>"),
        )

    def _write_points(self, shapes: npt.NDArray[np.object_]) -> Pieces:
        import shapely

        positions = format_fixed(shapely.get_coordinates(shapes), POSITION_ENDS)
        counts = shapely.get_num_coordinates(shapes)
        if (counts == 1).all():
            return self._wrap_point(positions)
        several = counts > 1
        several_points = several.repeat(counts)
        alone, member = self._point(_DEPTH + 1), self._point(_DEPTH + 2)
        points = join_rows(
            len(positions),
            (
                pick_texts(several_points, alone[0], member[0]),
                positions,
                pick_texts(several_points, alone[1], member[1]),
            ),
        )
        opening, closing = _wrap(_DEPTH, f"{self._prefix}:msGeometry")
        return (
            opening,
            pick_texts(several, "", indent(_DEPTH + 1, f"<gml:MultiPoint{self._crs}>")),
            run_together(points, counts),
            pick_texts(several, "", indent(_DEPTH + 1, "</gml:MultiPoint>")),
            closing,
        )

    def _write_lines(self, shapes: npt.NDArray[np.object_]) -> Pieces:
        import shapely

        lines, owners = take_apart(shapes)
        coordinates = format_runs(shapely.get_coordinates(lines), shapely.get_num_coordinates(lines), _LINE_ENDS)
        counts = np.bincount(owners, minlength=len(shapes))
        if (counts == 1).all():
            return self._wrap_line(coordinates)
        opening, closing = _wrap(_DEPTH, "msGeometry")
        before, after = self._line(_DEPTH + 1)
        several = counts > 1
        in_several = several[owners]
        start, end = self._line(_DEPTH + 3)
        name, deep = "gml:lineStringMember", _DEPTH + 2
        parts = join_rows(
            len(lines),
            (
                pick_texts(in_several, before, indent(deep, f"<{name}>") + start),
                coordinates,
                pick_texts(in_several, after, end + indent(deep, f"</{name}>")),
            ),
        )
        return (
            opening,
            pick_texts(several, "", indent(_DEPTH + 1, f"<gml:MultiLineString{self._crs}>")),
            run_together(parts, counts),
            pick_texts(several, "", indent(_DEPTH + 1, "</gml:MultiLineString>")),
            closing,
        )

    def _wrap_line(self, coordinates: pa.Array) -> Pieces:
        opening, closing = _wrap(_DEPTH, "msGeometry")
        before, after = self._line(_DEPTH + 1)
        return (opening + before, coordinates, after + closing)

    def _line(self, depth: int) -> tuple[str, str]:
        blanks = "  " * (depth + 1)
        return (
            indent(depth, f"<gml:LineString{self._crs}>") + f"{blanks}<gml:coordinates>",
            "</gml:coordinates>\n" + indent(depth, "</gml:LineString>"),
        )

    def _write_polygons(self, shapes: npt.NDArray[np.object_]) -> Pieces:
        import shapely

        polygons, owners = take_apart(shapes)
        rings, ring_owners = shapely.get_rings(polygons, return_index=True)
        coordinates = format_runs(shapely.get_coordinates(rings), shapely.get_num_coordinates(rings), _RING_ENDS)
        rings_of_feature = np.bincount(owners[ring_owners], minlength=len(shapes))
        if (rings_of_feature == 1).all():
            return self._wrap_ring(coordinates)
        opening, closing = _wrap(_DEPTH, "msGeometry")
        deep = _DEPTH + 1
        before, after = self._polygon(deep)
        outer = self._ring("outerBoundaryIs", deep + 1)
        several = rings_of_feature > 1
        inner_ring = np.zeros(len(rings), bool)
        inner_ring[1:] = ring_owners[1:] == ring_owners[:-1]
        ring_kind = np.where(inner_ring, 2, several[owners[ring_owners]])
        kinds = (outer, self._ring("outerBoundaryIs", deep + 3), self._ring("innerBoundaryIs", deep + 3))
        ring_texts = join_rows(
            len(rings),
            (
                pick_texts(ring_kind, *(kind[0] for kind in kinds)),
                coordinates,
                pick_texts(ring_kind, *(kind[1] for kind in kinds)),
            ),
        )
        in_several = several[owners]
        start = indent(deep + 1, "<gml:polygonMember>") + indent(deep + 2, f"<gml:Polygon{self._crs}>")
        end = indent(deep + 2, "</gml:Polygon>") + indent(deep + 1, "</gml:polygonMember>")
        parts = join_rows(
            len(polygons),
            (
                pick_texts(in_several, before, start),
                run_together(ring_texts, np.bincount(ring_owners, minlength=len(polygons))),
                pick_texts(in_several, after, end),
            ),
        )
        return (
            opening,
            pick_texts(several, "", indent(deep, f"<gml:MultiPolygon{self._crs}>")),
            run_together(parts, np.bincount(owners, minlength=len(shapes))),
            pick_texts(several, "", indent(deep, "</gml:MultiPolygon>")),
            closing,
        )

    def _wrap_ring(self, coordinates: pa.Array) -> Pieces:
        opening, closing = _wrap(_DEPTH, "msGeometry")
        before, after = self._polygon(_DEPTH + 1)
        start, end = self._ring("outerBoundaryIs", _DEPTH + 2)
        return (opening + before + start, coordinates, end + after + closing)

    def _polygon(self, depth: int) -> tuple[str, str]:
        return indent(depth, f"<gml:Polygon{self._crs}>"), indent(depth, "</gml:Polygon>")

    def _ring(self, boundary: str, depth: int) -> tuple[str, str]:
        blanks = "  " * (depth + 2)
        return (
            indent(depth, f"<gml:{boundary}>") + indent(depth + 1, "<gml:LinearRing>") + f"{blanks}<gml:coordinates>",
            "</gml:coordinates>\n" + indent(depth + 1, "</gml:LinearRing>") + indent(depth, f"</gml:{boundary}>"),
        )


def _wrap(depth: int, element: str) -> tuple[str, str]:
    return indent(depth, f"<{element}>"), indent(depth, f"</{element}>")


def _write_corners(bounds: npt.NDArray[np.float64]) -> tuple[pa.Array, pa.Array]:
    return format_fixed(bounds[:, :2], POSITION_ENDS), format_fixed(bounds[:, 2:], POSITION_ENDS)


@dataclass(frozen=True)
class FoundPoints:
    """The points of a column; ``present`` states which rows have one. The others have zeros."""

    present: pa.Array | bool
    points: npt.NDArray[np.float64]


def find_points(points: npt.NDArray[np.float64]) -> FoundPoints | None:
    """Return the points of a column whose missing points are NaN; None if no row has one."""
    filled = ~(np.isnan(points[:, 0]) | np.isnan(points[:, 1]))
    if filled.all():
        return FoundPoints(True, points) if len(points) else None
    return FoundPoints(pa.array(filled), np.where(filled[:, None], points, 0.0)) if filled.any() else None


@dataclass(frozen=True)
class FoundShapes:
    """The geometries of a column that are not missing; ``present`` states which rows have one."""

    present: pa.Array | bool
    shapes: npt.NDArray[np.object_]

    def spread(self, texts: pa.Array) -> pa.Array:
        """Return a text for each row from those of the geometries; rows without a geometry have arbitrary texts."""
        if self.present is True:
            return texts
        return texts.take(self._places)

    @cached_property
    def _places(self) -> pa.Array:
        return pa.array(np.maximum(np.cumsum(self.present) - 1, 0))


def find_shapes(
    shapes: npt.NDArray[np.object_], least_dimension: int = 0, *, unified: bool = True
) -> FoundShapes | None:
    """Return the geometries of at least a dimension; None if no row has one. Empty ones count as missing.

    If ``unified``, a collection becomes its parts of the highest dimension.
    """
    import shapely

    filled = ~shapely.is_empty(shapes) & (shapely.get_dimensions(shapes) >= least_dimension)
    if not filled.any():
        return None
    found = shapes[filled]
    mixed = shapely.get_type_id(found) == _COLLECTION
    if unified and mixed.any():
        found[mixed] = [_unify(shape) for shape in found[mixed]]
    return FoundShapes(True if filled.all() else pa.array(filled), found)


def pick_texts(choice: npt.NDArray[np.int64] | npt.NDArray[np.bool_], *texts: str) -> pa.Array:
    """Return the text of each row's choice."""
    return pa.array(texts, pa.large_string()).take(pa.array(choice.astype(np.int64)))


def run_together(texts: pa.Array, counts: npt.NDArray[np.int64]) -> pa.Array:
    """Return runs of ``counts`` texts each as one text, without copying."""
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    offsets = column_offsets(texts)[ends]
    return pa.Array.from_buffers(pa.large_string(), len(counts), [None, pa.py_buffer(offsets), texts.buffers()[2]])


def format_runs(
    coordinates: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], after: tuple[str, str]
) -> pa.Array:
    """Return coordinates (vertices, 2) as one text per run of vertices, each number followed by its ``after``."""
    return run_together(format_fixed(coordinates, after), counts)


def _unify(collection: shapely.GeometryCollection) -> shapely.Geometry:
    """Return the parts of a collection of its highest dimension, as one geometry."""
    import shapely

    parts = np.array([collection], object)
    while (shapely.get_type_id(parts) >= _MULTIPOINT).any():
        parts = shapely.get_parts(parts)
    dimensions = np.where(shapely.is_empty(parts), -1, shapely.get_dimensions(parts))
    combine = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[dimensions.max()]
    return combine(parts[dimensions == dimensions.max()])


def take_apart(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Return the non-empty parts of ``shapes``, and the index of the shape that each part belongs to."""
    import shapely

    parts, owners = shapely.get_parts(shapes, return_index=True)
    there = ~shapely.is_empty(parts)
    return parts[there], owners[there]
