"""Texts of the maps of the suite: one skeleton and what varies in it.

See docs/mapserver-sos.md, "Maps and data of the comparison".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Metadata = Mapping[str, str | None]

NOTHING: Metadata = {}

WEB: dict[str, str] = {
    "sos_onlineresource": "http://h/cgi?",
    "sos_srs": "EPSG:4326 EPSG:3857",
    "sos_title": "T",
    "sos_enable_request": "*",
}

LAYER: dict[str, str] = {
    "sos_offering_id": "off",
    "sos_offering_name": "Offering",
    "sos_offering_description": "An offering",
    "sos_offering_intendedapplication": "tests",
    "sos_offering_extent": "-80,-30,20,50",
    "sos_offering_timeextent": "1990-01-01/2010-12-31",
    "sos_observedproperty_id": "op",
    "sos_procedure": "S1 S2 S3",
    "sos_describesensor_url": "http://h/sensors/%procedure%.xml",
    "sos_timeitem": "TISO",
    "sos_VAL_alias": "Value",
    "sos_TXT_alias": "Text",
    "sos_TISO_alias": "Time",
}
"""Layer metadata for the five points; a map replaces keys, or drops them with None."""

LATLON = '"init=epsg:4326"'

FIVE_SOURCES: dict[str, str] = {
    "shp": 'DATA "five"',
    "gpkg": 'CONNECTIONTYPE OGR CONNECTION "five.gpkg" DATA "five"',
    "geojson": 'CONNECTIONTYPE OGR CONNECTION "five.geojson" DATA "five"',
    "csv": 'CONNECTIONTYPE OGR CONNECTION "five.vrt" DATA "five"',
    "fgb": 'CONNECTIONTYPE OGR CONNECTION "five.fgb" DATA "five"',
    "sqlite": 'CONNECTIONTYPE OGR CONNECTION "five.sqlite" DATA "five"',
}


def quote(text: str) -> str:
    """A mapfile string: in double quotes, or in single quotes if it holds a double quote."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def metadata_block(base: Metadata, changes: Metadata) -> str:
    """A METADATA block of the base with the changes, None removing a key."""
    merged = {**base, **changes}
    lines = [f"    {quote(key)} {quote(value)}" for key, value in merged.items() if value is not None]
    return "\n".join(["  METADATA", *lines, "  END"])


def layer(
    changes: Metadata = NOTHING,
    *,
    name: str = "l1",
    source: str = 'DATA "five"',
    type: str = "POINT",
    projection: str | None = LATLON,
    status: str = "ON",
    extra: str = "",
    base: Metadata = LAYER,
) -> str:
    """A LAYER block over the five points unless told otherwise."""
    crs = f"  PROJECTION {projection} END\n" if projection else ""
    return (
        f"LAYER\n  NAME {quote(name)}\n  TYPE {type}\n  STATUS {status}\n  {source}\n{crs}"
        f"{extra}\n{metadata_block(base, changes)}\nEND\n"
    )


def mapfile(
    *layers: str,
    web: Metadata = NOTHING,
    base: Metadata = WEB,
    extent: str | None = "-180 -90 180 90",
    projection: str | None = LATLON,
    extra: str = "",
    web_extra: str = "",
) -> str:
    """A MAP of the layers."""
    crs = f"PROJECTION {projection} END\n" if projection else ""
    box = f"EXTENT {extent}\n" if extent else ""
    return (
        f'MAP\nNAME "m"\nSIZE 100 100\n{box}SHAPEPATH "../data"\n{crs}{extra}\n'
        f"WEB\n{web_extra}\n{metadata_block(base, web)}\nEND\n{''.join(layers)}END\n"
    )


def without(keys: Iterable[str]) -> dict[str, str | None]:
    """Changes that drop the keys."""
    return dict.fromkeys(keys)


ITEM = {"sos_procedure": None, "sos_procedure_item": "STN"}
"""Procedure case 2: the sensor is told by an item alone."""

BOTH = {"sos_procedure": "S1 S2 S3", "sos_procedure_item": "STN"}
"""Procedure case 3: a list and an item."""

FEATURE_ID = {"ows_featureid": "ID"}

COMMON_MAPS: dict[str, str] = {
    **{name: mapfile(layer(FEATURE_ID, source=source)) for name, source in FIVE_SOURCES.items()},
    **{f"item_{name}": mapfile(layer(ITEM, source=source)) for name, source in FIVE_SOURCES.items()},
    **{f"both_{name}": mapfile(layer(BOTH, source=source)) for name, source in FIVE_SOURCES.items()},
}
"""The five points from every format, by procedure case: ``shp`` (1), ``item_shp`` (2), ``both_shp`` (3) and so on."""
