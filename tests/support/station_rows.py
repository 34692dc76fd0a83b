"""A table of observations written by GDAL, row by row as other programs do."""

from __future__ import annotations

from pathlib import Path


def write_station_rows(path: Path, rows: int, stations: int) -> None:
    """Write a GeoPackage with the layer ``rows``: a point, the station, a time (text) and the height of each row."""
    from osgeo import ogr, osr

    # Else GDAL 3.10 warns that a later version will raise by itself.
    osr.UseExceptions()
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer("rows", reference, ogr.wkbPoint)
    for name, kind in (("station", ogr.OFTString), ("time", ogr.OFTString), ("height", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    layer.StartTransaction()
    for row in range(rows):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["station"] = f"S{row % stations}"
        feature["time"] = f"2020-01-{row % 28 + 1:02}T{row % 24:02}:00:00Z"
        feature["height"] = row / 8
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({row % 360 - 180} {row % 180 - 90})"))
        layer.CreateFeature(feature)
    layer.CommitTransaction()
