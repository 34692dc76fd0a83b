"""The same observations in every kind of source that a LAYER can name, with ids of awkward characters."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from osgeo import gdal, ogr, osr

from tests.support.postgresql import Cluster

Place = Callable[[float, float], str]

STATIONS = {
    # The id: where it is, its name, its kind.
    "A": (10.0, 50.0, "Alpha", "buoy"),
    "http://x.org/b/1?y=1": (11.0, 51.0, "Berg & Tal", "mast"),
    "Ünï 100%": (12.0, 52.0, "", "mast"),
}
ROWS = [
    (station, f"2001-01-{day:02d}T{hour:02d}:00:00Z", day + hour / 10 + number, f"note {day}")
    for number, station in enumerate(STATIONS)
    for day in (1, 2, 3)
    for hour in (0, 6)
]
PLACES: dict[str, Place] = {
    "points": lambda x, y: f"POINT ({x} {y})",
    "lines": lambda x, y: f"LINESTRING ({x} {y}, {x + 0.5} {y + 0.5})",
    "polygons": lambda x, y: f"POLYGON (({x} {y}, {x + 0.5} {y}, {x + 0.5} {y + 0.5}, {x} {y + 0.5}, {x} {y}))",
}
SHAPES = {
    "points": ("POINT", ogr.wkbPoint),
    "lines": ("LINE", ogr.wkbLineString),
    "polygons": ("POLYGON", ogr.wkbPolygon),
}
SUFFIXES = {"GeoPackage": "gpkg", "FlatGeobuf": "fgb", "GeoJSON": "json", "ESRI Shapefile": "shp", "CSV": "csv"}
KINDS = (*SUFFIXES, "inline", "lines", "polygons", "PostGIS")

METADATA = """
  "sos_offering_id" "off" "sos_offering_name" "An offering" "sos_observedproperty_id" "op"
  "sos_procedure_item" "station" "sos_timeitem" "time"
  "sos_station_alias" "station" "sos_time_alias" "time"
  "sos_v_alias" "value" "sos_v_uom" "m" "sos_v_type" "Real" "sos_v_definition" "urn:x:value"
  "sos_note_alias" "note" "sos_note_type" "Character"
  "sos_sensor_name_item" "name" "sos_sensor_name" "A station" "sos_sensor_classification_item" "kind"
  "sos_sensor_description" "It measures." "sos_feature_name_item" "name" "sos_feature_codespace" "urn:x:stations"
  "sos_feature_description" "A place." "sos_feature_sampledfeature" "urn:x:river"
"""


def write_geopackage(path: Path, shape: str = "points") -> None:
    """The rows, with a shape for each station."""
    place = PLACES[shape]
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    dataset = gdal.GetDriverByName("GPKG").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("obs", reference, SHAPES[shape][1])
    for name, kind in (
        ("station", ogr.OFTString),
        ("time", ogr.OFTDateTime),
        ("v", ogr.OFTReal),
        ("note", ogr.OFTString),
        ("name", ogr.OFTString),
        ("kind", ogr.OFTString),
    ):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for station, time, value, note in ROWS:
        x, y, name, kind = STATIONS[station]
        feature = ogr.Feature(layer.GetLayerDefn())
        for index, text in enumerate((station, time, value, note, name or None, kind)):
            if text is not None:
                feature.SetField(index, text)
        feature.SetGeometry(ogr.CreateGeometryFromWkt(place(x, y)))
        layer.CreateFeature(feature)
    dataset = layer = None


def write_source(folder: Path, kind: str, cluster: Cluster | None) -> str:
    """Write the rows as that kind of source: what the LAYER says of it."""
    base = folder / f"{kind if kind in SHAPES else 'points'}.gpkg"
    if not base.exists():
        write_geopackage(base, base.stem)
    if kind == "inline":
        return _write_inline()
    if kind == "PostGIS":
        assert cluster is not None
        return _load_postgis(base, cluster)
    if kind in ("GeoPackage", "lines", "polygons"):
        return f'TYPE {SHAPES[base.stem][0]} CONNECTIONTYPE OGR CONNECTION "{base}" DATA "obs"'
    path = folder / f"copy.{SUFFIXES[kind]}"
    command = ["ogr2ogr", "-f", kind, str(path), str(base), "-nln", "copy"]
    if kind in ("ESRI Shapefile", "CSV"):
        # A dBASE table has no type for times. Only CSV asks for geometries by an option.
        text = "SELECT station, CAST(time AS character(30)) AS time, v, note, name, kind, geom FROM obs"
        command += ["-dialect", "OGRSQL", "-sql", text.replace(", geom", "")]
        command += ["-lco", "GEOMETRY=AS_WKT"] if kind == "CSV" else ["-lco", "ENCODING=UTF-8"]
    subprocess.run(command, check=True, timeout=60)
    if kind == "CSV":
        # GDAL 3.9 and later name the column of geometries as the origin does, by which no reader knows it.
        header, rows = path.read_text("utf-8").split("\n", 1)
        path.write_text(f"WKT,{header.partition(',')[2]}\n{rows}", "utf-8")
    if kind == "ESRI Shapefile":
        return f'TYPE POINT DATA "{path.with_suffix("")}"'
    return f'TYPE POINT CONNECTIONTYPE OGR CONNECTION "{path}" DATA "copy"'


def _write_inline() -> str:
    features = []
    for station, time, value, note in ROWS:
        x, y, name, kind = STATIONS[station]
        items = ";".join((station, time, str(value), note, name, kind))
        features.append(f'FEATURE POINTS {x} {y} END ITEMS "{items}" END')
    return 'TYPE POINT PROCESSING "ITEMS=station,time,v,note,name,kind" ' + " ".join(features)


def _load_postgis(base: Path, cluster: Cluster) -> str:
    cluster.run("CREATE EXTENSION IF NOT EXISTS postgis")
    target = f"PG:{cluster.connection()}"
    subprocess.run(["ogr2ogr", "-f", "PostgreSQL", target, str(base), "-nln", "obs"], check=True, timeout=60)
    return (
        f'TYPE POINT CONNECTIONTYPE POSTGIS CONNECTION "{cluster.connection()}" '
        'DATA "geom FROM obs USING UNIQUE fid USING SRID=4326"'
    )


def write_map(path: Path, source: str, web: str = "", metadata: str = METADATA) -> Path:
    """A map with one layer over a source."""
    path.write_text(
        f"""MAP NAME "all" EXTENT -180 -90 180 90 PROJECTION "init=epsg:4326" END
        WEB METADATA "sos_srs" "EPSG:4326" "sos_title" "All" "sos_enable_request" "*" {web} END END
        LAYER NAME "obs" STATUS ON {source} PROJECTION "init=epsg:4326" END METADATA {metadata} END END END
        """,
        "utf-8",
    )
    return path
