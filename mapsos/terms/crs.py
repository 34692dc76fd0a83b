"""Names of coordinate reference systems: labels such as EPSG:4326, their URN and http spellings, and axis order."""

from __future__ import annotations

import re
from dataclasses import field
from functools import lru_cache
from typing import Any

from mapsos.terms.values import dataclass

_SPELLINGS = (
    (re.compile(r"(?P<a>[A-Za-z]+):(?P<c>[0-9A-Za-z]+)"), False),
    (re.compile(r"urn:(?:x-)?ogc:def:crs:(?P<a>[A-Za-z]+):[0-9.]*:(?P<c>[0-9A-Za-z]+)", re.I), True),
    (re.compile(r"urn:(?:x-)?ogc:def:crs:(?P<a>[A-Za-z]+):(?P<c>[0-9A-Za-z]+)", re.I), True),
    (re.compile(r"urn:ogc:crs:(?P<a>[A-Za-z]+):(?P<c>[0-9A-Za-z]+)", re.I), False),
    (re.compile(r"https?://www\.opengis\.net/def/crs/(?P<a>[A-Za-z]+)/[0-9.]+/(?P<c>[0-9A-Za-z]+)", re.I), True),
    (re.compile(r"https?://www\.opengis\.net/gml/srs/(?P<a>[A-Za-z]+)\.xml#(?P<c>[0-9A-Za-z]+)", re.I), False),
)


PROJ_LABELS = {
    "CRS:84": "OGC:CRS84",
    "CRS:83": "OGC:CRS83",
    "CRS:27": "OGC:CRS27",
    "EPSG:900913": "EPSG:3857",
    "EPSG:3785": "EPSG:3857",
}
"""Labels that PROJ knows, by those of WMS and of old software that it does not know."""

# Whether the first axis points north, for the names that most clients write: they need no pyproj.
_COMMON = {"EPSG:4326": True, "EPSG:4269": True, "EPSG:4258": True, "EPSG:3857": False, "OGC:CRS84": False}


class CrsError(ValueError):
    """A CRS that PROJ does not know, or two between which it has no transformation."""


@dataclass(frozen=True)
class Crs:
    """A CRS of a mapfile's PROJECTION.

    ``definition`` is a string for PROJ (``EPSG:4326``, ``+proj=utm +zone=33``); ``label`` is its name in upper case
    (``EPSG:4326``), None for a definition without a name.
    """

    definition: str
    label: str | None = None


@dataclass(frozen=True)
class SrsName:
    """A srsName of a client: the label, and whether its spelling requests the authority's axis order.

    ``EPSG:4326``, ``http://www.opengis.net/gml/srs/epsg.xml#4326`` and MapServer's own ``urn:ogc:crs:epsg:4326`` mean
    x y order; ``urn:ogc:def:crs:EPSG::4326`` and ``http://www.opengis.net/def/crs/EPSG/0/4326`` mean the authority's.
    ``text`` is the name as the client wrote it.
    """

    label: str
    authority_axes: bool = False
    text: str = field(default="", compare=False)

    @property
    def northing_first(self) -> bool:
        """Whether coordinates under this name are written y x (latitude first). Imports pyproj when it must look."""
        return self.authority_axes and is_northing_first(self.label)


def parse_srs_name(text: str) -> SrsName | None:
    """Parse a CRS name in any of its spellings; None for any other string. The code is not verified."""
    for pattern, authority_axes in _SPELLINGS:
        if match := pattern.fullmatch(text.strip()):
            label = f"{match['a']}:{match['c']}".upper()
            return SrsName(PROJ_LABELS.get(label, label), authority_axes, text)
    return None


@lru_cache(maxsize=256)
def is_northing_first(label: str) -> bool:
    """Return whether the authority's first axis of ``label`` points north (latitude or northing first).

    Raises CrsError if PROJ does not know the label. Costs the import of pyproj at first use of any but the commonest.
    """
    if label in _COMMON:
        return _COMMON[label]
    axes = _list_axes(label)
    return bool(axes) and axes[0].direction.lower() == "north"


def write_crs_urn(label: str | None) -> str | None:
    """Return the URN of a label: ``urn:ogc:def:crs:EPSG::4326``, ``urn:ogc:def:crs:OGC:1.3:CRS84``.

    Coordinates under it are in the order of `is_northing_first`. None for no label, or one that PROJ does not know.
    """
    parsed = parse_srs_name(label) if label is not None else None
    if parsed is None:
        return None
    try:
        is_northing_first(parsed.label)
    except CrsError:
        return None
    authority, _, code = parsed.label.partition(":")
    return f"urn:ogc:def:crs:{authority}:{'1.3' if authority == 'OGC' else ''}:{code}"


def name_crs(label: str) -> str:
    """Return the URN of a label, which implies the axis order (`write_crs_urn`); the label itself if it has none."""
    return write_crs_urn(label) or label


@lru_cache(maxsize=256)
def find_axis_unit(label: str) -> str | None:
    """Return the unit of the first axis as PROJ names it (``degree``, ``metre``), None without axes.

    Raises CrsError if PROJ does not know the label. Costs the import of pyproj at first use of any but the commonest.
    """
    if label in _COMMON:
        return "metre" if label == "EPSG:3857" else "degree"
    axes = _list_axes(label)
    return str(axes[0].unit_name) if axes else None


def _list_axes(label: str) -> list[Any]:
    import pyproj
    import pyproj.exceptions

    try:
        return list(pyproj.CRS.from_user_input(label).axis_info)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"unknown CRS {label}") from error


@lru_cache(maxsize=256)
def is_known(definition: str) -> bool:
    """Return whether PROJ knows a CRS, by its label or any other definition. Imports pyproj."""
    try:
        _list_axes(definition)
    except CrsError:
        return False
    return True


@lru_cache(maxsize=256)
def is_geographic(definition: str) -> bool:
    """Return whether coordinates are longitudes and latitudes in degrees; False for a CRS that PROJ does not know.

    Costs the import of pyproj at first use of any but the commonest.
    """
    if definition.upper() in _COMMON:
        return definition.upper() != "EPSG:3857"
    import pyproj
    import pyproj.exceptions

    try:
        return bool(pyproj.CRS.from_user_input(definition).is_geographic)
    except pyproj.exceptions.CRSError:
        return False
