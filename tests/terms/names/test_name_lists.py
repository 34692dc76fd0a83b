"""Lists of names, where a comma may be in a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.terms.names.name_lists import split_names

KNOWN = {"A", "B", "A,B", "Donau, km 2135", "x, y, z", ",", "C,"}


def find_known(names: tuple[str, ...]) -> set[str]:
    return KNOWN & set(names)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (("A",), ("A",)),
        (("A,B",), ("A,B",)),
        (("B,A",), ("B", "A")),
        (("B , A,,B",), ("B", "A")),
        (("Donau, km 2135",), ("Donau, km 2135",)),
        (("A,Donau, km 2135",), ("A", "Donau, km 2135")),
        (("Donau, km 2135,A, x, y, z ,B",), ("Donau, km 2135", "A", "x, y, z", "B")),
        (("A", "Donau, km 2135", "A"), ("A", "Donau, km 2135")),
        (("A,nosuch",), ("A", "nosuch")),
        (("Donau, km 2136",), ("Donau", "km 2136")),
        (("nosuch, Donau, km 2135",), ("nosuch", "Donau, km 2135")),
        (("",), ()),
        ((" , ",), (",",)),
        (("C,",), ("C,",)),
        (("B,C,",), ("B", "C,")),
    ],
)
def test_commas_in_known_names_do_not_separate(values: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert split_names(values, find_known) == names


def test_every_comma_separates_where_nothing_is_known() -> None:
    assert split_names(("A,B", "Donau, km 2135")) == ("A", "B", "Donau", "km 2135")


def test_long_lists_are_split_in_linear_time() -> None:
    asked: list[int] = []

    def count(names: tuple[str, ...]) -> set[str]:
        asked.append(len(names))
        return set()

    assert len(split_names((",".join(map(str, range(100_000))),), count)) == 100_000
    assert asked == [100_001]
    split_names((",".join(map(str, range(1000))),), count)
    assert asked[-1] < 8000


@given(st.lists(st.text("AB, xyz"), max_size=4))
def test_no_name_is_lost(values: list[str]) -> None:
    names = split_names(values, find_known)
    letters = {letter for value in values for letter in value if letter not in " ,"}
    assert {letter for name in names for letter in name if letter not in " ,"} == letters
    assert all(name and name == name.strip() for name in names)
