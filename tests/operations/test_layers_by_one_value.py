"""Many layers of the same data whose FILTER selects one value: a few readings find what each alone would read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from osgeo import gdal, ogr, osr

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.operations.layers import surveys
from mapsos.operations.layers.facts import forget_facts, knows_fact, store_facts
from mapsos.sources.layer_readers import LayerReaders
from mapsos.sources.pool import close_idle_readers
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.web.messages import Request

CAPABILITIES = "service=SOS&version=1.0.0&request=GetCapabilities"
ENVIRON = {"SERVER_NAME": "example.org", "SERVER_PORT": "80", "SCRIPT_NAME": "/sos", "REMOTE_ADDR": "127.0.0.1"}

STATIONS = (*(f"S{number}" for number in range(12)), "s1", "it's", "ünï", "S1 ", "100%", "a_b")
"""Awkward ones too; of S3 no row has a time, of S4 one a place, and some are outside of a map."""

CONNECTIONS = {
    "GeoPackage": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "obs"',
    "GeoPackage with an index": 'CONNECTIONTYPE OGR CONNECTION "indexed.gpkg" DATA "obs"',
    "FlatGeobuf": 'CONNECTIONTYPE OGR CONNECTION "table.fgb"',
    "GeoJSON": 'CONNECTIONTYPE OGR CONNECTION "table.geojson"',
    "shapefile": 'DATA "table"',
    "SELECT": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "SELECT * FROM obs"',
    "a filter in SQL": 'CONNECTIONTYPE OGR CONNECTION "table.gpkg" DATA "obs" PROCESSING "NATIVE_FILTER=value > 3"',
}
FILTERS = {
    "text": "FILTER (\"[station]\" = \"{}\")",
    "FILTERITEM": 'FILTERITEM "STATION" FILTER "{}"',
    "case-insensitive": "FILTER (\"[station]\" =* \"{}\")",
    "a number": "FILTER ([number] = {number})",
    "MAXFEATURES": "FILTER (\"[station]\" = \"{}\") MAXFEATURES 2",
}
METADATA = {
    "all from the data": '"sos_procedure_item" "station"',
    "procedures of another column": '"sos_procedure_item" "other"',
    "stated procedures": '"sos_procedure" "p1 p2"',
    "stated extent": '"sos_procedure_item" "station" "sos_offering_extent" "1,2,3,4"',
    "stated times": '"sos_procedure_item" "station" "sos_offering_timeextent" "2020-01-01/2021-01-01"',
    "an offering of all": '"sos_procedure_item" "station" "sos_offering_id" "all"',
    "without a time": '"sos_procedure_item" "station" "sos_timeitem" "missing"',
}
EXTENTS = {"everything": "EXTENT -180 -90 180 90", "a part": "EXTENT -20 0 20 7", "none": ""}


def _layer(number: int, station: str, connection: str, selects: str, metadata: str) -> str:
    return f"""LAYER NAME "layer{number}" TYPE POINT {connection} PROJECTION "init=epsg:4326" END
      {selects.format(station, number=number)}
      METADATA "sos_offering_id" "layer{number}" "sos_observedproperty_id" "weather" "sos_timeitem" "time"
        "gml_include_items" "all" {metadata} END END
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("values")
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(home / "table.gpkg"))
    layer = dataset.CreateLayer("obs", reference, ogr.wkbPoint)
    for name, kind in (
        ("station", ogr.OFTString),
        ("other", ogr.OFTString),
        ("time", ogr.OFTDateTime),
        ("value", ogr.OFTReal),
        ("number", ogr.OFTInteger),
    ):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for index in range(len(STATIONS) * 6):
        number, round_ = index % len(STATIONS), index // len(STATIONS)
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetField("station", STATIONS[number])
        feature.SetField("other", f"o{(index * 7) % 5}")
        if number != 3:
            feature.SetField("time", f"2020-0{round_ + 1}-{number + 1:02d}T12:{index % 60:02d}:00Z")
        feature.SetField("value", index * 1.5)
        feature.SetField("number", number)
        if number != 4 or round_ == 2:
            place = f"POINT({number - round_ / 7} {number / 3 + round_})"
            feature.SetGeometryDirectly(ogr.CreateGeometryFromWkt(place))
        layer.CreateFeature(feature)
    nameless = ogr.Feature(layer.GetLayerDefn())
    nameless.SetField("value", 1)
    layer.CreateFeature(nameless)
    del feature, nameless, layer, dataset
    # With its index, later versions of GDAL write no feature without a geometry.
    plain = ["SPATIAL_INDEX=NO"]
    for name, form, options in (
        ("table.fgb", "FlatGeobuf", plain),
        ("table.geojson", "GeoJSON", []),
        ("table.shp", "ESRI Shapefile", []),
    ):
        gdal.VectorTranslate(str(home / name), str(home / "table.gpkg"), format=form, layerCreationOptions=options)
    gdal.VectorTranslate(str(home / "indexed.gpkg"), str(home / "table.gpkg"), format="GPKG")
    gdal.OpenEx(str(home / "indexed.gpkg"), gdal.OF_UPDATE).ExecuteSQL("CREATE INDEX i ON obs(station, time)")
    return home


def _ask(folder: Path, layers: str, extent: str) -> bytes:
    forget_facts()
    close_idle_readers()
    path = folder / "values.map"
    path.write_text(
        f'MAP NAME "values" {extent} PROJECTION "init=epsg:4326" END '
        f'WEB METADATA "sos_enable_request" "*" END END\n{layers}END\n',
        "utf-8",
    )
    application = Application(read_settings({"MS_MAPFILE": str(path), "MAPSOS_CACHE": "off"}))
    response = application.answer(Request("GET", CAPABILITIES, environ=ENVIRON))
    return b"".join(response.body)


def _count_readings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    readings: list[object] = []
    take = LayerReaders.take

    def count(readers: LayerReaders) -> object:
        readings.append(readers)
        return take(readers)

    monkeypatch.setattr(LayerReaders, "take", count)
    return readings


def _compare(folder: Path, layers: str, extent: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Fail unless both ways answer alike; return the readings of each."""
    readings = _count_readings(monkeypatch)
    numbers, bodies = [], []
    for fewest in (surveys.FEWEST_LAYERS, 1000):
        with monkeypatch.context() as patch:
            patch.setattr(surveys, "FEWEST_LAYERS", fewest)
            readings.clear()
            bodies.append(_ask(folder, layers, extent))
            numbers.append(len(readings))
    assert bodies[0] == bodies[1]
    assert b"</sos:Capabilities>" in bodies[0], bodies[0]
    return numbers[0], numbers[1]


@pytest.mark.parametrize("extent", EXTENTS.values(), ids=EXTENTS)
@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
def test_the_same_answer(
    folder: Path, connection: str, metadata: str, extent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = "".join(
        _layer(number, station, connection, FILTERS["text"], metadata)
        for number, station in enumerate(STATIONS)
        # A dBASE table has no spaces at the end. A layer without any procedure is an error.
        if station != "S1 " or "gpkg" in connection
    )
    _compare(folder, layers, extent, monkeypatch)


@pytest.mark.parametrize("selects", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
def test_other_filters(folder: Path, connection: str, selects: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that do not compare one column with one string are read as ever."""
    layers = "".join(
        _layer(number, station, connection, selects, METADATA["stated procedures"])
        for number, station in enumerate((*STATIONS, "nowhere"))
    )
    _compare(folder, layers, EXTENTS["everything"], monkeypatch)


@pytest.mark.parametrize("kind", ["GeoPackage", "GeoPackage with an index", "FlatGeobuf", "GeoJSON", "shapefile"])
def test_a_few_readings(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = [(number, station) for number, station in enumerate(STATIONS) if station != "S1 "]
    layers = "".join(
        _layer(number, station, CONNECTIONS[kind], FILTERS["text"], METADATA["all from the data"])
        for number, station in placed
    )
    few, many = _compare(folder, layers, EXTENTS["everything"], monkeypatch)
    assert few == 2
    assert many == 3 * len(placed)


def test_a_missing_procedure_is_still_reported(folder: Path) -> None:
    layers = "".join(
        _layer(number, station, CONNECTIONS["GeoPackage"], FILTERS["text"], METADATA["all from the data"])
        for number, station in enumerate((*STATIONS, "nowhere"))
    )
    assert b"Invalid procedure station" in _ask(folder, layers, EXTENTS["none"])


def test_changed_data_are_read_again(folder: Path) -> None:
    shutil.copy(folder / "table.gpkg", folder / "changing.gpkg")
    connection = CONNECTIONS["GeoPackage"].replace("table", "changing")
    layers = "".join(
        _layer(number, station, connection, FILTERS["text"], METADATA["stated procedures"])
        for number, station in enumerate(STATIONS)
    )
    before = _ask(folder, layers, EXTENTS["none"])
    dataset = gdal.OpenEx(str(folder / "changing.gpkg"), gdal.OF_UPDATE)
    dataset.ExecuteSQL("UPDATE obs SET time = '2031-05-06T07:08:09Z' WHERE station = 'S2'")
    del dataset
    application = Application(read_settings({"MS_MAPFILE": str(folder / "values.map"), "MAPSOS_CACHE": "off"}))
    after = b"".join(application.answer(Request("GET", CAPABILITIES, environ=ENVIRON)).body)
    assert b"2031-05-06T07:08:09Z" in after
    assert b"2031-05-06T07:08:09Z" not in before


def test_forgotten_facts_are_found_again() -> None:
    """A write while the rows are read: what was found before it is not cached after it."""
    source = LayerSource("layer", SourceKind.INLINE)

    def find() -> Iterator[tuple[LayerSource, str, int]]:
        yield source, "question", 1
        forget_facts()

    store_facts([source], find)
    assert not knows_fact(source, "question")
    store_facts([source], lambda: [(source, "question", 1)])
    assert knows_fact(source, "question")
