"""docs/operations.md: every form of its tables, asked; every operation and parameter, there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsos.encodings.registry import list_response_formats
from mapsos.ows import filters, negotiation, spatial_operators, temporal_operators
from mapsos.ows.operation import Operation
from mapsos.sos.v1.operations import OPERATIONS
from mapsos.sos.v1.reading import event_times, parameters
from mapsos.sos.v1.request import Handler

from .markdown import code, read, read_tables, section
from .scenario import Scenario

TEXT = read("docs/operations.md")
EXCEPTIONS = [row for row in next(read_tables(section(TEXT, "Exceptions"))) if row["example"]]
TIMES, RELATIONS = read_tables(section(TEXT, "eventTime"))
(PLACES,) = read_tables(section(TEXT, "featureOfInterest"))
HOURLY = (
    "/weather?service=SOS&version=1.0.0&request=GetObservation&offering=hourly&observedProperty=air_temperature"
    "&responseFormat=text/xml;subtype=om/1.0.0"
)
NO_PARAMETERS = {"service", "request", "version"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    with Scenario(tmp_path_factory.mktemp("operations")) as scenario:
        yield scenario


@pytest.mark.parametrize("row", EXCEPTIONS, ids=lambda row: row["when"])
def test_exceptions_are_as_the_table_says(row: dict[str, str], reader: Scenario) -> None:
    (query,) = code(row["example"])
    if not query.startswith("service="):
        query = f"service=SOS&version=1.0.0&{query}" if "service=" not in query else query
    text, failed = reader.get(f"/weather?{query}")
    assert failed, text
    assert f'exceptionCode="{row["exceptionCode"]}"' in text
    (locator,) = re.findall(r'locator="([^"]*)"', text)
    assert locator == row["locator"] if row["locator"] != "its name" else f"{locator}=" in query


def test_every_code_that_is_raised_is_in_the_table() -> None:
    source = "".join(path.read_text() for path in Path(parameters.__file__).parent.parent.rglob("*.py"))
    codes = set(re.findall(r'"((?:[A-Z][a-z]+){2,}(?:Value|Failed|Sequence|Code))"', source))
    assert {"MissingParameterValue", "NoApplicableCode"} <= codes
    table = " ".join(row["exceptionCode"] for row in next(read_tables(section(TEXT, "Exceptions"))))
    assert all(name in table for name in codes)


@pytest.mark.parametrize("form", [form for row in TIMES for form in [*code(row["value"]), *code(row["selects"])]])
def test_times_select_something(form: str, reader: Scenario) -> None:
    text, failed = reader.get(f"{HOURLY}&resultModel=om:Observation&eventTime={form.replace('+', '%2B')}")
    assert not failed, text
    assert "<om:member>" in text


@pytest.mark.parametrize("row", PLACES, ids=lambda row: row["selects"][:30])
def test_places_select_san_francisco(row: dict[str, str], reader: Scenario) -> None:
    place = code(row["value"])[0]
    text, failed = reader.get(f"{HOURLY}&eventTime=2010-07-01T12:00:00Z&featureOfInterest={place}")
    assert not failed, text
    assert re.findall(r"<ms:station>(\w+)", text) == ["SFO"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_parameter_is_there(operation: Operation[Handler]) -> None:
    (table, *_) = read_tables(section(TEXT, operation.name))
    named = {name.lower() for row in table for name in code(row["parameter"])}
    assert {parameter.key for parameter in operation.parameters} == named
    required = {name for row in table if row["need"] == "required" for name in code(row["parameter"])}
    optional = {"version"} if operation.name in ("GetCapabilities", "DescribeFeatureType") else set()
    assert required >= NO_PARAMETERS - optional


def test_every_response_format_is_there() -> None:
    table = next(read_tables(section(TEXT, "responseFormat")))
    assert [code(row["value"])[0] for row in table] == list(list_response_formats())


def test_every_operator_is_there() -> None:
    named = set(code(section(TEXT, "result")))
    assert set(filters._COMPARISONS) | set(filters._PARSERS) | set(filters._IDS) <= named
    assert set(spatial_operators.OPERATORS) - {"Intersect"} <= named
    temporal = {name for name in temporal_operators.OPERATORS if name.startswith("TM_")}
    assert temporal <= named
    assert temporal <= {name for row in RELATIONS for name in code(row["operator"])}


def test_every_section_and_limit_is_there() -> None:
    assert set(negotiation.SECTIONS) <= set(code(section(TEXT, "GetCapabilities")))
    assert f"at most {event_times.MAX_TIMES} times" in TEXT
    assert f"up to {filters.MAX_DEPTH} deep and {filters.MAX_NODES} elements" in TEXT
