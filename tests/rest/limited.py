"""A service of a few rows with limits that a test chooses."""

from __future__ import annotations

from pathlib import Path

from mapsos.app import Application
from mapsos.config.settings import Settings

from .conftest import RestAnswer, ask_application
from .sources import write_map, write_source

QUERY = "/exts/SosSOE/observations/query"


class Limited:
    """A service of 18 rows with two values each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = write_source(folder, "GeoPackage", None)
        self.settings: dict[str, object] = {}
        self.map: dict[str, str] = {}

    def ask(self, path: str = QUERY, method: str = "GET", **parameters: str) -> RestAnswer:
        mapfile = write_map(self.folder / "all.map", self.source, **self.map)
        settings = Settings(mapfile=str(mapfile), cache=None, **self.settings)  # type: ignore[arg-type]
        environ = {"REMOTE_ADDR": "192.0.2.7", "HTTP_ORIGIN": "https://other.test"}
        return ask_application(Application(settings), path, method, environ, **{"f": "json", **parameters})
