"""The type as which geometries are written: the LAYER's TYPE, but for a shapefile that of its header."""

from __future__ import annotations

from mapsos.sources.identity import find_part, find_stem
from mapsos.terms.layer_source import LayerSource, ShapeType, SourceKind

_TYPE_OFFSET = 32
_KINDS = {
    1: ShapeType.POINT,
    3: ShapeType.LINE,
    5: ShapeType.POLYGON,
    8: ShapeType.POINT,
}
"""Shape types; those with z or m are 10 and 20 more."""


def find_shape_type(source: LayerSource) -> ShapeType:
    """Return the type of a source's geometries. Reads a few bytes of a shapefile, nothing of other sources.

    A shapefile that cannot be read has the LAYER's TYPE.
    """
    if source.kind is not SourceKind.SHAPEFILE:
        return source.shape
    try:
        with open(find_part(find_stem(source), ".shp"), "rb") as file:
            head = file.read(_TYPE_OFFSET + 4)
    except OSError:
        return source.shape
    return _KINDS.get(int.from_bytes(head[_TYPE_OFFSET:], "little") % 10, source.shape)
