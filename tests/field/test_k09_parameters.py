"""Parameters that mean nothing are ignored and logged, misspelt ones are rejected; XML is XML whatever its type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.station_service import (
    FORM,
    SOS,
    StationService,
    list_stations,
    name_source,
    write_layer,
    write_rows,
)


@pytest.fixture
def service(tmp_path: Path) -> StationService:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [("A", "2024-03-01T06:00:00Z", 1.0), ("B", "2024-03-02", 2.0)])
    return StationService(
        tmp_path, write_layer(name_source(tmp_path / "levels.gpkg")), web='"sos_vendor_parameters" "tokens"'
    )


NOISE = {"_": "1700000000", "token": "a,b", "key": "x", "t": "1", "utm_source": "mail", "Sections": "All"}


@pytest.mark.parametrize("value", ["1", "2", "<x/>", "%zz"])
def test_unknown_parameters_change_nothing(service: StationService, value: str) -> None:
    noise = dict.fromkeys(NOISE, value)
    plain = service.observe()
    reply = service.observe(**noise)
    assert (reply.text, reply.headers) == (plain.text, plain.headers)
    assert reply.logged["ignored"] == [name.lower() for name in NOISE]
    assert plain.logged["ignored"] == []
    capabilities = service.send("service=SOS&request=GetCapabilities")
    reply = service.send(f"service=SOS&request=GetCapabilities&_={value.replace('%', '%25')}&tokens=x&=5")
    assert (reply.text, reply.headers["ETag"]) == (capabilities.text, capabilities.headers["ETag"])
    assert reply.logged["ignored"] == ["=", "_"] or reply.logged["ignored"] == ["_", "="]


def test_every_binding(service: StationService) -> None:
    reply = service.send("service=SOS&version=1.0.0&request=GetObservation", "offering=all&observedProperty=level"
                         "&responseFormat=text/csv&_=5", FORM)  # fmt: skip
    assert list_stations(reply) == {"A", "B"}
    assert reply.logged["ignored"] == ["_"]
    for soap in (False, True):
        unknown = "<x:extension xmlns:x='urn:x'><y/></x:extension><Sections>All</Sections>"
        reply = service.post_observe(unknown, soap=soap)
        assert list_stations(reply) == {"A", "B"}
        assert reply.logged["ignored"] == ["extension", "Sections"]
        reply = service.post_observe("<procedures>A</procedures>", soap=soap)
        assert "Unknown element procedures in GetObservation. Did you mean procedure?" in reply.text
    for format in ("json", "csv", "html", "pjson"):
        plain, reply = service.query(f=format), service.query(f=format, _="1", token="a", size="2")
        assert (reply.text, reply.headers) == (plain.text, plain.headers)
        assert reply.logged["ignored"] == ["_", "token", "size"]
    reply = service.query(f="json", procedures="A")
    assert reply.value["error"] == {
        "code": 400,
        "message": "unknown parameter procedures",
        "details": ["did you mean procedure?"],
    }
    assert "did you mean procedure?" in service.query(f="html", procedures="A").text


def test_failures_are_logged_with_what_was_ignored(service: StationService) -> None:
    assert service.observe(procedure="nosuch", _="1").logged["ignored"] == ["_"]
    assert service.query(procedure="nosuch", _="1").logged["ignored"] == ["_"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("evenTime", "eventTime"),
        ("event_time", "eventTime"),
        ("procedures", "procedure"),
        ("PROCEDRUE", "procedure"),
        ("feature_of_interest", "featureOfInterest"),
        ("amp;procedure", "procedure"),
        ("results", "result"),
    ],
)
def test_misspelt_parameters_are_rejected(service: StationService, name: str, meant: str) -> None:
    reply = service.observe(**{name: "A"})
    assert f'locator="{name.lower()}"' in reply.text
    assert f"Did you mean {meant}?" in reply.text


def test_parameters_of_another_operation(tmp_path: Path) -> None:
    write_rows(tmp_path / "levels.gpkg", "GPKG", [("A", "2024-03-01T06:00:00Z", 1.0)])
    service = StationService(tmp_path, write_layer(name_source(tmp_path / "levels.gpkg"), sos_featureid="id"))
    plain = service.ask("GetObservationById", ObservationId="n0")
    reply = service.ask("GetObservationById", ObservationId="n0", procedure="nosuch", eventTime="garbage")
    assert reply.text == plain.text
    assert reply.logged["ignored"] == ["procedure", "eventtime"]


@pytest.mark.parametrize("start", ["", "\ufeff", " \r\n\t", "\ufeff \n"])
@pytest.mark.parametrize(
    "content_type", [FORM, "text/plain", "", "application/json", "multipart/form-data; boundary=x"]
)
def test_a_body_that_begins_with_a_tag_is_xml(service: StationService, start: str, content_type: str) -> None:
    body = f'{start}<GetCapabilities xmlns="{SOS}" service="SOS"/>'
    assert "<sos:Capabilities" in service.send("", body, content_type).text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings(service: StationService, encoding: str) -> None:
    body = f'<GetCapabilities xmlns="{SOS}" service="SOS"/>'.encode(encoding)
    assert "<sos:Capabilities" in service.send("", body, FORM).text
