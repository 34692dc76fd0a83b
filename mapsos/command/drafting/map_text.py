"""Write the text of a drafted map: its structure for mappyfile, and the comments that leave decisions to the admin."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from mapsos.command.drafting.data_sets import DataSet, Rectangle, connect, is_database
from mapsos.command.drafting.names import read_name, write_xml_name
from mapsos.command.drafting.projections import UNKNOWN, WGS84, Projection
from mapsos.command.drafting.roles import Roles
from mapsos.sources.errors import mask_passwords
from mapsos.terms.values import dataclass

_MARGIN = 0.1
"""The margin of the EXTENT of the map around the data, as a part of their width and height."""


@dataclass(frozen=True)
class DraftLayer:
    """A layer of the map: its data, the roles of their columns, their CRS, and how DATA names them in PostGIS."""

    data: DataSet
    roles: Roles
    projection: Projection | None
    postgis: str | None = None


def write_map(
    name: str,
    layers: Sequence[DraftLayer],
    omitted: Sequence[str],
    folder: Path | None,
    online_resource: str | None,
    companions: dict[str, str] | None = None,
) -> str:
    """Return the text of a mapfile.

    Parameters
    ----------
    name
        NAME of the map, and its title.
    omitted
        Sentences about layers that are not in it.
    folder
        Where the mapfile will be, so that data below it are named by relative paths; None for absolute ones.
    online_resource
        The address of the service; None to omit it, so that the address of each request counts.
    companions
        Receives the VRTs of tables by the name of the file, to be written beside the mapfile; None writes them into it.
        MapServer reads no CONNECTION of more than 1,023 characters.
    """
    import mappyfile

    projections = [layer.projection for layer in layers if layer.projection is not None]
    shared = projections[0] if len({found.words for found in projections}) == 1 else None
    own = shared if shared is not None else UNKNOWN if not projections else WGS84
    extents = [
        layer.data.bounds
        if layer.projection is None or layer.projection.words == own.words
        else layer.projection.to_degrees(layer.data.bounds)
        for layer in layers
        if layer.data.bounds is not None and (layer.projection is not None or own is UNKNOWN)
    ]
    codes = dict.fromkeys(["EPSG:4326", *(found.code for found in projections if found.code)])
    map_block: dict[str, Any] = {
        "__type__": "map",
        "__comments__": {
            "__type__": _comment(
                "Drafted by mapsos init from the names and types of columns and a sample of the rows.",
                'A "decide" marks what only you know. mapsos check reports what is missing or wrong.',
                *omitted,
            ),
            "extent": "# the data and a margin: requests without an area return what lies inside; decide",
        },
        "name": _escape(name),
        "extent": list(_surround(extents, own)),
        **({"projection": list(own.words)} if own.words else {}),
        "web": {"__type__": "web", "metadata": _write_web(name, online_resource, " ".join(codes))},
        "layers": [],
    }
    taken: set[str] = set()
    for layer in layers:
        map_block["layers"].append(_write_layer(layer, _choose_name(layer.data.title, taken), folder, companions))
    return str(mappyfile.dumps(map_block, indent=2)) + "\n"


def _write_web(name: str, online_resource: str | None, codes: str) -> dict[str, Any]:
    entries: list[tuple[str, str, str]] = [("sos_enable_request", "*", "all requests; none of them writes")]
    if online_resource is not None:
        entries.append(("sos_onlineresource", online_resource, "decide: the public address, with a ? at the end"))
    entries += [
        ("sos_srs", codes, "CRSs that clients may request"),
        ("sos_title", name.replace("_", " "), "decide"),
        ("sos_contactorganization", "Unknown organization", "decide: who provides the data"),
    ]
    more = _comment(
        "Further keys, each optional: see docs/metadata.md.",
        '  "sos_abstract" "What this service offers"',
        '  "sos_contactperson" "Jo Doe"   "sos_contactelectronicmailaddress" "jo@example.org"',
        '  "sos_fees" "none"   "sos_accessconstraints" "none"',
    )
    return _metadata(entries, more)


def _write_layer(
    layer: DraftLayer, name: str, folder: Path | None, companions: dict[str, str] | None
) -> dict[str, Any]:
    data, roles = layer.data, layer.roles
    assert roles.time is not None
    block: dict[str, Any] = {"__type__": "layer", "name": _escape(name)}
    comments: dict[str, Any] = {"__type__": _comment(*data.remarks)}
    block["type"] = data.shape or "POINT"
    block["status"] = "ON"
    block.update(_write_source(layer, name, folder, companions, comments))
    if layer.projection is not None:
        block["projection"] = list(layer.projection.words)
        if not layer.projection.stated:
            comments["projection"] = "# decide: the data state no CRS; their coordinates look like degrees"
    elif data.shape is not None:
        comments["__type__"] += ["# decide: the data state no CRS. Add a line such as PROJECTION \"epsg:25832\" END"]
    offering = write_xml_name(name)
    single = roles.values[0] if len(roles.values) == 1 else None
    label = read_name(single.name).label if single is not None else name.replace("_", " ")
    entries: list[tuple[str, str, str]] = [
        ("sos_offering_id", offering, "layers with the same id are one offering"),
        ("sos_offering_name", name.replace("_", " "), "decide: what people read"),
        ("sos_observedproperty_id", write_xml_name(label),
         "" if single is not None else "decide: one id for all columns; for one id each, a LAYER for each column"),
        ("sos_observedproperty_name", label, ""),
    ]  # fmt: skip
    if roles.sensor is not None:
        entries.append(("sos_procedure_item", roles.sensor, _describe_sensors(data, roles.sensor)))
    else:
        entries.append(("sos_procedure", offering, "decide: the id of the only sensor; no column names several"))
    if roles.sensor_name is not None:
        entries.append(("sos_sensor_name_item", roles.sensor_name, "the name that people read"))
    entries.append(("sos_timeitem", roles.time.name, roles.time.form))
    entries += _describe_values(roles)
    remarks: list[str] = []
    if data.bounds is not None:
        extent = ",".join(f"{number:.10g}" for number in data.bounds)
        remarks = [
            f"Extent of the data: {extent}. It is computed, as the times are, unless stated by",
            "sos_offering_extent and sos_offering_timeextent.",
        ]
    block["metadata"] = _metadata(entries, _comment(*remarks))
    block["__comments__"] = comments
    return block


def _write_source(
    layer: DraftLayer, name: str, folder: Path | None, companions: dict[str, str] | None, comments: dict[str, Any]
) -> dict[str, str]:
    data = layer.data
    if layer.postgis is not None:
        if mask_passwords(data.source) != data.source:
            comments["connection"] = "# decide: a password belongs in ~/.pgpass"
        connection = data.source[3:].strip() if data.source[:3].upper() == "PG:" else data.source
        return {"connectiontype": "POSTGIS", "connection": _escape(connection), "data": _escape(layer.postgis)}
    if data.inline is not None:
        connection = data.inline
        if companions is None:
            comments["connection"] = "# mapsos init -o FILE writes a VRT file instead, which MapServer reads too"
        else:
            connection = f"{write_xml_name(name)}.vrt"
            companions[connection] = _move_vrt(data, folder)
        return {"connectiontype": "OGR", "connection": _escape(connection), "data": _escape(data.layer)}
    path = connect(data.source) if is_database(data.source) else _write_path(data.source, folder)
    if data.driver == "ESRI Shapefile" and data.source.lower().endswith(".shp"):
        return {"data": _escape(path[:-4])}
    return {"connectiontype": "OGR", "connection": _escape(path), "data": _escape(data.layer)}


def _move_vrt(data: DataSet, folder: Path | None) -> str:
    """Return the VRT of a table as a file in a folder: a tag in each line, and the table by its relative path."""
    assert data.inline is not None
    path = _write_path(data.source, folder)
    text = data.inline.replace("><", ">\n<")
    if path != data.source:
        text = text.replace(
            f"'0'>{escape(data.source)}</SrcDataSource>", f"'1'>{escape(path)}</SrcDataSource>", 1
        )
    return text + "\n"


def _write_path(path: str, folder: Path | None) -> str:
    if folder is None:
        return path
    near = os.path.relpath(path, folder)
    return path if near.startswith(os.pardir) else near


def _describe_sensors(data: DataSet, sensor: str) -> str:
    found = list(dict.fromkeys(str(row[sensor]) for row in data.rows if row.get(sensor) not in (None, "")))
    shown = ", ".join(" ".join(name.split())[:30] for name in found[:3])
    return f"the sensor of each row: {shown}{' ...' if len(found) > 3 else ''}; decide"


def _describe_values(roles: Roles) -> list[tuple[str, str, str]]:
    entries: list[tuple[str, str, str]] = []
    taken = {"time", "procedure"}
    for column in roles.values:
        meaning = read_name(column.name)
        alias = _choose_name(write_xml_name(meaning.label), taken)
        is_number = column.kind != "text"
        unknown = is_number and meaning.unit is None
        unit = f' of {meaning.stated}' if meaning.stated else ""
        lacking = f"decide: its unit, by sos_{column.name}_uom and the UCUM code{unit}" if unknown else ""
        entries.append((f"sos_{column.name}_alias", alias, lacking))
        if is_number:
            entries.append((f"sos_{column.name}_definition", meaning.definition, "decide: the URI of your vocabulary"))
        if meaning.unit is not None and is_number:
            entries.append((f"sos_{column.name}_uom", meaning.unit, f"UCUM, from {meaning.stated}"))
    return entries


def _metadata(entries: Sequence[tuple[str, str, str]], comments: Sequence[str]) -> dict[str, Any]:
    block: dict[str, Any] = {"__type__": "metadata"}
    # mappyfile indents these as it does the block around.
    told: dict[str, Any] = {"__type__": [f"  {line}" for line in comments]} if comments else {}
    for key, value, comment in entries:
        written = _escape(key)
        block[written] = _escape(value)
        if comment:
            told[written] = f"# {comment}"
    block["__comments__"] = told
    return block


def _comment(*lines: str) -> list[str]:
    return [f"# {' '.join(line.split()) if not line.startswith(' ') else line}" for line in lines]


def _escape(text: str) -> str:
    """Escape a text for double quotes, which mappyfile writes around it as it is."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _choose_name(wanted: str, taken: set[str]) -> str:
    """Return a name that is not taken yet, whatever its letter case, and take it."""
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name.casefold())
    return name


def _surround(extents: Sequence[Rectangle], projection: Projection) -> tuple[float, ...]:
    """Return the rectangle around all extents with a margin, rounded outwards; the whole earth without any."""
    if not extents:
        return projection.whole
    low = [min(extent[index] for extent in extents) for index in (0, 1)]
    high = [max(extent[index] for extent in extents) for index in (2, 3)]
    step = 0.01 if projection.is_geographic else 100.0
    found = []
    for index in (0, 1):
        margin = max((high[index] - low[index]) * _MARGIN, step)
        found.append((low[index] - margin, high[index] + margin))
    places = 4 if projection.is_geographic else 0
    rectangle = (found[0][0], found[1][0], found[0][1], found[1][1])
    if projection.is_geographic:
        whole = projection.whole
        rectangle = (
            max(rectangle[0], min(whole[0], low[0])), max(rectangle[1], min(whole[1], low[1])),
            min(rectangle[2], max(whole[2], high[0])), min(rectangle[3], max(whole[3], high[1])),
        )  # fmt: skip
    return tuple(round(number, places) for number in rectangle)
