"""What a work came to, the table of it, and what it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.support.servers import MAPSERV


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes
    ----------
    work
        What was done.
    mapsos, mapserv
        Median seconds, or requests per second if ``rate``; None where a program does not do it.
    ours, theirs
        Peak megabytes (10^6 bytes) of the process trees; None where not measured.
    faster
        How many times faster mapsos must be than mapserv; None for no demand.
    seconds
        How long mapsos may take; None for no demand.
    megabytes
        What mapsos may take at its peak; None for no demand.
    times_memory
        What the peak may be of that of ``compared_peak``, in the same unit; None for no demand.
    note
        Anything a reader must know of this line.
    """

    work: str
    mapsos: float | None
    mapserv: float | None
    ours: float | None = None
    theirs: float | None = None
    faster: float | None = None
    seconds: float | None = None
    megabytes: float | None = None
    times_memory: float | None = None
    compared_peak: float | None = None
    rate: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times faster mapsos is."""
        if not self.mapsos or not self.mapserv:
            return None
        return self.mapsos / self.mapserv if self.rate else self.mapserv / self.mapsos

    @property
    def met(self) -> bool | None:
        """Whether every demand is met; None if there is none."""
        checks = []
        if self.faster is not None:
            checks.append(self.ratio is not None and self.ratio >= self.faster)
        if self.seconds is not None:
            checks.append(self.mapsos is not None and self.mapsos <= self.seconds)
        if self.megabytes is not None:
            checks.append(self.ours is not None and self.ours <= self.megabytes)
        if self.times_memory is not None:
            known = self.ours is not None and self.compared_peak is not None
            checks.append(known and self.ours <= self.compared_peak * self.times_memory)  # type: ignore[operator]
        return all(checks) if checks else None

    @property
    def budget(self) -> str:
        """The demands in words."""
        words = []
        if self.faster is not None:
            words.append("not slower" if self.faster == 1 else f"{self.faster:g}x")
        if self.seconds is not None:
            words.append(_tell_seconds(self.seconds))
        if self.megabytes is not None:
            words.append(f"{self.megabytes:g} MB")
        if self.times_memory is not None:
            peak = "?" if self.compared_peak is None else f"{self.compared_peak:.0f}"
            words.append(f"{peak} MB + {self.times_memory - 1:.0%}")
        return ", ".join(words)

    def tell(self) -> tuple[str, ...]:
        """The cells of the line."""
        tell = _tell_rate if self.rate else _tell_seconds
        met = {None: "", True: "yes", False: "NO"}[self.met]
        ratio = "" if self.ratio is None else f"{self.ratio:.1f}x"
        return (
            self.work + (f" ({self.note})" if self.note else ""),
            tell(self.mapsos),
            tell(self.mapserv),
            ratio,
            _tell_megabytes(self.ours),
            _tell_megabytes(self.theirs),
            self.budget,
            met,
        )

    def as_json(self) -> dict[str, Any]:
        """The fields and what follows from them."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


HEADER = ("work", "mapsos", "mapserv", "ratio", "peak MB mapsos", "peak MB mapserv", "budget", "met")


def write_table(results: Sequence[Result]) -> str:
    """A Markdown table whose columns line up."""
    rows = [HEADER, *(result.tell() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = []
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column == 0 or column >= 6 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("| " + " | ".join(cells) + " |")
        if number == 0:
            numbers = range(1, 6)
            rules = ["-" * (width - 1) + ":-"[column not in numbers] for column, width in enumerate(widths)]
            lines.append("| " + " | ".join(rules) + " |")
    return "\n".join(lines) + "\n"


def describe_machine() -> str:
    """Date, processor, memory, kernel and the versions of everything that takes part, one fact a line."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    facts = {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{_read_processor()}, {os.cpu_count()} processors, {memory:.0f} GB, load {load} at the start",
        "system": f"{_read_system()}, Linux {platform.release()}",
        "mapsos": f"{version('mapsos')}{_read_commit()}",
        "mapserv": _read_mapserv(),
        "GDAL": _read_gdal(),
        "pyarrow": version("pyarrow"),
        "Python": platform.python_version(),
    }
    return "".join(f"{name}: {fact}\n" for name, fact in facts.items())


def _tell_seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _tell_rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.0f}/s"


def _tell_megabytes(megabytes: float | None) -> str:
    return "-" if megabytes is None else f"{megabytes:.0f}"


def _read_processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _read_system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _read_commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return f" ({done.stdout.strip()})" if done.returncode == 0 else ""


def _read_mapserv() -> str:
    try:
        done = subprocess.run([MAPSERV, "-v"], capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    return done.stdout.removeprefix("MapServer version ").split(" ")[0]


def _read_gdal() -> str:
    # In a process of its own: what this one imports counts as memory of the programs it starts.
    script = "from osgeo import gdal; print(gdal.VersionInfo('RELEASE_NAME'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.strip()
