"""The same rows through mapserv and through the encoders: the same trees, comments included."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
from lxml import etree

from mapsos.columns.batches import Batch
from mapsos.columns.geometries import GeometryColumn
from mapsos.encodings.mapserver.collection import encode_collection
from mapsos.encodings.mapserver.datablock import encode_datablocks
from mapsos.encodings.mapserver.measurement import encode_measurements
from mapsos.encodings.markup import (
    CollectionMarkup,
    DataBlockMarkup,
    DataField,
    Envelope,
    MeasurementMarkup,
    Phenomenon,
    TimeExtent,
)

pytestmark = pytest.mark.skipif(shutil.which("mapserv") is None, reason="mapserv is not installed here")

URL = "http://h/cgi?service=WFS&version=1.1.0&request=DescribeFeatureType&typename=layer"
COLUMNS = ("id", "stn", "t", "v", "note")
ROWS = (
    ("S1", "2001-10-30T14:24:55Z", "1.5", "café & <b> \"q\" 'a'"),
    ("s1", "2001-10-30", "-0.25", "]]> 日本"),
    ("S2", "2002", None, ""),
    (None, "2003", "1e-07", None),
)
GEOMETRIES = {
    "point": ("POINT(-75.1234565 45)", "MULTIPOINT(1 2,3 4)", "POINT(-0.0000001 2.5)", "LINESTRING(0 0,1 1)"),
    "line": (
        "LINESTRING(0 0,1 1,2 0.5)",
        "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))",
        "MULTILINESTRING((5 5,6 6))",
        "POLYGON((0 0,0 1,1 1,0 0))",
    ),
    "polygon": (
        "POLYGON((0 0,0 1,1 1,0 0))",
        "POLYGON((0 0,0 10,10 10,10 0,0 0),(1 1,2 1,2 2,1 1),(4 4,5 4,5 5,4 4))",
        "MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 9,9 9,5 5),(6 7,6 8,7 8,6 7)))",
        "MULTIPOLYGON(((0 0,0 1,1 1,0 0)))",
    ),
}
WEB = '"sos_onlineresource" "http://h/cgi?" "sos_srs" "EPSG:4326" "sos_title" "T" "sos_enable_request" "*"'
LAYER = (
    '"sos_offering_id" "off" "sos_offering_name" "Name" "sos_offering_description" "Text" '
    '"sos_offering_extent" "-80,40,-70.5,50" "sos_offering_timeextent" "2001/2003" '
    '"sos_observedproperty_id" "op" "sos_observedproperty_name" "Property" "sos_procedure" "S1 S2" '
    '"sos_timeitem" "t" "sos_v_alias" "value" "sos_note_alias" "note" "sos_v_uom" "m"'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A GeoPackage with a layer for each shape, and mapserv's configuration."""
    from osgeo import ogr, osr

    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(tmp_path / "data.gpkg"))
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(4326)
    for shape, geometries in GEOMETRIES.items():
        layer = source.CreateLayer(shape, srs, ogr.wkbUnknown)
        for column, kind in zip(COLUMNS, (ogr.OFTInteger, ogr.OFTString, ogr.OFTString, ogr.OFTReal, 4), strict=True):
            layer.CreateField(ogr.FieldDefn(column, kind))
        for number, (wkt, row) in enumerate(zip(geometries, ROWS, strict=True), 1):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetField("id", number)
            for column, value in zip(COLUMNS[1:], row, strict=True):
                if value is not None:
                    feature.SetField(column, float(value) if column == "v" else value)
            feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
            layer.CreateFeature(feature)
    del source
    (tmp_path / "mapserver.conf").write_text('CONFIG ENV MS_MAP_PATTERN "." END END\n')
    return tmp_path


def ask_mapserv(folder: Path, shape: str, result_model: str, label: str | None, metadata: str) -> bytes:
    projection = "" if label is None else 'PROJECTION "init=epsg:4326" END'
    web = WEB if label is not None else WEB.replace('"sos_srs" "EPSG:4326"', "")
    (folder / "test.map").write_text(
        f'MAP NAME "m" SIZE 9 9 EXTENT -180 -90 180 90 {projection} WEB METADATA {web} END END '
        f'LAYER NAME "layer" TYPE {shape} STATUS ON CONNECTIONTYPE OGR CONNECTION "data.gpkg" DATA "{shape}" '
        f"{projection} METADATA {LAYER} {metadata} END END END\n"
    )
    query = (
        f"map={folder / 'test.map'}&service=SOS&version=1.0.0&request=GetObservation&offering=off"
        f'&observedProperty=op&responseFormat=text/xml; subtype="om/1.0.0"&resultModel={result_model}'
    )
    environment = {key: value for key, value in os.environ.items() if key != "QUERY_STRING"}
    environment["MAPSERVER_CONFIG_FILE"] = str(folder / "mapserver.conf")
    command = ["mapserv", "-nh", f"QUERY_STRING={query}"]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout


def make_batch(shape: str) -> Batch:
    import numpy as np
    import shapely

    columns = zip(*((str(number), *row) for number, row in enumerate(ROWS, 1)), strict=True)
    texts = {name: pa.array(values, pa.large_string()) for name, values in zip(COLUMNS, columns, strict=True)}
    wkb = shapely.to_wkb(shapely.from_wkt(np.array(GEOMETRIES[shape], object)))
    return Batch(len(ROWS), {}, texts, GeometryColumn(pa.array(list(wkb), pa.large_binary())))


def encode(shape: str, result_model: str, label: str | None, procedure_column: str | None, ids: bool) -> bytes:
    components = (f"urn:ogc:def:property:OGC-SWE:1:{name}" for name in ("id", "stn", "t", "value", "note"))
    phenomenon = Phenomenon("op", "Property", tuple(components))
    collection = CollectionMarkup(
        "off",
        URL,
        "http://mapserver.gis.umn.edu/mapserver",
        "ms",
        "http://schemas.opengis.net",
        "Text",
        "Name",
        Envelope(-80, 40, -70.5, 50, label),
    )
    alone = procedure_column is None
    if result_model == "om:Measurement":
        measurement = MeasurementMarkup(
            layer_name="layer",
            namespace_prefix="ms",
            phenomenon=phenomenon,
            feature_type_url=URL,
            shape=shape,
            label=label,
            time_column="t",
            procedure_column=procedure_column,
            procedure="S1 S2",
            missing_procedure_item=alone,
            feature_id_column="id" if ids else None,
            values=(("value", "v"), ("note", "note")),
        )
        return b"".join(encode_collection(collection, encode_measurements(measurement, [make_batch(shape)])))
    datablock = DataBlockMarkup(
        phenomenon,
        TimeExtent("2001", "2003"),
        (DataField("value", "v", uom="m"), DataField("note", "note")),
        ",",
        "\n",
        "t",
        procedure_column,
        "S1 S2",
        alone,
    )
    return b"".join(encode_collection(collection, encode_datablocks(datablock, [make_batch(shape)])))


def read_lines(document: bytes) -> list[str]:
    """The document as a tree, element by element, without what D-16b and D-30 allow to differ."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    for inner in root.findall(".//{http://www.opengis.net/gml}innerBoundaryIs"):
        inner.getparent().remove(inner)
    for result in root.findall(".//{http://www.opengis.net/om/1.0}result"):
        for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
            result.text = (result.text or "").replace(entity, character)
    canonical = etree.tostring(root, method="c14n", with_comments=True).decode()
    return canonical.replace("><", ">\n<").splitlines()


@pytest.mark.parametrize("label", ["EPSG:4326", None])
@pytest.mark.parametrize("procedure_column", ["stn", None])
@pytest.mark.parametrize("result_model", ["om:Measurement", "om:Observation"])
@pytest.mark.parametrize("shape", ["point", "line", "polygon"])
def test_trees_are_the_same(
    folder: Path, shape: str, result_model: str, procedure_column: str | None, label: str | None
) -> None:
    metadata = "" if procedure_column is None else '"sos_procedure_item" "stn" "ows_featureid" "id"'
    theirs = ask_mapserv(folder, shape, result_model, label, metadata)
    ours = encode(shape, result_model, label, procedure_column, ids=bool(metadata))
    assert read_lines(ours) == read_lines(theirs)


def test_lines_of_the_documents_are_the_same(folder: Path) -> None:
    theirs = ask_mapserv(folder, "point", "om:Measurement", "EPSG:4326", '"sos_procedure_item" "stn"').decode()
    ours = encode("point", "om:Measurement", "EPSG:4326", "stn", ids=False).decode()
    assert ours.splitlines() == theirs.replace(' xmlns:gml="http://www.opengis.net/gml">', ">").splitlines()
