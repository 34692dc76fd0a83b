"""K6: CONNECTIONOPTIONS are the open options of the driver, as in MapServer."""

from __future__ import annotations

import pytest

from .conftest import Field

TABLE = """station,time,value,lon,lat
S1,2024-03-01T06:00:00Z,1.5,7.5,50.5
S2,2024-03-02T06:00:00Z,2.5,8.5,51.5
"""
POSITIONS = 'CONNECTIONOPTIONS "X_POSSIBLE_NAMES" "lon*" "Y_POSSIBLE_NAMES" "lat*" END'


@pytest.mark.parametrize("data", ["", "data", "SELECT station, time, value FROM data WHERE station <> 'S2'"])
def test_columns_become_positions(field: Field, data: str) -> None:
    field.write("data.csv", TABLE)
    field.publish("data.csv", data, more=POSITIONS)
    found = [each.findtext(".//{*}msGeometry/{*}Point/{*}pos") for each in field.members(bbox="7,50,8,51")]
    assert found == ["7.500000 50.500000"]
    records = field.rest("/observations/query", spatialFilter="7,50,8,51")["observationData"]
    assert [record["procedure"] for record in records] == ["S1"]


def test_without_them_there_are_none(field: Field) -> None:
    field.write("data.csv", TABLE)
    field.publish("data.csv")
    assert [each.find(".//{*}msGeometry") for each in field.members()] == [None, None]


def test_types_are_those_of_the_driver(field: Field) -> None:
    """As text, 10 is less than 9; of two values of an option the last counts."""
    field.write("data.csv", TABLE.replace("1.5,7.5", "10,7.5").replace("2.5,8.5", "9,8.5"))
    options = 'CONNECTIONOPTIONS "AUTODETECT_TYPE" "NO" "autodetect_type" "YES" END'
    field.publish("data.csv", more=options)
    assert b'"value":[10,9]' in field.observe("application/json")
