"""Names of CRSs: every spelling, and the axis order that it asks for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mapsos.terms.crs import _COMMON, SrsName, find_axis_unit, is_northing_first, parse_srs_name


@pytest.mark.parametrize(
    ("text", "label", "authority_axes"),
    [
        ("EPSG:4326", "EPSG:4326", False),
        (" epsg:4326 ", "EPSG:4326", False),
        ("OGC:CRS84", "OGC:CRS84", False),
        ("CRS:84", "OGC:CRS84", False),
        ("CRS:83", "OGC:CRS83", False),
        ("urn:ogc:def:crs:EPSG::900913", "EPSG:3857", True),
        ("urn:ogc:crs:epsg:4326", "EPSG:4326", False),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "EPSG:4326", False),
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326", True),
        ("urn:ogc:def:crs:EPSG:6.9:4326", "EPSG:4326", True),
        ("urn:ogc:def:crs:EPSG:4326", "EPSG:4326", True),
        ("URN:X-OGC:DEF:CRS:EPSG::4326", "EPSG:4326", True),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326", True),
        ("https://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84", True),
    ],
)
def test_spellings(text: str, label: str, authority_axes: bool) -> None:
    assert parse_srs_name(text) == SrsName(label, authority_axes)


@pytest.mark.parametrize(
    "text", ["", "4326", "EPSG:", "EPSG::4326", "EPSG:4326;", "EPSG:4326 EPSG:3857", "urn:ogc:def:crs"]
)
def test_other_texts_name_no_crs(text: str) -> None:
    assert parse_srs_name(text) is None


@pytest.mark.parametrize(
    ("text", "northing_first"),
    [
        ("EPSG:4326", False),
        ("urn:ogc:def:crs:EPSG::4326", True),
        ("urn:ogc:def:crs:EPSG::3857", False),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", False),
        ("urn:ogc:def:crs:EPSG::2393", True),
        ("urn:ogc:def:crs:EPSG::32633", False),
    ],
)
def test_axis_order(text: str, northing_first: bool) -> None:
    srs_name = parse_srs_name(text)
    assert srs_name is not None
    assert srs_name.northing_first is northing_first


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(ValueError, match="EPSG:99999"):
        is_northing_first("EPSG:99999")


def test_the_common_names_say_what_proj_says() -> None:
    import pyproj

    axes = {label: pyproj.CRS.from_user_input(label).axis_info[0] for label in _COMMON}
    assert {label: axis.direction == "north" for label, axis in axes.items()} == _COMMON
    assert {label: axis.unit_name for label, axis in axes.items()} == {name: find_axis_unit(name) for name in _COMMON}


@pytest.mark.parametrize(("label", "unit"), [("EPSG:25832", "metre"), ("EPSG:2263", "US survey foot")])
def test_units_of_axes(label: str, unit: str) -> None:
    assert find_axis_unit(label) == unit


def test_the_unit_of_an_unknown_code_is_an_error() -> None:
    with pytest.raises(ValueError, match="EPSG:99999"):
        find_axis_unit("EPSG:99999")


def test_the_common_names_need_no_pyproj() -> None:
    asked = "is_northing_first('EPSG:4326'), find_axis_unit('EPSG:4326')"
    code = f"import sys; from mapsos.terms.crs import *; {asked}; sys.exit('pyproj' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
