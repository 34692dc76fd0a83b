"""What mapserv answers and mapsos did not: maps without offerings, the map of a form, sensors that layers share."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.station_service import FORM, StationService, name_source, write_layer, write_rows

CAPABILITIES = "service=SOS&request=GetCapabilities"


def test_a_map_without_offerings_has_capabilities(tmp_path: Path) -> None:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [("A", "2024", 1.0)])
    source = name_source(tmp_path / "levels.gpkg")
    service = StationService(tmp_path, write_layer(source, sos_offering_id="", sos_observedproperty_id=""))
    reply = service.send(CAPABILITIES)
    assert "<sos:Contents>" in reply.text
    assert "ObservationOffering " not in reply.text
    assert '<!--WARNING: Mandatory metadata "ows_contactorganization" was missing' in reply.text
    assert "Offering all not found" in service.observe().text
    denied = write_layer(source, sos_offering_id="", sos_observedproperty_id="", sos_enable_request="!*")
    assert "SOS request not enabled" in StationService(tmp_path, denied).send(CAPABILITIES).text


@pytest.mark.parametrize("query", ["", "map=nosuch.map"])
def test_a_form_may_name_the_map(tmp_path: Path, query: str) -> None:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [("A", "2024", 1.0)])
    layer = write_layer(name_source(tmp_path / "levels.gpkg"))
    (tmp_path / "another").mkdir()
    other = StationService(tmp_path / "another", layer, web='"ows_abstract" "Another map"')
    service = StationService(tmp_path, layer)
    reply = service.send(query, f"map={other.map}&{CAPABILITIES}", FORM)
    assert "Another map" in reply.text
    assert "Another map" not in service.send("", CAPABILITIES, FORM).text


@pytest.mark.parametrize("conformance", ["mapserver", "strict"])
def test_a_shared_sensor_is_listed_once(tmp_path: Path, conformance: str) -> None:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [("A", "2024-01-01", 1.0), ("B", "2024-01-02", 1.0)])
    source = name_source(tmp_path / "levels.gpkg")
    service = StationService(
        tmp_path,
        write_layer(source),
        write_layer(source, "rain", sos_observedproperty_id="rain"),
        write_layer(source, "snow", sos_observedproperty_id="snow", sos_procedure="a C", sos_procedure_item=""),
        web=f'"sos_conformance" "{conformance}"',
    )
    listed = re.findall(r'<sos:procedure xlink:href="urn:ogc:def:procedure:(\w+)"', service.send(CAPABILITIES).text)
    assert listed == ["A", "B", "C"]
