"""Memory does not grow with the answer: a million rows in the memory of a hundred thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agreement import count_members, reading
from tests.support.memory import FEW, MANY, check_memory, limit_data
from tests.support.processes import ProgramError, run_program
from tests.support.servers import mapsos_program

from .conftest import MODELS, Answers

pytestmark = pytest.mark.slow
DATA_MEGABYTES = 250
"""What a process may have of data, by the kernel: a million om:Measurement are eight times that."""


@pytest.mark.parametrize("model", MODELS)
def test_ten_times_the_rows_take_no_more_memory(answers: Answers, model: str) -> None:
    few, many = (mapsos_program(answers.map_repeated(rows), MODELS[model]) for rows in (FEW, MANY))
    with reading(few) as document:
        assert count_members(document) == FEW
    check_memory(few, many, data=DATA_MEGABYTES)


def test_the_limit_is_one(answers: Answers) -> None:
    """What starts at all needs more than this."""
    with pytest.raises(ProgramError):
        run_program(limit_data(mapsos_program(answers.map_repeated(1000), MODELS["measurement"]), 30))


def map_strictly(answers: Answers, rows: int) -> Path:
    """The same layer, whose documents are valid."""
    repeated = answers.map_repeated(rows)
    path = repeated.with_stem(f"{repeated.stem}-strict")
    text = repeated.read_text()
    path.write_text(text.replace('"mapserver strict"', '"strict"'))
    return path


@pytest.mark.parametrize(
    # A row has three values, each with its member; records stand in a member for each of the stations, and are kept in
    # memory up to a bound.
    ("model", "few_rows", "many_rows", "members"),
    [("measurement", 50_000, 500_000, 150_000), ("datablock", 500_000, 1_000_000, 200)],
)
def test_the_memory_of_valid_documents_has_a_bound(
    answers: Answers, model: str, few_rows: int, many_rows: int, members: int
) -> None:
    few, many = (mapsos_program(map_strictly(answers, rows), MODELS[model]) for rows in (few_rows, many_rows))
    with reading(few) as document:
        text = document.read()
    assert text.count(b"<om:member>") == members
    check_memory(few, many, data=DATA_MEGABYTES)
