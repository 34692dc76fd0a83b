"""Limits of the server, the map and its rules of access, over this interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rest.limited import Limited

from .sources import METADATA


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    return Limited(tmp_path)


def test_too_many_rows_are_refused_with_what_helps(limited: Limited) -> None:
    limited.settings = {"max_rows": 10}
    answer = limited.ask()
    assert answer.status == 400
    error = answer.value["error"]
    assert error["message"] == "the response would contain 36 observations; the limit is 10"
    assert "resultRecordCount=10" in error["details"][0]
    proposed = error["details"][1].partition("temporalFilter=")[2].partition(", which has ")
    narrower = limited.ask(temporalFilter=proposed[0])
    assert narrower.status == 200
    assert len(narrower.value["observationData"]) == int(proposed[2])


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"resultRecordCount": "10"}, 200),
        ({"resultRecordCount": "11"}, 400),
        ({"resultRecordCount": "100", "resultOffset": "26"}, 200),
        ({"resultOffset": "26"}, 200),
        ({"resultOffset": "25"}, 400),
        ({"procedure": "A", "observedProperty": "value"}, 200),
    ],
)
def test_what_is_within_the_limit_is_sent(limited: Limited, parameters: dict[str, str], status: int) -> None:
    limited.settings = {"max_rows": 10}
    assert limited.ask(**parameters).status == status


def test_maxfeatures_is_a_transfer_limit(limited: Limited) -> None:
    limited.map = {"web": '"sos_maxfeatures" "5"'}
    for parameters in ({}, {"resultRecordCount": "30"}):
        found = limited.ask(**parameters).value
        assert len(found["observationData"]) == 5
        assert found["exceededTransferLimit"] is True
    assert len(limited.ask(resultRecordCount="3").value["observationData"]) == 3


def test_time_is_limited(limited: Limited) -> None:
    limited.settings = {"max_seconds": 1e-9}
    answer = limited.ask()
    assert (answer.status, answer.value["error"]["code"]) == (503, 503)


def test_addresses_that_are_denied_get_nothing(limited: Limited) -> None:
    limited.map = {"metadata": METADATA + ' "sos_denied_ip_list" "192.0.2.0/24"'}
    for path in ("", "/observations", "/observations/query", "/procedures/A", "/features/query"):
        assert limited.ask(f"/exts/SosSOE{path}").status == 403


def test_requests_that_are_off_are_off_here(limited: Limited) -> None:
    limited.map = {"metadata": METADATA + ' "sos_enable_request" "* !GetFeatureOfInterest !DescribeSensor"'}
    assert limited.ask("/exts/SosSOE/features").value == {"features": []}
    assert limited.ask("/exts/SosSOE/procedures/A").status == 404
    assert limited.ask().status == 200


def test_other_origins_may_read_where_the_admin_says(limited: Limited) -> None:
    assert "Access-Control-Allow-Origin" not in limited.ask().headers
    limited.settings = {"cors": ("https://other.test",)}
    assert limited.ask().headers["Access-Control-Allow-Origin"] == "https://other.test"


def test_head_reads_nothing(limited: Limited) -> None:
    limited.map = {}
    answer = limited.ask(method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_the_interface_can_be_switched_off(limited: Limited) -> None:
    limited.settings = {"rest": False}
    assert b"observationData" not in limited.ask().body


def test_of_several_constant_procedures_the_one_asked_for_is_named(limited: Limited) -> None:
    limited.map = {"metadata": METADATA.replace('"sos_procedure_item" "station"', '"sos_procedure" "X Y"')}
    for parameters, named in (({}, "X"), ({"procedure": "y"}, "Y"), ({"featureOfInterest": "Y"}, "Y")):
        found = limited.ask(**parameters).value["observationData"]
        assert {(row["procedure"], row["featureOfInterest"]) for row in found} == {(named, named)}
    assert limited.ask("/exts/SosSOE/features").value == {"features": [{"id": "X"}, {"id": "Y"}]}
