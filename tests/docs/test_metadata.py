"""docs/metadata.md beside the tables and the reader that it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.check import layer_text
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.keys import METADATA_KEYS, MetadataKey
from mapsos.mapfile.reader import read_service
from mapsos.terms.layer_source import SourceKind

from .markdown import code, read, read_tables, section
from .scenario import complete
from .tables import fill

TEXT = read("docs/metadata.md")
(REFUSED,) = read_tables(section(TEXT, "What is rejected"))
(FILTERS,) = read_tables(section(TEXT, "FILTER"))


def read_fragment(folder: Path, text: str) -> None:
    (folder / "test.map").write_text(complete(text), encoding="utf-8")
    read_service(str(folder / "test.map"))


def test_the_tables_are_those_of_the_program() -> None:
    assert fill(TEXT) == TEXT, "write it anew: python -m tests.docs.tables"


@pytest.mark.parametrize("key", METADATA_KEYS, ids=lambda key: f"{key.level}-{key.name}")
def test_every_key_is_there(key: MetadataKey) -> None:
    rows = [row for table in read_tables(TEXT) for row in table if row.get("key") == f"`{key.pattern}`"]
    assert any(row["meaning"] == key.meaning for row in rows)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: code(row["keyword"])[0][:40])
def test_what_is_refused_is_refused(row: dict[str, str], tmp_path: Path) -> None:
    fragment, *others = code(row["keyword"])
    for other in [fragment.split()[1], *others]:
        with pytest.raises(MapfileError) as refusal:
            read_fragment(tmp_path, fragment.replace(fragment.split()[1], other, 1))
        assert refusal.value.line


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row["form"])
def test_filters_are_read(row: dict[str, str], tmp_path: Path) -> None:
    form = row["form"]
    read_fragment(tmp_path, form.strip("`") if form.startswith("``") else code(form)[0])


def test_what_has_no_effect_is_all_there() -> None:
    named = {word.lower() for word in code(section(TEXT, "What has no effect"))}
    assert set(layer_text._NOT_HONOURED) <= named
    assert {"status", "cluster", "join"} <= named


def test_connection_types_are_all_there() -> None:
    assert {kind.value for kind in SourceKind} == {"shapefile", "ogr", "postgis", "inline"}
    keywords = next(read_tables(section(TEXT, "Keywords of LAYER")))
    (row,) = [row for row in keywords if row["keyword"] == "`CONNECTIONTYPE`"]
    assert {"LOCAL", "OGR", "FLATGEOBUF", "POSTGIS", "INLINE"} == set(code(row["effect"]))
