"""Write envelopes and times of this interface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mapsos.terms.crs import Crs
from mapsos.terms.times import EARLIEST, LATEST, MINUTE, Interval, format_instant

Bounds = tuple[float, float, float, float]


def describe_spatial_reference(label: str | None) -> dict[str, Any] | None:
    """Return ``{"wkid": 4326}`` for EPSG:4326 and CRS84 (coordinates are x y); None for a CRS without a number."""
    authority, _, code = (label or "").rpartition(":")
    if authority == "OGC" and code == "CRS84":
        return {"wkid": 4326}
    numbered = authority in ("EPSG", "ESRI") and code.isdecimal() and code.isascii()
    return {"wkid": int(code)} if numbered else None


def describe_envelope(bounds: Bounds | None, crs: Crs | None) -> dict[str, Any] | None:
    """Return bounds (minx, miny, maxx, maxy) in ``crs`` as an Esri envelope; None for None."""
    if bounds is None:
        return None
    corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), bounds, strict=True))
    return {**corners, "spatialReference": describe_spatial_reference(crs.label if crs is not None else None)}


def join_bounds(found: Iterable[Bounds | None]) -> Bounds | None:
    """Return the bounds around all bounds; None without any."""
    known = [bounds for bounds in found if bounds is not None]
    if not known:
        return None
    west, south, east, north = zip(*known, strict=True)
    return min(west), min(south), max(east), max(north)


def join_intervals(found: Iterable[Interval | None]) -> Interval | None:
    """Return the interval from the first begin to the last end; None without any."""
    known = [interval for interval in found if interval is not None]
    return Interval(min(one.begin for one in known), max(one.end for one in known)) if known else None


def format_in_zone(instant: int, offset: int = 0) -> str:
    """Return an instant (microseconds since 1970 UTC) ``offset`` minutes east of UTC: ``2011-10-19T15:00:00+02:00``.

    One that the offset would take out of the calendar is written in UTC.
    """
    if not EARLIEST <= instant + offset * MINUTE < LATEST:
        offset = 0
    hours, minutes = divmod(abs(offset), 60)
    local = format_instant(instant + offset * MINUTE).removesuffix("Z")
    return f"{local}{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def describe_interval(interval: Interval | None) -> str | None:
    """Return ``begin/end`` in UTC, where the end is the last time (inclusive); None for None."""
    if interval is None:
        return None
    return f"{format_in_zone(interval.begin)}/{format_in_zone(max(interval.begin, interval.end - 1))}"
