"""Explain data sources that cannot be read, and check how they are opened: which name is wrong, which there are."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from xml.etree import ElementTree

from mapsos.check import codes
from mapsos.check.finding import Finding
from mapsos.mapfile.blocks import KEYWORDS, Block
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.errors import ServiceError
from mapsos.operations.layers.open_layers import source_errors
from mapsos.sources.drivers.opening import guarded, open_dataset
from mapsos.sources.drivers.postgres.postgis import parse_data
from mapsos.sources.errors import SourceError
from mapsos.terms.layer_source import LayerSource, SourceKind

_SHOWN = 10
"""The number of names that are shown of a longer list."""

_EFFECT = "every request for this layer gets a NoApplicableCode exception"
_COORDINATES = re.compile(
    r"x|y|lat|lon|lng|long|latitude|longitude|laenge|breite|l[äa]ngengrad|breitengrad|east|north|easting|northing|"
    r"rechtswert|hochwert|x_?coord|y_?coord|coord_?[xy]|(?:utm|geom?|pos|wgs84?|gps)_?(?:x|y|lat|lon|e|n)|"
    r"(?:x|y|lat|lon)_?(?:utm|wgs84?|gps|dd|deg)|geom|geometry|the_geom|wkt|wkb_geometry|shape|elevation|altitude",
    re.I,
)
_KEYS = re.compile(r"(?:ogc_|ogr_)?fid|id|gid|uid|uuid|oid|pk|key|objectid(?:_\d+)?|rowid|row_?id|gml_id", re.I)
_SQL_TABLE = re.compile(r"\bfrom\s+((?:\"(?:[^\"]|\"\")+\"|[\w.]+)(?:\.\"(?:[^\"]|\"\")+\")?)", re.I)


def describe_failure(source: LayerSource, block: Block, error: ServiceError) -> Finding:
    """Return the finding about a layer whose data cannot be read: at CONNECTION, or at DATA if that alone is wrong."""
    connection, data = block.last("connection"), block.last("data")
    detail, message = " ".join(error.detail.split()), str(error).removesuffix(".")
    driver = f" (message of the driver: {detail})" if detail else ""
    layers = _list_layers(source) if source.kind in (SourceKind.OGR, SourceKind.POSTGIS) else None
    if layers is None:
        where = connection or data or block
        remedy = _suggest_file(source) or f"Correct the name, or the permissions to read it{driver}"
        key = "CONNECTION" if connection else "DATA"
        return Finding(where.file, where.line, codes.UNREADABLE_SOURCE, key, f"{message}: {_EFFECT}. {remedy}")
    where, named = data or connection or block, _name_table(source)
    if named is not None and _is_missing(named, layers):
        message = f'the data source of layer {source.layer} has no layer "{named}": {_EFFECT}. '
        message += _suggest_layer(named, layers)
    else:
        message = f"{message} by this DATA: {_EFFECT}. Correct it{driver}"
    key = "DATA" if data or not connection else "CONNECTION"
    return Finding(where.file, where.line, codes.UNREADABLE_DATA, key, message)


def _list_layers(source: LayerSource) -> list[str] | None:
    """Return the names of the layers or tables of a data source, None if it cannot be opened."""
    try:
        with guarded(source):
            if source.is_postgresql:
                source = replace(source, open_options=(*source.open_options, "LIST_ALL_TABLES=YES"))
            dataset = open_dataset(source)
            names = [dataset.GetLayer(number).GetName() for number in range(dataset.GetLayerCount())]
            dataset = None
            return names
    except SourceError:
        return None


def _name_table(source: LayerSource) -> str | None:
    """Return the layer or table that DATA names, None if it names none alone."""
    data = source.data.strip()
    if source.kind is SourceKind.POSTGIS:
        try:
            data = parse_data(data).origin
        except ValueError:
            return None
    if data[:1] == "(" or data[:6].upper() == "SELECT":
        match = _SQL_TABLE.search(data)
        if match is None:
            return None
        data = match[1]
    return data.replace('"', "") or None


def _is_missing(named: str, layers: Iterable[str]) -> bool:
    known = {layer.casefold() for layer in layers}
    return named.casefold() not in known and named.casefold().removeprefix("public.") not in known


def _suggest_layer(named: str, layers: list[str]) -> str:
    near = difflib.get_close_matches(named.casefold(), [layer.casefold() for layer in layers], 1)
    meant = next((layer for layer in layers if near and layer.casefold() == near[0]), None)
    listed = f"{', '.join(layers[:_SHOWN])}{' and more' if len(layers) > _SHOWN else ''}"
    hint = f'Did you mean "{meant}"? ' if meant is not None and meant.casefold() != named.casefold() else ""
    return f"{hint}Its layers: {listed}" if layers else "It has no layers"


def _suggest_file(source: LayerSource) -> str:
    """Return what to write instead of a file that does not exist, empty if it is not that."""
    path = source.connection
    if not os.path.isabs(path) or os.path.exists(path):
        return ""
    folder, name = os.path.split(path)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return f"the folder {folder} cannot be read"
    near = difflib.get_close_matches(name, names, 1)
    return f'{name} is not in {folder}. Did you mean "{near[0]}"?' if near else f"{name} is not in {folder}"


def check_options(layer: ObservationLayer, block: Block) -> Iterator[Finding]:
    """Yield findings about CONNECTIONOPTIONS that the driver of the data source does not have. Raises ServiceError."""
    source = layer.source
    if not source.open_options:
        return
    with source_errors(), guarded(source):
        driver = open_dataset(source).GetDriver()
        listed = driver.GetMetadataItem("DMD_OPENOPTIONLIST") or "<OpenOptionList/>"
        name = driver.ShortName
    known = [option.get("name", "") for option in ElementTree.fromstring(listed).iter("Option")]
    upper = [option.upper() for option in known]
    for options in block.inner("connectionoptions"):
        for option in options.attributes:
            swallowed = option.key in KEYWORDS  # reported by the findings of the mapfile
            if option.key.upper() in upper or option.key.startswith("@") or swallowed:
                continue
            near = difflib.get_close_matches(option.key.upper(), upper, 1)
            hint = f"Did you mean {near[0]}?" if near else f"It has {', '.join(known) or 'none'}"
            message = f"GDAL's driver {name} does not know this option, which has no effect. {hint}"
            yield Finding(option.file, option.line, codes.UNKNOWN_OPTION, option.spelled, message)


def list_keys_and_coordinates(source: LayerSource, names: Iterable[str]) -> set[str]:
    """Return the columns that only identify or locate rows, by their names or because the geometries are from them."""
    stated = {name.casefold() for name in _read_vrt(source)}
    for option in source.open_options:
        key, _, value = option.partition("=")
        if key.upper() in ("X_POSSIBLE_NAMES", "Y_POSSIBLE_NAMES", "Z_POSSIBLE_NAMES", "GEOM_POSSIBLE_NAMES"):
            stated |= {part.strip().casefold() for part in value.split(",")}
    return {
        name
        for name in names
        if _COORDINATES.fullmatch(name) or _KEYS.fullmatch(name) or _is_stated(name.casefold(), stated)
    }


def _is_stated(name: str, stated: Iterable[str]) -> bool:
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), name) for one in stated)


def _read_vrt(source: LayerSource) -> list[str]:
    """Return the columns from which a VRT file makes geometries."""
    if not source.connection.lower().endswith(".vrt"):
        return []
    try:
        root = ElementTree.parse(source.connection).getroot()
    except (OSError, ElementTree.ParseError):
        return []
    fields = [element for element in root.iter() if element.tag.lower() == "geometryfield"]
    return [value for field in fields for key, value in field.attrib.items() if key.lower() in ("x", "y", "z", "field")]
