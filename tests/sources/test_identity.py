"""Which files belong to a layer, and whether their changes are noticed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mapsos.sources.drivers.shape_types import find_shape_type
from mapsos.sources.identity import identity, list_files
from mapsos.sources.layer import open_layer
from mapsos.terms.layer_source import LayerSource, ShapeType, SourceKind


@pytest.mark.parametrize(
    ("kind", "named", "loud"),
    [
        *((SourceKind.SHAPEFILE, named, loud) for named in ("A", "A.shp", "A.SHP") for loud in (True, False)),
        # GDAL opens a file by its exact name only.
        (SourceKind.OGR, "A.SHP", True),
        (SourceKind.OGR, "A.shp", False),
    ],
)
def test_parts_of_a_shapefile_are_found_in_either_case(
    sources: dict[str, LayerSource], tmp_path: Path, kind: SourceKind, named: str, loud: bool
) -> None:
    """Shapefiles from Windows and DOS often have extensions in upper case."""
    extensions = [".SHP", ".SHX", ".DBF"] if loud else [".shp", ".shx", ".dbf"]
    stem = os.path.splitext(sources["shp"].connection)[0]
    for extension in extensions:
        shutil.copy(stem + extension.lower(), tmp_path / f"A{extension}")
    source = LayerSource("l", kind, f"{tmp_path}/{named}", shape=ShapeType.POLYGON)
    files = list_files(source)
    assert {f"{tmp_path}/A{extension}" for extension in extensions} <= set(files)
    assert find_shape_type(source) is (ShapeType.POINT if kind is SourceKind.SHAPEFILE else ShapeType.POLYGON)
    with open_layer(source) as layer:
        assert layer.count() == 9
    before = identity(source)
    assert before is not None
    with open(tmp_path / f"A{extensions[2]}", "ab") as file:
        file.write(b"\x1a")
    assert identity(source) != before
