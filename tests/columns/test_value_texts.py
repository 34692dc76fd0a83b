"""Values as text: beside C's own formatting, and the forms of drivers."""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.columns import value_texts
from mapsos.columns.loops import find_text_loops
from mapsos.terms.times import EARLIEST, LATEST

pytestmark = pytest.mark.usefixtures("text_loops")


@given(st.lists(st.one_of(st.none(), st.floats(), st.floats(-1000, 1000), st.integers(-(2**53), 2**53).map(float))))
def test_reals_are_written_as_by_c(numbers: list[float | None]) -> None:
    written = value_texts.real_texts(pa.array(numbers, pa.float64())).to_pylist()
    assert [text and text.lstrip("-") if text and "nan" in text else text for text in written] == [
        None if number is None else "nan" if number != number else f"{number:.15g}" for number in numbers
    ]


def test_halves_of_the_fifteenth_digit_are_rounded_as_by_c() -> None:
    dice = random.Random(1)
    numbers = [dice.randrange(10**8, 10**9) + dice.randrange(128) / 128 for _ in range(5000)]
    numbers += [10.0**power for power in range(-6, 17)]
    numbers += [float(np.nextafter(10.0**power, way)) for power in range(-6, 17) for way in (0, np.inf)]
    numbers += [dice.randrange(2**53) / 2.0 ** dice.randrange(10, 66) for _ in range(5000)]
    assert value_texts.real_texts(pa.array(numbers)).to_pylist() == [f"{number:.15g}" for number in numbers]


def test_columns_of_distinct_reals_of_every_size_are_written_as_by_c() -> None:
    dice = np.random.default_rng(3)
    columns = [
        dice.random(3000) * 10.0 ** dice.integers(-4, 11, 3000),
        1000 + 40 * dice.random(3000),
        -dice.random(3000),
        dice.integers(0, 10**6, 3000) / 10.0 ** dice.integers(0, 6, 3000),
        np.nextafter(dice.integers(1, 10**10, 3000) / 10.0 ** dice.integers(0, 12, 3000), np.inf),
        np.array([0.0, -0.0, 9999999999.9999995, 9999999999.99999, 1e10, 1e-4, 9.9999999999999995e-5, 0.001]),
    ]
    for column in columns:
        written = value_texts.real_texts(pa.array(column)).to_pylist()
        assert written == [f"{number:.15g}" for number in column.tolist()]


class CountingForm(str):
    """A format that notes the numbers which it is asked for."""

    def __init__(self, form: str) -> None:
        self.asked: list[str] = []

    def __mod__(self, number: object) -> str:
        self.asked.append(repr(number))
        return str.__mod__(self, number)


def test_python_writes_each_distinct_real_once(monkeypatch: pytest.MonkeyPatch) -> None:
    form = CountingForm("%.15g")
    monkeypatch.setattr(value_texts, "_REAL", form)
    numbers = [1e-5, 2.5, None, 3e20, float("nan"), 0.0, -0.0] * 1000
    texts = value_texts.real_texts(pa.array(numbers, pa.float64())).to_pylist()
    assert texts == ["1e-05", "2.5", None, "3e+20", "nan", "0", "-0"] * 1000
    beyond_the_loop = {"1e-05", "3e+20", "nan"}
    wanted = beyond_the_loop if find_text_loops() else beyond_the_loop | {"2.5", "0.0", "-0.0"}
    assert sorted(form.asked) == sorted(wanted)


def test_slices_and_nulls_of_reals() -> None:
    numbers = pa.array([1.0, None, 0.1, 89.9]).slice(1)
    assert value_texts.real_texts(numbers).to_pylist() == [None, "0.1", "89.9"]
    assert value_texts.real_texts(pa.array([], pa.float64())).to_pylist() == []
    assert value_texts.fixed_texts(pa.array([0.1, None]), 15).to_pylist() == ["0.100000000000000", None]


@pytest.mark.parametrize(
    ("given_text", "iso", "trimmed"),
    [
        ("2001/01/01 00:00:00.5+02", "2001-01-01T00:00:00.5+02:00", "2001-01-01T00:00:00.5+02:00"),
        ("2001/01/01 00:00:10.500-0330", "2001-01-01T00:00:10.500-03:30", "2001-01-01T00:00:10.5-03:30"),
        ("2001/01/01 00:00:10.000", "2001-01-01T00:00:10.000", "2001-01-01T00:00:10"),
        ("2001-01-01T00:00:10.100Z", "2001-01-01T00:00:10.100Z", "2001-01-01T00:00:10.1Z"),
        ("2001/01/01 00:00:00+00", "2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        ("2001/01/01 00:00:00.123+00", "2001-01-01T00:00:00.123Z", "2001-01-01T00:00:00.123Z"),
        ("2001-01-01T00:00:00.000Z", "2001-01-01T00:00:00.000Z", "2001-01-01T00:00:00Z"),
        ("2001/01/01 00:00:00", "2001-01-01T00:00:00", "2001-01-01T00:00:00"),
        ("2001/01/01 00:00:00-0330", "2001-01-01T00:00:00-03:30", "2001-01-01T00:00:00-03:30"),
        ("2001-01-01T00:00:00+05:30", "2001-01-01T00:00:00+05:30", "2001-01-01T00:00:00+05:30"),
        ("2001-01-01T00:00Z", "2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        ("bogus", "bogus", "bogus"),
        ("2001", "2001", "2001"),
    ],
)
def test_date_times_of_drivers(given_text: str, iso: str, trimmed: str) -> None:
    for others in ([], [None, "x"], [given_text]):
        column = pa.array([given_text, *others])
        assert value_texts.iso_datetimes(column)[0].as_py() == iso
        assert value_texts.datetime_texts(column)[0].as_py() == trimmed
        assert (
            value_texts.datetime_texts(column).to_pylist()[1:2]
            == [trimmed if given_text in others else None][: len(others)]
        )


def test_other_kinds() -> None:
    assert value_texts.boolean_texts(pa.array([True, False, None])).to_pylist() == ["1", "0", None]
    assert value_texts.integer_texts(pa.array([2**62, -1, None])).to_pylist() == [str(2**62), "-1", None]
    assert value_texts.date_texts(pa.array([datetime.date(2001, 10, 30), None])).to_pylist() == ["2001-10-30", None]
    clock = pa.array([datetime.time(1, 2, 3, 999_000), None])
    assert value_texts.time_texts(clock).to_pylist() == ["01:02:03", None]
    assert value_texts.binary_texts(pa.array([b"\x00\xab", None])).to_pylist() == ["00AB", None]


@pytest.mark.parametrize(
    ("kind", "rows", "expected"),
    [
        (pa.int32(), [[1, -2], [], None, [2**31 - 1]], ["(2:1,-2)", "(0:)", None, "(1:2147483647)"]),
        (pa.int64(), [[2**62], [None, 3], [None]], [f"(1:{2**62})", "(2:,3)", "(1:)"]),
        (pa.string(), [["a", "b,c"], [""], ["ü", None]], ["(2:a,b,c)", "(1:)", "(2:ü,)"]),
        (pa.large_string(), [[], ["a"]], ["(0:)", "(1:a)"]),
        (pa.float64(), [[1.5, 0.1, 1 / 3], [0.0, -0.0]], ["(3:1.5,0.1,0.3333333333333333)", "(2:0,-0)"]),
        (pa.float64(), [[1e20, 1e-7, math.nan, math.inf, None]], ["(5:1e+20,1e-07,nan,inf,)"]),
        (pa.float32(), [[0.1]], ["(1:0.1000000014901161)"]),
        (pa.bool_(), [[True, False], [None]], ["(2:1,0)", "(1:)"]),
        (pa.string(), [], []),
    ],
)
@pytest.mark.parametrize("of", [pa.list_, pa.large_list])
def test_lists(
    of: Callable[[pa.DataType], pa.DataType], kind: pa.DataType, rows: list[object], expected: list[str | None]
) -> None:
    assert value_texts.list_texts(pa.array(rows, of(kind))).to_pylist() == expected
    padded = pa.array([*rows[:1], None, *rows, *rows], of(kind)).slice(len(rows[:1]) + 1, len(rows))
    assert value_texts.list_texts(padded).to_pylist() == expected


def test_a_list_that_is_null_may_have_members() -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3]), pa.array([1, 2, 3]), mask=pa.array([True, False]))
    assert value_texts.list_texts(lists).to_pylist() == [None, "(2:2,3)"]


@pytest.mark.parametrize("fraction", [0, 5])
def test_instants_outside_the_calendar_have_no_text(fraction: int) -> None:
    instants = [EARLIEST + fraction, EARLIEST - 1 - fraction, LATEST - 1_000_000, LATEST + fraction, None, 2**62]
    texts = value_texts.instant_texts(pa.array(instants, pa.timestamp("us", "UTC"))).to_pylist()
    assert [text is None for text in texts] == [False, True, False, True, True, True]
    assert texts[0].startswith("0001-01-01T00:00:00")
    assert texts[2] == "9999-12-31T23:59:59Z"
