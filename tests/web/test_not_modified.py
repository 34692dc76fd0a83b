"""Conditional requests to everything that has an entity tag: 304 Not Modified has the headers of 200 OK."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.web.messages import Request, Response

MAP = Path(__file__).resolve().parents[2] / "examples" / "mapfiles" / "weather.map"
ROOT = "/weather/exts/SosSOE"
TAGGED = {
    "capabilities": ("", "service=SOS&request=GetCapabilities"),
    "JSON": (ROOT, "f=json"),
    "page": (ROOT, "f=html"),
    "list of services": ("/arcgis/rest/services", ""),
    "builder": ("/_mapsos/builder/weather", ""),
    "style sheet": ("/_mapsos/static/pages.css", ""),
    "image": ("/_mapsos/static/leaflet/images/layers.png", ""),
}
REPEATED = ("Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Vary")
"""Headers that 304 must have if 200 would (RFC 9110, section 15.4.5)."""


@pytest.fixture(scope="module")
def application() -> Application:
    maps = {"weather": str(MAP)}
    return Application(Settings(maps=maps, mapfile=str(MAP), cache=None, cors=("https://a.example",)))


def ask(application: Application, place: str, **headers: str) -> Response:
    path, query = TAGGED[place]
    environ = {
        "SERVER_NAME": "sos.test",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    return application.answer(Request("GET", query, environ=environ))


@pytest.mark.parametrize("coding", ["gzip", "identity"])
@pytest.mark.parametrize("place", TAGGED)
def test_not_modified_has_the_headers_that_caches_need(application: Application, place: str, coding: str) -> None:
    whole = ask(application, place, accept_encoding=coding)
    expected = {name: value for name, value in whole.headers if name in REPEATED}
    assert (whole.status, expected["Vary"]) == (200, "Accept-Encoding, Origin")
    again = ask(application, place, accept_encoding=coding, if_none_match=expected["ETag"])
    assert (again.status, b"".join(again.body)) == (304, b"")
    found = dict(again.headers)
    assert {name: value for name, value in found.items() if name in REPEATED} == expected
    assert len(found) == len(again.headers)
    assert not {"Content-Type", "Content-Encoding"} & set(found)


@pytest.mark.parametrize(("form", "status"), [("*", 304), ('"x", {tag}', 304), ('"x", W/"y"', 200), ("x", 200)])
@pytest.mark.parametrize("place", TAGGED)
def test_lists_of_tags(application: Application, place: str, form: str, status: int) -> None:
    tag = dict(ask(application, place).headers)["ETag"]
    assert ask(application, place, if_none_match=form.format(tag=tag)).status == status
