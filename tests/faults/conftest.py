"""Data of every format, its map, and what a client gets of it when nothing is wrong."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.web.messages import Request, Response, close_body

ROWS = 36_000
"""Several batches, and more of an answer than all buffers on its way."""
_MAP = """\
MAP
  NAME "measured"
  EXTENT -180 -90 180 90
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "sos_title" "{title}" "sos_onlineresource" "http://h/m" "sos_srs" "EPSG:4326" "sos_enable_request" "*"
  END END
  LAYER
    NAME "rows" TYPE POINT STATUS ON
    {connection}
    PROJECTION "init=epsg:4326" END
    METADATA
      "sos_offering_id" "all" "sos_observedproperty_id" "height" "sos_timeitem" "time"
      "sos_offering_timeextent" "2020-01-01/2021-01-01" "sos_offering_extent" "-180,-90,180,90"
      "sos_procedure_item" "station" "gml_include_items" "station,height"
    END
  END
END
"""
KINDS = {
    "csv": 'CONNECTIONTYPE OGR CONNECTION "rows.csv"',
    "vrt": 'CONNECTIONTYPE OGR CONNECTION "rows.vrt"',
    "shp": 'DATA "rows"',
    "gpkg": 'CONNECTIONTYPE OGR CONNECTION "rows.gpkg" DATA "rows"',
    "geojson": 'CONNECTIONTYPE OGR CONNECTION "rows.geojson"',
    "fgb": 'CONNECTIONTYPE OGR CONNECTION "rows.fgb"',
}
_DRIVERS = {"shp": "ESRI Shapefile", "gpkg": "GPKG", "geojson": "GeoJSON", "fgb": "FlatGeobuf"}
CAPABILITIES = "service=SOS&request=GetCapabilities"
OBSERVATIONS = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=all&observedProperty=height"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)
DATABLOCK = OBSERVATIONS + "&resultModel=om:Observation"
END = b"</om:ObservationCollection>"


@dataclass(frozen=True)
class Place:
    """A folder with the data of one kind and the map over it."""

    folder: Path
    kind: str

    @property
    def mapfile(self) -> Path:
        return self.folder / "rows.map"

    @property
    def data(self) -> Path:
        """The file whose rows are read."""
        return self.folder / {"vrt": "rows.csv", "shp": "rows.dbf"}.get(self.kind, f"rows.{self.kind}")

    def write_map(self, title: str = "good") -> None:
        """Write the map in one step."""
        beside = self.folder / "new"
        beside.write_text(_MAP.format(title=title, connection=KINDS[self.kind]))
        beside.rename(self.mapfile)

    def open(self, **options: str) -> Application:
        return Application(read_settings({"MS_MAPFILE": str(self.mapfile), "MAPSOS_CACHE": "off"} | options))


def ask(application: Application, query: str = OBSERVATIONS) -> Response:
    return application.answer(Request("GET", query))


def read(response: Response) -> bytes:
    try:
        return b"".join(response.body)
    finally:
        close_body(response.body)


class Client:
    """A client that has asked over HTTP and reads when it is told to, by a socket whose buffer is small."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        self.received = b""

    def receive(self, size: int) -> bytes:
        data = self.socket.recv(size)
        self.received += data
        return data

    def drain(self) -> bool:
        """Read to the end: whether it came in good order, by the last chunk."""
        tail = self.received
        try:
            while data := self.socket.recv(1 << 20):
                tail = (tail + data)[-64:]
        except ConnectionError:
            return False
        finally:
            self.socket.close()
        return tail.endswith(b"\r\n0\r\n\r\n")


@pytest.fixture(scope="session")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data in every format."""
    folder = tmp_path_factory.mktemp("formats")
    with open(folder / "rows.csv", "w") as file:
        file.write("station,time,height,x,y\n")
        for row in range(ROWS):
            time = f"2020-01-{row % 28 + 1:02}T{row % 24:02}:00:00Z"
            file.write(f"S{row % 20},{time},{row / 8},{row % 360 - 180},{row % 180 - 90}\n")
    (folder / "rows.csvt").write_text("String,String,Real,Real,Real\n")
    (folder / "rows.vrt").write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="rows"><SrcDataSource relativeToVRT="1">rows.csv</SrcDataSource>'
        '<GeometryType>wkbPoint</GeometryType><LayerSRS>EPSG:4326</LayerSRS><GeometryField encoding="PointFromColumns" '
        'x="x" y="y"/></OGRVRTLayer></OGRVRTDataSource>'
    )
    from osgeo import gdal

    for kind, driver in _DRIVERS.items():
        gdal.VectorTranslate(str(folder / f"rows.{kind}"), str(folder / "rows.vrt"), format=driver, layerName="rows")
    return folder


@pytest.fixture
def make_place(formats: Path, tmp_path: Path) -> Callable[[str], Place]:
    def make(kind: str) -> Place:
        folder = tmp_path / kind
        folder.mkdir()
        for file in formats.iterdir():
            shutil.copy2(file, folder)
        place = Place(folder, kind)
        place.write_map()
        return place

    return make
