"""Which requests the pages take."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.operations.host import Host
from mapsos.pages.interface import open_exchange
from mapsos.web.messages import Request
from tests.rest.conftest import MAPS

ROOT = "/weather/exts/SosSOE"


@pytest.mark.parametrize(
    ("path", "query", "taken"),
    [
        (ROOT, "", True),
        (ROOT, "f=HTML", True),
        (ROOT, "F=json", False),
        (ROOT, "f=json&f=html", True),
        ("/openapi.json", "", False),
        ("/weather/openapi.json", "f=html", False),
        ("/_mapsos/builder/weather", "f=json", True),
        ("/other", "", False),
    ],
)
def test_only_what_may_be_a_page_is_taken(path: str, query: str, taken: bool) -> None:
    request = Request("GET", query, environ={"PATH_INFO": path})
    assert (open_exchange(request, Host(Settings()), None) is not None) == taken


def test_json_loads_no_pages() -> None:
    script = f"""
import sys
from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.web.messages import Request
application = Application(Settings(mapfile={str(MAPS / "weather.map")!r}, cache=None))
for path, query in (("/openapi.json", ""), ("/exts/SosSOE", "f=json")):
    assert application.answer(Request("GET", query, environ={{"PATH_INFO": path}})).status == 200
print(*(name for name in sys.modules if name.startswith("mapsos.pages")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == {"mapsos.pages", "mapsos.pages.interface", "mapsos.pages.paths"}


@pytest.mark.parametrize(
    ("query", "kind"), [("x=%FF", "text/html"), ("x=%FF&f=html", "text/html"), ("f=json&x=%FF", "application/json")]
)
def test_error_before_the_format_is_known_is_a_page_for_pages_only(query: str, kind: str) -> None:
    application = Application(Settings(mapfile=str(MAPS / "weather.map"), cache=None))
    response = application.answer(Request("GET", query, environ={"PATH_INFO": "/exts/SosSOE"}))
    assert (response.status, dict(response.headers)["Content-Type"]) == (400, f"{kind}; charset=UTF-8")
    if kind == "application/json":
        assert json.loads(b"".join(map(bytes, response.body)))["error"]["code"] == 400
