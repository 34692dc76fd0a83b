"""GetObservationById: every gml:id that was sent leads back to its observation."""

from __future__ import annotations

import io

import pytest
from lxml import etree

from .conftest import LAYER, NS, ROWS, World, layer_text, read_xml, refusal, values, write_stations

ID = f"{{{NS['gml']}}}id"
WITH_ID = LAYER.replace('"sos_procedure_item" "stn"', '"sos_procedure_item" "stn" "ows_featureid" "stn"')


def ids(root: etree._Element) -> list[str]:
    return [str(element.get(ID)) for element in root.iterfind(".//om:Observation", NS)]


@pytest.fixture
def named(world: World) -> World:
    """A world of observations with ids, some of them odd."""
    rows = [(name, *ROWS[0][1:]) for name in ("1", "S.5", "5", "o_5", "a&<b>\"' é", "7,8")]
    write_stations(world.folder / "obs.gpkg", [(name, t, float(n), x, y) for n, (name, t, _, x, y) in enumerate(rows)])
    world.write_map(layer_text(metadata=WITH_ID))
    return world


def test_every_id_that_was_sent_leads_back(named: World) -> None:
    sent = named.observe()
    for id_, value in zip(ids(sent), values(sent), strict=True):
        found = named.ask("GetObservationById", ObservationId=id_)
        assert (ids(found), values(found)) == ([id_], [value])


@pytest.mark.parametrize("asked", ["o_1", "1"])
def test_the_prefix_may_be_left_out(named: World, asked: str) -> None:
    assert values(named.ask("GetObservationById", ObservationId=asked)) == ["0"]


def test_the_name_of_its_column_may_be_the_alias_of_another(named: World) -> None:
    named.write_map(layer_text(metadata=WITH_ID.replace('"sos_v_alias" "value"', '"sos_v_alias" "stn"')))
    for id_ in ("o_1", "o_S.5"):
        assert ids(named.ask("GetObservationById", ObservationId=id_)) == [id_]


def test_the_answer_is_that_of_get_observation(named: World) -> None:
    whole = named.observe(featureOfInterest="1", resultModel="om:Observation", srsName="EPSG:3857")
    found = named.ask("GetObservationById", ObservationId="o_1", resultModel="om:Observation", srsName="EPSG:3857")
    assert etree.tostring(found) == etree.tostring(whole)


def test_the_layer_that_has_the_id_answers(world: World) -> None:
    write_stations(world.folder / "other.gpkg", [("Z", "2001-01-01T00:00:00Z", 9.0, 1.0, 1.0)])
    other = WITH_ID.replace('"op"', '"op2"')
    world.write_map(layer_text(), layer_text("l2", "other.gpkg", other))
    assert values(world.ask("GetObservationById", ObservationId="o_Z")) == ["9"]
    # The first layer sends no ids.
    assert refusal(world.ask("GetObservationById", ObservationId="A"))[:2] == ("InvalidParameterValue", "ObservationId")


def test_a_body(named: World) -> None:
    body = (
        b'<GetObservationById xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0" srsName="EPSG:3857">'
        b'<ObservationId>o_1</ObservationId><responseFormat>text/xml; subtype="om/1.0.0"</responseFormat>'
        b"</GetObservationById>"
    )
    answer = named.send(
        "", method="POST", content_type="text/xml", content_length=len(body), read=io.BytesIO(body).read
    )
    assert values(read_xml(answer)) == ["0"]


@pytest.mark.parametrize(
    ("asked", "code", "locator"),
    [
        ({}, "MissingParameterValue", "ObservationId"),
        ({"ObservationId": "o_x"}, "InvalidParameterValue", "ObservationId"),
        ({"ObservationId": "o_1", "responseFormat": "text/html"}, "InvalidParameterValue", "responseformat"),
        ({"ObservationId": "o_1", "resultModel": "x"}, "InvalidParameterValue", "resultModel"),
        ({"ObservationId": "o_1", "observation_id": "o_2"}, "InvalidParameterValue", "observation_id"),
    ],
)
def test_what_is_refused(named: World, asked: dict[str, str], code: str, locator: str) -> None:
    assert refusal(named.ask("GetObservationById", **asked))[:2] == (code, locator)


def test_a_layer_that_is_off_is_not_revealed(named: World) -> None:
    for request in ("GetObservation", "GetObservationById"):
        named.write_map(layer_text(metadata=WITH_ID + f' "sos_enable_request" "!{request}"'))
        assert refusal(named.ask("GetObservationById", ObservationId="o_1"))[0] == "InvalidParameterValue"
