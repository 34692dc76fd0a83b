from __future__ import annotations

import pyproj
import pytest

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.projections import read_projection
from mapsos.mapfile.tokens import split_text
from mapsos.terms.crs import Crs

EPSG_4326 = Crs("EPSG:4326", "EPSG:4326")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"init=epsg:4326"', EPSG_4326),
        ('"+init=epsg:4326"', EPSG_4326),
        ('"init=EPSG:4326"', EPSG_4326),
        ('"epsg:4326"', EPSG_4326),
        ('"EPSG:4326"', EPSG_4326),
        ("init=epsg:4326", EPSG_4326),
        ("'epsg:4326'", EPSG_4326),
        ('"urn:ogc:def:crs:EPSG::4326"', EPSG_4326),
        ('"http://www.opengis.net/def/crs/EPSG/0/4326"', EPSG_4326),
        ('"init=epsg:4326" "over"', EPSG_4326),
        ('"init=crs:84"', Crs("OGC:CRS84", "CRS:84")),
        ('"init=epsg:900913"', Crs("EPSG:3857", "EPSG:900913")),
        ('"proj=utm" "zone=33" "datum=WGS84"', Crs("+proj=utm +zone=33 +datum=WGS84")),
        ('"+proj=utm +zone=33 +datum=WGS84 +no_defs"', Crs("+proj=utm +zone=33 +datum=WGS84 +no_defs")),
        ("proj=longlat ellps=GRS80", Crs("+proj=longlat +ellps=GRS80")),
        ("", None),
        ('""', None),
    ],
)
def test_spellings(text: str, expected: Crs | None) -> None:
    found = read_projection(list(split_text(text)), "the MAP")
    assert found == expected
    if found:
        assert pyproj.CRS.from_user_input(found.definition)


def test_wkt_is_kept() -> None:
    wkt = pyproj.CRS.from_epsg(4326).to_wkt()
    found = read_projection(list(split_text(f"'{wkt}'")), "the MAP")
    assert found == Crs(wkt)


@pytest.mark.parametrize("text", ["AUTO", '"auto"', '"AUTO:42001,9001,-100,45"', '"init=auto2:42001"'])
def test_auto_is_refused_by_name(text: str) -> None:
    with pytest.raises(MapfileError, match=r"(?i)PROJECTION \S*auto.* of LAYER \"x\": automatic"):
        read_projection(list(split_text("\n" + text, "f")), 'LAYER "x"')


def test_nonsense_is_refused() -> None:
    with pytest.raises(MapfileError, match="is not a projection") as caught:
        read_projection(list(split_text('\n"nonsense"', "f")), "the MAP")
    assert caught.value.line == 2
