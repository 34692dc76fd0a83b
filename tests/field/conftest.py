"""A folder with data and maps over them, and ways to ask for them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import etree

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.operations.layers.facts import forget_facts
from mapsos.web.messages import Request, Response

WEB = '"sos_onlineresource" "http://h/cgi?" "sos_srs" "EPSG:4326" "sos_enable_request" "*" "sos_title" "T"'
LAYER = (
    '"sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure_item" "station" "sos_timeitem" "time" '
    '"sos_value_alias" "value" "sos_value_uom" "m" "sos_describesensor_url" "http://sensors/?id=%procedure%"'
)
TABLES = ("text/csv", "application/json", "application/geo+json")


class Field:
    """A folder of data and a map."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mapfile = folder / "service.map"

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def publish(
        self,
        connection: str,
        data: str = "",
        *,
        crs: str | None = "EPSG:4326",
        map_crs: str = "EPSG:4326",
        head: str = "",
        web: str = "",
        metadata: str = "",
        more: str = "",
        shape: str = "POINT",
    ) -> None:
        """Write a map with one layer of the data source."""
        projection = f'PROJECTION "init={crs.lower()}" END' if crs else ""
        source = f'CONNECTIONTYPE OGR CONNECTION "{connection}"' + (f' DATA "{data}"' if data else "")
        self.mapfile.write_text(
            f'MAP NAME "m" SIZE 100 100 {head} PROJECTION "init={map_crs.lower()}" END\n'
            f"WEB METADATA {WEB} {web} END END\n"
            f'LAYER NAME "obs" TYPE {shape} STATUS ON {source} {more} {projection}\n'
            f"METADATA {LAYER} {metadata} END END END\n"
        )

    def send(self, query: str, path: str = "", **request: Any) -> Response:
        settings = read_settings({"MS_MAPFILE": str(self.mapfile), "MAPSOS_CACHE": "off"})
        environ = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "/cgi", "REMOTE_ADDR": "127.0.0.1"}
        if path:
            environ["PATH_INFO"] = path
        arguments: dict[str, Any] = {"method": "GET", "query": query, "environ": environ, **request}
        return Application(settings).answer(Request(**arguments))

    def ask(self, request: str, **parameters: str) -> bytes:
        """Return the answer to a KVP request."""
        version = {} if request == "GetCapabilities" else {"version": "1.0.0"}
        return read(self.send(urlencode({"service": "SOS", **version, "request": request, **parameters})))

    def observe(self, response_format: str = 'text/xml; subtype="om/1.0.0"', **parameters: str) -> bytes:
        """Return the answer to a GetObservation."""
        own = {"offering": "off", "observedProperty": "op", "responseFormat": response_format}
        return self.ask("GetObservation", **{**own, **parameters})

    def members(self, **parameters: str) -> list[etree._Element]:
        """Return the om:member elements of om:Measurement."""
        root = etree.fromstring(self.observe(**parameters))
        assert root.tag.endswith("}ObservationCollection"), etree.tostring(root)
        return root.findall("{*}member")

    def rows(self, **parameters: str) -> list[dict[str, str]]:
        """Return the rows of the answer as CSV."""
        text = self.observe("text/csv", **parameters).decode()
        assert not text.startswith("<"), text
        return list(csv.DictReader(io.StringIO(text)))

    def rest(self, path: str, **parameters: str) -> Any:
        """Return the JSON of a resource of the REST interface below /exts/SosSOE."""
        query = urlencode({"f": "json", **parameters})
        return json.loads(read(self.send(query, f"/exts/SosSOE{path}")))


def read(response: Response) -> bytes:
    try:
        return b"".join(response.body)
    finally:
        close = getattr(response.body, "close", None)
        if close is not None:
            close()


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    forget_facts()
    yield Field(tmp_path)
    forget_facts()
