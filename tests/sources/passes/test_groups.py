"""Facts of groups: what a loop over the rows would find, whatever the batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
from osgeo import ogr, osr

from mapsos.sources import layer_rows
from mapsos.sources.facts import GroupFacts
from mapsos.sources.layer import open_layer
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.predicates import OneOf
from mapsos.terms.times import parse_time

ROWS: list[tuple[str | None, str | None, str | None, tuple[float, float] | None]] = [
    ("b", "2001-01-03T00:00:00Z", None, None),
    ("a", None, "", (1.0, 2.0)),
    ("b", "2001-01-01T00:00:00Z", "first", (5.0, 6.0)),
    (None, "2001-01-02T00:00:00Z", None, None),
    ("a", None, "name", (1.0, 2.0)),
    ("b", "2001-01-02T00:00:00Z", "second", (4.0, 7.0)),
]


@pytest.fixture
def source(tmp_path: Path) -> LayerSource:
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(tmp_path / "a.gpkg"))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("a", reference, ogr.wkbPoint)
    for name, kind in (("stn", ogr.OFTString), ("t", ogr.OFTDateTime), ("label", ogr.OFTString)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for stn, time, label, place in ROWS:
        feature = ogr.Feature(layer.GetLayerDefn())
        for name, value in (("stn", stn), ("t", time), ("label", label)):
            if value is not None:
                feature[name] = value
        if place is not None:
            feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({place[0]} {place[1]})"))
        layer.CreateFeature(feature)
    dataset = layer = None
    return LayerSource("l", SourceKind.OGR, str(tmp_path / "a.gpkg"), "a", crs=Crs("EPSG:4326", "EPSG:4326"))


def ask(source: LayerSource, *question: Any, **more: Any) -> dict[str, GroupFacts]:
    with open_layer(source) as layer:
        return layer.group_facts(*question, **more)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_each_group_has_its_own_facts(source: LayerSource, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_rows, "PASS_ROWS", rows)
    found = ask(source, "STN", "t", ("label",))
    assert list(found) == ["b", "a", ""]
    b, a, nothing = found.values()
    assert b.times is not None
    assert (b.times.begin, b.times.end) == (
        parse_time("2001-01-01T00:00:00Z").begin,
        parse_time("2001-01-03T00:00:00Z").begin + 1,
    )
    assert (b.rows, b.bounds, b.texts) == (3, (4.0, 6.0, 5.0, 7.0), ("first",))
    assert (a.rows, a.times, a.bounds, a.texts) == (2, None, (1.0, 2.0, 1.0, 2.0), ("name",))
    assert shapely.from_wkb(b.wkb) == shapely.Point(5, 6)
    assert (nothing.rows, nothing.bounds, nothing.wkb, nothing.texts) == (1, None, None, ("",))


def test_without_a_column_there_is_one_group(source: LayerSource) -> None:
    assert {name: facts.rows for name, facts in ask(source, None).items()} == {"": 6}


def test_only_rows_that_the_predicate_admits_count(source: LayerSource) -> None:
    assert {name: facts.rows for name, facts in ask(source, "stn", predicate=OneOf("stn", ("a",))).items()} == {"a": 2}


def test_places_are_in_the_crs_that_is_asked_for(source: LayerSource) -> None:
    found = ask(source, "stn", crs=Crs("EPSG:3857", "EPSG:3857"))["a"]
    assert found.bounds is not None
    assert found.bounds[0] == pytest.approx(111319.49)
    assert shapely.from_wkb(found.wkb).x == pytest.approx(111319.49)
