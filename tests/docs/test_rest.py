"""docs/rest.md: every example of its tables, asked; every parameter, there."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from mapsos.rest.parameters import PARAMETERS
from tests.rest.conftest import Ask, application, ask  # noqa: F401

from .markdown import code, read, read_tables, section

TEXT = read("docs/rest.md")
(URLS,) = read_tables(section(TEXT, "URLs"))
OBSERVATIONS = next(read_tables(section(TEXT, "Observations")))
(FEATURES,) = read_tables(section(TEXT, "Features"))
(ERRORS,) = read_tables(section(TEXT, "Errors"))


def split(url: str) -> tuple[str, dict[str, str]]:
    path, _, query = url.partition("?")
    return path, dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))


@pytest.mark.parametrize("url", [code(row["example"])[0] for row in URLS])
def test_urls_are_answered(ask: Ask, url: str) -> None:  # noqa: F811
    path, parameters = split(url)
    assert ask(path, **parameters).status == 200


@pytest.mark.parametrize(
    ("resource", "example"),
    [
        *(("observations/query", code(row["example"])[0]) for row in OBSERVATIONS),
        *(("features/query", code(row["example"])[0]) for row in FEATURES),
    ],
)
def test_parameters_select_something(ask: Ask, resource: str, example: str) -> None:  # noqa: F811
    name, _, value = example.partition("=")
    answer = ask(f"/weather/exts/SosSOE/{resource}", **{"f": "json", "resultRecordCount": "3", name: value}) if (
        resource == "observations/query"
    ) else ask(f"/weather/exts/SosSOE/{resource}", f="json", **{name: value})
    assert answer.status == 200, answer.body
    (found,) = (members for members in answer.value.values() if isinstance(members, list))
    # The example data end long before the last four weeks.
    assert bool(found) is not value.startswith("last:")


@pytest.mark.parametrize(("rows", "resource"), [(OBSERVATIONS, "observations/query"), (FEATURES, "features/query")])
def test_every_parameter_is_there(rows: list[dict[str, str]], resource: str) -> None:
    assert {code(row["parameter"])[0] for row in rows} == set(PARAMETERS[resource])


@pytest.mark.parametrize("row", [row for row in ERRORS if row["example"]], ids=lambda row: row["when"])
def test_errors_have_the_status(ask: Ask, row: dict[str, str]) -> None:  # noqa: F811
    path, parameters = split(code(row["example"])[0])
    answer = ask(path, **parameters)
    assert answer.status == int(row["status"]) == answer.value["error"]["code"]
