"""The host: what it forgets after a write is asked anew, and nothing else is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.operations.layers.facts import forget_facts
from mapsos.sources import layer as layers
from mapsos.terms.layer_source import LayerSource
from mapsos.web.messages import Request

from .conftest import LAYER, ROWS, World, layer_text, write_stations

CAPABILITIES = urlencode({"service": "SOS", "request": "GetCapabilities"})


class Opened:
    """An application over two layers, and how often each layer's data are opened."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        write_stations(world.folder / "other.gpkg", ROWS)
        other = LAYER.replace('"off"', '"other"')
        world.write_map(layer_text(), layer_text("l2", "other.gpkg", other))
        path = str(world.folder / "service.map")
        self.application = Application(read_settings({"MS_MAPFILE": path, "MAPSOS_CACHE": "off"}))
        self.sources = [layer.source for layer in self.application.host.find_service(path).layers]
        self.counts = counts = Counter[str]()

        class Counted(layers.Layer):
            def __init__(self, source: LayerSource) -> None:
                counts[Path(source.connection).stem] += 1
                super().__init__(source)

        monkeypatch.setattr(layers, "Layer", Counted)

    def ask(self) -> dict[str, int]:
        """Ask for the capabilities: how often each layer was opened for them."""
        self.counts.clear()
        response = self.application.answer(Request("GET", CAPABILITIES))
        assert not response.error
        assert b"".join(response.body)
        return dict(self.counts)


@pytest.fixture
def opened(world: World, monkeypatch: pytest.MonkeyPatch) -> Opened:
    forget_facts()
    return Opened(world, monkeypatch)


def test_a_source_that_is_forgotten_is_read_anew_and_no_other(opened: Opened) -> None:
    first = opened.ask()
    assert set(first) == {"obs", "other"}
    assert opened.ask() == {}
    opened.application.host.forget(opened.sources[0])
    assert opened.ask() == {"obs": first["obs"]}
    assert opened.ask() == {}


def test_all_sources_can_be_forgotten(opened: Opened) -> None:
    first = opened.ask()
    opened.application.host.forget()
    assert opened.ask() == first
