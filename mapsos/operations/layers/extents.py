"""Offering extents and time extents: those of the metadata, read and checked, else those of the data (D-13)."""

from __future__ import annotations

import re

from mapsos.encodings.markup import Envelope, TimeExtent
from mapsos.mapfile.model import ObservationLayer, Offering, Service
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.facts import find_extent, find_time_bounds, has_geometry
from mapsos.operations.layers.meaning import read_meaning
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import EVERYTHING, BBox, Predicate
from mapsos.terms.times import DAY, FOREVER, Interval, format_instant, parse_period, parse_time

_LEADING_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)")


def read_stated_extent(layer: ObservationLayer) -> tuple[float, float, float, float] | None:
    """Return sos_offering_extent as minx, miny, maxx, maxy; None if absent. Raises ServiceError without four parts."""
    if layer.offering_extent is None:
        return None
    parts = layer.offering_extent.split(",")
    if len(parts) != 4:
        message = "Wrong number of arguments for sos_offering_extent."
        raise ServiceError(Kind.MISCONFIGURED, "offering extent", message)
    minx, miny, maxx, maxy = (_read_number(part) for part in parts)
    return minx, miny, maxx, maxy


def _read_number(text: str) -> float:
    # MapServer reads with atof: the leading number counts, anything else is 0.
    match = _LEADING_NUMBER.match(text)
    return float(match[1]) if match else 0.0


def find_label(layer: ObservationLayer, service: Service | None = None) -> str | None:
    """Return the CRS label of a layer's envelope (docs/mapserver-sos.md, "CRS labels").

    It is the first word of its srs metadata, else the label of its projection. With ``service`` the projection of the
    map comes between the two, as in GetObservation.
    """
    words = (layer.srs or "").split(" ")
    if words[0]:
        return words[0]
    if service is not None and service.crs is not None and service.crs.label is not None:
        return service.crs.label
    return layer.source.crs.label if layer.source.crs is not None else None


def describe_extent(offering: Offering) -> Envelope | None:
    """Return the envelope of an offering in capabilities: that of the metadata, else that of all its layers (D-13).

    Coordinates are in the first layer's CRS, x y order. None without a CRS label or without geometries.
    """
    label = find_label(offering.first)
    if label is None:
        read_stated_extent(offering.first)
        return None
    stated = read_stated_extent(offering.first)
    if stated is not None:
        return Envelope(*stated, label=label)
    crs = offering.first.source.crs
    found = [extent for layer in offering.layers if (extent := _compute_extent(layer, crs)) is not None]
    if not found:
        return None
    west, south, east, north = zip(*found, strict=True)
    return Envelope(min(west), min(south), max(east), max(north), label)


def find_map_rectangle(service: Service, layer: ObservationLayer) -> Predicate:
    """Return the MAP EXTENT as a predicate; every row matches without one (D-06). Raises ServiceError."""
    if service.extent is None or not has_geometry(layer.source):
        return EVERYTHING
    crs = service.crs.definition if service.crs is not None else None
    return BBox(service.extent.minx, service.extent.miny, service.extent.maxx, service.extent.maxy, crs)


def _compute_extent(layer: ObservationLayer, crs: Crs | None) -> tuple[float, float, float, float] | None:
    return find_extent(layer.source, crs if layer.source.crs is not None else None)


def read_stated_time_extent(layer: ObservationLayer) -> TimeExtent | None:
    """Return sos_offering_timeextent as written; None if absent. Raises ServiceError for more than two parts."""
    if layer.offering_time_extent is None:
        return None
    parts = layer.offering_time_extent.split("/")
    if len(parts) > 2:
        message = "Wrong number of arguments for sos_offering_timeextent."
        raise ServiceError(Kind.MISCONFIGURED, "offering time extent", message)
    if len(parts) == 1:
        return TimeExtent(parts[0], "", open_end=True)
    return TimeExtent(parts[0], parts[1], open_end=not parts[1].strip())


def describe_time_extent(offering: Offering) -> TimeExtent | None:
    """Return the sos:time of an offering: that of its first layer's metadata, else that of all its layers (D-13)."""
    stated = read_stated_time_extent(offering.first)
    if stated is not None:
        return stated
    found = [bounds for layer in offering.layers if (bounds := _compute_time_bounds(layer)) is not None]
    if not found:
        return None
    begin, end = min(bounds.begin for bounds in found), max(bounds.end for bounds in found)
    return TimeExtent(format_instant(begin), format_instant(max(begin, end - 1)))


def complete_time_extent(extent: TimeExtent | None) -> TimeExtent | None:
    """Return a time extent in full dates, or date-times with a time of day: ``1871/1970`` is 1871-01-01/1970-12-31.

    A side that is not a time is unknown, and becomes empty.
    """
    if extent is None:
        return None
    return TimeExtent(_complete(extent.begin), _complete(extent.end, last=True), extent.open_end)


def _complete(text: str, *, last: bool = False) -> str:
    if not text.strip() or text.strip().lower() == "now":
        return ""
    try:
        interval = parse_time(text)
    except ValueError:
        return ""
    if interval.end - interval.begin < DAY:
        return format_instant(interval.begin)
    return format_instant(interval.end - 1 if last else interval.begin)[:10]


def _compute_time_bounds(layer: ObservationLayer) -> Interval | None:
    column = read_meaning(layer).time_column if layer.time_item else None
    if column is None:
        return None
    return find_time_bounds(layer.source, column.name)


def read_time_limits(layer: ObservationLayer, now: int) -> tuple[Interval, ...] | None:
    """Return sos_offering_timeextent as intervals to compare with eventTime; None if it is absent or cannot be read.

    A single value, a missing end and an empty end are open: the interval has no end (D-06). ``now`` is in microseconds
    since 1970 UTC.
    """
    if not layer.offering_time_extent:
        return None
    limits = []
    for part in layer.offering_time_extent.split(","):
        try:
            if "/" in part:
                limits.append(parse_period(part.strip(), now))
            else:
                limits.append(Interval(parse_time(part.strip(), now=now).begin, FOREVER))
        except ValueError:
            return None
    return tuple(limits)
