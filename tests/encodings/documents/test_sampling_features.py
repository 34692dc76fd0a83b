"""What a feature collection says of the CRS of a shape."""

from __future__ import annotations

import pytest
import shapely
from lxml import etree

from mapsos.encodings.documents.sampling_features import SamplingFeature, write_sampling_features
from mapsos.terms.crs import name_crs

GML = "{http://www.opengis.net/gml}"


@pytest.mark.parametrize(
    ("label", "urn", "position"),
    [
        ("EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "2 1"),
        ("EPSG:32633", "urn:ogc:def:crs:EPSG::32633", "1 2"),
        ("OGC:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84", "1 2"),
        (None, None, "1 2"),
    ],
)
def test_a_shape_names_its_crs_as_the_ogc_does(label: str | None, urn: str | None, position: str) -> None:
    feature = SamplingFeature("A", shapely.to_wkb(shapely.Point(1, 2)), label)
    (point,) = etree.fromstring(write_sampling_features([feature], "http://schemas.opengis.net")).iter(f"{GML}Point")
    assert (point.get("srsName"), point.findtext(f"{GML}pos")) == (urn, position)
    if label is not None:
        assert name_crs(label) == urn
