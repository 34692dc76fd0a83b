"""What a process that answers one request imports: each library costs more than most answers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from osgeo import gdal, ogr

from mapsos.config.settings import read_settings
from mapsos.mapfile.catalog import ServiceCatalog

from .conftest import LAYER, ROWS, WEB, World, layer_text, write_stations

HEAVY = ("numpy", "pyarrow", "lxml", "osgeo", "pyproj", "shapely", "mappyfile", "jinja2")
COLUMNS = {"numpy", "pyarrow", "osgeo"}
SENSOR = 'request=DescribeSensor&version=1.0.0&outputFormat=text/xml;subtype="sensorML/1.0.1"&procedure='
OBSERVATION = 'offering=off&observedProperty=op&version=1.0.0&responseFormat=text/xml;subtype="om/1.0.0"'
STATED = LAYER.replace('"sos_procedure_item" "stn"', '"sos_procedure" "P"')
GENERATED = STATED + ' "sos_describesensor" "generate"'
SCRIPT = f"""
import io, os, sys
from mapsos.servers.cgi import serve_request
answer = io.BytesIO()
serve_request(dict(os.environ), sys.stdin.buffer, answer)
print(b"ExceptionReport" in answer.getvalue(), *sorted({set(HEAVY)} & set(sys.modules)))
"""


def list_imports(world: World, query: str) -> set[str]:
    """The heavy libraries that a process has when it has answered; it finds the map compiled."""
    given = {
        "MS_MAPFILE": str(world.folder / "service.map"),
        "MAPSOS_CACHE": str(world.folder / "cache"),
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": f"service=SOS&{query}",
        "PATH": "/usr/bin:/bin",
    }
    ServiceCatalog(read_settings(given)).find(given["MS_MAPFILE"])
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, env=given)
    failed, *imported = done.stdout.split()
    assert failed == "False", done.stderr
    return set(imported)


@pytest.mark.parametrize(
    ("metadata", "query", "expected"),
    [
        (LAYER, "request=GetCapabilities", {"lxml", "osgeo"}),
        (LAYER, "request=GetCapabilities&sections=ServiceProvider", {"lxml"}),
        (LAYER, "request=DescribeFeatureType&version=1.0.0", {"osgeo"}),
        (LAYER, "request=DescribeObservationType&version=1.0.0&observedProperty=op", set()),
        (LAYER, f"request=GetObservation&{OBSERVATION}", COLUMNS),
        (STATED, f"{SENSOR}P", set()),
        (GENERATED, f"{SENSOR}P", COLUMNS | {"lxml"}),
        (LAYER + ' "ows_featureid" "stn"', "request=GetObservationById&version=1.0.0&ObservationId=o_A", COLUMNS),
    ],
)
def test_only_what_the_answer_needs_is_imported(
    world: World, metadata: str, query: str, expected: set[str]
) -> None:
    world.write_map(layer_text(metadata=metadata), web=WEB)
    assert list_imports(world, query) == expected


def test_capabilities_by_an_index_need_no_columns(world: World) -> None:
    write_stations(world.folder / "obs.gpkg", ROWS)
    dataset = ogr.Open(str(world.folder / "obs.gpkg"), update=1)
    dataset.ExecuteSQL("CREATE INDEX by_station ON obs (stn, t)")
    dataset = None
    world.write_map(layer_text(metadata=LAYER), web=WEB)
    assert not list_imports(world, "request=GetCapabilities") & {"numpy", "pyarrow", "pyproj", "shapely"}


def test_the_columns_of_a_shapefile_need_no_library(world: World) -> None:
    source, target = str(world.folder / "obs.gpkg"), str(world.folder / "points.shp")
    gdal.VectorTranslate(target, source, format="ESRI Shapefile", SQLStatement="SELECT stn, v, geom FROM obs")
    layer = layer_text(metadata=LAYER.replace('"sos_timeitem" "t"', ""))
    layer = layer.replace('CONNECTIONTYPE OGR CONNECTION "obs.gpkg" DATA "obs"', 'DATA "points.shp"')
    world.write_map(layer, web=WEB)
    assert list_imports(world, "request=DescribeFeatureType&version=1.0.0") == set()
