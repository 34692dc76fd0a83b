"""The documents beside the schemas that describe them, and the files beside the program."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from mapsos.rest.description.schemas import SCHEMAS, write_schema

from .conftest import ROOT, Ask
from .write_schemas import FOLDER, write_file

DOCUMENTS = [
    ("services", "/arcgis/rest/services", {}),
    ("service", ROOT, {}),
    ("service", "/minimal/exts/SosSOE", {}),
    ("service", "/every-key/exts/SosSOE", {}),
    ("observations", ROOT + "/observations", {}),
    ("observations", "/minimal/exts/SosSOE/observations", {}),
    ("observation-data", ROOT + "/observations/query", {"temporalFilter": "during:2010-07-01,2010-07-02"}),
    ("observation-data", ROOT + "/observations/query", {"offering": "daily", "resultRecordCount": "9"}),
    ("observation-data", ROOT + "/observations/query", {"offering": "hourly", "where": "1=0"}),
    ("procedures", ROOT + "/procedures", {}),
    ("procedure", ROOT + "/procedures/SEA", {}),
    ("procedure", ROOT + "/procedures/nino12", {}),
    ("error", ROOT + "/procedures/none", {}),
    ("error", ROOT + "/none", {}),
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_files_are_those_of_the_program(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text("utf-8") == write_file(name), "python -m tests.rest.write_schemas"
    Draft202012Validator.check_schema(write_schema(name))


def test_there_are_no_other_files() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SCHEMAS)


@pytest.mark.parametrize(("name", "path", "parameters"), DOCUMENTS)
def test_documents_are_valid(ask: Ask, name: str, path: str, parameters: dict[str, str]) -> None:
    Draft202012Validator(write_schema(name)).validate(ask(path, f="json", **parameters).value)
