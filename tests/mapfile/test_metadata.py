from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.mapfile.keys import METADATA_KEYS, metadata_key
from mapsos.mapfile.metadata import Entry, Metadata, split_list, value_kind


def web(**texts: str) -> Metadata:
    return Metadata("web", [Entry(key, text, "f", number) for number, (key, text) in enumerate(texts.items())])


def layer(*pairs: tuple[str, str]) -> Metadata:
    return Metadata("layer", [Entry(key.lower(), text, "f", 1, key) for key, text in pairs])


@pytest.mark.parametrize("key", [key for key in METADATA_KEYS if key.level != "item"], ids=lambda key: key.pattern)
def test_every_key_is_found_in_each_of_its_namespaces_in_order(key) -> None:  # type: ignore[no-untyped-def]
    assert {"sos", "ows"} <= set(key.namespaces)
    entries = [Entry(spelling, spelling, "f", 1) for spelling in key.spellings]
    while entries:
        assert Metadata(key.level, entries).text(key.name) == entries[0].text
        entries.pop(0)
    assert Metadata(key.level, []).text(key.name) is None


def test_no_key_is_there_twice() -> None:
    names = [(key.level, key.name.lower()) for key in METADATA_KEYS]
    assert len(set(names)) == len(names)
    assert all(key.meaning.endswith(".") for key in METADATA_KEYS)


def test_unknown_keys_are_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        metadata_key("web", "offering_id")


def test_an_empty_text_is_there_and_hides_the_next_namespace() -> None:
    assert web(sos_fees="", ows_fees="1").text("fees") == ""


def test_the_last_of_two_counts() -> None:
    entries = [Entry("sos_title", "one", "f", 1), Entry("sos_title", "two", "f", 2)]
    assert Metadata("web", entries).text("title") == "two"


def test_pair_gives_both_texts() -> None:
    assert web(ows_enable_request="*").pair("enable_request") == (None, "*")


def test_items_keep_their_spelling_and_prefer_the_first_namespace() -> None:
    metadata = layer(
        ("ows_STN_alias", "b"), ("sos_Stn_Alias", "a"), ("gml_stn_type", "Character"), ("sos_my_item_uom", "m"),
        ("gml_x_alias", "not read"),
    )  # fmt: skip
    found = {(item, what): entry.text for item, what, entry in metadata.item_keys()}
    assert found == {("Stn", "alias"): "a", ("stn", "type"): "Character", ("my_item", "uom"): "m"}


@pytest.mark.parametrize(
    ("text", "kind"), [("Character", "text"), ("date", "time"), ("Integer", "number"), ("Real", "number"), ("x", None)]
)
def test_value_kinds(text: str, kind: str | None) -> None:
    assert value_kind(text) == kind


@pytest.mark.parametrize(
    ("text", "delimiter", "expected"),
    [
        (" S1  S2 ", " ", ("", "S1", "S2", "")),
        ("a, b,,c,", ",", ("a", " b", "c", "")),
        ("a", " ", ("a",)),
        ("", " ", ("",)),
    ],
)
def test_lists_split_as_in_mapserver(text: str, delimiter: str, expected: tuple[str, ...]) -> None:
    assert split_list(text, delimiter) == expected


@given(st.text("ab "))
def test_lists_lose_nothing_but_delimiters(text: str) -> None:
    assert "".join(split_list(text, " ")) == text.replace(" ", "")
