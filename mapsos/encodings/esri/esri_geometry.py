"""Geometries as Esri JSON: points, multipoints, polylines and polygons, in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import shapely

_DIMENSIONS = ("points", "paths", "rings")


def write_esri_geometry(wkb: bytes) -> dict[str, Any] | None:
    """Return the geometry without its ``spatialReference``, None for an empty one.

    Coordinates are x y; heights are dropped. Exterior rings turn clockwise, holes counter-clockwise. Of a collection
    only the parts of the highest dimension are written.
    """
    import shapely

    shape = shapely.from_wkb(wkb)
    parts = [part for part in _list_parts(shape) if not part.is_empty]
    if not parts:
        return None
    dimension = max(int(shapely.get_dimensions(part)) for part in parts)
    parts = [part for part in parts if int(shapely.get_dimensions(part)) == dimension]
    if dimension == 0:
        if len(parts) == 1 and shape.geom_type == "Point":
            return {"x": parts[0].x, "y": parts[0].y}
        return {"points": [[part.x, part.y] for part in parts]}
    if dimension == 1:
        return {"paths": [_list_positions(part) for part in parts]}
    return {"rings": [ring for part in parts for ring in _list_rings(part)]}


def find_dimension(geometry: dict[str, Any]) -> int:
    """Return the dimension of a geometry of `write_esri_geometry`: 0 for points, 1 for lines, 2 for areas."""
    return next((number for number, name in enumerate(_DIMENSIONS) if name in geometry), 0)


def _list_parts(shape: shapely.Geometry) -> list[Any]:
    import shapely

    if shape.geom_type.startswith("Multi") or shape.geom_type == "GeometryCollection":
        return [part for inner in shapely.get_parts(shape) for part in _list_parts(inner)]
    return [shape]


def _list_rings(polygon: shapely.Polygon) -> list[list[list[float]]]:
    rings = [(polygon.exterior, False), *((ring, True) for ring in polygon.interiors)]
    return [
        _list_positions(ring if ring.is_ccw == counter_clockwise else ring.reverse())
        for ring, counter_clockwise in rings
    ]


def _list_positions(shape: shapely.Geometry) -> list[list[float]]:
    import shapely

    found: list[list[float]] = shapely.get_coordinates(shape).tolist()
    return found
