"""CSV as RFC 4180 has it, read back by Python's own reader."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
import shapely

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.columns.geometries import GeometryColumn
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.tables.csv_table import encode_csv
from mapsos.encodings.tables.table import LayerColumn, Role, TableColumn, TableMarkup
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import ShapeType

COLLECTION = CollectionMarkup("off", "", "", "ms", "")


def encode(markup: TableMarkup, *batches: Batch) -> str:
    return b"".join(map(bytes, encode_csv(COLLECTION, [LayerAnswer(markup, iter(batches))]))).decode()


def column(name: str, kind: ColumnKind = ColumnKind.TEXT, unit: str | None = None) -> LayerColumn:
    return LayerColumn(TableColumn(name, Role.PROPERTY, kind, unit), name)


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.large_string())


VALUES = ["plain", 'say "x"', "a,b", "two\nlines", "cr\rlf\r\n", "", " blank ", "ünï", "=1+1", "'", "\t"]


def test_any_text_is_read_back() -> None:
    written = encode(
        TableMarkup("p", (column("a"), column("b"))), Batch(11, {}, {"a": texts(*VALUES), "b": texts(*VALUES)})
    )
    rows = list(csv.reader(io.StringIO(written, newline=""), strict=True))
    assert rows == [["a", "b"], *([value, value] for value in VALUES)]


def test_null_is_nothing_and_an_empty_text_is_quoted() -> None:
    written = encode(
        TableMarkup("p", (column("a"), column("b"))), Batch(2, {}, {"a": texts(None, ""), "b": texts("x", "y")})
    )
    assert written == 'a,b\r\n,x\r\n"",y\r\n'


@pytest.mark.parametrize(
    ("name", "unit", "header"),
    [
        ("a", None, "a"),
        ("a", "", "a"),
        ("a", "degC", "a [degC]"),
        ("a,b", "m", '"a,b [m]"'),
        ('"', None, '""""'),
    ],
)
def test_header_has_names_and_units(name: str, unit: str | None, header: str) -> None:
    assert encode(TableMarkup("p", (column(name, unit=unit),))) == f"{header}\r\n"


@pytest.mark.parametrize(
    ("crs", "names"),
    [
        (Crs("EPSG:4326", "EPSG:4326"), "longitude,latitude"),
        (Crs("+proj=longlat +datum=WGS84"), "longitude,latitude"),
        (Crs("EPSG:3857", "EPSG:3857"), "x,y"),
        (Crs("EPSG:32633", "EPSG:32633"), "x,y"),
        (Crs("no such thing"), "x,y"),
        (None, "x,y"),
    ],
)
def test_points_are_two_columns(crs: Crs | None, names: str) -> None:
    points = GeometryColumn(
        pa.array(
            [
                shapely.Point(0.1, -2).wkb,
                None,
                shapely.MultiPoint([(1, 2)]).wkb,
                shapely.MultiPoint([(1, 2), (3, 4)]).wkb,
            ],
            pa.large_binary(),
        )
    )
    written = encode(TableMarkup("p", (), ShapeType.POINT, crs), Batch(4, {}, {}, points))
    assert written.split("\r\n") == [names, "0.1,-2", ",", "1,2", ",", ""]


def test_other_geometries_are_wkt() -> None:
    shapes = GeometryColumn(pa.array([shapely.LineString([(0, 0), (1.5, 2)]).wkb, None], pa.large_binary()))
    written = encode(TableMarkup("p", (), ShapeType.LINE, None), Batch(2, {}, {}, shapes))
    assert written == 'geometry\r\n"LINESTRING (0 0, 1.5 2)"\r\n\r\n'


def test_a_layer_without_a_column_leaves_it_empty() -> None:
    layers = [
        LayerAnswer(TableMarkup("p", (column("a"),)), iter([Batch(1, {}, {"a": texts("1")})])),
        LayerAnswer(TableMarkup("p", (column("b"),)), iter([Batch(1, {}, {"b": texts("2")})])),
    ]
    assert b"".join(map(bytes, encode_csv(COLLECTION, layers))) == b"a,b\r\n1,\r\n,2\r\n"
