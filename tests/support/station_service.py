"""A service of a few stations, made for one test: data in any driver's format, and requests by every binding."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.web.access_log import LoggedBody
from mapsos.web.messages import Request

DRIVERS = {
    "GeoJSON": "geojson",
    "GPKG": "gpkg",
    "SQLite": "sqlite",
    "ESRI Shapefile": "shp",
    "FlatGeobuf": "fgb",
}
Row = tuple[str, str, float]
"""Station, time and value of an observation."""

FORM = "application/x-www-form-urlencoded"
SOS = "http://www.opengis.net/sos/1.0"


def write_rows(path: Path, driver: str, rows: Sequence[Row], *, times: str = "text") -> None:
    """Write rows as points; ``times`` is ``text``, or ``datetime`` for a column of date-times."""
    from osgeo import ogr, osr

    # Else GDAL 3.10 warns that a later version will raise by itself.
    osr.UseExceptions()
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = dataset.CreateLayer(path.stem, reference, ogr.wkbPoint)
    kinds = (("station", ogr.OFTString), ("time", ogr.OFTDateTime if times == "datetime" else ogr.OFTString))
    for name, kind in (*kinds, ("value", ogr.OFTReal), ("id", ogr.OFTString)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for number, (station, time, value) in enumerate(rows):
        feature = ogr.Feature(layer.GetLayerDefn())
        for name, text in (("station", station), ("time", time), ("id", f"n{number}")):
            feature.SetField(name, text)
        feature.SetField("value", value)
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({number % 90} {number % 80})"))
        layer.CreateFeature(feature)
    dataset = layer = None


def write_layer(source: str, name: str = "levels", **metadata: str) -> str:
    """Return a LAYER of such rows."""
    keys = {
        "sos_offering_id": "all",
        "sos_observedproperty_id": "level",
        "sos_procedure_item": "station",
        "sos_timeitem": "time",
        "sos_value_alias": "value",
        "sos_station_alias": "station",
        "sos_time_alias": "time",
        **metadata,
    }
    pairs = " ".join(f'"{key}" "{value}"' for key, value in keys.items() if value)
    projection = 'PROJECTION "init=epsg:4326" END'
    return f'LAYER NAME "{name}" TYPE POINT STATUS ON {source} {projection} METADATA {pairs} END END\n'


def name_source(path: Path) -> str:
    """Return the keywords of a LAYER for a file."""
    if path.suffix == ".shp":
        return f'DATA "{path}"'
    return f'CONNECTIONTYPE OGR CONNECTION "{path}" DATA "{path.stem}"'


@dataclass(frozen=True)
class Reply:
    """An answer with its body, and the facts that the request log has of it."""

    status: int
    headers: dict[str, str]
    text: str
    logged: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        return json.loads(self.text)


class StationService:
    """A map in a folder, answered without a server."""

    def __init__(self, folder: Path, *layers: str, web: str = "") -> None:
        self.map = folder / "service.map"
        keys = f'"sos_title" "T" "sos_enable_request" "*" "sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326" {web}'
        body = "".join(layers)
        self.map.write_text(f'MAP NAME "m" PROJECTION "init=epsg:4326" END WEB METADATA {keys} END END {body} END\n')
        environ = {"MS_MAPFILE": str(self.map), "MS_MAP_PATTERN": ".", "MAPSOS_CACHE": "off"}
        self._application = Application(read_settings({**environ, "MS_MAP_BAD_PATTERN": "###"}))

    def send(self, query: str = "", body: bytes | str | None = None, content_type: str = "", path: str = "") -> Reply:
        data = body.encode() if isinstance(body, str) else body
        environ = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "/sos", "PATH_INFO": path,
                   "SERVER_PROTOCOL": "HTTP/1.1"}  # fmt: skip
        request = Request(
            "GET" if data is None else "POST",
            query,
            content_type,
            None if data is None else len(data),
            io.BytesIO(data or b"").read,
            environ,
        )
        log = logging.getLogger("mapsos.requests")
        facts: list[dict[str, Any]] = []
        handler = logging.Handler()
        handler.emit = lambda record: facts.append(record.facts)  # type: ignore[attr-defined, method-assign]
        level = log.level
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            response = self._application.answer(request)
            logged = LoggedBody(request, response, 0.0)
            text = b"".join(bytes(chunk) for chunk in logged).decode()
            logged.close()
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
        return Reply(response.status, dict(response.headers), text, facts[0])

    def ask(self, operation: str, **parameters: str) -> Reply:
        """Ask by GET."""
        return self.send(urlencode({"service": "SOS", "version": "1.0.0", "request": operation, **parameters}))

    def observe(self, **parameters: str) -> Reply:
        """Ask for observations as CSV by GET, unless the parameters say otherwise."""
        usual = {"offering": "all", "observedProperty": "level", "responseFormat": "text/csv"}
        return self.ask("GetObservation", **(usual | parameters))

    def post(self, operation: str, inside: str, *, soap: bool = False, content_type: str = "text/xml") -> Reply:
        """Send an XML body with elements of SOS."""
        body = f'<{operation} xmlns="{SOS}" service="SOS" version="1.0.0">{inside}</{operation}>'
        if soap:
            envelope = "http://www.w3.org/2003/05/soap-envelope"
            body = f'<e:Envelope xmlns:e="{envelope}"><e:Body>{body}</e:Body></e:Envelope>'
        return self.send("", body, content_type)

    def post_observe(self, inside: str, **options: Any) -> Reply:
        """Send a GetObservation for CSV as XML."""
        usual = (
            "<offering>all</offering><observedProperty>level</observedProperty><responseFormat>text/csv</responseFormat>"
        )
        return self.post("GetObservation", usual + inside, **options)

    def query(self, resource: str = "observations/query", **parameters: str) -> Reply:
        """Ask for a resource of the REST interface, as JSON unless the parameters say otherwise."""
        return self.send(urlencode({"f": "json", **parameters}), path=f"/exts/SosSOE/{resource}")


def list_stations(reply: Reply) -> set[str]:
    """Return the stations in an answer as CSV or as JSON of the REST interface."""
    if reply.text.startswith("{"):
        return {one["procedure"] for one in reply.value["observationData"]}
    import csv

    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert rows or reply.text.startswith("time,"), reply.text[:500]
    return {row["procedure"] for row in rows}
