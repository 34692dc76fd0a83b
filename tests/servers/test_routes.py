"""Routes of `mapsos serve`: which map a path is for, and that each map is parsed once."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from mapsos.config.settings import read_settings
from mapsos.mapfile import reader
from mapsos.servers.routes import MapRoutes, name_mapfiles

EXAMPLES = Path(__file__).parents[2] / "examples" / "mapfiles"
WEATHER, MINIMAL = EXAMPLES / "weather.map", EXAMPLES / "minimal.map"
CAPABILITIES = "service=SOS&request=GetCapabilities"
REST = "/arcgis/rest/services/{}/MapServer/exts/SosSOE"


class Routed:
    """Routes over mapfiles, and what they answer."""

    def __init__(self, *mapfiles: Path) -> None:
        settings = read_settings({"MAPSOS_CACHE": "off"})
        self._routes = MapRoutes(settings, name_mapfiles([str(path) for path in mapfiles]))

    def ask(self, path: str, query: str = "") -> tuple[int, bytes]:
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO()}
        setup_testing_defaults(environ)
        statuses: list[int] = []

        def start_response(status: str, headers: object, exc_info: object = None) -> Any:
            statuses.append(int(status.split()[0]))

        body = self._routes(environ, start_response)
        try:
            return statuses[0], b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, int]:
    """How often each mapfile has been parsed, by its name."""
    counts = Counter[str]()
    read = reader.read_identified_service

    def count(path: str) -> Any:
        counts[Path(path).stem] += 1
        return read(path)

    monkeypatch.setattr(reader, "read_identified_service", count)
    return counts


def test_each_map_is_parsed_once(parsed: Mapping[str, int]) -> None:
    routed = Routed(WEATHER, MINIMAL)
    for name in ("weather", "minimal"):
        assert b"Capabilities" in routed.ask(f"/{name}", CAPABILITIES)[1]
        # Under the path of the other map, by its name.
        assert b"Capabilities" in routed.ask("/weather", f"{CAPABILITIES}&map={name}")[1]
        assert routed.ask(REST.format(name), "f=json")[0] == 200
        assert routed.ask(REST.format(name), "f=html")[0] == 200
        assert routed.ask(f"/_mapsos/builder/{name}")[0] == 200
    assert len(json.loads(routed.ask("/arcgis/rest/services", "f=json")[1])["services"]) == 2
    assert parsed == {"weather": 1, "minimal": 1}


@pytest.mark.parametrize(("mapfiles", "status"), [((MINIMAL,), 200), ((MINIMAL, WEATHER), 404)], ids=["one", "two"])
def test_the_path_without_a_name_is_that_of_an_only_map(mapfiles: tuple[Path, ...], status: int) -> None:
    assert Routed(*mapfiles).ask("/exts/SosSOE", "f=json")[0] == status


def test_a_path_without_a_map_lists_the_maps() -> None:
    routed = Routed(WEATHER, MINIMAL)
    assert (routed.ask("/nothing")[0], routed.ask("/", "x")[0]) == (404, 200)
    for path in ("/nothing", "/"):
        assert routed.ask(path, "x")[1].endswith(
            b"/weather?service=SOS&request=GetCapabilities\n/minimal?service=SOS&request=GetCapabilities\n"
        )
