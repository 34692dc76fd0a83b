"""Areas of rings: inside an odd number of them, whatever their order, direction and crossings."""

from __future__ import annotations

import random

import pytest
import shapely

from mapsos.rest.filters.ring_areas import fill_rings
from mapsos.terms.deadlines import DeadlineError, limit_seconds

Ring = list[list[float]]


def is_inside(rings: list[Ring], x: float, y: float) -> bool:
    """Counted along a ray, edge by edge."""
    crossed = 0
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
            crossed += (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1)
    return crossed % 2 == 1


@pytest.mark.parametrize("grid", [None, 4, 10])
def test_area_is_inside_an_odd_number_of_rings(grid: int | None) -> None:
    """Also where vertices lie on edges, edges on edges, and rings return to where they were."""
    numbers = random.Random(5)

    def draw() -> float:
        return numbers.random() * 10 if grid is None else float(numbers.randint(0, grid))

    for _ in range(200):
        rings = [[[draw(), draw()] for _ in range(numbers.randint(3, 7))] for _ in range(numbers.randint(1, 6))]
        try:
            area = fill_rings(rings)
        except ValueError:
            area = shapely.Polygon()
        assert area.is_valid
        for _ in range(20):
            x, y = numbers.random() * 10, numbers.random() * 10
            assert area.intersects(shapely.Point(x, y)) == is_inside(rings, x, y), (rings, x, y)


def square(x: float, y: float, size: float) -> Ring:
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size]]


@pytest.mark.parametrize(
    ("rings", "area"),
    [
        ([square(0, 0, 9)], 81),
        ([square(1, 1, 2), square(0, 0, 9)], 77),
        ([square(2, 2, 1), square(0, 0, 9), square(1, 1, 3)], 81 - 9 + 1),
        ([square(0, 0, 1), square(1, 0, 1)], 2),
        ([square(0, 0, 2), square(1, 1, 2)], 6),
        ([[[0, 0], [2, 2], [2, 0], [0, 2]]], 2),
        ([[*square(0, 0, 9), [0, 0]]], 81),
    ],
    ids=["one", "a hole first", "an island", "neighbours", "overlapping", "a bow tie", "closed"],
)
def test_known_areas(rings: list[Ring], area: float) -> None:
    assert fill_rings(rings).area == pytest.approx(area)


def test_valid_rings_keep_their_positions() -> None:
    found = fill_rings([square(0.1, 0.2, 9), square(1, 1, 3)])
    assert shapely.get_num_interior_rings(found) == 1
    assert [0.1, 0.2] in shapely.get_coordinates(found).tolist()


@pytest.mark.parametrize("rings", [[square(0, 0, 1)] * 2, [[[0, 0], [1, 1], [2, 2]]]])
def test_rings_without_an_area_are_rejected(rings: list[Ring]) -> None:
    with pytest.raises(ValueError, match="rings without an area"):
        fill_rings(rings)


def test_time_limit_ends_the_work() -> None:
    zigzag = [[float(number), number % 2 * 9.0] for number in range(900)]
    with limit_seconds(1e-9), pytest.raises(DeadlineError):
        fill_rings([[*zigzag, [0.0, 4.0]]])
