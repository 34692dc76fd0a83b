"""The documents of the default mode, by two engines: valid but for two that MapServer's clients read as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.support.ogc_schemas import complain, needs_schemas

from .conftest import LAYER, ROWS, WEB, World, layer_text, write_stations

ODD = "ü <b>&amp;]]> \U0001f600"
# What lets an answer of the default mode be valid: a name of the property and ids of the features.
NAMED = LAYER + ' "sos_observedproperty_name" "Op" "ows_featureid" "v" "sos_stn_alias" "station"'
GENERATED = NAMED.replace('"sos_describesensor_url" "http://sensors/?a=1&id=%procedure%"', "").replace(
    '"sos_procedure_item" "stn"', '"sos_procedure" "p"'
)


def read_schema(world: World) -> bytes:
    """The application schema of the layer."""
    return b"".join(map(bytes, world.send("service=WFS&version=1.1.0&request=DescribeFeatureType&typename=l1").body))


def write_odd(world: World) -> bytes:
    """A map and rows with markup, unicode and a value that is missing; the application schema of the layer."""
    world.write_map(layer_text(metadata=GENERATED), web=WEB)
    write_stations(world.folder / "obs.gpkg", [*ROWS, (ODD, "2001-01-04T00:00:00Z", 9.0, 10.0, 50.0)])
    return read_schema(world)


@needs_schemas
def test_measurements_and_what_describes_them(world: World, tmp_path: Path) -> None:
    schema = write_odd(world)
    answers = {
        "all": world.observe(),
        "one sensor": world.observe(procedure="p"),
        "a place in another CRS": world.observe(bbox="0,0,90,90", srsName="EPSG:3857"),
        "sensor": world.ask(
            "DescribeSensor", procedure="urn:ogc:def:procedure:p", outputFormat='text/xml; subtype="sensorML/1.0.1"'
        ),
        "features": world.ask("GetFeatureOfInterest", procedure="p"),
        "capabilities": world.ask("GetCapabilities"),
        "refusal": world.observe(offering='<&">'),
    }
    assert ODD in "".join(answers["all"].itertext())
    documents = {name: etree.tostring(answer) for name, answer in answers.items()}
    assert complain(tmp_path, documents, schema, engine="both") == []


@needs_schemas
def test_what_strict_documents_are_for(world: World, tmp_path: Path) -> None:
    """What MapServer writes here is refused; sos_conformance "strict" writes these otherwise."""
    schema = write_odd(world)
    documents = {
        "nothing": etree.tostring(world.observe(eventTime="1066")),
        "block": etree.tostring(world.observe(resultModel="om:Observation")),
    }
    found = complain(tmp_path, documents, schema, engine="both")
    assert {line.partition(".xml")[0] for line in found} == set(documents)


@needs_schemas
@pytest.mark.parametrize(
    ("said", "instead", "invalid"),
    [
        ("", "", set()),
        (' "ows_featureid" "v"', "", {"observations"}),
        (' "sos_observedproperty_name" "Op"', "", {"observations", "capabilities"}),
        ('"sos_offering_id" "off"', '"sos_offering_id" "1 off"', {"observations", "capabilities"}),
    ],
    ids=["all", "no feature ids", "no name of the property", "an id that is no name"],
)
def test_what_documents_of_the_default_mode_need(
    world: World, tmp_path: Path, said: str, instead: str, invalid: set[str]
) -> None:
    assert said in GENERATED
    world.write_map(layer_text(metadata=GENERATED.replace(said, instead) if said else GENERATED), web=WEB)
    sensor = {"procedure": "urn:ogc:def:procedure:p", "outputFormat": 'text/xml; subtype="sensorML/1.0.1"'}
    answers = {
        "observations": world.observe(offering="1 off" if "1 off" in instead else "off"),
        "capabilities": world.ask("GetCapabilities"),
        "sensor": world.ask("DescribeSensor", **sensor),
        "features": world.ask("GetFeatureOfInterest", procedure="p"),
        "refusal": world.observe(offering='<&">'),
    }
    documents = {name: etree.tostring(answer) for name, answer in answers.items()}
    found = complain(tmp_path, documents, read_schema(world), engine="both")
    assert {line.partition(".xml")[0] for line in found} == invalid
