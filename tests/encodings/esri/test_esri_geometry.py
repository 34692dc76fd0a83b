"""Geometries in Esri JSON: which way rings turn, what becomes of parts, heights and nothing."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from mapsos.encodings.esri.esri_geometry import find_dimension, write_esri_geometry

SQUARE = [[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0], [0.0, 0.0]]
HOLE = [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("wkt", "written", "dimension"),
    [
        ("POINT (1 2)", {"x": 1.0, "y": 2.0}, 0),
        ("POINT Z (1 2 3)", {"x": 1.0, "y": 2.0}, 0),
        ("MULTIPOINT ((1 2), (3 4))", {"points": [[1.0, 2.0], [3.0, 4.0]]}, 0),
        ("MULTIPOINT ((1 2))", {"points": [[1.0, 2.0]]}, 0),
        ("LINESTRING (0 0, 1 1)", {"paths": [[[0.0, 0.0], [1.0, 1.0]]]}, 1),
        (
            "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
            {"paths": [[[0.0, 0.0], [1.0, 1.0]], [[2.0, 2.0], [3.0, 3.0]]]},
            1,
        ),
        ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))", {"rings": [SQUARE, HOLE]}, 2),
        ("POLYGON ((0 0, 0 4, 4 4, 4 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))", {"rings": [SQUARE, HOLE]}, 2),
        ("MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)))", {"rings": [SQUARE]}, 2),
        ("GEOMETRYCOLLECTION (POINT (9 9), LINESTRING (0 0, 1 1))", {"paths": [[[0.0, 0.0], [1.0, 1.0]]]}, 1),
        ("POINT EMPTY", None, 0),
        ("POLYGON EMPTY", None, 0),
        ("GEOMETRYCOLLECTION EMPTY", None, 0),
    ],
)
def test_geometries_are_written(wkt: str, written: dict[str, Any] | None, dimension: int) -> None:
    found = write_esri_geometry(shapely.to_wkb(shapely.from_wkt(wkt)))
    if found is not None and "rings" in found and written is not None:
        # A ring may begin anywhere.
        assert [sorted(ring) for ring in found["rings"]] == [sorted(ring) for ring in written["rings"]]
        turns = [shapely.LinearRing(ring).is_ccw for ring in found["rings"]]
        assert turns == [False, True][: len(turns)]
    else:
        assert found == written
    assert find_dimension(found or {}) == dimension
