"""No cache passes an answer from a client with more rights to one with fewer: documents, facts, entity tags."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mapsos.access.keys import Key
from tests.support.keyed_service import (
    ADAPTERS,
    CAPABILITIES,
    INTERFACES,
    NEEDED,
    OBSERVE,
    Question,
    Server,
    read_text,
    write_service,
)

TRACES = ("closed", "SECRET", "99.5", "2021-01-01")
"""What only the closed layer has: its name, its sensor, its value, its time."""
LISTS = ("capabilities", "availability", "rest", "rest root", "page", "builder", "form")
"""Questions whose answers list what the client may use."""
MORE = {
    "procedures": Question("f=json", "/exts/SosSOE/procedures"),
    "procedures page": Question("f=html", "/exts/SosSOE/procedures"),
    "features": Question("f=json", "/exts/SosSOE/features"),
    "all features": Question("f=json", "/exts/SosSOE/features/query"),
    "root page": Question("", "/exts/SosSOE"),
    "strict capabilities": Question(f"{CAPABILITIES}&conformance=strict"),
    "schema of all": Question("service=WFS&version=1.1.0&request=DescribeFeatureType"),
    "observations by page": Question("f=html", "/exts/SosSOE/observations/query"),
    "table": Question("f=csv&observedProperty=value", "/exts/SosSOE/observations/query"),
}
ASKED = {
    "observations": Question(OBSERVE.replace("open", "closed")),
    "sensor": replace(INTERFACES["sensor"], query=INTERFACES["sensor"].query.replace("=A&", "=SECRET&")),
    "feature": Question("service=SOS&version=1.0.0&request=GetFeatureOfInterest&featureOfInterestId=SECRET"),
    "availability": Question("service=SOS&version=1.0.0&request=GetDataAvailability&offering=closed"),
    "schema": Question("service=WFS&version=1.1.0&request=DescribeFeatureType&typename=closed"),
    "xml": replace(INTERFACES["xml"], body=INTERFACES["xml"].body.replace(">open<", ">closed<")),
    "soap": replace(INTERFACES["soap"], body=INTERFACES["soap"].body.replace(">open<", ">closed<")),
    "rest": Question("f=json&offering=closed", "/exts/SosSOE/observations/query"),
    "rest procedure": Question("f=json", "/exts/SosSOE/procedures/SECRET"),
    "rest offering": Question("f=json", "/exts/SosSOE/observations/closed"),
    "rest sensor": Question("f=json&procedure=SECRET", "/exts/SosSOE/observations/query"),
    "rest feature": Question("f=json&feature=SECRET", "/exts/SosSOE/features/query"),
    "page": Question("f=html", "/exts/SosSOE/procedures/SECRET"),
    "page of features": Question("f=html&feature=SECRET", "/exts/SosSOE/features/query"),
}
"""Questions that name the closed layer or its sensor."""


def close_layer(server: Server) -> None:
    write_service(server.folder, closed_layer="all")


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("name", [*LISTS, *MORE])
def test_a_layer_that_needs_a_key_is_absent_without_one(server: Server, name: str, adapter: str) -> None:
    close_layer(server)
    question, ask = MORE.get(name) or INTERFACES[name], ADAPTERS[adapter]
    before = server.ask(question, "", ask)
    with_key = server.ask(question, "right", ask)
    after = server.ask(question, "", ask)
    assert before.status == with_key.status == after.status == 200
    assert any(trace in with_key.text for trace in TRACES)
    for reply in (before, after):
        assert not [trace for trace in TRACES if trace in reply.text]
    if "time" not in before.text:
        assert before.text == after.text
    for reply in (before, with_key, after):
        assert "private" in reply.headers["Cache-Control"]
        assert {"Authorization", "X-Api-Key"} <= set(reply.headers["Vary"].split(", "))


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("name", ASKED)
def test_what_needs_a_key_is_not_answered_without_one(server: Server, name: str, adapter: str) -> None:
    close_layer(server)
    question, ask = ASKED[name], ADAPTERS[adapter]
    assert server.ask(question, "right", ask).status == 200
    rejected = server.ask(question, "", ask)
    assert rejected.status == 401
    assert NEEDED in read_text(question, rejected)
    assert "99.5" not in rejected.text


@pytest.mark.parametrize("name", ["capabilities", "page", "rest root"])
def test_an_entity_tag_of_more_rights_matches_nothing_with_fewer(server: Server, name: str) -> None:
    close_layer(server)
    question = INTERFACES[name]
    full = server.ask(question, "right").headers.get("ETag")
    if name != "rest root":
        assert full is not None
        reply = server.ask(question, HTTP_IF_NONE_MATCH=full)
        assert reply.status == 200
        assert reply.headers["ETag"] != full
        assert server.ask(question, "right", HTTP_IF_NONE_MATCH=full).status == 304
    assert server.ask(question, "wrong", HTTP_IF_NONE_MATCH="*").status == 401


def test_a_name_that_is_nowhere_is_not_told_apart_from_one_that_is_closed(server: Server) -> None:
    close_layer(server)
    texts = {
        server.ask(question.query.replace("SECRET", name)).text
        for question in (ASKED["sensor"],)
        for name in ("SECRET", "NOWHERE")
    }
    assert len(texts) == 1
    # The map has the offerings: a typing error is reported as such.
    assert server.ask(OBSERVE.replace("open", "opne")).status == 200


def test_a_map_that_needs_a_key_is_not_in_the_list_of_services(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = server.folder / "mapsos.conf"
    configuration.write_text(f'CONFIG\n  ENV\n  END\n  MAPS\n    rivers "{server.folder}/service.map"\n  END\nEND\n')
    server.configure(MAPSERVER_CONFIG_FILE=str(configuration))
    monkeypatch.setenv("MAPSERVER_CONFIG_FILE", str(configuration))
    for form in ("json", "html"):
        services = Question(f"f={form}", "/arcgis/rest/services")
        assert "rivers" in server.ask(services, "right").text
        assert "rivers" in server.ask(services, "admin").text
        assert "rivers" not in server.ask(services, "elsewhere").text
        assert "rivers" not in server.ask(services).text
        assert server.ask(services, "wrong").status == 401


def test_a_key_works_for_the_maps_that_it_names(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = server.store
    path = str(server.folder / "service.map")
    server.keys["by path"] = store.add(Key("by path", "", maps=("/x.map", path)))
    store.database.close()
    assert server.ask(OBSERVE, "by path").status == 200
    assert server.ask(OBSERVE, "elsewhere").status == 401

