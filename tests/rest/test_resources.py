"""The resources of a service, key by key as the description of the interface has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mapsos.app import Application
from mapsos.web.messages import Request

from .conftest import ROOT, Ask, ask_application

QUERY = ROOT + "/observations/query"

CONTACT = {
    "individualName": "Jo Doe",
    "positionName": "Data manager",
    "phone": "+1 206 555 0100",
    "facsimile": "+1 206 555 0101",
    "deliveryPoint": "1 Harbour Street",
    "city": "Seattle",
    "administrativeArea": "Washington",
    "postalCode": "98101",
    "country": "USA",
    "electronicMailAddress": "sensors@example.org",
}


def test_the_root_describes_the_service(ask: Ask) -> None:
    value = ask(ROOT, f="json").value
    assert list(value) == [
        "title",
        "description",
        "keywords",
        "providerName",
        "providerSite",
        "serviceContacts",
        "procedures",
    ]
    assert value["title"] == "Weather, ocean and river observations"
    assert value["keywords"][:2] == ["weather", "temperature"]
    assert value["providerName"] == "Example Weather Office"
    assert value["serviceContacts"] == [CONTACT]
    assert [procedure["id"] for procedure in value["procedures"]] == ["SEA", "SFO", "MLO", "nino12", "Aswan"]


def test_the_schema_lists_resources_and_parameters(ask: Ask) -> None:
    value = ask(ROOT, f="schema").value
    assert [resource["name"] for resource in value["resources"]] == ["observations", "procedures", "features"]
    query = value["resources"][0]["operations"][0]
    assert query["parameters"][:7] == [
        "offering",
        "observedProperty",
        "procedure",
        "featureOfInterest",
        "spatialFilter",
        "temporalFilter",
        "where",
    ]
    assert query["supportedOutputFormats"] == ["json"]


def test_offerings_have_their_properties_area_and_times(ask: Ask) -> None:
    offerings = ask(ROOT + "/observations", f="json").value["observationOfferings"]
    assert offerings[0] == {
        "id": "hourly",
        "name": "Hourly temperature at airports",
        "observedProperties": [{"dataType": "NUMERIC", "definition": "urn:ogc:def:property:OGC::AirTemperature"}],
        "procedure": ["SEA", "SFO"],
        "observedArea": {
            "xmin": -122.3656,
            "ymin": 37.6197,
            "xmax": -122.3138,
            "ymax": 47.4444,
            "spatialReference": {"wkid": 4326},
        },
        "timeExtent": "2010-01-01T08:00:00+00:00/2011-01-01T07:00:00+00:00",
    }
    assert next(offering for offering in offerings if offering["procedure"] == "Aswan")


def test_an_offering_is_what_the_list_has_of_it(ask: Ask) -> None:
    offerings = ask(ROOT + "/observations", f="json").value["observationOfferings"]
    for offering in offerings:
        assert ask(f"{ROOT}/observations/{offering['id']}", f="json").value == offering
    assert ask(ROOT + "/Observations/HOURLY", f="json").value["id"] == "hourly"


def test_procedures_are_listed_and_described(ask: Ask) -> None:
    listed = ask(ROOT + "/procedures", f="json").value
    assert listed["procedures"][0] == {"id": "SEA"}
    value = ask(ROOT + "/procedures/SEA", f="json").value
    assert list(value) == [
        "id",
        "name",
        "description",
        "intendedApplication",
        "sensorType",
        "observedArea",
        "contact",
        "outputs",
    ]
    assert value["observedArea"]["xmin"] == value["observedArea"]["xmax"] == -122.3138
    assert value["contact"] == CONTACT
    assert {"dataType": "NUMERIC", "definition": "urn:ogc:def:property:OGC::AirTemperature"} in value["outputs"]
    assert ask(ROOT + "/procedures/urn:ogc:def:procedure:sea", f="json").value == value


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        (ROOT, {"color": "red", "size": "1", "_": "17", "": "5"}),
        (ROOT, {"map": "other"}),
        (ROOT + "/observations/hourly", {"offering": "x"}),
        (ROOT + "/procedures", {"offering": "hourly", "token": "a"}),
        (QUERY, {"offering": "nile", "feature": "nobody"}),
    ],
)
@pytest.mark.parametrize("format", ["json", "html"])
def test_unknown_parameters_change_nothing(ask: Ask, path: str, parameters: dict[str, str], format: str) -> None:
    known = {"offering": "nile"} if path == QUERY else {}
    plain = ask(path, f=format, **known)
    answer = ask(path, f=format, **(parameters | known))
    assert answer.status == 200
    assert answer.body == plain.body
    assert answer.headers == plain.headers


@pytest.mark.parametrize(
    ("path", "parameters", "status", "message"),
    [
        (ROOT + "/nothing", {"f": "json"}, 404, "resource not found"),
        (ROOT + "/procedures/nobody", {"f": "json"}, 404, "procedure nobody not found"),
        (ROOT + "/observations/nothing", {"f": "json"}, 404, "offering nothing not found"),
        ("/nowhere/exts/SosSOE", {"f": "json"}, 404, "service not found"),
        (ROOT, {"f": "xml"}, 400, "f=xml is not supported"),
        (ROOT + "/procedures", {"f": "schema"}, 400, "f=schema is not supported"),
        (ROOT, {"f": "json", "callback": "run"}, 400, "callback is not supported"),
        (QUERY, {"f": "json", "procedures": "SEA"}, 400, "unknown parameter procedures"),
        (QUERY, {"f": "json", "resultrecords_count": "1"}, 400, "unknown parameter resultrecords_count"),
        (QUERY, {"f": "json", "offering": "nothing"}, 400, "offering nothing not found"),
        (QUERY, {"f": "csv", "procedure": "SEA,nobody,SF0"}, 400, "procedure nobody, SF0 not found"),
        (QUERY, {"f": "pjson", "featureOfInterest": "nobody"}, 400, "feature nobody not found"),
        (QUERY, {"f": "json", "observedProperty": "nothing"}, 400, "observed property nothing not found"),
        (QUERY, {"f": "json", "offering": "nile", "observedProperty": "swe"}, 400, "observed property swe not found"),
        (QUERY, {"f": "json", "offering": "nile", "procedure": "SEA"}, 400, "procedure SEA not found"),
        (ROOT + "/features/query", {"f": "json", "feature": "SEA,nobody"}, 400, "feature nobody not found"),
        (ROOT + "/features/query", {"f": "json", "procedure": "nobody"}, 400, "procedure nobody not found"),
        (ROOT + "/features/query", {"f": "json", "observedProperty": "x"}, 400, "observed property x not found"),
    ],
)
def test_errors_are_documents_of_the_interface(
    ask: Ask, path: str, parameters: dict[str, str], status: int, message: str
) -> None:
    answer = ask(path, **parameters)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert list(answer.value) == ["error"]
    assert answer.value["error"]["code"] == status
    assert answer.value["error"]["message"] == message
    assert isinstance(answer.value["error"]["details"], list)


@pytest.mark.parametrize("query", ["f=json&where=%FF", "f=json&where=\udcff", "f=json&%FF=1", "f=json" + "&a" * 1000])
def test_a_query_that_cannot_be_decoded_is_an_error_of_the_interface(application: Application, query: str) -> None:
    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": ROOT}
    for asked, kind in ((query, "application/json"), (query.replace("json", "html"), "text/html")):
        response = application.answer(Request("GET", asked, environ=environ))
        assert (response.status, dict(response.headers)["Content-Type"]) == (400, f"{kind}; charset=UTF-8")
    builder = application.answer(Request("GET", query, environ={**environ, "PATH_INFO": "/_mapsos/builder/weather"}))
    assert (builder.status, dict(builder.headers)["Content-Type"]) == (400, "text/html; charset=UTF-8")


def test_form_posts_and_both_paths_answer_alike(ask: Ask) -> None:
    value = ask(ROOT, f="json").value
    assert ask(ROOT, "POST", f="json").value == value
    assert ask("/arcgis/rest/services/weather/MapServer/exts/SosSOE", f="json").value == value
    assert ask("/exts/SosSOE", f="json").value == value


def test_other_methods_are_refused(ask: Ask) -> None:
    answer = ask(ROOT, "DELETE", f="json")
    for refused in (answer, ask(ROOT, "DELETE")):
        assert refused.status == 405
        assert refused.headers["Allow"] == "GET, HEAD, POST"
    assert answer.value["error"]["details"] == ["allowed are GET, HEAD and POST"]


def test_a_server_without_post_does_not_offer_it(application: Application) -> None:
    without = Application(replace(application.settings, no_post=True))
    for method in ("POST", "DELETE"):
        answer = ask_application(without, ROOT, method, f="json")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.value["error"]["details"] == ["allowed are GET and HEAD"]


def test_a_known_tag_is_answered_by_304(ask: Ask) -> None:
    tag = ask(ROOT, f="json").headers["ETag"]
    again = ask(ROOT, headers={"HTTP_IF_NONE_MATCH": tag}, f="json")
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("format", ["html", "json", "pjson", "csv"])
def test_the_head_of_a_query_says_what_the_answer_would(ask: Ask, format: str) -> None:
    query = {"f": format, "offering": "nile", "resultRecordCount": "3"}
    head, whole = (ask(ROOT + "/observations/query", method, **query) for method in ("HEAD", "GET"))
    assert (head.status, head.body, head.headers) == (200, b"", whole.headers)


def test_answers_are_compressed_on_demand(ask: Ask) -> None:
    answer = ask(ROOT, headers={"HTTP_ACCEPT_ENCODING": "gzip"}, f="json")
    assert answer.headers["Content-Encoding"] == "gzip"
    head = ask(ROOT, "HEAD", f="json")
    assert (head.status, head.body) == (200, b"")
