"""A small world to ask: two GeoPackages of stations and maps over them, and a way to send requests to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from lxml import etree
from osgeo import gdal, ogr, osr

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.operations.layers.facts import forget_facts
from mapsos.web.messages import Request, Response

gdal.UseExceptions()
ogr.UseExceptions()

NS = {
    "sos": "http://www.opengis.net/sos/1.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "om": "http://www.opengis.net/om/1.0",
    "gml": "http://www.opengis.net/gml",
    "swe": "http://www.opengis.net/swe/1.0.1",
    "ms": "http://mapserver.gis.umn.edu/mapserver",
    "xlink": "http://www.w3.org/1999/xlink",
}
HREF = f"{{{NS['xlink']}}}href"


def write_stations(path: Path, rows: list[tuple[str, str, float | None, float, float]], epsg: int = 4326) -> None:
    """A GeoPackage ``obs``: stn, t (DateTime), v (real), x, y; replaced if it is there."""
    path.unlink(missing_ok=True)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    layer = dataset.CreateLayer("obs", reference, ogr.wkbPoint)
    for name, kind in (("stn", ogr.OFTString), ("t", ogr.OFTDateTime), ("v", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for stn, t, v, x, y in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["stn"] = stn
        feature["t"] = t
        if v is not None:
            feature["v"] = v
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT({x} {y})"))
        layer.CreateFeature(feature)
    dataset = layer = None


ROWS = [
    ("A", "2001-01-01T00:00:00Z", 1.5, 10.0, 50.0),
    ("B", "2001-01-01T00:00:00Z", 2.5, 11.0, 51.0),
    ("A", "2001-01-02T00:00:00Z", 3.5, 10.0, 50.0),
    ("B", "2001-01-02T06:00:00Z", None, 11.0, 51.0),
    ("C", "2001-01-03T00:00:00Z", 5.5, 12.0, 52.0),
]

WEB = '"sos_onlineresource" "http://h/cgi?" "sos_srs" "EPSG:4326 EPSG:3857" "sos_enable_request" "*" "sos_title" "T"'
LAYER = (
    '"sos_offering_id" "off" "sos_offering_name" "An offering" "sos_observedproperty_id" "op" '
    '"sos_procedure_item" "stn" "sos_timeitem" "t" "sos_v_alias" "value" "sos_v_uom" "m" '
    '"sos_describesensor_url" "http://sensors/?a=1&id=%procedure%"'
)


def layer_text(
    name: str = "l1", data: str = "obs.gpkg", metadata: str = LAYER, more: str = "", epsg: int = 4326
) -> str:
    """A LAYER over a GeoPackage."""
    return f"""
    LAYER NAME "{name}" TYPE POINT STATUS ON CONNECTIONTYPE OGR CONNECTION "{data}" DATA "obs"
      PROJECTION "init=epsg:{epsg}" END {more}
      METADATA {metadata} END
    END"""


@dataclass
class World:
    """A folder with data and a map in it."""

    folder: Path

    def write_map(self, *layers: str, web: str = WEB, head: str = "", name: str = "service.map") -> None:
        body = "".join(layers) if layers else layer_text()
        (self.folder / name).write_text(
            f'MAP NAME "m" SIZE 100 100 {head} PROJECTION "init=epsg:4326" END WEB METADATA {web} END END {body} END\n'
        )

    def send(self, query: str | None, **request: object) -> Response:
        settings = read_settings({"MS_MAPFILE": str(self.folder / "service.map"), "MAPSOS_CACHE": "off"})
        environ = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "/cgi", "REMOTE_ADDR": "127.0.0.1"}
        return Application(settings).answer(
            Request(**{"method": "GET", "query": query, "environ": environ, **request})  # type: ignore[arg-type]
        )

    def ask(self, request: str, **parameters: str) -> etree._Element:
        """The root of the answer to a KVP request."""
        query = {"service": "SOS", "version": "1.0.0", "request": request, **parameters}
        if request == "GetCapabilities":
            del query["version"]
        return read_xml(self.send(urlencode(query)))

    def observe(self, **parameters: str) -> etree._Element:
        """The root of the answer to a GetObservation."""
        given = {
            "offering": "off",
            "observedProperty": "op",
            "responseFormat": 'text/xml; subtype="om/1.0.0"',
            **parameters,
        }
        return self.ask("GetObservation", **given)


def read_xml(response: Response) -> etree._Element:
    try:
        return etree.fromstring(b"".join(response.body))
    finally:
        close = getattr(response.body, "close", None)
        if close:
            close()


def values(root: etree._Element) -> list[str]:
    """The ms:value of each member, in order."""
    assert root.tag == f"{{{NS['om']}}}ObservationCollection", etree.tostring(root).decode()
    return [element.text or "" for element in root.iterfind(".//ms:value", NS)]


def refusal(root: etree._Element) -> tuple[str, str, str]:
    """Code, locator and text of an exception report."""
    exception = root.find("ows:Exception", NS)
    assert exception is not None, etree.tostring(root).decode()[:2000]
    return (
        exception.get("exceptionCode", ""),
        exception.get("locator", ""),
        exception.findtext("ows:ExceptionText", "", NS),
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    forget_facts()
    write_stations(tmp_path / "obs.gpkg", ROWS)
    made = World(tmp_path)
    made.write_map()
    return made


Observe = Callable[..., etree._Element]
