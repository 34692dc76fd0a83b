"""A map of many layers: what its first capabilities cost is bounded for each layer, and files are opened once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal

from fuzz.victim import _LAYER, _MAP, SOS, get, judge, open_victim, write_victim
from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.pool import close_idle_readers

LAYERS = 150
MOST_SECONDS = 0.02
"""Processor time for each layer: ten times what it takes on a machine with nothing else to do."""

_TABLE = 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "weather \'of\' all"'
_INLINE = 'FEATURE POINTS 1 2 END ITEMS "S1;2020-01-01T00:00:00Z;1" END PROCESSING "ITEMS=station,time,value"'

KINDS: dict[str, tuple[Callable[[int], str], int]] = {
    "one table": (lambda number: _TABLE, 1),
    "one table, each with a FILTER": (lambda number: f"{_TABLE} FILTER ([value] < {number + 5})", 1),
    # A reading that ends early closes its reader.
    "one table, each with a MAXFEATURES": (lambda number: f"{_TABLE} MAXFEATURES {number + 1}", 3 * LAYERS),
    "one file of texts": (lambda number: 'CONNECTIONTYPE OGR CONNECTION "rows.csv"', 1),
    "a GeoPackage each": (
        lambda number: f'CONNECTIONTYPE OGR CONNECTION "table{number}.gpkg" DATA "weather \'of\' all"',
        LAYERS,
    ),
    "a file of texts each": (lambda number: f'CONNECTIONTYPE OGR CONNECTION "rows{number}.csv"', LAYERS),
    "a shapefile each": (lambda number: f'DATA "places{number}"', LAYERS),
    "features in the map": (lambda number: _INLINE, 0),
}
"""What each layer is, by its number, and how many data sources GDAL may open for all of them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = write_victim(tmp_path_factory.mktemp("layers")).parent
    gdal.VectorTranslate(str(home / "places.shp"), str(home / "places.geojson"), format="ESRI Shapefile")
    for number in range(LAYERS):
        for name in ("table.gpkg", "rows.csv", "places.shp", "places.shx", "places.dbf"):
            stem, _, extension = name.partition(".")
            shutil.copy(home / name, home / f"{stem}{number}.{extension}")
    return home


@pytest.mark.parametrize("kind", KINDS)
def test_first_capabilities(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, most_opened = KINDS[kind]
    layers = "".join(
        _LAYER.format(name=f"layer{number}", connection=write(number), metadata="") for number in range(LAYERS)
    )
    path = folder / "layers.map"
    path.write_text(_MAP.format(web="", layers=layers), "utf-8")
    application = open_victim(path)
    forget_facts()
    close_idle_readers()
    opened: list[str] = []
    open_ex = gdal.OpenEx

    def count(name: str, *arguments: Any, **named: Any) -> Any:
        opened.append(name)
        return open_ex(name, *arguments, **named)

    monkeypatch.setattr(gdal, "OpenEx", count)
    start = time.process_time()
    body = judge(application.answer(get(f"{SOS}GetCapabilities")))
    spent = time.process_time() - start
    assert body.count(b"<sos:ObservationOffering ") == LAYERS
    assert len(opened) <= most_opened
    assert spent < LAYERS * MOST_SECONDS


def test_layers_of_one_table_have_their_own_rows(folder: Path) -> None:
    """Sharing what is open and known mixes nothing up: each is described as in a map of its own."""
    kinds = [write(number) for write, _ in KINDS.values() for number in (1, 7, 12)]
    layers = [_LAYER.format(name=f"layer{number}", connection=kind, metadata="") for number, kind in enumerate(kinds)]

    def ask(*chosen: str) -> bytes:
        forget_facts()
        close_idle_readers()
        path = folder / f"some{len(chosen)}.map"
        path.write_text(_MAP.format(web="", layers="".join(chosen)), "utf-8")
        body = judge(open_victim(path).answer(get(f"{SOS}GetCapabilities")))
        return body[body.index(b"<sos:ObservationOfferingList>") :]

    together = ask(*layers)
    for number, layer in enumerate(layers):
        alone = ask(layer)
        begin, end = b"<sos:ObservationOffering ", b"</sos:ObservationOffering>"
        offering = alone[alone.index(begin) : alone.index(end)]
        assert offering in together, number
