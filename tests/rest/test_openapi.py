"""The OpenAPI document: valid, and true of what `mapsos serve` answers to whatever schemathesis thinks up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from mapsos.rest.parameters import PARAMETERS
from tests.test_serving import serving

from .conftest import MAPS, Ask

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


@pytest.mark.parametrize("path", ["/weather/openapi.json", "/openapi.json", "/every-key/openapi.json"])
def test_the_document_is_valid(ask: Ask, path: str) -> None:
    value = ask(path).value
    validate(value)
    (server,) = value["servers"]
    assert ask(server["url"] + "/SosSOE", f="json").status == 200


@pytest.mark.parametrize("resource", ["", "observations", "observations/query", "procedures", "features/query"])
def test_a_query_and_a_form_have_all_parameters(ask: Ask, resource: str) -> None:
    described = ask("/weather/openapi.json").value["paths"][f"/SosSOE/{resource}".rstrip("/")]
    names = {"f", *PARAMETERS[resource]}
    assert {parameter["name"] for parameter in described["get"]["parameters"]} == names
    form = described["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert set(form["properties"]) == names


@pytest.mark.slow
def test_answers_are_as_described(tmp_path: Path) -> None:
    with serving(MAPS / "minimal.map", lines=2) as server:
        base = f"http://127.0.0.1:{server.port}"
        status, body = server.ask("/openapi.json")
        assert status == 200
        description = json.loads(body)
        assert description["openapi"] == "3.1.0"
        command = [
            SCHEMATHESIS,
            "run",
            f"{base}/openapi.json",
            # Texts with a language of their own (where, temporalFilter, spatialFilter) are refused though they are
            # strings, and empty parameters count as absent.
            "--exclude-checks=positive_data_acceptance,negative_data_rejection",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=15",
            "--generation-deterministic",
            "--no-color",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-8000:]
