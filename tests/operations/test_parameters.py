"""Every parameter that an operation has of its own is read by it: a wrong value is refused by the parameter's name."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from mapsos.sos.v1.operations import OPERATIONS

from .conftest import LAYER, WEB, World, layer_text, read_xml, refusal

_OWN = {row.name: [parameter.key for parameter in row.parameters] for row in OPERATIONS}
OBSERVATION = {"offering": "off", "observedProperty": "op", "responseFormat": 'text/xml; subtype="om/1.0.0"'}
GIVEN = {
    "GetCapabilities": {},
    "DescribeSensor": {"procedure": "A", "outputFormat": 'text/xml; subtype="sensorML/1.0.1"'},
    "DescribeObservationType": {"observedProperty": "op"},
    "DescribeFeatureType": {"typename": "l1"},
    "GetFeatureOfInterest": {"procedure": "A"},
    "GetObservationById": {"ObservationId": "o_A"},
    "GetObservation": {**OBSERVATION, "aggregateInterval": "P1D"},
    "GetDataAvailability": {},
}
WRONG = {"updatesequence": "9"}
"""Wrong values of parameters that nearly any text is right for."""
ALIASES = {"featureid": "typename", "sensorid": "procedure"}
PASSED_OVER = {("GetCapabilities", "version")}
"""Clients name the versions that they know by AcceptVersions; MapServer passes this one over."""


@pytest.fixture
def identified(world: World) -> World:
    """A world of observations with ids, at a map with an update sequence."""
    world.write_map(layer_text(metadata=LAYER + ' "ows_featureid" "stn"'), web=WEB + ' "sos_updatesequence" "5"')
    return world


def send(world: World, operation: str, **parameters: str) -> str | None:
    """The locator of the exception that answers a request, None if it is answered."""
    given = {"service": "SOS", "version": "1.0.0", "request": operation, **GIVEN[operation]}
    names = {name.lower() for name in parameters}
    query = {name: value for name, value in given.items() if name.lower() not in names} | parameters
    response = world.send(urlencode(query))
    if not response.error:
        for _ in response.body:
            break
        getattr(response.body, "close", lambda: None)()
        return None
    return refusal(read_xml(response))[1]


def test_each_operation_is_tried() -> None:
    assert GIVEN.keys() == _OWN.keys()


@pytest.mark.parametrize("operation", _OWN)
def test_what_is_given_is_right(identified: World, operation: str) -> None:
    assert send(identified, operation) is None


@pytest.mark.parametrize(
    ("operation", "name"),
    [(operation, name) for operation in _OWN for name in _OWN[operation] if (operation, name) not in PASSED_OVER],
)
def test_a_wrong_value_is_refused_by_name(identified: World, operation: str, name: str) -> None:
    locator = send(identified, operation, **{name: WRONG.get(name, "9wrong,:")})
    assert locator is not None
    assert locator.lower() == ALIASES.get(name, name)
