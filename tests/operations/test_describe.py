from __future__ import annotations

import pytest

from .conftest import LAYER, ROWS, World, layer_text, read_xml, refusal, write_stations

SENSOR = "service=SOS&version=1.0.0&request=DescribeSensor&outputFormat=text/xml;subtype=sensorML/1.0.0&procedure="
TYPE = "service=SOS&version=1.0.0&request=DescribeObservationType&observedProperty="


def location(world: World, query: str) -> str:
    response = world.send(query)
    assert response.status == 302
    return dict(response.headers)["Location"]


@pytest.mark.parametrize("procedure", ["A", "a", "urn:ogc:def:procedure:A"])
def test_sensor_is_redirected_with_the_id_of_the_data(world: World, procedure: str) -> None:
    assert location(world, SENSOR + procedure) == "http://sensors/?a=1&id=A"


def test_sensor_id_cannot_break_out_of_the_header(world: World) -> None:
    write_stations(world.folder / "obs.gpkg", [("x\r\nSet-Cookie: a=b&c#d/ü", *ROWS[0][1:])])
    found = location(world, SENSOR + "x%0D%0ASet-Cookie:%20a=b%26c%23d/%C3%BC")
    assert found == "http://sensors/?a=1&id=x%0D%0ASet-Cookie:%20a%3Db%26c%23d%2F%C3%BC"


def test_unknown_sensor_is_refused(world: World) -> None:
    assert refusal(read_xml(world.send(SENSOR + "X"))) == (
        "InvalidParameterValue",
        "procedure",
        "msSOSDescribeSensor(): SOS server error. procedure X not found.",
    )


def test_a_redirect_without_url_is_refused(world: World) -> None:
    without = LAYER.split('"sos_describesensor_url"')[0] + ' "sos_describesensor" "redirect"'
    world.write_map(layer_text(metadata=without))
    assert refusal(read_xml(world.send(SENSOR + "A")))[:2] == ("NoApplicableCode", "mapserv")
    world.write_map(layer_text(metadata=without + ' "sos_procedure" "A B"'))
    assert refusal(read_xml(world.send(SENSOR + "A")))[:2] == ("MissingParameterValue", "sos_describesensor_url")


def test_sensor_of_a_disabled_layer_is_not_revealed(world: World) -> None:
    world.write_map(
        layer_text(metadata=LAYER + ' "sos_enable_request" "!DescribeSensor"'),
        layer_text("l2", metadata='"sos_offering_id" "x" "sos_procedure" "Z" "sos_describesensor_url" "http://z/"'),
    )
    assert refusal(read_xml(world.send(SENSOR + "A")))[:2] == ("InvalidParameterValue", "procedure")
    assert location(world, SENSOR + "Z") == "http://z/"


def test_observation_type_redirects_to_the_last_layer_with_the_property(world: World) -> None:
    world.write_map(layer_text("l1"), layer_text("a layer"))
    assert location(world, TYPE + "OP") == (
        "http://h/cgi?service=WFS&version=1.1.0&request=DescribeFeatureType&typename=a%20layer"
    )


def test_unknown_observation_type_is_refused(world: World) -> None:
    assert refusal(read_xml(world.send(TYPE + "nothing")))[:2] == ("InvalidParameterValue", "observedproperty")
