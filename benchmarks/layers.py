"""The first capabilities of a map of many layers: ``python -m benchmarks.layers``, with ``--layers`` and ``--rows``.

Each layer has a FILTER that selects one station of the same GeoPackage, with and without an index of stations.
Prints the processor time of parsing the map and of the first and the second answer, and the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MOST_SECONDS = 10.0
"""Processor time of the first answer of 5000 layers."""

_LAYER = """LAYER NAME "layer{number}" TYPE POINT PROJECTION "init=epsg:4326" END
  CONNECTIONTYPE OGR CONNECTION "{data}" DATA "observations" FILTER ("[station]" = "S{number:05d}")
  METADATA "sos_offering_id" "layer{number}" "sos_observedproperty_id" "weather" "sos_timeitem" "time"
    "sos_procedure_item" "station" "gml_include_items" "all" END
END
"""
_MAP = """MAP NAME "layers" EXTENT -180 -90 180 90 PROJECTION "init=epsg:4326" END
WEB METADATA "sos_enable_request" "*" END END
{layers}END
"""


def make_table(path: Path, stations: int, rows: int, *, indexed: bool) -> None:
    """Write a GeoPackage of hourly observations of stations, in order of time."""
    from osgeo import gdal, ogr, osr

    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("observations", reference, ogr.wkbPoint)
    for name, kind in (("station", ogr.OFTString), ("time", ogr.OFTDateTime), ("value", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    layer.StartTransaction()
    for row in range(rows):
        station, hour = row % stations, row // stations
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetField("station", f"S{station:05d}")
        feature.SetField("time", 2020, 1 + hour // 672 % 12, 1 + hour // 24 % 28, hour % 24, 0, 0.0, 100)
        feature.SetField("value", row / 7)
        point = ogr.Geometry(ogr.wkbPoint)
        point.AddPoint_2D(station % 300 - 150, station // 300 % 150 - 75)
        feature.SetGeometryDirectly(point)
        layer.CreateFeature(feature)
    layer.CommitTransaction()
    if indexed:
        dataset.ExecuteSQL("CREATE INDEX stations ON observations(station, time)")
    gdal.ErrorReset()


def time_capabilities(mapfile: Path) -> str:
    """Return a line about the first and the second capabilities of a map in this process."""
    from benchmarks.warm import open_application
    from mapsos.mapfile.reader import read_service
    from tests.support.maps import CAPABILITIES

    spent = [time.process_time()]
    read_service(str(mapfile))
    spent.append(time.process_time())
    answer = open_application(mapfile, CAPABILITIES)
    for _ in range(2):
        size = answer()
        spent.append(time.process_time())
    parsing, first, second = (after - before for before, after in zip(spent, spent[1:], strict=False))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    verdict = "" if first <= MOST_SECONDS else f", more than {MOST_SECONDS:.0f} s"
    return f"parsing {parsing:.1f} s, first {first:.1f} s{verdict}, second {second:.2f} s, {size} bytes, {peak} MB"


def main() -> int:
    """Measure both tables, each in a new process; return 1 if a first answer takes too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--layers", type=int, default=5000, metavar="N")
    parser.add_argument("--rows", type=int, default=500_000, metavar="N")
    parser.add_argument("--map", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.map is not None:
        print(time_capabilities(chosen.map))
        return 0
    too_long = False
    with tempfile.TemporaryDirectory() as folder:
        for title, indexed in (("indexed", True), ("without an index", False)):
            data = Path(folder, f"{indexed}.gpkg")
            make_table(data, chosen.layers, chosen.rows, indexed=indexed)
            layers = "".join(_LAYER.format(number=number, data=data.name) for number in range(chosen.layers))
            mapfile = data.with_suffix(".map")
            mapfile.write_text(_MAP.format(layers=layers), "utf-8")
            command = [sys.executable, "-m", "benchmarks.layers", "--map", str(mapfile)]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            print(f"{chosen.layers} layers of {chosen.rows} rows, {title}: {line}", flush=True)
            too_long = too_long or "more than" in line
    return int(too_long)


if __name__ == "__main__":
    sys.exit(main())
