"""What new users saw on pages: points 12, 13 and 16 of an admin, and a CSV file without types."""

from __future__ import annotations

import html
import json
import re

import pytest

from .conftest import Field, read

TABLE = "station,time,value,lon,lat\nS1,2024-03-01T06:00:00Z,1.5,300000,5600000\n"
OPTIONS = '"X_POSSIBLE_NAMES" "lon" "Y_POSSIBLE_NAMES" "lat"'
NO_PLOT = "No plot, because all values are text."
NO_VALUES = "No values are published: the mapfile gives no column an alias."


def read_page(field: Field) -> str:
    return read(field.send("f=html", "/exts/SosSOE/procedures/S1")).decode()


def test_a_layer_without_projection_is_on_the_map_of_its_page(field: Field) -> None:
    """Its coordinates are those of the map, as in MapServer, which the area of the page says too."""
    field.write("data.csv", TABLE)
    field.publish("data.csv", crs=None, map_crs="EPSG:25832", more=f"CONNECTIONOPTIONS {OPTIONS} END")
    page = read_page(field)
    found = re.search(r'data-stations="([^"]*)"', page)
    assert found
    [station] = json.loads(html.unescape(found[1]))
    assert (station["x"], station["y"]) == pytest.approx((6.178689, 50.517741))
    assert "(EPSG:25832)" in page


@pytest.mark.parametrize(
    ("types", "old", "new", "sentence"),
    [
        ("NO", "", "", NO_PLOT),
        ("YES", "", "", None),
        ("YES", '"sos_value_alias" "value" "sos_value_uom" "m"', "", NO_VALUES),
    ],
)
def test_why_there_is_no_plot(field: Field, types: str, old: str, new: str, sentence: str | None) -> None:
    field.write("data.csv", TABLE)
    field.publish("data.csv", more=f'CONNECTIONOPTIONS {OPTIONS} "AUTODETECT_TYPE" "{types}" END')
    field.mapfile.write_text(field.mapfile.read_text().replace(old, new))
    page = read_page(field)
    assert [text for text in (NO_PLOT, NO_VALUES) if text in page] == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("unit", "header"),
    [("m", "value [m]"), ("[degF]", "value [degF]"), ("[a].[b]", "value [[a].[b]]"), ("", "value")],
)
def test_units_of_ucum_have_their_own_brackets(field: Field, unit: str, header: str) -> None:
    field.write("data.csv", TABLE)
    field.publish("data.csv", metadata=f'"sos_value_uom" "{unit}"')
    [row] = field.rows()
    assert header in row
