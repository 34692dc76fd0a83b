"""Both services behind a real server: mapsos serve, or mapserv with MAPSOS_CONFORMANCE_AGAINST=mapserv."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.serve_command import serving

from .client import Service
from .mapserv import MAPSERV_FAILURES, MAPSERV_PASSES, serve_mapserv
from .services import write_many, write_weather

AGAINST = os.environ.get("MAPSOS_CONFORMANCE_AGAINST", "mapsos")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Against mapserv, what it is known to fail has to fail."""
    if AGAINST != "mapserv":
        return
    for item in items:
        if not isinstance(item, pytest.Function) or Path(item.fspath).name != "test_assertions.py":
            continue
        name = item.originalname
        if name in MAPSERV_FAILURES and item.callspec.params["service"] not in MAPSERV_PASSES.get(name, ()):
            item.add_marker(pytest.mark.xfail(reason=MAPSERV_FAILURES[name], strict=True))


@contextmanager
def _serve_mapsos(folder: Path) -> Iterator[dict[str, Service]]:
    maps = [write_weather(folder, "strict mapserver"), write_many(folder, "strict")]
    with serving(*maps, lines=len(maps), MAPSOS_CACHE="off") as server:
        root = f"http://127.0.0.1:{server.port}"
        yield {path.stem: Service(f"{root}/{path.stem}") for path in maps}


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    serve = serve_mapserv if AGAINST == "mapserv" else _serve_mapsos
    with serve(tmp_path_factory.mktemp("conformance")) as found:
        yield found


@pytest.fixture(params=["weather", "many"])
def service(request: pytest.FixtureRequest, services: dict[str, Service]) -> Service:
    return services[request.param]
