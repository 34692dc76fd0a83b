"""The example data: small, where it says it is, and what its script makes."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent.parent / "data"


def test_it_stays_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir() if path.is_file()) < 3_000_000


@pytest.mark.parametrize(
    ("file", "rows", "positions"),
    [
        ("temperatures.gpkg", 17518, {(-122.3138, 47.4444), (-122.3656, 37.6197)}),
        ("seattle_weather.shp", 1461, {(-122.3138, 47.4444)}),
        ("co2.vrt", 2284, {(-155.5763, 19.5362)}),
        ("elnino.geojson", 732, {(-85.0, -5.0)}),
        ("nile.gpkg", 100, {(32.8998, 24.0889)}),
    ],
)
def test_observations_are_at_their_stations(file: str, rows: int, positions: set[tuple[float, float]]) -> None:
    found = [position for position, _ in read(DATA / file)]
    assert len(found) == rows
    assert set(found) == positions


def test_the_script_makes_the_same_again(tmp_path: Path) -> None:
    for package in ("vega_datasets", "statsmodels"):
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{package} is not installed here: pip install --editable '.[data]'")
    subprocess.run([sys.executable, DATA / "make.py", tmp_path], check=True, timeout=120)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in DATA.iterdir() if path.suffix not in (".py", ".md"))
    for name in made:
        if name.endswith(".gpkg"):
            # The file format's own bytes differ between releases of SQLite.
            assert read(tmp_path / name) == read(DATA / name)
        else:
            assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


def read(path: Path) -> list[tuple[tuple[float, float], dict[str, object]]]:
    """Position and columns of every row."""
    from osgeo import ogr

    source = ogr.Open(str(path))
    rows = []
    for feature in source.GetLayer(0):
        point = feature.GetGeometryRef()
        rows.append(((point.GetX(), point.GetY()), feature.items()))
    return rows
