"""Read the data source of a LAYER: CONNECTIONTYPE, DATA, CONNECTION and FEATURE, with MapServer's lookup of paths."""

from __future__ import annotations

import os
import re

from mapsos.mapfile.blocks import Block
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import Token, decode
from mapsos.terms.layer_source import InlineFeature, ShapeType, SourceKind
from mapsos.terms.values import dataclass

_SHAPES = {
    "point": ShapeType.POINT,
    "line": ShapeType.LINE,
    "polygon": ShapeType.POLYGON,
    # Not a geometry type: it controls how the map draws rows of any geometry.
    "query": ShapeType.POINT,
    "chart": ShapeType.POINT,
    "annotation": ShapeType.POINT,
    "circle": ShapeType.POINT,
    # The constants of MapScript, which MapServer also accepts here.
    "0": ShapeType.POINT,
    "1": ShapeType.LINE,
    "2": ShapeType.POLYGON,
}
_SHAPEFILE_ENDING = re.compile(r"\.(shp|shx|dbf)$", re.I)
_NO_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_+]+:|[<{]|/vsi", re.I)
_COORDINATES = re.compile(r"\(([^()]+)\)")


@dataclass(frozen=True)
class Connection:
    """The part of a `mapsos.terms.layer_source.LayerSource` that locates the rows, with the same attributes."""

    kind: SourceKind
    connection: str = ""
    data: str = ""
    open_options: tuple[str, ...] = ()
    item_names: tuple[str, ...] = ()
    features: tuple[InlineFeature, ...] = ()


def read_shape(layer: Block, name: str) -> ShapeType:
    """Return the TYPE of a LAYER, POINT if absent.

    Raises
    ------
    MapfileError
        RASTER, or an unknown type.
    """
    attribute = layer.last("type")
    if attribute is None:
        return ShapeType.POINT
    shape = _SHAPES.get(attribute.text.lower())
    if shape is None:
        raise MapfileError(
            attribute.file,
            attribute.line,
            f'LAYER "{name}": TYPE: expected POINT, LINE or POLYGON, got {attribute.text}',
            fault="type",
            near=attribute.text,
        )
    return shape


def read_connection(
    layer: Block, name: str, folder: str, shape_path: str, item_names: tuple[str, ...] | None, encoding: str | None
) -> Connection:
    """Return the data source of a LAYER. It is not opened.

    A relative path is looked up in SHAPEPATH, then in the folder of the map. If neither exists, the path in SHAPEPATH
    is returned.

    Parameters
    ----------
    name
        NAME of the LAYER, for messages.
    folder
        Folder of the map.
    shape_path
        SHAPEPATH of the map, relative to ``folder``.
    item_names
        Columns that PROCESSING "ITEMS=..." names, None without it.
    encoding
        ENCODING of the LAYER or the map.

    Raises
    ------
    MapfileError
        A connection type other than LOCAL (the default), INLINE, OGR, FLATGEOBUF and POSTGIS; a missing DATA or
        CONNECTION; TILEINDEX; FEATURE coordinates that are not numbers.
    """
    attribute = layer.last("connectiontype")
    kind = (attribute.text if attribute else "local").lower()
    features = tuple(layer.inner("feature"))
    data, connection = layer.text("data"), layer.text("connection")
    if features or kind == "inline":
        read = tuple(_inline_feature(block, name, encoding) for block in features)
        return Connection(SourceKind.INLINE, item_names=item_names or (), features=read)
    if tile_index := layer.last("tileindex"):
        raise MapfileError(
            tile_index.file,
            tile_index.line,
            f'LAYER "{name}": TILEINDEX is not supported; join the tiles in a VRT file and read it with OGR',
            fault="source",
        )
    if kind in ("local", "shapefile", "flatgeobuf"):
        if not data:
            # MapServer loads such a map and answers requests that need no rows.
            return Connection(SourceKind.SHAPEFILE)
        if kind == "flatgeobuf":
            return Connection(SourceKind.OGR, _find(data, folder, shape_path))
        return Connection(SourceKind.SHAPEFILE, _find_shapefile(data, folder, shape_path))
    if kind == "ogr":
        if not connection and data:
            connection, data = data, None
        if not connection:
            raise MapfileError(
                layer.file, layer.line, f'LAYER "{name}": CONNECTIONTYPE OGR needs a CONNECTION', fault="source"
            )
        if data is None and "," in connection and not re.match(r"[<{]|[A-Za-z]+:", connection):
            connection, _, data = (part.strip() for part in connection.partition(","))
        options = _read_options(layer, encoding)
        return Connection(SourceKind.OGR, resolve_ogr(connection, folder, shape_path), data or "", options)
    if kind == "postgis":
        if not data:
            raise MapfileError(
                layer.file, layer.line, f'LAYER "{name}": CONNECTIONTYPE POSTGIS needs DATA', fault="source"
            )
        return Connection(SourceKind.POSTGIS, connection or "", data)
    assert attribute is not None
    raise MapfileError(
        attribute.file,
        attribute.line,
        f'LAYER "{name}": CONNECTIONTYPE {attribute.text} is not supported; use OGR, FLATGEOBUF, POSTGIS, '
        "a shapefile (without CONNECTIONTYPE) or FEATUREs",
        fault="source",
        near=attribute.text,
    )


def _read_options(layer: Block, encoding: str | None) -> tuple[str, ...]:
    """Return CONNECTIONOPTIONS as ``KEY=VALUE``. The last value of a key counts, as in MapServer."""
    entries = (entry for block in layer.inner("connectionoptions") for entry in block.attributes)
    last = {entry.key: f"{decode(entry.spelled, encoding)}={decode(entry.text, encoding)}" for entry in entries}
    return tuple(last.values())


def resolve_ogr(connection: str, folder: str, shape_path: str) -> str:
    """Return the data source for GDAL: the absolute path of an existing file or folder, else the connection string.

    A string that can only be a path is made absolute even if the file does not exist, so that error messages do not
    depend on the working directory of the server.
    """
    for base in (os.path.join(folder, shape_path), folder):
        candidate = os.path.normpath(os.path.join(base, connection))
        if not connection.startswith(("<", "{")) and os.path.exists(candidate):
            return candidate
    if _NO_PATH.match(connection):
        return connection
    return os.path.normpath(os.path.join(folder, shape_path, connection))


def _find(data: str, folder: str, shape_path: str) -> str:
    candidates = [os.path.normpath(os.path.join(folder, part, data)) for part in (shape_path, "")]
    return next((path for path in candidates if os.path.exists(path)), candidates[0])


def _find_shapefile(data: str, folder: str, shape_path: str) -> str:
    stem = _SHAPEFILE_ENDING.sub("", data)
    candidates = [
        os.path.normpath(os.path.join(folder, part, stem)) + ending
        for part in (shape_path, "")
        for ending in (".shp", ".SHP")
    ]
    return next((path for path in candidates if os.path.exists(path)), candidates[0])


def _inline_feature(block: Block, name: str, encoding: str | None) -> InlineFeature:
    parts = tuple(
        _vertices([token.text for token in attribute.values], block, name)
        for attribute in block.attributes
        if attribute.key == "points"
    )
    if wkt := block.text("wkt"):
        parts += tuple(
            tuple(pair for vertex in run.split(",") for pair in _vertices(vertex.split()[:2], block, name))
            for run in _COORDINATES.findall(wkt)
        )
    items = block.last("items")
    return InlineFeature(parts, _items(items.values[0], encoding) if items else ())


def _items(token: Token, encoding: str | None) -> tuple[str, ...]:
    # Unlike in other lists, an empty value in ITEMS counts: it is a column without a value.
    return tuple(decode(token.text, encoding).split(";"))


def _vertices(texts: list[str], block: Block, name: str) -> tuple[tuple[float, float], ...]:
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        numbers = []
    if not numbers or len(numbers) % 2:
        raise MapfileError(
            block.file, block.line, f'LAYER "{name}": POINTS of a FEATURE must be pairs of numbers', fault="number"
        )
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))
