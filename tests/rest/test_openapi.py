"""The OpenAPI document: valid, and true of what `mapsos serve` answers to whatever schemathesis thinks up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from mapsos.rest.parameters import PARAMETERS
from tests.support.serve_command import serving

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


FILTERS = Path(__file__).with_name("filters.toml")
"""Good values of spatialFilter, temporalFilter and where.

JSON Schema cannot state which texts these accept: brackets stand in brackets, days are those of the calendar, and the
earlier time or the smaller corner comes first.
"""


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
            "--config-file",
            FILTERS,
            "run",
            "--max-examples=10",
            "--request-timeout=60",
            f"{base}/openapi.json",
            "--phases=examples,coverage,fuzzing",
            "--generation-deterministic",
            "--no-color",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.parametrize("resource", ["observations/query", "features/query"])
def test_examples_are_answered(ask: Ask, resource: str) -> None:
    described = ask("/weather/openapi.json").value["paths"][f"/SosSOE/{resource}"]["get"]["parameters"]
    examples = [(one["name"], said["value"]) for one in described for said in one.get("examples", {}).values()]
    assert len({name for name, _ in examples}) == (3 if resource.startswith("observations") else 1)
    for name, value in examples:
        assert ask(f"/weather/exts/SosSOE/{resource}", f="json", **{name: value}).status == 200, (name, value)
