"""A GeoPackage to ask, and the statements that it is asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from osgeo import ogr

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource, SourceKind


def make(path: Path, rows: list[tuple[str | None, str, str | None]], **more: object) -> LayerSource:
    """A GeoPackage of (station, time, WKT); the order of rows is the order of feature ids."""
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("obs", None, ogr.wkbPoint)
    layer.CreateField(ogr.FieldDefn("stn", ogr.OFTString))
    layer.CreateField(ogr.FieldDefn("t", ogr.OFTDateTime))
    for station, time, wkt in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        if station is not None:
            feature["stn"] = station
        feature["t"] = time
        if wkt is not None:
            feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
        layer.CreateFeature(feature)
    dataset = layer = None
    crs = Crs("EPSG:4326", "EPSG:4326")
    return LayerSource("l", SourceKind.OGR, str(path), "obs", crs=crs, **more)  # type: ignore[arg-type]


def note_statements(reader: OgrReader) -> list[str]:
    """What the reader asks from now on."""
    asked: list[str] = []
    ask = reader.ask

    def note(statement: str) -> list[list[str]]:
        asked.append(statement)
        return ask(statement)

    reader.ask = note  # type: ignore[method-assign]
    return asked


def find_scans(source: LayerSource, statements: list[str]) -> list[str]:
    """The statements for which SQLite goes through the table or an index of it. Fails if there are none to explain."""
    assert statements
    database = sqlite3.connect(source.connection)
    found = [
        statement
        for statement in statements
        if any(row[3].startswith("SCAN obs") for row in database.execute(f"EXPLAIN QUERY PLAN {statement}"))
    ]
    database.close()
    return found
