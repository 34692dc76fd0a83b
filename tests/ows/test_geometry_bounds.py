"""Bounds on geometries of requests: positions, and how often edges cross, touch or overlap."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from mapsos.ows.geometry_bounds import MAX_CROSSINGS, MAX_POSITIONS, check_edges, check_geometries, check_positions
from mapsos.ows.xml_input import RefusedMarkup


def test_positions_of_all_geometries_count_together() -> None:
    half = shapely.to_wkb(shapely.LineString([(number, 0) for number in range(MAX_POSITIONS // 2)]), byte_order=1)
    check_geometries([half, half])
    with pytest.raises(RefusedMarkup, match=f"more than {MAX_POSITIONS} positions"):
        check_geometries([half, half, half])
    with pytest.raises(RefusedMarkup, match="positions"):
        check_positions(MAX_POSITIONS + 1)


def star(count: int) -> np.ndarray:
    """Edges through one another: each crosses each."""
    turn = np.linspace(0, np.pi, count, endpoint=False)
    return np.column_stack([np.cos(turn), np.sin(turn), -np.cos(turn), -np.sin(turn)])


def side_by_side(count: int) -> np.ndarray:
    numbers = np.arange(count, dtype=float)
    return np.column_stack([numbers, numbers * 0, numbers, numbers * 0 + 1])


def chain(positions: np.ndarray) -> np.ndarray:
    return np.hstack([positions[:-1], positions[1:]])


@pytest.mark.parametrize(
    ("edges", "accepted"),
    [
        (star(140), True),
        (star(142), False),
        (star(2000), False),
        (side_by_side(MAX_POSITIONS), True),
        (chain(np.column_stack([np.arange(9999.0), np.arange(9999.0) * 0])), True),
        (chain(np.column_stack([np.arange(9999.0) * 0.1, np.arange(9999.0) * 0.7])), True),
        (np.column_stack([np.zeros((200, 3)), np.arange(1.0, 201)]), False),
        (np.tile([[0.0, 0.0, 1.0, 1.0]], (200, 1)), True),
        (np.column_stack([np.zeros((400, 2)), star(400)[:, :2]]), True),
        (np.vstack([[[0.0, 0.0, 99999.0, 0.0]], side_by_side(9000)]), True),
    ],
    ids=["a star", "too many crossings", "far too many", "apart", "a straight chain", "a slanted chain", "overlapping",
         "one edge again and again", "a fan", "touching"],
)  # fmt: skip
def test_crossings_are_counted(edges: np.ndarray, accepted: bool) -> None:
    if accepted:
        check_edges(edges)
        return
    with pytest.raises(RefusedMarkup, match=f"more than {MAX_CROSSINGS} times"):
        check_edges(edges)


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon", "LineString", "GeometryCollection"])
def test_edges_are_found_in_any_geometry(kind: str) -> None:
    rings = [[(edge[0], edge[1]), (edge[2], edge[3]), (3, 3)] for edge in star(200)]
    shapes = {
        "Polygon": shapely.Polygon(rings[0], rings[1:]),
        "MultiPolygon": shapely.MultiPolygon([shapely.Polygon(ring) for ring in rings]),
        "LineString": shapely.LineString([position for ring in rings for position in ring]),
        "GeometryCollection": shapely.GeometryCollection(
            [shapely.Point(1, 1), shapely.GeometryCollection([shapely.MultiLineString(rings)])]
        ),
    }
    with pytest.raises(RefusedMarkup, match="cross or overlap"):
        check_geometries([shapely.to_wkb(shapes[kind], byte_order=1)])


def test_points_have_no_edges() -> None:
    points = shapely.MultiPoint([(number % 7, number % 5) for number in range(480)])
    check_geometries([shapely.to_wkb(points, byte_order=1)])
