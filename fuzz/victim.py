"""A service to attack: data of several formats with awkward names and values, in a folder whose name is a secret."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from urllib.parse import quote

from lxml import etree

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.web.messages import Request, Response, close_body

FOLDER_SECRET = "folder-that-nobody-knows"
PASSWORD_SECRET = "hunter2-of-the-database"
SECRETS = (FOLDER_SECRET, PASSWORD_SECRET, "Traceback (most recent", 'File "/', "site-packages")
"""What no answer may hold, whatever was asked."""

TEXTS = ("fine", "it's", 'say "so"', "'; DROP TABLE weather; --", "100%", "a_b", "50\\", "ünï", "<&>", "")
ROOTS = {"ExceptionReport", "Capabilities", "ObservationCollection"}
SOS = "service=SOS&version=1.0.0&request="
OBSERVE = SOS + "GetObservation&offering={}&observedProperty=weather&responseFormat=text/xml;subtype=%22om/1.0.0%22"
ENVIRON = {
    "SERVER_NAME": "sensors.example.org",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SCRIPT_NAME": "/cgi",
    "REMOTE_ADDR": "203.0.113.9",
}

_LAYER = """\
  LAYER
    NAME "{name}"
    TYPE POINT
    STATUS ON
    {connection}
    PROJECTION "init=epsg:4326" END
    METADATA
      "sos_offering_id" "{name}"
      "sos_offering_name" "{name}"
      "sos_observedproperty_id" "weather"
      "sos_observedproperty_name" "Weather"
      "sos_timeitem" "time"
      "sos_procedure_item" "station"
      "sos_featureid" "station"
      "sos_describesensor_url" "https://example.org/sensors/%procedure%.xml"
      "gml_include_items" "all"
      {metadata}
    END
  END
"""
_MAP = """\
MAP
  NAME "victim"
  EXTENT -180 -90 180 90
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "sos_enable_request" "*"
    "sos_srs" "EPSG:4326 EPSG:3857"
    "sos_title" "Victim"
    {web}
  END END
{layers}END
"""
GOOD = {
    "table": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "weather \'of\' all"',
    "selected": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "SELECT * FROM \\"weather \'of\' all\\""',
    "rows": 'CONNECTIONTYPE OGR CONNECTION "rows.csv"',
    "places": 'CONNECTIONTYPE OGR CONNECTION "places.geojson"',
}
"""CONNECTION and DATA of the layers that can be read; each is an offering of its own."""
BROKEN = {
    "absent": 'CONNECTIONTYPE OGR CONNECTION "absent.gpkg" DATA "weather"',
    "damaged": 'CONNECTIONTYPE OGR CONNECTION "damaged.gpkg" DATA "weather"',
    "shapeless": 'DATA "shapeless"',
    "tableless": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "no such table"',
    "misspelt": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "SELECT nothing FROM nowhere WHERE"',
    "database": f'CONNECTIONTYPE POSTGIS CONNECTION "host=127.0.0.1 port=1 user=admin password={PASSWORD_SECRET}" '
    'DATA "geom FROM weather USING UNIQUE id USING SRID=4326"',
    "ogrdatabase": f'CONNECTIONTYPE OGR CONNECTION "PG:host=127.0.0.1 port=1 user=admin password={PASSWORD_SECRET}" '
    'DATA "weather"',
}
"""The same of layers that cannot."""


def write_victim(folder: Path, layers: dict[str, str] | None = None, *, web: str = "", metadata: str = "") -> Path:
    """Write data and a map of these layers (the good ones) below a folder, and give the path of the map.

    ``web`` and ``metadata`` are further metadata of the map, and of each layer.
    """
    home = folder / FOLDER_SECRET
    home.mkdir(exist_ok=True)
    if not (home / "table.gpkg").exists():
        _write_data(home)
    path = home / "victim.map"
    written = "".join(
        _LAYER.format(name=name, connection=text, metadata=metadata) for name, text in (layers or GOOD).items()
    )
    path.write_text(_MAP.format(web=web, layers=written), "utf-8")
    return path


def open_victim(mapfile: Path, **options: str) -> Application:
    """The application over such a map, whose version is not told."""
    return Application(
        read_settings({"MS_MAPFILE": str(mapfile), "MAPSOS_CACHE": "off", "MS_NO_VERSION": "1"} | options)
    )


def get(query: str, **environ: str) -> Request:
    """A GET request over HTTP."""
    return Request("GET", query, environ=ENVIRON | environ)


def post(body: bytes, kind: str = "text/xml", **environ: str) -> Request:
    """A POST request over HTTP."""
    return Request("POST", "", kind, len(body), io.BytesIO(body).read, ENVIRON | environ)


def observe(offering: str, **parameters: str) -> str:
    """The query of a GetObservation."""
    more = "".join(f"&{name}={quote(value)}" for name, value in parameters.items())
    return OBSERVE.format(offering) + more


def read(response: Response) -> bytes:
    """The body of a response."""
    try:
        return b"".join(response.body)
    finally:
        close_body(response.body)


def judge_any(response: Response) -> tuple[bytes, dict[str, str]]:
    """Fail unless each header is one line and nothing tells a secret, whatever answers; gives body and headers."""
    body = read(response)
    headers = dict(response.headers)
    for name, value in response.headers:
        assert not any(ord(character) < 32 for character in name + value), (name, value)
    shown = body + repr(headers).encode()
    for secret in SECRETS:
        assert secret.encode() not in shown, secret
    return body, headers


def judge(response: Response) -> bytes:
    """Fail unless a response is one of those that the SOS promises for every request; gives its body."""
    body, headers = judge_any(response)
    assert b"under reference" not in body, body
    kind = headers.get("Content-Type", "")
    if kind == "text/html":
        assert body.startswith(b"<HTML>")
    elif response.status == 302:
        targets = ("https://example.org/sensors/", "http://sensors.example.org/cgi?")
        assert headers["Location"].startswith(targets), headers
    elif response.status != 304:
        root = etree.fromstring(body)
        assert etree.QName(root).localname in ROOTS, body[:200]
    return body


def _write_data(home: Path) -> None:
    rows = [
        (f"S{number % 3}", f"2020-01-{number % 28 + 1:02d}T12:00:00Z", number * 1.5, text, number - 5, 50 - number)
        for number, text in enumerate(TEXTS * 3)
    ]
    from osgeo import ogr, osr

    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(home / "table.gpkg"))
    layer = dataset.CreateLayer("weather 'of' all", reference, ogr.wkbPoint)
    for name, kind in (("station", ogr.OFTString), ("time", ogr.OFTDateTime), ("value", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    layer.CreateField(ogr.FieldDefn('te"xt', ogr.OFTString))
    for station, time, value, text, x, y in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        for place, content in enumerate((station, time, value, text)):
            feature.SetField(place, content)
        feature.SetGeometryDirectly(ogr.CreateGeometryFromWkt(f"POINT({x} {y})"))
        layer.CreateFeature(feature)
    del feature, layer, dataset
    with open(home / "rows.csv", "w", encoding="utf-8") as file:
        file.write("station,time,value,text\n")
        for station, time, value, text, _, _ in rows:
            file.write(f'{station},{time},{value},"{text.replace(chr(34), chr(34) * 2)}"\n')
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [x, y]},
            "properties": {"station": station, "time": time, "value": value, "text": text},
        }
        for station, time, value, text, x, y in rows
    ]
    (home / "places.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    damaged = (home / "table.gpkg").read_bytes()
    (home / "damaged.gpkg").write_bytes(damaged[:5000] + b"\xff" * 3000)
    sqlite3.connect(home / "other.db").close()
