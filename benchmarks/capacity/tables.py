"""The tables of docs/scaling.md, from what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.capacity.checking import Comparison
from benchmarks.capacity.measuring import Taken
from benchmarks.capacity.times import Measured, SourceTimes


def write_taken(taken: Iterable[Taken]) -> str:
    """Return a line for each work, as it is measured."""
    return "".join(
        f"| {one.kind} | {_milliseconds(one.server)} | {_milliseconds(one.database)} | {_milliseconds(one.client)} "
        f"| {_milliseconds(one.wall)} | {one.rows:,} | {one.size:,} |\n"
        for one in taken
    )


def write_works(measured: Measured) -> str:
    """Return processor times of each kind of request, by source."""
    lines = [
        "| request | rows | bytes | GeoPackage: mapsos | rows | PostGIS: mapsos | PostGIS: PostgreSQL |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    file, database = measured.sources["geopackage"], measured.sources["postgis"]
    for kind, one in file.works.items():
        other = database.works.get(kind)
        beside = f"{other.rows:,} | {_milliseconds(other.server)} | {_milliseconds(other.database)}" if other else "| |"
        lines.append(f"| {kind} | {one.rows:,} | {one.size:,} | {_milliseconds(one.server)} | {beside} |")
    for name, both in (("the first of a worker", (file.first, database.first)),
                       ("data looked at anew", (file.refresh, database.refresh))):  # fmt: skip
        cells = f"{_milliseconds(both[0][0])} | | {_milliseconds(both[1][0])} | {_milliseconds(both[1][1])}"
        lines.append(f"| GetCapabilities, {name} | | | {cells} |")
    many = measured.capabilities[-1]
    name = f"GetCapabilities, {many.stations:,} stations, {many.size / 1e6:.1f} MB"
    lines.append(f"| {name} | | | | | {_milliseconds(many.server)} | |")
    return "\n".join(lines) + "\n"


def write_model(measured: Measured) -> str:
    """Return what the tables are of: rows, stations, partitions, sizes."""
    lines = ["| | GeoPackage | PostGIS |", "| --- | ---: | ---: |"]
    sides = [measured.sources["geopackage"], measured.sources["postgis"]]

    def add(name: str, values: Sequence[str]) -> None:
        lines.append(f"| {name} | {' | '.join(values)} |")

    add("rows", [f"{one.rows:,}" for one in sides])
    add("stations", [f"{one.stations:,}" for one in sides])
    add("partitions", [str(one.partitions) for one in sides])
    add("bytes of a row, table and indexes", [f"{_bytes_a_row(one):.0f}" for one in sides])
    add("size", [f"{(one.table_bytes + one.index_bytes) / 1e9:.1f} GB" for one in sides])
    add("measured", [one.described for one in sides])
    return "\n".join(lines) + "\n"


def write_check(measured: Measured) -> str:
    """Return the loads, predicted beside measured."""
    head = (
        "| clients | | answers a second | mean | 95 of 100 | processors in use | failed |\n"
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |\n"
    )
    return head + write_comparisons(measured.comparisons)


def write_comparisons(comparisons: Iterable[Comparison]) -> str:
    """Return two lines for each load."""
    lines = []
    for one in comparisons:
        for name, side, failed in (("predicted", one.predicted, ""), ("measured", one.measured, str(one.failures))):
            lines.append(
                f"| {one.clients} | {name} | {side.throughput:.1f} | {_milliseconds(side.mean)} "
                f"| {_milliseconds(side.slowest)} | {side.utilisation:.0%} | {failed} |\n"
            )
    return "".join(lines)


def _bytes_a_row(times: SourceTimes) -> float:
    return (times.table_bytes + times.index_bytes) / times.rows


def _milliseconds(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
