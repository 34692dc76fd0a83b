"""A folder with data of gauges in several formats, a map over them without findings, and ways to spoil it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from osgeo import ogr, osr

from mapsos.check.finding import Finding
from mapsos.check.report import check_mapfile
from mapsos.operations.layers.facts import forget_facts

GAUGES = """\
station,time,level,flow,lon,lat
K1,2024-03-01T06:00:00Z,1.5,10,10.5,47.6
K2,2024-03-01T07:00:00Z,2.5,20,10.9,48.3
"""
BASE = """\
MAP
  NAME "gauges"
  EXTENT 5 45 15 55
  PROJECTION "epsg:4326" END
  WEB
    METADATA
      "sos_onlineresource" "http://h/?"
      "sos_srs" "EPSG:4326"
      "sos_title" "River gauges"
      "sos_contactorganization" "C"
      "sos_enable_request" "*"
    END
  END
  LAYER
    NAME "levels"
    TYPE POINT
    STATUS ON
    CONNECTIONTYPE OGR
    CONNECTION "gauges.csv"
    CONNECTIONOPTIONS
      "X_POSSIBLE_NAMES" "lon" "AUTODETECT_TYPE" "YES"
      "Y_POSSIBLE_NAMES" "lat"
    END
    PROJECTION "epsg:4326" END
    METADATA
      "sos_offering_id" "gauges"
      "sos_offering_name" "Water levels"
      "sos_observedproperty_id" "level"
      "sos_procedure_item" "station"
      "sos_timeitem" "time"
      "sos_level_alias" "level"
      "sos_flow_alias" "flow"
    END
  END
END
"""
CSV = """\
    CONNECTION "gauges.csv"
    CONNECTIONOPTIONS
      "X_POSSIBLE_NAMES" "lon" "AUTODETECT_TYPE" "YES"
      "Y_POSSIBLE_NAMES" "lat"
    END
"""

ODD = 'Ob\'s "x"'
"""The name of a table that needs quoting."""

Spoil: TypeAlias = Callable[[Mapping[str, str]], tuple[list[Finding], list[str]]]


@pytest.fixture(scope="session")
def geopackages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with GeoPackages that no test changes."""
    folder = tmp_path_factory.mktemp("geopackages")
    write_geopackage(folder / "gauges.gpkg")
    write_geopackage(folder / "empty.gpkg", rows=0)
    write_geopackage(folder / "unindexed.gpkg", rows=10_001, options=["SPATIAL_INDEX=NO"])
    return folder


@pytest.fixture
def folder(tmp_path: Path, geopackages: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with gauges.csv and GeoPackages."""
    forget_facts()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gauges.csv").write_text(GAUGES, encoding="utf-8")
    for path in geopackages.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def write_geopackage(path: Path, driver: str = "GPKG", rows: int = 120, options: Sequence[str] = ()) -> None:
    """Make a table ``gauges`` and an odd one, without an index."""
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(4326)
    for name in ("gauges", ODD):
        layer = dataset.CreateLayer(name, crs, ogr.wkbPoint, list(options))
        layer.StartTransaction()
        for column, kind in (("station", ogr.OFTString), ("time", ogr.OFTDateTime), ("level", ogr.OFTReal)):
            layer.CreateField(ogr.FieldDefn(column, kind))
        for row in range(rows):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature["station"], feature["level"] = f"K{row % 4}", row
            feature["time"] = f"2024-03-{1 + row // 24 % 31:02d}T{row % 24:02d}:00:00Z"
            feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT({10 + row % 4} 50)"))
            layer.CreateFeature(feature)
        layer.CommitTransaction()
    del layer, dataset


@pytest.fixture
def spoil(folder: Path) -> Spoil:
    """Write the map with texts replaced by others, and return the findings and the lines of the map, from 1 on."""

    def write(changes: Mapping[str, str]) -> tuple[list[Finding], list[str]]:
        text = BASE
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new, 1)
        path = folder / "test.map"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return check_mapfile(str(path)), ["", *text.split("\n")]

    return write
