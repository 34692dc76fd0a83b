"""Memory does not grow with the answer: two million rows in the memory of two hundred thousand."""

from __future__ import annotations

import pytest

from benchmarks.agreement import count_members, reading
from benchmarks.processes import run_program
from benchmarks.servers import mapsos_program
from mapsos.encodings.spool import MEMORY_BYTES

from .conftest import MODELS, Answers

FEW, MANY = 200_000, 2_000_000
LIMIT_MEGABYTES = 300
WITHIN = 1.15
HELD_MEGABYTES = {"measurement": 0.0, "datablock": MEMORY_BYTES / 1e6}
"""What an encoder may hold on purpose, whatever the size of the answer."""


@pytest.mark.parametrize("model", MODELS)
def test_peak_is_the_same_for_ten_times_the_rows(answers: Answers, model: str) -> None:
    programs = [mapsos_program(answers.map_repeated(rows), MODELS[model]) for rows in (FEW, MANY)]
    with reading(programs[0]) as document:
        assert count_members(document) == FEW
    few, many = (run_program(program).megabytes for program in programs)
    assert many < LIMIT_MEGABYTES
    assert many < few * WITHIN + HELD_MEGABYTES[model]
