"""The fuzz targets on their seeds, and on what hypothesis makes of their words: so that they stay what they are."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.run import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    target = importlib.import_module(f"fuzz.{name}")
    for seed in target.SEEDS:
        target.check(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_variations(name: str) -> None:
    target = importlib.import_module(f"fuzz.{name}")
    pieces = st.sampled_from([*(word.encode() for word in target.WORDS), *target.SEEDS]) | st.binary(max_size=8)

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(st.lists(pieces, max_size=8).map(b"".join))
    def check(data: bytes) -> None:
        target.check(data)

    check()
