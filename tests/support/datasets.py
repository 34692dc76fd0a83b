"""Data files, made when first asked for and kept: ``python -m tests.support.datasets NAME ROWS FILE``.

They are made in a process of their own, so that the arrays do not count for the memory of what is timed after.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.observations import Character, make_observations, make_vertices

VERSION = 2
"""Raised when a generator changes, so that old files are not taken for new ones."""

VERTICES = 50
TABLE = "observations"
COLUMNS = (
    ("station", "TEXT"),
    ("time", "DATETIME"),
    ("air_temp", "DOUBLE"),
    ("humidity", "INTEGER"),
    ("value", "DOUBLE"),
)


@dataclass(frozen=True)
class Dataset:
    """A kind of file: its suffix, and what its observations are like.

    ``of`` names the data set that it is a conversion of.
    """

    suffix: str
    character: Character = Character()
    epsg: int = 4326
    shape: str = "POINT"
    of: str = ""


DATASETS = {
    "points": Dataset("gpkg"),
    "points_shapefile": Dataset("shp", of="points"),
    "points_flatgeobuf": Dataset("fgb", of="points"),
    "distinct": Dataset("gpkg", Character(distinct=True, drifting=True)),
    "drifting": Dataset("gpkg", Character(drifting=True)),
    "mercator": Dataset("gpkg", epsg=3857),
    "lines": Dataset("gpkg", shape="LINESTRING"),
    "polygons": Dataset("gpkg", shape="POLYGON"),
}


def provide_dataset(name: str, rows: int, folder: Path) -> Path:
    """The file of so many rows in the folder; made if it is not there (a million rows take about ten seconds)."""
    dataset = DATASETS[name]
    path = folder / f"{name}-{rows}-v{VERSION}.{dataset.suffix}"
    if not path.exists():
        if dataset.of:
            provide_dataset(dataset.of, rows, folder)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"making {path.name} ...", file=sys.stderr, flush=True)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "tests.support.datasets", name, str(rows), str(path)]
        subprocess.run(command, env=environment, check=True)
    return path


def make_dataset(name: str, rows: int, path: Path) -> None:
    """Write the file, under a temporary name until it is whole."""
    dataset = DATASETS[name]
    growing = path.with_name(f"growing-{path.name}")
    for left in path.parent.glob(f"{growing.stem}.*"):
        left.unlink()
    if dataset.of:
        _convert(path.with_name(f"{dataset.of}-{rows}-v{VERSION}.{DATASETS[dataset.of].suffix}"), growing)
    elif dataset.shape == "POINT":
        _make_points(rows, dataset, growing)
    else:
        _make_paths(rows, dataset, growing)
    for part in sorted(path.parent.glob(f"{growing.stem}.*"), key=lambda part: part.suffix == path.suffix):
        part.rename(path.with_suffix(part.suffix))


def _make_points(rows: int, dataset: Dataset, path: Path) -> None:
    import numpy as np

    from tests.support.geopackage import Geopackage, point_blobs

    package = Geopackage(path, TABLE, COLUMNS, "POINT", dataset.epsg)
    for part in make_observations(rows, dataset.character):
        x, y = _project(part.x, part.y) if dataset.epsg == 3857 else (part.x, part.y)
        package.add(point_blobs(x, y, dataset.epsg), _tell_columns(part), np.stack([x, x, y, y], axis=1))
    package.finish(indexed=("station", "time"))


def _make_paths(features: int, dataset: Dataset, path: Path) -> None:
    from tests.support.geopackage import Geopackage, box_vertices, path_blobs

    package = Geopackage(path, TABLE, COLUMNS, dataset.shape, dataset.epsg)
    vertices = make_vertices(features, VERTICES)
    start = 0
    for part in make_observations(features, dataset.character):
        piece = vertices[start : start + len(part.x)]
        start += len(part.x)
        blobs = path_blobs(piece, dataset.shape == "POLYGON", dataset.epsg)
        package.add(blobs, _tell_columns(part), box_vertices(piece))
    package.finish(indexed=("station", "time"))


def _tell_columns(part: object) -> list[list[object]]:
    import numpy as np

    times = np.char.add(np.datetime_as_string(part.time, unit="ms"), "Z").tolist()
    columns = [getattr(part, name).tolist() for name, _ in COLUMNS if name != "time"]
    return [columns[0], times, *columns[1:]]


def _project(x: object, y: object) -> tuple[object, object]:
    import numpy as np

    radius = 6378137.0
    return np.radians(x) * radius, np.log(np.tan(np.pi / 4 + np.radians(y) / 2)) * radius


def _convert(origin: Path, path: Path) -> None:
    from osgeo import gdal

    gdal.UseExceptions()
    # A shapefile has no date-times: text in ISO form there, a real DateTime column elsewhere.
    time = "strftime('%Y-%m-%dT%H:%M:%SZ', time) AS time" if path.suffix == ".shp" else "time"
    rest = ", ".join(name for name, _ in COLUMNS[2:])
    gdal.VectorTranslate(
        str(path),
        str(origin),
        format="ESRI Shapefile" if path.suffix == ".shp" else "FlatGeobuf",
        SQLStatement=f"SELECT station, {time}, {rest}, geom FROM {TABLE}",
        SQLDialect="" if path.suffix != ".shp" else None,
        layerName=path.stem,
    )


if __name__ == "__main__":
    make_dataset(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
