"""The same services behind mapserv, run for each request as a web server runs it; and which assertions it fails."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .client import Service
from .services import write_many, write_weather

MAPSERV_FAILURES: dict[str, str] = {
    "test_ows_GetCapabilities_1": "invalid where ids are no NCNames, are repeated or a phenomenon has no name",
    "test_ows_CaseInsensitiveKvpNames_1": "the same document",
    "test_ows_AcceptVersions_1_and_2": "the same document",
    "test_ows_Exceptions_1": "a page of HTML",
    "test_ows_Exceptions_2": "a page of HTML",
    "test_ows_Exceptions_5": "a page of HTML",
    "test_General_InvalidRequest": "a page of HTML",
    "test_KVPRequestParameterHandling": "a page of HTML",
    "test_KVPRequestServiceParameterHandling": "a page of HTML",
    "test_ResponseContentsValidTime": "years and months of the mapfile are no full dates",
    "test_DescribeSensor_ResponseMatchingResponseFormat": "a redirect, or no description at all",
    "test_DescribeSensor_ResponseMatchingProcedure": "a redirect, or no description at all",
    "test_GetObservation_RequestInvalidFeatureOfInterest": "an unknown ObjectID is passed over",
    "test_GetObservation_ResponseMatchingSRSData": "observations are invalid",
    "test_GetObservation_ResponseMatchingProcedureData": "the URN of capabilities is refused",
    "test_GetObservation_ResponseMatchingFeatureOfInterestData": "observations are invalid",
    "test_GetObservation_ResponseMatchingResultData": "the property is no name in a filter",
    "test_GetObservation_ResponseMatchingResponseFormatData": "observations are invalid",
}
"""By the name of a test: what mapserv answers."""

MAPSERV_PASSES: dict[str, tuple[str, ...]] = {
    "test_ows_GetCapabilities_1": ("weather",),
    "test_ows_CaseInsensitiveKvpNames_1": ("weather",),
    "test_ows_AcceptVersions_1_and_2": ("weather",),
}
"""By the name of such a test: the services of which it passes it."""


def _make_handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    config = folder / "mapserver.conf"
    config.write_text('CONFIG ENV MS_MAP_PATTERN "." END END\n')

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path, _, query = self.path.partition("?")
            length = int(self.headers.get("Content-Length") or 0)
            environ = {
                "PATH": os.environ["PATH"],
                "MAPSERVER_CONFIG_FILE": str(config),
                "MS_MAPFILE": str(folder / f"{path.strip('/')}.map"),
                "REQUEST_METHOD": self.command,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(length),
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": str(self.server.server_address[1]),
                "SCRIPT_NAME": path,
                "SERVER_PROTOCOL": "HTTP/1.0",
            }
            ran = subprocess.run(
                ["mapserv"], env=environ, input=self.rfile.read(length), capture_output=True, timeout=60, check=False
            )
            head, mark, body = ran.stdout.partition(b"\r\n\r\n")
            if not mark:
                head, _, body = ran.stdout.partition(b"\n\n")
            self.send_response(302 if head.lower().startswith(b"location") else 200)
            for line in head.decode().splitlines():
                name, _, value = line.partition(":")
                self.send_header(name, value.strip())
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *values: object) -> None:
            """Nothing: the output of tests is for tests."""

    return Handler


@contextmanager
def serve_mapserv(folder: Path) -> Iterator[dict[str, Service]]:
    """The addresses of both services, while mapserv answers there."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(folder)) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        maps = [
            write(folder, None, f"{root}/{name}?") for name, write in (("weather", write_weather), ("many", write_many))
        ]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield {path.stem: Service(f"{root}/{path.stem}", strict=False) for path in maps}
        finally:
            server.shutdown()
            thread.join()
