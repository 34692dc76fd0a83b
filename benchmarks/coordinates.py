"""What a coordinate costs by itself: ``python -m benchmarks.coordinates``.

Prints nanoseconds a number, the best of some rounds over data that differ: six decimals of degrees and of metres beside
Python's ``%f``, and finding the vertices of lines in WKB beside GEOS.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from benchmarks.datasets import VERTICES
from mapsos.encodings.fixed_decimals import format_fixed
from mapsos.vertex_runs import find_vertex_runs

LINES = 4096
ROUNDS = 8


def main() -> None:
    """Measure and print."""
    chance = np.random.default_rng(1)
    degrees = [np.round(chance.uniform(-180, 180, (LINES * VERTICES, 2)), 8) for _ in range(ROUNDS)]
    metres = [np.round(chance.uniform(1e5, 7e6, (LINES * VERTICES, 2)), 3) for _ in range(ROUNDS)]
    columns = [pa.array(shapely.to_wkb(shapely.linestrings(found.reshape(LINES, VERTICES, 2)))) for found in degrees]
    works: dict[str, tuple[Callable[[Any], object], list[Any]]] = {
        "six decimals of degrees": (lambda values: format_fixed(values, (",", ",")), degrees),
        "six decimals of metres": (lambda values: format_fixed(values, (",", ",")), metres),
        "the same of degrees by Python": (_format_by_python, degrees[:2]),
        "vertices and bounds found in WKB": (find_vertex_runs, columns),
        "the same by GEOS": (_decode_by_geos, columns),
    }
    for name, (work, data) in works.items():
        print(f"{name:34} {_time(work, data):6.1f} ns a number")


def _time(work: Callable[[Any], object], data: list[Any]) -> float:
    seconds = []
    for some in data:
        started = time.perf_counter()
        work(some)
        seconds.append(time.perf_counter() - started)
    return min(seconds) / (LINES * VERTICES * 2) * 1e9


def _format_by_python(values: npt.NDArray[np.float64]) -> list[str]:
    return list(map("%f,%f,".__mod__, map(tuple, values.tolist())))


def _decode_by_geos(wkb: pa.Array) -> tuple[object, ...]:
    shapes = shapely.from_wkb(np.array(wkb.to_pylist(), object))
    return shapely.get_coordinates(shapes), shapely.get_num_coordinates(shapes), shapely.bounds(shapes)


if __name__ == "__main__":
    main()
