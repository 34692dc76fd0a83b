"""Lines and rings found in WKB as they stand, against GEOS."""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pytest
import shapely

from mapsos.columns.geometries import GeometryColumn
from mapsos.columns.vertex_runs import find_vertex_runs

LINES = ["LINESTRING (1 2, 3 -4)", "LINESTRING (5 6, 7 8, 5 6, 0 0)"]
POLYGONS = ["POLYGON ((0 0, 1 0, 1 1, 0 0))", "POLYGON ((5 5, 9 5, 9 9, 5 9, 5 5))"]
MULTILINES = ["MULTILINESTRING ((1 2, 3 -4))", "MULTILINESTRING ((5 6, 7 8, 5 6))"]
MULTIPOLYGONS = ["MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", "MULTIPOLYGON (((5 5, 9 5, 9 9, 5 9, 5 5)))"]
LINES_WITH_HEIGHT = ["LINESTRING Z (1 2 9, 3 -4 8)", "LINESTRING Z (5 6 7, 7 8 7, 5 6 7)"]
POLYGONS_WITH_HEIGHT = ["POLYGON Z ((0 0 1, 1 0 2, 1 1 3, 0 0 4))"]
MULTI_WITH_HEIGHT = ["MULTIPOLYGON Z (((0 0 1, 1 0 2, 1 1 3, 0 0 4)))"]


def encode(texts: list[str], **how: object) -> list[bytes]:
    return list(shapely.to_wkb(shapely.from_wkt(texts), **{"output_dimension": 3, **how}))


def as_measured(wkb: bytes, code: int, numbers: int) -> bytes:
    """A line of two dimensions with further numbers in each vertex, and another type code."""
    (count,) = struct.unpack_from("<I", wkb, 5)
    vertices = np.frombuffer(wkb, np.float64, offset=9).reshape(count, 2)
    wider = np.concatenate((vertices, np.full((count, numbers - 2), 7.5)), axis=1)
    return struct.pack("<BII", 1, code, count) + wider.tobytes()


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize(
    ("texts", "dimension"),
    [
        (LINES, 1),
        (POLYGONS, 2),
        (MULTILINES, 1),
        (MULTIPOLYGONS, 2),
        (LINES_WITH_HEIGHT, 1),
        (POLYGONS_WITH_HEIGHT, 2),
        (MULTI_WITH_HEIGHT, 2),
    ],
)
def test_what_geos_reads(texts: list[str], dimension: int, byte_order: int, flavor: str, kind: pa.DataType) -> None:
    wkb = encode(texts, byte_order=byte_order, flavor=flavor)
    # A slice, so that nothing rests on where the buffers begin.
    found = find_vertex_runs(pa.array([b"before", *wkb], kind).slice(1))
    shapes = shapely.from_wkb(wkb)
    assert found is not None
    assert found.dimension == dimension
    assert found.coordinates.tolist() == shapely.get_coordinates(shapes).tolist()
    assert found.counts.tolist() == shapely.get_num_coordinates(shapes).tolist()
    assert found.bounds.tolist() == shapely.bounds(shapes).tolist()


@pytest.mark.parametrize(
    ("code", "numbers"), [(2002, 3), (3002, 4), (0x40000002, 3), (0xC0000002, 4)], ids=["M", "ZM", "ext M", "ext ZM"]
)
def test_lines_with_measures(code: int, numbers: int) -> None:
    found = find_vertex_runs(pa.array([as_measured(wkb, code, numbers) for wkb in encode(LINES)]))
    assert found is not None
    assert found.coordinates.tolist() == shapely.get_coordinates(shapely.from_wkt(LINES)).tolist()


LINE, RING = encode(LINES)[0], encode(POLYGONS)[0]


@pytest.mark.parametrize(
    "wkb",
    [
        pytest.param([], id="none"),
        pytest.param([LINE, None], id="null"),
        pytest.param([LINE, b""], id="nothing"),
        pytest.param([b"", LINE], id="nothing first"),
        pytest.param([LINE, LINE[:9]], id="cut off"),
        pytest.param([LINE, LINE + b"more"], id="more than it says"),
        pytest.param([LINE, RING], id="two types"),
        pytest.param([LINE, *encode(LINES, byte_order=0)], id="two byte orders"),
        pytest.param([LINE, *encode(LINES_WITH_HEIGHT)], id="two dimensions"),
        pytest.param(encode(["POINT (1 2)"]), id="points"),
        pytest.param(encode(["LINESTRING EMPTY"]), id="empty"),
        pytest.param(encode(["POLYGON EMPTY"]), id="empty polygon"),
        pytest.param(encode(["MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))"]), id="two parts"),
        pytest.param(encode(["MULTIPOLYGON EMPTY"]), id="no parts"),
        pytest.param(encode(["POLYGON ((0 0, 9 0, 9 9, 0 0), (6 1, 7 1, 7 2, 6 1))"]), id="inner ring"),
        pytest.param(encode(["GEOMETRYCOLLECTION (LINESTRING (1 2, 3 4))"]), id="collection"),
        pytest.param([struct.pack("<BIIdd", 1, 2, 1, 1.0, 2.0)], id="one vertex"),
        pytest.param([RING[:-16] + struct.pack("<dd", 5.0, 5.0)], id="open ring"),
        pytest.param([LINE[:-8] + struct.pack("<d", float("nan"))], id="no number"),
        pytest.param([struct.pack("<BII", 1, 0x20000002, 4326) + LINE[5:]], id="with a CRS"),
        pytest.param([struct.pack("<BI", 1, 4002) + LINE[5:]], id="unknown dimensions"),
        pytest.param([struct.pack("<BI", 2, 2) + LINE[5:]], id="unknown byte order"),
        pytest.param([struct.pack("<BI", 1, 8) + LINE[5:]], id="a curve"),
        pytest.param(encode(MULTILINES)[:1] + [encode(MULTIPOLYGONS)[0]], id="two multi types"),
    ],
)
def test_what_is_left_to_geos(wkb: list[bytes | None]) -> None:
    assert find_vertex_runs(pa.array(wkb, pa.binary())) is None


@pytest.mark.parametrize("texts", [LINES, POLYGONS, MULTILINES, MULTIPOLYGONS])
def test_a_column_of_them(texts: list[str]) -> None:
    column = GeometryColumn(pa.array(encode(texts)))
    assert column.point_coordinates() is None
    assert column.bounds().tolist() == shapely.bounds(shapely.from_wkt(texts)).tolist()
    assert column.present().tolist() == [True] * len(texts)
    last = column.take(np.arange(len(texts)) == len(texts) - 1)
    assert last.bounds().tolist() == [shapely.bounds(shapely.from_wkt(texts[-1])).tolist()]
    assert shapely.equals(column.shapes(), shapely.from_wkt(texts)).all()
