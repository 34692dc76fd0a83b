"""A map in a folder of its own, made of what a test wants in WEB and LAYER."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MapWriter = Callable[..., str]

WEB = '"sos_onlineresource" "http://h/?" "sos_srs" "EPSG:4326" "sos_enable_request" "*"'
LAYER = '"sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure" "S1"'


@pytest.fixture
def write_map(tmp_path: Path) -> MapWriter:
    """Write a map and give its path; each argument is text inside its block."""

    def write(
        layer: str = 'DATA "points"',
        metadata: str = LAYER,
        web: str = WEB,
        map_text: str = "",
        encoding: str = "utf-8",
        more: str = "",
    ) -> str:
        path = tmp_path / "test.map"
        text = (
            f'MAP NAME "m" EXTENT -180 -90 180 90 {map_text}\n'
            f"WEB METADATA {web} END END\n"
            f'LAYER NAME "l" TYPE POINT STATUS ON\n{layer}\n'
            f"METADATA {metadata}\nEND\nEND\n{more}\nEND\n"
        )
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write
