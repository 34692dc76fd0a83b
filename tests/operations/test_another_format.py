"""A response format of one row and one class, defined here: every part of the product takes it from there."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
from lxml import etree, html

from mapsos.encodings import registry
from mapsos.encodings.encoder import Encoder, LayerAnswer, Needs
from mapsos.encodings.layer_description import LayerDescription
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.registry import ResponseFormat
from mapsos.web.messages import Chunk, Response

from .conftest import LAYER, NS, World, layer_text, refusal

NAME = "text/x-counts+lines"
MODES = '"sos_conformance" "mapserver strict"'
WEB = '"sos_onlineresource" "http://h/cgi?" "sos_srs" "EPSG:4326" "sos_enable_request" "*" "sos_title" "T"'
HTTP = {
    "SERVER_NAME": "h",
    "SERVER_PORT": "80",
    "SCRIPT_NAME": "/cgi",
    "REMOTE_ADDR": "127.0.0.1",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_ACCEPT_ENCODING": "gzip",
}


@dataclass(frozen=True)
class Counts:
    """A line for each layer: what is observed, in which unit, and how many values there are."""

    property: str
    column: str
    unit: str

    @staticmethod
    def describe(layer: LayerDescription) -> Counts:
        (value,) = layer.values
        return Counts(layer.observed_property.uri, value.column, value.uom or "")

    def needs(self) -> Needs:
        return Needs(values=(self.column,))

    @staticmethod
    def write(collection: CollectionMarkup, layers: Sequence[LayerAnswer[Counts]]) -> Iterator[Chunk]:
        for layer in layers:
            values = [batch.values[layer.markup.column] for batch in layer.batches]
            count = sum(len(each) - each.null_count for each in values)
            yield f"{collection.id} {layer.markup.property} {layer.markup.unit} {count}\n".encode()


ENCODER = Encoder(Counts.describe, Counts.needs, Counts.write)
ROW = ResponseFormat(
    NAME,
    f"{NAME}; charset=UTF-8",
    __name__,
    compressible=True,
    extension="counts",
    label="Counts <of> values",
    place=0,
)
ANSWER = b"off urn:ogc:def:property:OGC-SWE:1:op m 4\n"


@pytest.fixture
def counting(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, with the row added."""
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, ROW))
    world.write_map(layer_text(metadata=LAYER), web=f"{WEB} {MODES}")
    return world


def observe(world: World, **request: object) -> Response:
    query = {
        "service": "SOS",
        "version": "1.0.0",
        "request": "GetObservation",
        "offering": "off",
        "observedProperty": "op",
        "responseFormat": NAME,
        **request,
    }
    return world.send(urlencode(query), environ=HTTP)


def read(response: Response) -> bytes:
    return b"".join(map(bytes, response.body))


@pytest.mark.parametrize("parameters", [{}, {"resultModel": "om:Observation"}, {"conformance": "strict"}])
def test_get_observation_answers_in_it(counting: World, parameters: dict[str, str]) -> None:
    response = observe(counting, **parameters)
    headers = dict(response.headers)
    assert headers["Content-Type"] == f"{NAME}; charset=UTF-8"
    assert headers["Content-Disposition"] == 'attachment; filename="off_op.counts"'
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(read(response)) == ANSWER


def test_a_body_and_get_observation_by_id_ask_for_it(counting: World) -> None:
    body = f"""<GetObservation xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">
      <offering>off</offering><observedProperty>op</observedProperty>
      <responseFormat>{NAME}</responseFormat></GetObservation>""".encode()
    posted = counting.send(
        "", method="POST", content_type="text/xml", content_length=len(body), read=io.BytesIO(body).read
    )
    assert read(posted) == ANSWER
    counting.write_map(layer_text(metadata=f'{LAYER} "ows_featureid" "stn"'), web=WEB)
    query = {"service": "SOS", "version": "1.0.0", "request": "GetObservationById", "responseFormat": NAME}
    found = counting.send(urlencode({**query, "ObservationId": "o_C"}))
    assert read(found) == ANSWER.replace(b"4", b"1")


def test_it_is_compressed_only_where_its_row_says_so(counting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS[:-1], replace(ROW, compressible=False)))
    response = observe(counting)
    assert not {"Content-Encoding", "Vary"} & set(dict(response.headers))
    assert read(response) == ANSWER


@pytest.mark.parametrize("mode", ["mapserver", "strict"])
def test_capabilities_list_it(counting: World, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    root = counting.ask("GetCapabilities", conformance=mode)
    listed = [element.text for element in root.iterfind(".//sos:responseFormat", NS)]
    (values,) = list_values(root, "GetObservation")
    assert listed == values
    assert listed[-1] == NAME
    monkeypatch.undo()
    after = counting.ask("GetCapabilities", conformance=mode)
    assert [element.text for element in after.iterfind(".//sos:responseFormat", NS)] == listed[:-1]


def list_values(root: etree._Element, operation: str) -> Iterator[list[str | None]]:
    path = f".//ows:Operation[@name='{operation}']/ows:Parameter[@name='responseFormat']"
    for domain in root.iterfind(path, NS):
        yield [element.text for element in domain.iterfind(".//ows:Value", NS)]


def test_a_refused_format_is_answered_with_it_in_the_list(counting: World) -> None:
    document = etree.fromstring(gzip.decompress(read(observe(counting, responseFormat="text/plain"))))
    assert refusal(document)[2].endswith(f", {NAME}")


@pytest.mark.parametrize("tabular", [False, True])
def test_availability_is_answered_in_it_only_if_it_is_a_table(
    counting: World, monkeypatch: pytest.MonkeyPatch, tabular: bool
) -> None:
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS[:-1], replace(ROW, tabular=tabular)))
    (values,) = list_values(counting.ask("GetCapabilities"), "GetDataAvailability")
    assert (NAME in values) == tabular
    if not tabular:
        code, locator, _ = refusal(counting.ask("GetDataAvailability", responseFormat=NAME))
        assert (code, locator) == ("InvalidParameterValue", "responseformat")


def test_a_result_model_of_its_own_is_refused_for_other_formats(
    counting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = replace(ROW, result_model="om:CountObservation")
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS[:-1], own))
    assert gzip.decompress(read(observe(counting, resultModel="CountObservation"))) == ANSWER
    assert gzip.decompress(read(observe(counting))) == ANSWER
    for name, model in ((registry.OM_XML, "om:CountObservation"), (NAME, "om:Measurement")):
        refused = gzip.decompress(read(observe(counting, responseFormat=name, resultModel=model)))
        code, locator, _ = refusal(etree.fromstring(refused))
        assert (code, locator) == ("InvalidParameterValue", "resultModel")


def test_the_request_builder_lists_it(counting: World) -> None:
    def list_options() -> list[tuple[str | None, str | None]]:
        page = read(counting.send("", environ={**HTTP, "PATH_INFO": "/_mapsos/builder", "HTTP_ACCEPT_ENCODING": ""}))
        found = html.fromstring(page).xpath("//select[@id='format']/option")
        return [(option.get("value"), option.text) for option in found]

    assert list_options()[:2] == [(NAME, "Counts <of> values"), ("application/json", "Table: JSON")]
