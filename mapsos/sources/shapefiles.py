"""Shapefiles: the texts of the DBF as they stand in it, the geometries through OGR."""

from __future__ import annotations

import os

from mapsos.layer_source import LayerSource
from mapsos.sources.ogr_reader import OgrReader


def main_file(source: LayerSource) -> str:
    """Path of the .shp that the layer's connection names, with or without its extension."""
    path = source.connection
    return path if os.path.splitext(path)[1].lower() == ".shp" else path + ".shp"


class ShapefileReader(OgrReader):
    """A shapefile."""
