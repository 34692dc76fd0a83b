"""Memory does not grow with the answer: four million rows in the memory of four hundred thousand."""

from __future__ import annotations

import dataclasses
import statistics
import sys
from pathlib import Path

import pytest

from benchmarks.agreement import count_members, reading
from benchmarks.processes import Program, measure_peak, run_program
from benchmarks.servers import mapsos_program

from .conftest import MODELS, Answers

FEW, MANY = 400_000, 4_000_000
LIMIT_MEGABYTES = 300
WITHIN = 1.10

DATA_LIMIT_MEGABYTES = 250
"""What a process may have of data, by the kernel: four million om:Measurement are thirty times that."""

LIMITED = (
    "import os, resource, sys;resource.setrlimit(resource.RLIMIT_DATA, ({0}, {0}));os.execv(sys.argv[1], sys.argv[1:])"
)


def limit_data(program: Program) -> Program:
    """The same, with the kernel refusing memory beyond the limit."""
    command = (sys.executable, "-c", LIMITED.format(DATA_LIMIT_MEGABYTES * 1_000_000), *program.command)
    return dataclasses.replace(program, command=command)


def measure_usual_peak(program: Program) -> float:
    """The peak in megabytes, the middle one of three.

    One process in six has 10 MB more than the others, whatever it answers: which threads allocate first is chance.
    """
    return statistics.median(measure_peak(program) for _ in range(3))


@pytest.mark.parametrize("model", MODELS)
def test_peak_is_the_same_for_ten_times_the_rows(answers: Answers, model: str) -> None:
    programs = [mapsos_program(answers.map_repeated(rows), MODELS[model]) for rows in (FEW, MANY)]
    with reading(programs[0]) as document:
        assert count_members(document) == FEW
    few, many = map(measure_usual_peak, programs)
    assert many < LIMIT_MEGABYTES
    assert many < few * WITHIN


@pytest.mark.parametrize("model", MODELS)
def test_four_million_are_answered_within_a_limit(answers: Answers, model: str) -> None:
    run_program(limit_data(mapsos_program(answers.map_repeated(MANY), MODELS[model])))


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
    ("model", "fewer", "more", "members"),
    [("measurement", 100_000, 1_000_000, 300_000), ("datablock", 500_000, 2_000_000, 200)],
)
def test_the_peak_of_valid_documents_has_a_bound(
    answers: Answers, model: str, fewer: int, more: int, members: int
) -> None:
    programs = [mapsos_program(map_strictly(answers, rows), MODELS[model]) for rows in (fewer, more)]
    with reading(programs[0]) as document:
        text = document.read()
    assert text.count(b"<om:member>") == members
    few, many = map(measure_usual_peak, programs)
    assert many < LIMIT_MEGABYTES
    assert many < few * WITHIN
