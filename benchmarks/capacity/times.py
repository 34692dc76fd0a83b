"""The measured times that sizes are computed from: ``measured.json``, written by ``--measure`` and ``--check``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.capacity.checking import Comparison, Prediction
from benchmarks.capacity.measuring import LONG, Taken

MEASURED = Path(__file__).with_name("measured.json")
SOURCES = ("geopackage", "postgis")
CAPABILITIES, SENSOR, WEEK, HUNDREDS = (
    "GetCapabilities",
    "DescribeSensor",
    "one station, one week",
    "one station, 500 rows",
)


@dataclass(frozen=True)
class SourceTimes:
    """What was measured over one table.

    Attributes
    ----------
    described
        Date, machine, version, how.
    rows, stations, partitions
        Of the table; 1 partition where it is not divided.
    table_bytes, index_bytes
        Of all rows.
    works
        By kind, over HTTP, one request at a time.
    first, refresh
        Processor seconds of the server and the database for the first capabilities of a worker, and to look for sensors
        and times anew: of a database once a minute in each worker, of a file when it has changed.
    """

    described: str
    rows: int
    stations: int
    partitions: int
    table_bytes: int
    index_bytes: int
    works: Mapping[str, Taken]
    first: tuple[float, float]
    refresh: tuple[float, float]

    def observations(self, rows: int) -> tuple[float, float]:
        """Return processor seconds of the server and the database for so many rows of one station.

        A line through the times of a week and of 500 rows, never below the smaller one; a million rows and more at the
        measured pace of a long answer.
        """
        few, many = sorted((self.works[WEEK], self.works[HUNDREDS]), key=lambda one: one.rows)
        return (
            _follow(few.rows, few.server, many.rows, many.server, rows),
            _follow(few.rows, few.database, many.rows, many.database, rows),
        )

    @property
    def million(self) -> tuple[float, float]:
        """Processor seconds of the server and the database for a million rows of a long answer."""
        long = self.works[LONG]
        return long.server * 1e6 / long.rows, long.database * 1e6 / long.rows


@dataclass(frozen=True)
class CapabilitiesTimes:
    """Processor seconds of capabilities from memory, and their bytes, with so many stations."""

    stations: int
    server: float
    size: int


@dataclass(frozen=True)
class Measured:
    """All that was measured; ``worker_bytes`` is resident in each worker."""

    sources: Mapping[str, SourceTimes]
    capabilities: tuple[CapabilitiesTimes, ...]
    worker_bytes: int
    checked: str
    comparisons: tuple[Comparison, ...]

    def capabilities_seconds(self, stations: int) -> float:
        """Return processor seconds of capabilities from memory: a line through what was measured."""
        few, many = self.capabilities[0], self.capabilities[-1]
        return _follow(few.stations, few.server, many.stations, many.server, stations)


def _follow(x0: float, y0: float, x1: float, y1: float, x: float) -> float:
    """Return y at x of a line that does not fall, and that stays at its left end before it."""
    slope = max(0.0, (y1 - y0) / (x1 - x0))
    return max(0.0, y0 + slope * max(0.0, x - x0))


def read_measured(path: Path = MEASURED) -> Measured:
    """Read the file. Raises OSError, KeyError."""
    found = json.loads(path.read_text("utf-8"))
    return Measured(
        {name: _read_source(part) for name, part in found["sources"].items()},
        tuple(CapabilitiesTimes(**part) for part in found["capabilities"]),
        found["worker_bytes"],
        found["checked"],
        tuple(
            Comparison(
                part["clients"], Prediction(**part["predicted"]), Prediction(**part["measured"]), part["failures"]
            )
            for part in found["comparisons"]
        ),
    )


def update_measured(path: Path = MEASURED, **parts: Any) -> None:
    """Write parts of the file anew, dataclasses as objects; ``sources`` are merged by name."""
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name, part in parts.items():
        if name == "sources":
            found.setdefault("sources", {}).update({source: asdict(times) for source, times in part.items()})
        else:
            found[name] = [asdict(one) for one in part] if isinstance(part, tuple) else part
    path.write_text(json.dumps(_round(found), indent=1) + "\n", "utf-8")


def _read_source(part: dict[str, Any]) -> SourceTimes:
    works = {kind: Taken(**one) for kind, one in part["works"].items()}
    return SourceTimes(**{**part, "works": works, "first": tuple(part["first"]), "refresh": tuple(part["refresh"])})


def _round(value: Any) -> Any:
    """Return the value with four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _round(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_round(one) for one in value]
    return value
