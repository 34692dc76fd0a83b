"""The examples over the REST interface: every map of examples/, asked as an HTTP server would ask."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.web.messages import Request, Response

MAPS = Path(__file__).resolve().parents[2] / "examples" / "mapfiles"
ROOT = "/weather/exts/SosSOE"


@dataclass(frozen=True)
class RestAnswer:
    """A response with its body read."""

    response: Response
    body: bytes

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def value(self) -> Any:
        return json.loads(self.body)

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.response.headers)


Ask = Callable[..., RestAnswer]


def ask_application(
    application: Application, path: str, method: str = "GET", headers: dict[str, str] | None = None, **parameters: str
) -> RestAnswer:
    """Ask for a resource; parameters are a query string, or a form by POST."""
    query = urlencode(parameters, quote_via=quote)
    form = query.encode() if method == "POST" else b""
    environ = {
        "REQUEST_METHOD": method,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "sos.test",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "" if form else query,
        **(headers or {}),
    }
    response = application.answer(
        Request(
            method,
            environ["QUERY_STRING"],
            "application/x-www-form-urlencoded" if form else "",
            len(form) if form else None,
            io.BytesIO(form).read,
            environ,
        )
    )
    return RestAnswer(response, b"".join(bytes(chunk) for chunk in response.body))


@pytest.fixture(scope="session")
def application() -> Application:
    maps = {path.stem.lower(): str(path) for path in MAPS.glob("*.map")}
    return Application(Settings(maps=maps, map_no_path=True, mapfile=maps["weather"], cache=None))


@pytest.fixture
def ask(application: Application) -> Ask:
    def ask_it(path: str, method: str = "GET", headers: dict[str, str] | None = None, **parameters: str) -> RestAnswer:
        return ask_application(application, path, method, headers, **parameters)

    return ask_it
