"""What every deployment must do, whatever is between the client and mapsos."""

from __future__ import annotations

import gzip
import http.client
import re
import ssl
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from .machine import Machine

HOST = "sensors.example.org"
CAPABILITIES = "service=SOS&request=GetCapabilities"
FORMAT = quote('text/xml; subtype="om/1.0.0"')
OBSERVATIONS = f"service=SOS&version=1.0.0&request=GetObservation&responseFormat={FORMAT}"
WEEK = (
    f"{OBSERVATIONS}&offering=hourly&observedProperty=air_temperature&procedure=SFO"
    "&eventTime=2010-01-01T08:00:00Z/2010-01-08T07:00:00Z"
)
ROWS = 100_000
TAKEN_AWAY = "data source of layer carbon_dioxide was changed while it was read"
CARBON_DIOXIDE = f"{OBSERVATIONS}&offering=mauna_loa&observedProperty=carbon_dioxide"
SENSOR = (
    "service=SOS&version=1.0.0&request=DescribeSensor&procedure=SFO&outputFormat="
    + quote('text/xml; subtype="sensorML/1.0.0"')
)


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Client:
    """A client of a machine that asks at one URL."""

    machine: Machine
    path: str
    scheme: str = "http"
    own_port: int | None = None
    """Where the server listens, if not at the port of the scheme."""
    stated: str = ""
    """The URL that capabilities name, if not that of the request."""

    @property
    def url(self) -> str:
        return self.stated or f"{self.scheme}://{HOST}{self.path}"

    def connect(self) -> http.client.HTTPConnection:
        default = 443 if self.scheme == "https" else 80
        port = self.own_port or default
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        connection.sock = self.machine.connect(port)
        if self.scheme == "https":
            # The certificate is one that the machine made for itself.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection.sock = context.wrap_socket(connection.sock, server_hostname=HOST)
        # The Host header has the port that is not the scheme's own, as with a browser.
        connection.default_port = default
        return connection

    def ask(self, query: str = "", method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, self.path + (f"?{query}" if query else ""), body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def find_urls(self, **headers: str) -> set[str]:
        """The URLs of the operations that capabilities name."""
        answer = self.ask(CAPABILITIES, **headers)
        assert answer.status == 200, answer.body
        return set(re.findall(r'<ows:(?:Get|Post) xlink:type="simple" xlink:href="([^"]*)"', answer.body.decode()))


class Deployed:
    """The tests; a subclass has the fixture ``client``."""

    def test_capabilities_name_the_url_of_the_outside(self, client: Client) -> None:
        answer = client.ask(CAPABILITIES)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=UTF-8")
        assert answer.body.rstrip().endswith(b"</sos:Capabilities>")
        assert client.find_urls() == {f"{client.url}?"}

    def test_headers_of_the_client_change_no_url(self, client: Client) -> None:
        forged = {
            "X_Forwarded_Host": "evil.example",
            "X_Forwarded_Proto": "gopher",
            "X_Forwarded_Port": "666",
            "X_Forwarded_Prefix": "/evil",
            "X_Forwarded_For": "127.0.0.1, 10.0.0.1",
            "X_Forwarded_Server": "evil.example",
            "Forwarded": "for=127.0.0.1;host=evil.example;proto=gopher",
            "Script_Name": "/evil",
        }
        assert client.find_urls(**forged) == {f"{client.url}?"}

    def test_observations(self, client: Client) -> None:
        answer = client.ask(WEEK)
        assert (answer.status, answer.body.count(b"<om:member>")) == (200, 168)
        assert answer.body.rstrip().endswith(b"</om:ObservationCollection>")

    def test_a_sensor_is_described(self, client: Client) -> None:
        answer = client.ask(SENSOR)
        assert (answer.status, b"urn:ogc:def:procedure:SFO" in answer.body) == (200, True)

    def test_a_browser_is_led_to_pages(self, client: Client) -> None:
        answer = client.ask("", Accept="text/html")
        assert answer.status == 302
        assert answer.headers["Location"].endswith(("/exts/SosSOE", "/arcgis/rest/services"))

    def test_a_form(self, client: Client) -> None:
        answer = client.ask("", "POST", CAPABILITIES.encode(), Content_Type="application/x-www-form-urlencoded")
        assert (answer.status, b"<sos:Capabilities" in answer.body) == (200, True)

    def test_an_xml_body(self, client: Client) -> None:
        body = b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'
        answer = client.ask("", "POST", body, Content_Type="text/xml")
        assert (answer.status, b"<sos:Capabilities" in answer.body) == (200, True)

    def test_head(self, client: Client) -> None:
        answer = client.ask(CAPABILITIES, "HEAD")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=UTF-8")
        assert answer.body == b""

    def test_compression(self, client: Client) -> None:
        plain, packed = client.ask(WEEK), client.ask(WEEK, Accept_Encoding="gzip")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "accept-encoding" in packed.headers["Vary"].lower()
        assert gzip.decompress(packed.body) == plain.body

    def test_an_error_has_a_status(self, client: Client) -> None:
        answer = client.ask("service=SOS&version=1.0.0&request=GetEverything")
        assert (answer.status, answer.headers["Content-Type"]) == (400, "text/xml; charset=UTF-8")
        assert b'exceptionCode="InvalidParameterValue" locator="request"' in answer.body

    @pytest.mark.parametrize("name", ["/srv/maps/examples/mapfiles/minimal.map", "/etc/passwd", "minimal"])
    def test_no_other_map_can_be_named(self, client: Client, name: str) -> None:
        answer = client.ask(f"map={name}&{CAPABILITIES}")
        assert answer.status == 404
        assert b"not found in configuration" in answer.body

    def test_an_answer_begins_before_it_is_finished(self, client: Client) -> None:
        """When it begins, rows are still to be read: when they are taken away then, it is broken off.

        It is a hundred megabytes, and a part of that is on its way while it is not read.
        """
        table = client.machine.root / "srv/maps/data/co2.csv"
        rows = table.read_text()
        header, first = rows.splitlines()[:2]
        connection = client.connect()
        try:
            table.write_text("\n".join([header, *[first] * ROWS]) + "\n")
            connection.request("GET", f"{client.path}?{CARBON_DIOXIDE}")
            response = connection.getresponse()
            assert response.status == 200
            assert response.headers["Content-Length"] is None
            assert response.read(1) == b"<"
            table.write_text(rows)
            try:
                rest = response.read()
            except http.client.IncompleteRead as broken:
                rest = broken.partial
            assert 0 < rest.count(b"<om:member>") < ROWS
        finally:
            connection.close()
            table.write_text(rows)
