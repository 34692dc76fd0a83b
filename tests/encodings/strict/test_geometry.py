"""Geometries of valid documents, each alone and among others: in a column of one form they are found without GEOS."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from mapsos.columns.geometries import GeometryColumn
from mapsos.encodings.joining import join_rows
from mapsos.encodings.strict.geometry import StrictGeometryMarkup

pytestmark = pytest.mark.usefixtures("text_loops")

OTHERS = ["MULTIPOINT (7 8, 9 9)", "LINESTRING (0 0, 9 9)", "POLYGON ((0 0, 9 0, 9 9, 0 0))"]


def ring(*positions: str) -> str:
    texts = "".join(f"{position} " for position in positions)
    return f"<gml:LinearRing><gml:posList>{texts}</gml:posList></gml:LinearRing>"


def write(texts: list[str], *, northing_first: bool) -> list[str]:
    column = GeometryColumn(pa.array(shapely.to_wkb(shapely.from_wkt(np.array(texts)))))
    found = StrictGeometryMarkup("urn:x", northing_first=northing_first).write(column)
    assert found is not None
    assert found.present is True
    return join_rows(len(texts), found.element).to_pylist()


TRIANGLE = ["1.000000 2.000000", "3.000000 2.000000", "3.000000 4.000000", "1.000000 2.000000"]
SWAPPED = [" ".join(reversed(position.split())) for position in TRIANGLE]
HOLE = ["2.000000 2.250000", "2.500000 2.250000", "2.500000 2.500000", "2.000000 2.250000"]


@pytest.mark.parametrize("among_others", [False, True])
@pytest.mark.parametrize(
    ("wkt", "northing_first", "expected"),
    [
        (
            "LINESTRING (1 2, -3 4.5)",
            False,
            "<gml:LineString{crs}><gml:posList>1.000000 2.000000 -3.000000 4.500000 </gml:posList></gml:LineString>",
        ),
        (
            "LINESTRING (1 2, -3 4.5)",
            True,
            "<gml:LineString{crs}><gml:posList>2.000000 1.000000 4.500000 -3.000000 </gml:posList></gml:LineString>",
        ),
        (
            "MULTILINESTRING ((1 2, 3 4))",
            False,
            "<gml:LineString{crs}><gml:posList>1.000000 2.000000 3.000000 4.000000 </gml:posList></gml:LineString>",
        ),
        (
            "POLYGON ((1 2, 3 2, 3 4, 1 2))",
            False,
            f"<gml:Polygon{{crs}}><gml:exterior>{ring(*TRIANGLE)}</gml:exterior></gml:Polygon>",
        ),
        (
            "POLYGON ((1 2, 3 2, 3 4, 1 2))",
            True,
            f"<gml:Polygon{{crs}}><gml:exterior>{ring(*SWAPPED)}</gml:exterior></gml:Polygon>",
        ),
        (
            "MULTIPOLYGON (((1 2, 3 2, 3 4, 1 2)))",
            False,
            f"<gml:Polygon{{crs}}><gml:exterior>{ring(*TRIANGLE)}</gml:exterior></gml:Polygon>",
        ),
        (
            "POLYGON ((1 2, 3 2, 3 4, 1 2), (2 2.25, 2.5 2.25, 2.5 2.5, 2 2.25))",
            False,
            f"<gml:Polygon{{crs}}><gml:exterior>{ring(*TRIANGLE)}</gml:exterior>"
            f"<gml:interior>{ring(*HOLE)}</gml:interior></gml:Polygon>",
        ),
    ],
)
def test_the_same_alone_and_among_others(wkt: str, northing_first: bool, expected: str, among_others: bool) -> None:
    others = OTHERS if among_others else []
    assert write([wkt, *others], northing_first=northing_first)[0] == expected.format(crs=' srsName="urn:x"')
