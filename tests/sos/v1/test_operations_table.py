"""The one table of operations: what is made from it, for every row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from lxml import etree

from mapsos.app import Application
from mapsos.check.report import check_mapfile
from mapsos.config.settings import Settings
from mapsos.mapfile.model import AccessRules, ObservationLayer, Service
from mapsos.operations.answers import Answer
from mapsos.operations.context import Context
from mapsos.operations.host import Host
from mapsos.ows.exceptions import OwsException
from mapsos.ows.kvp import decode_kvp
from mapsos.ows.operation import Operation, Parameter, find_operation_row
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.dispatch import find_operation
from mapsos.sos.v1.get_capabilities import get_capabilities
from mapsos.sos.v1.interface import read_body
from mapsos.sos.v1.operations import OPERATIONS, UNSUPPORTED
from mapsos.sos.v1.reading.parameters import check_parameters
from mapsos.sos.v1.request import Handler, SosRequest
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.web.messages import Request

Row = Operation[Handler]
OWS = "{http://www.opengis.net/ows/1.1}"
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
MAP = """
MAP NAME "m" EXTENT 0 0 10 10 PROJECTION "init=epsg:4326" END
  WEB METADATA "sos_onlineresource" "http://h/cgi?" "sos_title" "T" "sos_srs" "EPSG:4326" {web} END END
  LAYER NAME "l" TYPE POINT STATUS ON PROJECTION "init=epsg:4326" END
    PROCESSING "ITEMS=stn,t,v" FEATURE POINTS 1 2 END ITEMS "A;2001-01-01;1.5" END
    METADATA "sos_offering_id" "off" "sos_observedproperty_id" "op" "sos_procedure_item" "stn" "sos_timeitem" "t"
      "sos_offering_timeextent" "2001-01-01/2001-01-02" "sos_v_alias" "value" {layer} END
  END
END
"""


@pytest.fixture
def write_map(tmp_path: Path) -> Callable[..., Path]:
    def write(web: str = '"sos_enable_request" "*"', layer: str = "") -> Path:
        path = tmp_path / "service.map"
        path.write_text(MAP.format(web=web, layer=layer))
        return path

    return write


def ask(mapfile: Path, **parameters: str) -> etree._Element:
    """Return the root of the answer."""
    request = Request(method="GET", query=urlencode({"service": "SOS", **parameters}), environ={})
    return etree.fromstring(b"".join(Application(Settings(mapfile=str(mapfile))).answer(request).body))


def list_described(root: etree._Element) -> dict[str, dict[str, list[str]]]:
    """Return the operations of capabilities with their parameters and values."""
    return {
        str(operation.get("name")): {
            str(parameter.get("name")): [str(value.text) for value in parameter.iter(f"{OWS}Value")]
            for parameter in operation.iter(f"{OWS}Parameter")
        }
        for operation in root.iter(f"{OWS}Operation")
    }


def list_rows() -> Iterator[tuple[Row, Parameter]]:
    for row in OPERATIONS:
        for parameter in row.parameters:
            yield row, parameter


each_row = pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
each_parameter = pytest.mark.parametrize(
    ("row", "parameter"), list(list_rows()), ids=lambda found: found.name
)


@pytest.mark.parametrize("conformance", ["mapserver", "strict"])
def test_capabilities_list_the_table(write_map: Callable[..., Path], conformance: str) -> None:
    strict = conformance == "strict"
    mapfile = write_map(f'"sos_enable_request" "*" "sos_conformance" "{conformance}"')
    found = list_described(ask(mapfile, request="GetCapabilities"))
    assert list(found) == [row.name for row in OPERATIONS if row.is_standard or not strict]
    for row in OPERATIONS:
        if row.name not in found:
            continue
        described = [one for one in (parameter.describe(strict=strict) for parameter in row.parameters) if one]
        assert list(found[row.name]) == [name for name, _ in described]
        for name, values in described:
            assert not values or found[row.name][name] == list(values)


@each_row
def test_key_value_pairs_have_every_parameter(row: Row) -> None:
    pairs = [(parameter.name.upper(), parameter.name) for parameter in row.parameters]
    raw = decode_kvp(urlencode([pair for pair in pairs if pair[0] not in ("REQUEST", "ACCEPTFORMATS")]))
    check_parameters(raw, row)
    assert all(raw.last(value) == value for name, value in pairs if name not in ("REQUEST", "ACCEPTFORMATS"))
    found = find_operation(decode_kvp(f"request={row.name.upper()}"), make_context("*"))
    assert found is row


@each_parameter
def test_parameters_are_single_unless_the_table_repeats_them(row: Row, parameter: Parameter) -> None:
    raw = RawRequest({parameter.key: ("text/xml", "b")})
    if parameter.repeatable:
        check_parameters(raw, row)
    else:
        with pytest.raises(OwsException) as refusal:
            check_parameters(raw, row)
        assert refusal.value.locator == parameter.key


@each_parameter
def test_bodies_have_the_parameters_that_the_table_gives_them(row: Row, parameter: Parameter) -> None:
    namespace = "http://www.opengis.net/wfs" if parameter.name == "typename" else "http://www.opengis.net/sos/1.0"
    start = f'<{row.name} xmlns="http://www.opengis.net/sos/1.0"'
    inner = {
        "text": "value",
        "list": f"<{parameter.member}>value</{parameter.member}>",
        "markup": "<inner>value</inner>",
    }.get(parameter.xml or "text", "")
    element = f'{start}><{parameter.name} xmlns="{namespace}">{inner}</{parameter.name}></{row.name}>'
    attribute = f'{start} {parameter.name}="value"/>'
    right, wrong = (attribute, element) if parameter.xml == "attribute" else (element, attribute)
    if parameter.xml is not None:
        raw = read_body(right.encode())
        assert raw.last("request") == row.name
        assert "value" in (raw.last(parameter.name) or "")
    else:
        wrong = element
    with pytest.raises(OwsException) as refusal:
        read_body(wrong.encode())
    assert refusal.value.code == "InvalidParameterValue"
    assert refusal.value.locator.lower() == parameter.key


@each_row
def test_the_admin_reads_of_every_operation(row: Row) -> None:
    text = DOCUMENT.read_text("utf-8")
    (section,) = re.findall(rf"^## {row.name}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    table = section[section.index("| parameter ") :].partition("\n\n")[0]
    cells = "".join(line.split("|")[1] for line in table.splitlines())
    named = {name.lower() for name in re.findall(r"`(\w+)`", cells)}
    assert {parameter.key for parameter in row.parameters} == named


@each_row
def test_an_operation_that_is_not_enabled_is_rejected(row: Row, write_map: Callable[..., Path]) -> None:
    mapfile = write_map(f'"sos_enable_request" "* !{row.name}"')
    root = ask(mapfile, request=row.name, version="1.0.0")
    (exception,) = root.iter(f"{OWS}Exception")
    assert (exception.get("exceptionCode"), exception.get("locator")) == ("InvalidParameterValue", "request")
    assert "SOS request not enabled" in "".join(exception.itertext())
    if row.name != "GetCapabilities":
        assert row.name not in list_described(ask(mapfile, request="GetCapabilities"))


@each_row
def test_check_knows_every_operation(row: Row, write_map: Callable[..., Path]) -> None:
    def list_messages(rule: str) -> list[str]:
        findings = check_mapfile(str(write_map(f'"sos_enable_request" "{rule}"')))
        return [finding.message for finding in findings if finding.key == "sos_enable_request"]

    assert list_messages(f"* !{row.name}") == []
    (message,) = list_messages(f"* {row.name}s")
    assert f"{row.name}s" in message


def test_what_is_not_supported_is_not_in_the_table() -> None:
    assert not {row.name for row in OPERATIONS} & set(UNSUPPORTED)


def make_context(web: str | None, layer: str | None = None) -> Context:
    source = LayerSource("l", SourceKind.INLINE)
    own = ObservationLayer("l", source, "off", access=AccessRules((layer, None)))
    service = Service("m", online_resource="http://h/?", access=AccessRules((web, None)), layers=(own,))
    return Context(Host(Settings()), service, None, 0, "http://h/?")


def _write(request: SosRequest) -> Answer:
    raise AssertionError


WRITING = Operation("StoreObservation", (Parameter("service", "attribute"),), _write, writes=True)


@pytest.mark.parametrize(
    ("web", "layer", "enabled"),
    [
        ("*", None, False),
        ("*", "*", False),
        (None, "*", False),
        ("* StoreObservation", None, True),
        ("storeobservation", None, True),
        ("*", "StoreObservation", True),
        ("StoreObservation", "*", True),
        ("StoreObservation", "!*", False),
        ("StoreObservation !*", None, True),
        ("* !StoreObservation", None, False),
        ("StoreObservation", "!StoreObservation", False),
    ],
)
def test_an_operation_that_writes_is_enabled_by_its_name_alone(
    web: str | None, layer: str | None, enabled: bool
) -> None:
    context, operations = make_context(web, layer), (*OPERATIONS, WRITING)
    raw = decode_kvp("request=StoreObservation")
    if enabled:
        assert find_operation(raw, context, operations) is WRITING
    else:
        with pytest.raises(OwsException, match="not enabled"):
            find_operation(raw, context, operations)
    request = SosRequest(context, decode_kvp("sections=OperationsMetadata"), False, operations)
    (document,) = get_capabilities(request).chunks
    assert (WRITING.name in list_described(etree.fromstring(bytes(document)))) is enabled


def test_the_same_operation_without_writing_is_enabled_by_a_star() -> None:
    reading = replace(WRITING, writes=False)
    assert find_operation(decode_kvp("request=StoreObservation"), make_context("*"), (reading,)) is reading


def test_rows_are_found_in_any_case() -> None:
    assert all(find_operation_row(OPERATIONS, row.name.swapcase()) is row for row in OPERATIONS)
