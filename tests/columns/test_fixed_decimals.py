from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsos.columns.fixed_decimals import format_fixed

pytestmark = pytest.mark.usefixtures("text_loops")


def write(values: np.ndarray, after: tuple[str, ...]) -> list[str]:
    pattern = "".join("%f" + end for end in after)
    return [pattern % tuple(row) for row in values.tolist()]


def check(values: np.ndarray, after: tuple[str, ...] = (",", " ")) -> None:
    pairs = values.reshape(-1, len(after))
    assert format_fixed(pairs, after).to_pylist() == write(pairs, after)


RANDOM = np.random.default_rng(20)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(RANDOM.random(20_000) * 360 - 180, id="degrees"),
        pytest.param(RANDOM.random(20_000) * 8e6, id="metres"),
        pytest.param(np.round(RANDOM.random(20_000) * 360 - 180, 7), id="seven-decimals"),
        pytest.param((RANDOM.integers(-(10**9), 10**9, 20_000) * 2 + 1) / 2**7, id="true-ties"),
        pytest.param((RANDOM.integers(-(10**6), 10**6, 20_000) * 2 + 1) / 2e6, id="near-ties"),
        pytest.param((RANDOM.random(20_000) - 0.5) * 8e9, id="large"),
        pytest.param(10.0 ** RANDOM.integers(-20, 9, 20_000) * RANDOM.random(20_000), id="magnitudes"),
        pytest.param(np.array([0, -0.0, -1e-9, 5e-7, 1.5e-6, 999.9999999, -999.9999995, 1e3, -1e6, 1e9]), id="edges"),
        pytest.param(np.array([4503599627.370496, 4503599627.370495]), id="limit"),
        pytest.param(np.array([np.nan, np.inf, -np.inf, 1e300, -1e20, 1.5]), id="exotic"),
        pytest.param(np.empty(0), id="none"),
    ],
)
def test_same_digits_as_c(values: np.ndarray) -> None:
    check(values)


@pytest.mark.parametrize("scale", [1.0, 1e3], ids=["short", "long"])
def test_arrays_in_any_order(scale: float) -> None:
    pairs = (RANDOM.integers(-(10**6), 10**6, (500, 2)) * 2 + 1) / 2e6 * scale
    for values in (np.asfortranarray(pairs), pairs[:, ::-1], np.repeat(pairs, 3, axis=1)[:, 1::3], pairs[::-2]):
        assert format_fixed(values, (",", " ")).to_pylist() == write(values, (",", " "))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1))
def test_any_numbers(pairs: list[tuple[float, float]]) -> None:
    check(np.array(pairs))


@pytest.mark.parametrize("after", [(" ", ""), (",", ","), ("%",), ("", ";", "")])
def test_what_follows_each_number(after: tuple[str, ...]) -> None:
    values = np.array([[1.5] * len(after), [1e300] * len(after)])
    assert format_fixed(values[:1], after)[0].as_py() == "".join("1.500000" + end for end in after)
    assert format_fixed(values, after)[0].as_py() == "".join("1.500000" + end for end in after)
