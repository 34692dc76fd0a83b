from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import shapely

from mapsos.columns.batches import Batch
from mapsos.columns.geometries import GeometryColumn
from mapsos.encodings.joining import join_rows
from mapsos.encodings.mapserver.geometry_markup import GeometryMarkup

pytestmark = pytest.mark.usefixtures("text_loops")

MakeBatch = Callable[..., Batch]


def write(make_batch: MakeBatch, shape: str, *wkt: str | None, label: str | None = "EPSG:4326") -> list[str | None]:
    """Each row's geometry element on one line, None for a row without."""
    batch = make_batch(geometries=wkt)
    texts = GeometryMarkup(shape, label, "ms").write(batch.geometry)
    if texts is None:
        return [None] * len(wkt)
    elements = join_rows(batch.rows, texts.element).to_pylist()
    present = [texts.present] * batch.rows if isinstance(texts.present, bool) else texts.present.to_pylist()
    return [
        "".join(line.strip(" ") if line.strip(" ").startswith("<") else line for line in element.splitlines())
        if there
        else None
        for element, there in zip(elements, present, strict=True)
    ]


def point(position: str) -> str:
    return f'<gml:Point srsName="urn:ogc:crs:epsg:4326" srsDimension="2"><gml:pos>{position}</gml:pos></gml:Point>'


def line(coordinates: str) -> str:
    return f'<gml:LineString srsName="EPSG:4326"><gml:coordinates>{coordinates}</gml:coordinates></gml:LineString>'


def ring(kind: str, coordinates: str) -> str:
    inside = f"<gml:LinearRing><gml:coordinates>{coordinates}</gml:coordinates></gml:LinearRing>"
    return f"<gml:{kind}BoundaryIs>{inside}</gml:{kind}BoundaryIs>"


def polygon(*rings: str) -> str:
    return f'<gml:Polygon srsName="EPSG:4326">{"".join(rings)}</gml:Polygon>'


def several(element: str, member: str | None, *parts: str) -> str:
    members = "".join(f"<gml:{member}>{part}</gml:{member}>" if member else part for part in parts)
    return f'<gml:{element} srsName="EPSG:4326">{members}</gml:{element}>'


def within(prefix: str, element: str) -> str:
    return f"<{prefix}msGeometry>{element}</{prefix}msGeometry>"


TRIANGLE = "0.000000,0.000000 0.000000,9.000000 9.000000,9.000000 0.000000,0.000000 "
HOLE = "1.000000,5.000000 1.000000,6.000000 2.000000,6.000000 1.000000,5.000000 "
FAR = "20.000000,20.000000 20.000000,21.000000 21.000000,21.000000 20.000000,20.000000 "
WKT_TRIANGLE = "(0 0, 0 9, 9 9, 0 0)"
WKT_HOLE = "(1 5, 1 6, 2 6, 1 5)"
WKT_FAR = "(20 20, 20 21, 21 21, 20 20)"

CASES = {
    "point": ("point", "POINT (-75.1234565 45)", within("ms:", point("-75.123457 45.000000"))),
    "point-z": ("point", "POINT Z (1 2 3)", within("ms:", point("1.000000 2.000000"))),
    "multipoint": (
        "point",
        "MULTIPOINT (1 2, 3 4)",
        within("ms:", several("MultiPoint", None, point("1.000000 2.000000"), point("3.000000 4.000000"))),
    ),
    "multipoint-of-one": ("point", "MULTIPOINT (1 2)", within("ms:", point("1.000000 2.000000"))),
    "line-as-points": (
        "point",
        "LINESTRING (1 2, 3 4)",
        within("ms:", several("MultiPoint", None, point("1.000000 2.000000"), point("3.000000 4.000000"))),
    ),
    "mixture-as-points": (
        "point",
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (3 4, 5 6))",
        within(
            "ms:",
            several(
                "MultiPoint",
                None,
                point("1.000000 2.000000"),
                point("3.000000 4.000000"),
                point("5.000000 6.000000"),
            ),
        ),
    ),
    "no-point": ("point", None, None),
    "empty-point": ("point", "POINT EMPTY", None),
    "line": (
        "line",
        "LINESTRING (0 0, 1 1, 2 0.5)",
        within("", line("0.000000,0.000000,1.000000,1.000000,2.000000,0.500000,")),
    ),
    "line-of-one-part": (
        "line",
        "MULTILINESTRING ((5 5, 6 6))",
        within("", line("5.000000,5.000000,6.000000,6.000000,")),
    ),
    "line-of-two-parts": (
        "line",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 4))",
        within(
            "",
            several(
                "MultiLineString",
                "lineStringMember",
                line("0.000000,0.000000,1.000000,1.000000,"),
                line("2.000000,2.000000,3.000000,3.000000,4.000000,4.000000,"),
            ),
        ),
    ),
    "empty-line": ("line", "LINESTRING EMPTY", None),
    "point-among-lines": ("line", "POINT (1 2)", None),
    "polygon-among-lines": ("line", f"POLYGON ({WKT_TRIANGLE})", within("", polygon(ring("outer", TRIANGLE)))),
    "mixture-among-lines": (
        "line",
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (3 4, 5 6), GEOMETRYCOLLECTION (MULTIPOINT (7 8)))",
        within("", line("3.000000,4.000000,5.000000,6.000000,")),
    ),
    "polygon": ("polygon", f"POLYGON ({WKT_TRIANGLE})", within("", polygon(ring("outer", TRIANGLE)))),
    "polygon-of-one-part": (
        "polygon",
        f"MULTIPOLYGON (({WKT_TRIANGLE}))",
        within("", polygon(ring("outer", TRIANGLE))),
    ),
    "polygon-with-hole": (
        "polygon",
        f"POLYGON ({WKT_TRIANGLE}, {WKT_HOLE})",
        within("", several("MultiPolygon", "polygonMember", polygon(ring("outer", TRIANGLE), ring("inner", HOLE)))),
    ),
    "polygon-of-two-parts": (
        "polygon",
        f"MULTIPOLYGON (({WKT_FAR}), ({WKT_TRIANGLE}, {WKT_HOLE}))",
        within(
            "",
            several(
                "MultiPolygon",
                "polygonMember",
                polygon(ring("outer", FAR)),
                polygon(ring("outer", TRIANGLE), ring("inner", HOLE)),
            ),
        ),
    ),
    "polygon-with-empty-part": (
        "polygon",
        f"MULTIPOLYGON (EMPTY, ({WKT_TRIANGLE}))",
        within("", polygon(ring("outer", TRIANGLE))),
    ),
    "line-among-polygons": ("polygon", "LINESTRING (0 0, 1 1)", None),
}


@pytest.mark.parametrize(("shape", "wkt", "expected"), CASES.values(), ids=CASES.keys())
def test_markup_of_a_geometry(make_batch: MakeBatch, shape: str, wkt: str | None, expected: str | None) -> None:
    assert write(make_batch, shape, wkt) == [expected]


@pytest.mark.parametrize("shape", ["point", "line", "polygon"])
def test_geometries_of_all_kinds_in_one_batch(make_batch: MakeBatch, shape: str) -> None:
    cases = [(wkt, expected) for kind, wkt, expected in CASES.values() if kind == shape] * 3
    np.random.default_rng(1).shuffle(cases)
    assert write(make_batch, shape, *(wkt for wkt, _ in cases)) == [expected for _, expected in cases]


def test_without_a_label_there_are_no_attributes(make_batch: MakeBatch) -> None:
    for shape, wkt in (("point", "MULTIPOINT (1 2, 3 4)"), ("line", "LINESTRING (0 0, 1 1)")):
        (element,) = write(make_batch, shape, wkt, label=None)
        assert element is not None
        assert "srs" not in element


def test_labels_are_escaped(make_batch: MakeBatch) -> None:
    assert '"A&amp;B:1"' in str(write(make_batch, "line", "LINESTRING (0 0, 1 1)", label="A&B:1")[0])
    assert '"urn:ogc:crs:a&amp;b:1"' in str(write(make_batch, "point", "POINT (0 0)", label="A&B:1")[0])


@pytest.mark.parametrize(
    ("shape", "wkt", "lower", "upper"),
    [
        ("point", "POINT (1 2)", "1.000000 2.000000", "1.000000 2.000000"),
        ("point", "MULTIPOINT (1 5, 3 4)", "1.000000 4.000000", "3.000000 5.000000"),
        ("line", "LINESTRING (2 1, -1 3)", "-1.000000 1.000000", "2.000000 3.000000"),
        ("line", "GEOMETRYCOLLECTION (POINT (9 9), LINESTRING (2 1, -1 3))", "-1.000000 1.000000", "2.000000 3.000000"),
    ],
)
def test_corners(make_batch: MakeBatch, shape: str, wkt: str, lower: str, upper: str) -> None:
    batch = make_batch(geometries=[None, wkt, None])
    texts = GeometryMarkup(shape, None, "ms").write(batch.geometry)
    assert texts is not None
    assert (texts.lower[1].as_py(), texts.upper[1].as_py()) == (lower, upper)


def test_stations_that_repeat_and_stations_that_do_not() -> None:
    chance = np.random.default_rng(5)
    markup = GeometryMarkup("point", None, "ms")
    for distinct in (3, 3, 900, 3):
        points = (chance.random((distinct, 2)) * 100)[chance.integers(0, distinct, 1000)]
        texts = markup.write(GeometryColumn.from_points(points))
        assert texts is not None
        assert texts.lower.to_pylist() == [f"{x:f} {y:f}" for x, y in points.tolist()]


def test_no_geometries_at_all(make_batch: MakeBatch) -> None:
    assert GeometryMarkup("point", None, "ms").write(None) is None
    assert GeometryMarkup("line", None, "ms").write(make_batch(geometries=[None, None]).geometry) is None


def test_many_vertices_are_those_of_the_geometries() -> None:
    chance = np.random.default_rng(6)
    shapes = np.array([shapely.LineString(chance.random((count, 2)) * 1e5) for count in chance.integers(2, 40, 200)])
    column = GeometryColumn.from_shapes(shapes)
    texts = GeometryMarkup("line", None, "ms").write(column)
    assert texts is not None
    for row, element in zip(shapes, join_rows(len(shapes), texts.element).to_pylist(), strict=True):
        expected = "".join(f"{x:f},{y:f}," for x, y in row.coords)
        assert f"<gml:coordinates>{expected}</gml:coordinates>" in element
