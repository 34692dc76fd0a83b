from __future__ import annotations

import dataclasses
import enum
import importlib
import json
import pkgutil
from datetime import timedelta, timezone
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

import mapsos.terms
from mapsos.mapfile import compiled, model
from mapsos.operations import questions
from mapsos.terms.predicates import ANY_RUN, EVERYTHING, BBox, Like, Not
from mapsos.terms.value_json import TERMS, ValueCodec


@dataclasses.dataclass(frozen=True)
class Station:
    name: str
    height: float = 0.0


class Colour(enum.Enum):
    RED = "red"


class Twin:
    @dataclasses.dataclass(frozen=True)
    class Station:
        code: int


VALUES = [
    None,
    True,
    1,
    1.5,
    "text",
    "",
    b"\x00\xff",
    (),
    ("", 1, ("zone",)),
    {"a": (1,), "": None},
    Station("A", 2.0),
    Colour.RED,
    EVERYTHING,
    Not(Like("name", ("a", ANY_RUN))),
    BBox(1.0, 2.0, 3.0, 4.0, "EPSG:4326"),
    ZoneInfo("Europe/Berlin"),
    timezone(timedelta(hours=-3, minutes=-30)),
]


def list_values(module: ModuleType) -> set[type]:
    """The dataclasses and enumerations that a module defines."""
    return {
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and kind.__module__ == module.__name__
        and (dataclasses.is_dataclass(kind) or issubclass(kind, enum.Enum))
    }


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_from_json(value: object, by_name: bool) -> None:
    codec = ValueCodec((*TERMS, Station, Colour), by_name=by_name)
    back = codec.decode(json.loads(json.dumps(codec.encode(value))))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("value", [object(), Station("A"), [1], {1}, 1j, (Station("A"),), Colour.RED, Station])
def test_values_of_other_classes_are_rejected(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        ValueCodec(TERMS).encode(value)


@pytest.mark.parametrize("value", [["Station", "A"], ["os.system", "true"], ["Crs"], ["Crs", "a", "b", "c"], []])
def test_what_no_codec_wrote_is_rejected(value: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        ValueCodec(TERMS).decode(value)


def test_fields_that_have_been_added_since_have_their_defaults() -> None:
    text = ["Station", {"name": "A"}]
    assert ValueCodec((Station,), by_name=True).decode(text) == Station("A")


def test_two_classes_of_one_name_are_an_error() -> None:
    with pytest.raises(TypeError, match="Station"):
        ValueCodec((Station, Twin.Station))


def test_classes_that_are_not_values_are_an_error() -> None:
    with pytest.raises(TypeError, match="neither"):
        ValueCodec((object,))


def test_all_values_of_the_terms_are_known() -> None:
    names = [found.name for found in pkgutil.iter_modules(mapsos.terms.__path__)]
    modules = [importlib.import_module(f"mapsos.terms.{name}") for name in names]
    # Never written: failures, deadlines, settings of this process, words of a parser, and columns of an open layer.
    elsewhere = {"Failure", "Deadline", "TrustedProxies", "Word", "Column", "ColumnKind"}
    found = {kind for module in modules for kind in list_values(module) if kind.__name__ not in elsewhere}
    assert found == set(TERMS)


def test_all_values_of_the_model_and_of_questions_are_known() -> None:
    for codec, module, elsewhere in (
        (compiled.CODEC, model, {"Offering"}),
        (questions.CODEC, questions, set()),
    ):
        known = set(codec._classes)
        assert {kind.__name__ for kind in list_values(module)} - known == elsewhere
        assert {kind.__name__ for kind in TERMS} < known
