"""Geometries as valid GML 3.1.1, in the axis order of their CRS, for a whole batch at once.

Points, lines and polygons are gml:pos and gml:posList, with inner rings; several of them gml:MultiPoint,
gml:MultiLineString and gml:MultiPolygon. Each geometry is written as its own type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mapsos.columns.fixed_decimals import format_fixed
from mapsos.columns.xml_text import escape_attribute
from mapsos.encodings.joining import Pieces, join_rows
from mapsos.encodings.mapserver.geometry_markup import (
    POSITION_ENDS,
    find_points,
    find_shapes,
    format_runs,
    pick_texts,
    run_together,
    take_apart,
)
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import numpy.typing as npt

    from mapsos.columns.geometries import GeometryColumn
    from mapsos.columns.vertex_runs import VertexRuns

_ENDS = (" ", " ")
"""Separators after the numbers of a vertex."""

_BOUNDARIES = (("<gml:exterior>", "</gml:exterior>"), ("<gml:interior>", "</gml:interior>"))
_RING = ("<gml:LinearRing><gml:posList>", "</gml:posList></gml:LinearRing>")


@dataclass(frozen=True)
class StrictGeometries:
    """The geometry of each row; ``present`` states which rows have one. The others have arbitrary texts."""

    present: pa.Array | bool
    element: Pieces


class StrictGeometryMarkup:
    """The format of the geometries of one layer. ``crs`` is the URN of their CRS, None for no srsName."""

    def __init__(self, crs: str | None, *, northing_first: bool) -> None:
        self._crs = "" if crs is None else f' srsName="{escape_attribute(crs)}"'
        self._swap = northing_first

    def write(self, geometry: GeometryColumn | None) -> StrictGeometries | None:
        """Return the texts of a column of geometries, None if no row has one."""
        if geometry is None:
            return None
        if (points := geometry.point_coordinates()) is not None:
            known = find_points(points)
            if known is None:
                return None
            positions = format_fixed(self._order(known.points), POSITION_ENDS)
            return StrictGeometries(known.present, self._wrap_point(positions))
        if (runs := geometry.vertex_runs()) is not None:
            return StrictGeometries(True, self._wrap_runs(runs))
        found = find_shapes(geometry.shapes())
        if found is None:
            return None
        return StrictGeometries(found.present, (found.spread(self._write_shapes(found.shapes)),))

    def _order(self, coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return coordinates[:, ::-1] if self._swap else coordinates

    def _write_shapes(self, shapes: npt.NDArray[np.object_]) -> pa.Array:
        import shapely

        writers = (self._write_points, self._write_lines, self._write_polygons)
        dimensions = shapely.get_dimensions(shapes)
        rows = [np.flatnonzero(dimensions == dimension) for dimension in range(3)]
        texts = [write(shapes[some]) for write, some in zip(writers, rows, strict=True) if len(some)]
        if len(texts) == 1:
            return texts[0]
        return pa.concat_arrays(texts).take(pa.array(np.argsort(np.concatenate(rows))))

    def _wrap_point(self, positions: pa.Array) -> Pieces:
        return (f"<gml:Point{self._crs}><gml:pos>", positions, "</gml:pos></gml:Point>")

    def _wrap_runs(self, runs: VertexRuns) -> Pieces:
        coordinates = format_runs(self._order(runs.coordinates), runs.counts, _ENDS)
        if runs.dimension == 1:
            return self._wrap_line(coordinates)
        opening, closing = _BOUNDARIES[0]
        before, after = f"<gml:Polygon{self._crs}>{opening}{_RING[0]}", f"{_RING[1]}{closing}</gml:Polygon>"
        return (before, coordinates, after)

    def _wrap_line(self, coordinates: pa.Array) -> Pieces:
        return (f"<gml:LineString{self._crs}><gml:posList>", coordinates, "</gml:posList></gml:LineString>")

    def _format_vertices(self, shapes: npt.NDArray[np.object_]) -> pa.Array:
        """Return the coordinates of each line or ring, with a space at the end."""
        import shapely

        coordinates = self._order(shapely.get_coordinates(shapes))
        return format_runs(coordinates, shapely.get_num_coordinates(shapes), _ENDS)

    def _write_points(self, shapes: npt.NDArray[np.object_]) -> pa.Array:
        import shapely

        parts, owners = take_apart(shapes)
        positions = format_fixed(self._order(shapely.get_coordinates(parts)), POSITION_ENDS)
        return self._gather(len(shapes), owners, self._wrap_point(positions), "gml:MultiPoint", "gml:pointMember")

    def _write_lines(self, shapes: npt.NDArray[np.object_]) -> pa.Array:
        parts, owners = take_apart(shapes)
        pieces = self._wrap_line(self._format_vertices(parts))
        return self._gather(len(shapes), owners, pieces, "gml:MultiLineString", "gml:lineStringMember")

    def _write_polygons(self, shapes: npt.NDArray[np.object_]) -> pa.Array:
        import shapely

        parts, owners = take_apart(shapes)
        rings, ring_owners = shapely.get_rings(parts, return_index=True)
        inner = np.zeros(len(rings), bool)
        inner[1:] = ring_owners[1:] == ring_owners[:-1]
        openings, closings = zip(*_BOUNDARIES, strict=True)
        vertices = self._format_vertices(rings)
        ring_texts = join_rows(
            len(rings), (pick_texts(inner, *openings), _RING[0], vertices, _RING[1], pick_texts(inner, *closings))
        )
        boundaries = run_together(ring_texts, np.bincount(ring_owners, minlength=len(parts)))
        pieces = (f"<gml:Polygon{self._crs}>", boundaries, "</gml:Polygon>")
        return self._gather(len(shapes), owners, pieces, "gml:MultiPolygon", "gml:polygonMember")

    def _gather(self, rows: int, owners: npt.NDArray[np.int64], pieces: Pieces, several: str, member: str) -> pa.Array:
        """Return the parts of each geometry: alone, or as members of a multi-geometry."""
        counts = np.bincount(owners, minlength=rows)
        if (counts == 1).all():
            return join_rows(rows, pieces)
        many = counts > 1
        inside = many[owners]
        parts = join_rows(
            len(owners), (pick_texts(inside, "", f"<{member}>"), *pieces, pick_texts(inside, "", f"</{member}>"))
        )
        return join_rows(
            rows,
            (
                pick_texts(many, "", f"<{several}{self._crs}>"),
                run_together(parts, counts),
                pick_texts(many, "", f"</{several}>"),
            ),
        )
