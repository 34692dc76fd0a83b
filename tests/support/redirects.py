"""The example map as MapServer serves it: DescribeSensor redirects, where mapsos otherwise writes SensorML."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = '"sos_describesensor" "generate"'


def write_redirecting_map(folder: Path) -> Path:
    """Write weather.map without what it says about generated descriptions. Return its path."""
    text = (ROOT / "examples" / "mapfiles" / "weather.map").read_text("utf-8")
    assert GENERATED in text
    path = folder / "weather.map"
    path.write_text(text.replace(GENERATED, "").replace("../../data", str(ROOT / "data")), "utf-8")
    return path


def write_redirecting_config(folder: Path) -> Path:
    """Write that map, and a configuration file of which it is the default map. Return the path of the latter."""
    config = folder / "mapsos.conf"
    config.write_text(f'CONFIG ENV MS_MAPFILE "{write_redirecting_map(folder)}" END END')
    return config
