"""Columns of geometries: decoding, reprojecting, and what a LAYER's TYPE makes of them."""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pytest
import shapely

from mapsos.columns.geometries import GeometryColumn, reproject
from mapsos.terms.crs import Crs

WGS84 = Crs("EPSG:4326", "EPSG:4326")
WEB = Crs("EPSG:3857", "EPSG:3857")

LITTLE = struct.pack("<BIdd", 1, 1, 1.5, -2.5)
BIG = struct.pack(">BIdd", 0, 1, 1.5, -2.5)
ISO_Z = struct.pack("<BIddd", 1, 1001, 1.5, -2.5, 9.0)
ISO_M = struct.pack("<BIddd", 1, 2001, 1.5, -2.5, 9.0)
ISO_ZM = struct.pack("<BIdddd", 1, 3001, 1.5, -2.5, 9.0, 8.0)
EXTENDED_Z = struct.pack("<BIddd", 1, 0x80000001, 1.5, -2.5, 9.0)
EMPTY = struct.pack("<BIdd", 1, 1, float("nan"), float("nan"))


def column(*wkb: bytes | None, kind: pa.DataType | None = None) -> GeometryColumn:
    return GeometryColumn(pa.array(wkb, kind or pa.binary()))


def of(*texts: str | None) -> GeometryColumn:
    return column(*(None if text is None else shapely.to_wkb(shapely.from_wkt(text)) for text in texts))


def texts(geometries: GeometryColumn) -> list[str | None]:
    return [None if shape is None else shape.wkt for shape in geometries.shapes()]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("wkb", [LITTLE, BIG, ISO_Z, ISO_M, ISO_ZM, EXTENDED_Z])
def test_points_of_every_form(wkb: bytes, kind: pa.DataType) -> None:
    assert column(wkb, None, wkb, kind=kind).point_coordinates() == pytest.approx(
        np.array([[1.5, -2.5], [np.nan, np.nan], [1.5, -2.5]]), nan_ok=True
    )


def test_points_of_several_forms_in_one_column_and_slices() -> None:
    mixed = GeometryColumn(pa.array([LITTLE, BIG, ISO_Z, EMPTY, None], pa.binary()).slice(1))
    assert mixed.point_coordinates() == pytest.approx(
        np.array([[1.5, -2.5], [1.5, -2.5], [np.nan] * 2, [np.nan] * 2]), nan_ok=True
    )
    assert GeometryColumn(pa.array([LITTLE] * 3).slice(2)).point_coordinates().tolist() == [[1.5, -2.5]]  # type: ignore[union-attr]


def test_no_rows_and_no_geometries() -> None:
    assert column().point_coordinates().shape == (0, 2)  # type: ignore[union-attr]
    assert np.isnan(column(None, None).bounds()).all()
    assert column(None, EMPTY).present().tolist() == [False, False]


def test_bounds_and_shapes_of_lines() -> None:
    lines = of("LINESTRING (0 1, 2 3)", None, "POLYGON EMPTY")
    assert lines.point_coordinates() is None
    assert lines.bounds() == pytest.approx(np.array([[0, 1, 2, 3], [np.nan] * 4, [np.nan] * 4]), nan_ok=True)
    assert texts(lines) == ["LINESTRING (0 1, 2 3)", None, "POLYGON EMPTY"]


def test_rows_can_be_taken_before_and_after_decoding() -> None:
    points = column(LITTLE, None, BIG)
    mask = np.array([False, True, True])
    for _ in range(2):
        taken = points.take(mask)
        assert len(taken) == 2
        assert taken.point_coordinates() == pytest.approx(np.array([[np.nan] * 2, [1.5, -2.5]]), nan_ok=True)
        points.point_coordinates()
    assert texts(of("LINESTRING (0 1, 2 3)", None).take(np.array([True, False]))) == ["LINESTRING (0 1, 2 3)"]


def test_made_columns_have_wkb() -> None:
    made = GeometryColumn.from_points(np.array([[1.5, -2.5], [np.nan, np.nan]]))
    assert made.wkb.to_pylist() == [LITTLE, None]
    assert texts(made) == ["POINT (1.5 -2.5)", None]
    shapes = GeometryColumn.from_shapes(of("LINESTRING (0 1, 2 3)", None).shapes())
    assert shapely.from_wkb(shapes.wkb.to_pylist()[0]).wkt == "LINESTRING (0 1, 2 3)"


def test_curves_are_read_as_lines() -> None:
    arc = struct.pack("<BII6d", 1, 8, 3, 0, 0, 1, 1, 2, 0)
    shape = column(arc, LITTLE, b"rubbish").shapes()
    assert shape[0].geom_type == "LineString"
    assert shapely.get_num_coordinates(shape[0]) > 10
    assert shape[1].wkt == "POINT (1.5 -2.5)"
    assert shape[2] is None


def test_reprojection_happens_once() -> None:
    points = of("POINT (-75 45)", None)
    moved = reproject(points, WGS84, WEB)
    assert moved.point_coordinates() == pytest.approx(
        np.array([[-8348961.809295, 5621521.486192], [np.nan] * 2]), nan_ok=True
    )
    assert reproject(moved, WEB, WGS84).point_coordinates()[0] == pytest.approx([-75, 45])  # type: ignore[index]
    assert reproject(points, WGS84, WGS84) is points


def test_lines_keep_their_shape_and_lose_what_has_no_place() -> None:
    moved = reproject(of("LINESTRING (0 0, 1 1)", "LINESTRING (0 0, 0 95)", None), WGS84, WEB).shapes()
    assert shapely.get_coordinates(moved[0]) == pytest.approx(np.array([[0, 0], [111319.490793, 111325.142866]]))
    assert moved[1] is None
    assert moved[2] is None


def test_an_unknown_crs_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="EPSG:999999"):
        reproject(of("POINT (1 2)"), WGS84, Crs("EPSG:999999", "EPSG:999999"))
