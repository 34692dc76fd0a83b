"""A thousand observations that a SELECT repeats as often as a test wants, and the application over them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.sources.errors import SourceError
from mapsos.sources.layer_rows import LayerRows
from mapsos.web.messages import Request, Response
from tests.support.datasets import provide_dataset
from tests.support.maps import DATABLOCK, MEASUREMENT, MapLayer, write_map

STORED = 1000
MODELS = {"measurement": MEASUREMENT, "datablock": DATABLOCK}


@dataclass(frozen=True)
class Answers:
    """Maps over so many observations, and what the application answers about them in this process."""

    folder: Path
    data: Path

    def map_repeated(self, rows: int) -> Path:
        """A map whose layer is a SELECT of so many rows, 200 stations in turn."""
        path = self.folder / f"repeated-{rows}.map"
        statement = (
            "SELECT o.station, o.time, o.air_temp + r.number AS air_temp, o.humidity, o.value * r.number AS value, "
            f"o.geom FROM repeats r, observations o WHERE r.number <= {rows // STORED}"
        )
        text = write_map(MapLayer("points", STORED), self.folder).read_text()
        path.write_text(text.replace('DATA "observations"', f'DATA "{statement}"'))
        return path

    def map_stored(self, dataset: str, rows: int, projection: int = 4326) -> Path:
        """A map over a file of so many rows."""
        return write_map(MapLayer(dataset, rows, projection=projection), self.folder)

    def ask(self, mapfile: Path, query: str) -> Response:
        """The response to a GET request; nothing of its body has been read beyond what comes before the first byte."""
        return self._answer(mapfile, "", query)

    def ask_rest(self, mapfile: Path, path: str) -> Response:
        """The same for a path of the REST interface, with its query."""
        path, _, query = path.partition("?")
        return self._answer(mapfile, path, query)

    def _answer(self, mapfile: Path, path: str, query: str) -> Response:
        settings = read_settings({"MS_MAPFILE": str(mapfile), "MAPSOS_CACHE": "off"})
        environ = {"PATH_INFO": path} if path else {}
        return Application(settings).answer(Request("GET", quote(query, safe="=&:;,/"), environ=environ))


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("streaming")
    data = provide_dataset("points", STORED, folder)
    database = sqlite3.connect(data)
    with database:
        database.execute("CREATE TABLE repeats (number INTEGER PRIMARY KEY)")
        database.executemany("INSERT INTO repeats VALUES (?)", [(number,) for number in range(1, 2001)])
    database.close()
    return Answers(folder, data)


@pytest.fixture
def close_all() -> Callable[[Response], None]:
    def close(response: Response) -> None:
        end = getattr(response.body, "close", None)
        if end is not None:
            end()

    return close


@pytest.fixture
def fails_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that fails after more rows than a row group of Parquet has."""
    read = LayerRows.rows

    def read_some(layer: LayerRows, *arguments: object, **named: object) -> Iterator[object]:
        rows = 0
        for batch in read(layer, *arguments, **named):  # type: ignore[arg-type]
            if (rows := rows + batch.count) > 150_000:
                raise SourceError("the data are gone")
            yield batch

    monkeypatch.setattr(LayerRows, "rows", read_some)
