"""Frozen dataclasses of `mapsos.terms.values` beside those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from mapsos.terms.values import dataclass


class Several:
    """A class with every kind of field that mapsos has."""

    kind: ClassVar[str] = "several"
    name: str
    size: int = 1
    texts: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)
    note: str = dataclasses.field(default="", compare=False)
    hidden: int = dataclasses.field(default=0, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", self.size * 2)


class Empty:
    """A class without fields."""


class Single:
    """A class with one field."""

    name: str


class Equal:
    """A class that compares by itself."""

    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.name.lower() == other.name.lower()

    def __hash__(self) -> int:
        return hash(self.name.lower())


def make(decorate: Callable[..., Any], cls: type) -> Any:
    """Return a copy of a class, decorated as frozen."""
    members = {name: member for name, member in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    return decorate(frozen=True)(type(cls.__name__, (), copy.copy(members)))


OURS, THEIRS = (
    {cls: make(of, cls) for cls in (Several, Empty, Single, Equal)} for of in (dataclass, dataclasses.dataclass)
)
ACTIONS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "repr": (Several, lambda cls: repr(cls("a", 3, {"b": "c"}, "d", 4))),
    "defaults": (Several, lambda cls: vars(cls("a"))),
    "by keyword": (Several, lambda cls: vars(cls(size=2, name="b", hidden=3))),
    "own dict each": (Several, lambda cls: cls("a").texts is cls("a").texts),
    "equal": (Several, lambda cls: cls("a", note="b") == cls("a", note="c")),
    "not equal": (Several, lambda cls: cls("a") == cls("a", texts={"b": "c"})),
    "other class": (Several, lambda cls: cls("a") == ("a", 2, {}, 0)),
    "hash": (Several, lambda cls: hash(cls("a", texts={"b": "c"}, note="d")) == hash(cls("a"))),
    "hash differs": (Several, lambda cls: hash(cls("a")) == hash(cls("b"))),
    "hash as theirs": (Several, lambda cls: hash(cls("a", 3))),
    "replace": (Several, lambda cls: vars(dataclasses.replace(cls("a"), name="b"))),
    "asdict": (Several, lambda cls: dataclasses.asdict(cls("a"))),
    "fields": (Several, lambda cls: [(field.name, field.type) for field in dataclasses.fields(cls)]),
    "signature": (Several, lambda cls: list(inspect.signature(cls).parameters)),
    "annotations": (Several, lambda cls: cls.__init__.__annotations__),
    "match": (Several, lambda cls: cls.__match_args__),
    "assignment": (Several, lambda cls: setattr(cls("a"), "name", "b")),
    "new attribute": (Single, lambda cls: setattr(cls("a"), "other", "b")),
    "deletion": (Several, lambda cls: delattr(cls("a"), "name")),
    "too few": (Several, lambda cls: cls()),
    "unknown": (Several, lambda cls: cls("a", other=1)),
    "empty": (Empty, lambda cls: (cls() == cls(), hash(cls()), repr(cls()))),
    "single": (Single, lambda cls: (cls("a") == cls("a"), cls("a") == cls("b"), hash(cls("a")), repr(cls("a")))),
    "own comparison": (Equal, lambda cls: (cls("a") == cls("A"), hash(cls("a")) == hash(cls("A")))),
    "copied": (Single, lambda cls: vars(copy.deepcopy(cls("a")))),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_it_does_as_the_standard_library_does(name: str) -> None:
    cls, act = ACTIONS[name]
    assert attempt(act, OURS[cls]) == attempt(act, THEIRS[cls])


def attempt(act: Callable[[Any], Any], cls: Any) -> Any:
    """Return what comes of it, the class and text of an exception too."""
    try:
        return act(cls)
    except (TypeError, AttributeError) as error:
        return type(error), str(error)


@dataclass(frozen=True)
class Kept:
    """A class that pickle finds."""

    name: str


def test_a_value_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Kept("a"))) == Kept("a")
