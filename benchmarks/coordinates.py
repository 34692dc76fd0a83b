"""What a number, or a span of an answer, costs by itself: ``python -m benchmarks.coordinates``.

Prints nanoseconds, the best of some rounds over data that differ: six decimals of degrees and of metres, 15 digits of
measured values, and joining constants and columns, by the compiled loops, and by Python and Arrow without them; and
finding the vertices of lines in WKB beside GEOS. No number occurs twice, which is the worst case without the loops.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from benchmarks.datasets import VERTICES
from mapsos.columns import loops
from mapsos.columns.fixed_decimals import format_fixed
from mapsos.columns.loops import find_text_loops
from mapsos.columns.value_texts import real_texts
from mapsos.columns.vertex_runs import find_vertex_runs
from mapsos.encodings.joining import join_chunks

LINES = 4096
ROUNDS = 8

Work = tuple[Callable[[Any], object], list[Any]]


def main() -> None:
    """Measure and print."""
    chance = np.random.default_rng(1)
    degrees = [np.round(chance.uniform(-180, 180, (LINES * VERTICES, 2)), 8) for _ in range(ROUNDS)]
    metres = [np.round(chance.uniform(1e5, 7e6, (LINES * VERTICES, 2)), 3) for _ in range(ROUNDS)]
    values = [pa.array(chance.uniform(-50, 50, LINES * VERTICES * 2)) for _ in range(ROUNDS)]
    columns = [pa.array(shapely.to_wkb(shapely.linestrings(found.reshape(LINES, VERTICES, 2)))) for found in degrees]
    numbers: dict[str, Work] = {
        "six decimals of degrees": (_format_pairs, degrees),
        "six decimals of metres": (_format_pairs, metres),
        "15 digits of values": (real_texts, values),
        "spans joined": (_join_spans, list(map(real_texts, values))),
    }
    if find_text_loops() is not None:
        _print(numbers, "compiled")
    with without_text_loops():
        _print(numbers, "Python and Arrow")
    _print({"vertices and bounds found in WKB": (find_vertex_runs, columns)}, "NumPy")
    _print({"vertices and bounds found in WKB": (_decode_by_geos, columns)}, "GEOS")


def _print(works: dict[str, Work], way: str) -> None:
    for name, (work, data) in works.items():
        print(f"{name:34} {way:16} {_time(work, data):6.1f} ns")


def _time(work: Callable[[Any], object], data: list[Any]) -> float:
    seconds = []
    for some in data:
        started = time.perf_counter()
        work(some)
        seconds.append(time.perf_counter() - started)
    return min(seconds) / (LINES * VERTICES * 2) * 1e9


@contextmanager
def without_text_loops() -> Iterator[None]:
    """As in an installation that was made without a compiler."""
    compiled, loops._compiled = loops._compiled, None
    try:
        yield
    finally:
        loops._compiled = compiled


def _format_pairs(values: npt.NDArray[np.float64]) -> pa.Array:
    return format_fixed(values, (",", ","))


def _join_spans(texts: pa.Array) -> None:
    """Rows of a constant and a text each: as many spans as there were numbers."""
    half = len(texts) // 2
    for chunk in join_chunks(half, ["<name>", texts.slice(0, half)]):
        del chunk


def _decode_by_geos(wkb: pa.Array) -> tuple[object, ...]:
    shapes = shapely.from_wkb(np.array(wkb.to_pylist(), object))
    return shapely.get_coordinates(shapes), shapely.get_num_coordinates(shapes), shapely.bounds(shapes)


if __name__ == "__main__":
    main()
