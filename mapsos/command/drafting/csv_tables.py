"""Make layers of CSV tables: a VRT that names their coordinates and the types of their columns, and converts times."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from xml.sax.saxutils import escape

from mapsos.command.drafting.data_sets import ColumnKind, DataColumn, DataRow, DataSet
from mapsos.command.drafting.roles import find_coordinates, find_time

_INTEGER = re.compile(r"\s*[+-]?(0|[1-9][0-9]{0,17})\s*")
# What begins with zeros is an id.
_POINT = re.compile(r"\s*[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
_COMMA = re.compile(r"\s*[+-]?((0|[1-9][0-9]*)(,[0-9]*)?|,[0-9]+)\s*")
_MISSING = re.compile(r"\s*(n/?a|nan|null|none|-+)?\s*", re.I)
_VRT_TYPES = {"integer": "Integer64", "real": "Real", "text": "String"}


def describe_table(data: DataSet) -> DataSet:
    """Return the data set of a CSV table as the VRT in its ``inline`` makes it.

    Numbers may have a decimal comma; times may be dd.mm.yyyy or dd/mm/yyyy. Positions are those of columns with usual
    names. The CRS is WGS 84 if they are degrees, else the admin has to write it.
    """
    kinds = {column.name: _find_kind(data.rows, column) for column in data.columns}
    commas = {name for name, (kind, comma) in kinds.items() if comma}
    columns = tuple(DataColumn(column.name, kinds[column.name][0]) for column in data.columns)
    rows = tuple(_convert_row(row, kinds) for row in data.rows)
    places = find_coordinates([column.name for column in columns if column.kind in ("integer", "real")])
    read = replace(data, columns=columns, rows=rows)
    time = find_time(read)
    remarks = []
    if commas:
        remarks.append(f"numbers with a decimal comma are converted: {', '.join(sorted(commas))}")
    if time is not None and time.pattern is not None:
        remarks.append(f"times of the form {time.pattern} are converted to ISO 8601, and taken as UTC: {time.name}")
    bounds = None
    if places is not None:
        for row in rows:
            x, y = row.get(places[0]), row.get(places[1])
            if isinstance(x, int | float) and isinstance(y, int | float):
                row.place = float(x), float(y)
        known = [row.place for row in rows if row.place is not None]
        if known:
            xs, ys = zip(*known, strict=True)
            bounds = min(xs), min(ys), max(xs), max(ys)
        remarks.append(f"positions are read from the columns {places[0]} and {places[1]}")
    else:
        remarks.append("no columns with coordinates were found: observations have no positions")
    degrees = bounds is not None and _are_degrees(bounds)
    # GDAL makes 0 of an empty text, and of any other that is not a number.
    converted: dict[str, Callable[[str], str]] = {
        column.name: partial(_convert_number, kinds[column.name][0])
        for column in data.columns
        if column.kind == "text" and kinds[column.name][0] in ("integer", "real")
    }
    if time is not None and time.pattern is not None:
        converted[time.name] = partial(_convert_time, time.pattern.startswith("dd"))
    inline = _write_vrt(data, columns, places, "EPSG:4326" if degrees else None, converted)
    return replace(
        read,
        shape=None if places is None else "POINT",
        bounds=bounds,
        crs="EPSG:4326" if degrees else "",
        inline=inline,
        remarks=tuple(remarks),
    )


def _find_kind(rows: Sequence[DataRow], column: DataColumn) -> tuple[ColumnKind, bool]:
    """Return the kind of the values of a column, and whether they have a decimal comma."""
    if column.kind != "text":
        return column.kind, False
    texts = [str(row[column.name]) for row in rows if row.get(column.name) is not None]
    texts = [text for text in texts if not _MISSING.fullmatch(text)]
    if texts and all(_INTEGER.fullmatch(text) for text in texts):
        return "integer", False
    if texts and all(_POINT.fullmatch(text) for text in texts):
        return "real", False
    if texts and all(_COMMA.fullmatch(text) for text in texts):
        return "real", True
    return "text", False


def _convert_row(row: DataRow, kinds: dict[str, tuple[ColumnKind, bool]]) -> DataRow:
    converted = DataRow(row)
    for name, (kind, comma) in kinds.items():
        text = row.get(name)
        if isinstance(text, str) and kind in ("integer", "real"):
            plain = text.replace(",", ".") if comma else text
            missing = _MISSING.fullmatch(text) is not None
            converted[name] = None if missing else int(plain) if kind == "integer" else float(plain)
    return converted


def _are_degrees(bounds: tuple[float, float, float, float]) -> bool:
    return -180 <= bounds[0] <= bounds[2] <= 180 and -90 <= bounds[1] <= bounds[3] <= 90


def _write_vrt(
    data: DataSet,
    columns: Sequence[DataColumn],
    places: tuple[str, str] | None,
    crs: str | None,
    converted: dict[str, Callable[[str], str]],
) -> str:
    """Return the VRT as one line; attributes are in apostrophes, as the mapfile encloses it in double quotes."""
    layer = _attribute(data.layer)
    parts = ["<OGRVRTDataSource>", f"<OGRVRTLayer name={layer}>"]
    parts.append(f"<SrcDataSource relativeToVRT='0'>{escape(data.source)}</SrcDataSource>")
    if converted:
        parts.append(f"<SrcSQL dialect='SQLITE'>{escape(_write_select(data.layer, columns, converted))}</SrcSQL>")
    else:
        parts.append(f"<SrcLayer>{escape(data.layer)}</SrcLayer>")
    if places is None:
        parts.append("<GeometryType>wkbNone</GeometryType>")
    else:
        parts.append("<GeometryType>wkbPoint</GeometryType>")
        if crs is not None:
            parts.append(f"<LayerSRS>{crs}</LayerSRS>")
        x, y = map(_attribute, places)
        parts.append(f"<GeometryField encoding='PointFromColumns' x={x} y={y}/>")
    for column in columns:
        kind = _VRT_TYPES.get(column.kind, "String")
        name = _attribute(column.name)
        parts.append(f"<Field name={name} src={name} type='{kind}'/>")
    return "".join([*parts, "</OGRVRTLayer>", "</OGRVRTDataSource>"])


def _attribute(text: str) -> str:
    return "'" + escape(text, {"'": "&apos;", '"': "&quot;"}) + "'"


def _write_select(layer: str, columns: Sequence[DataColumn], converted: dict[str, Callable[[str], str]]) -> str:
    selected = []
    for column in columns:
        name = _quote(column.name)
        convert = converted.get(column.name)
        selected.append(f"{convert(name)} AS {name}" if convert is not None else name)
    # GDAL appends conditions: outside of the subquery they are about what was converted.
    return f"SELECT * FROM (SELECT {', '.join(selected)} FROM {_quote(layer)})"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _convert_number(kind: ColumnKind, name: str) -> str:
    plain = f"trim(replace({name}, ',', '.'))"
    is_number = f"{plain} GLOB '*[0-9]*' AND NOT {plain} GLOB '*[^-+.0-9eE]*'"
    return f"CASE WHEN {is_number} THEN CAST({plain} AS {'INTEGER' if kind == 'integer' else 'REAL'}) END"


def _convert_time(day_first: bool, name: str) -> str:
    day, month = (1, 4) if day_first else (4, 1)
    clock = f"ltrim(replace(substr({name}, 11), ',', ' '), ' T')"
    date = f"substr({name}, 7, 4) || '-' || substr({name}, {month}, 2) || '-' || substr({name}, {day}, 2)"
    return f"{date} || CASE WHEN length({clock}) > 0 THEN 'T' || {clock} ELSE '' END"
