"""The memory of a program as the kernel counts and limits it: nothing is sampled, and each program runs once."""

from __future__ import annotations

import dataclasses
import sys

from tests.support.processes import Program, measure_peak

FEW, MANY = 100_000, 1_000_000
"""Rows of which an answer with many has to get along with the memory of one with few."""
SLACK_MEGABYTES = 50
"""What chance adds to a process: which threads allocate first. Sixty bytes kept of each row are more."""

_LIMITED = """\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({0}, {0}))
os.execv(sys.argv[1], sys.argv[1:])
"""


def limit_data(program: Program, megabytes: int) -> Program:
    """Return the same program, to which the kernel refuses data beyond the limit."""
    command = (sys.executable, "-IS", "-c", _LIMITED.format(megabytes * 1_000_000), *program.command)
    return dataclasses.replace(program, command=command)


def check_memory(few: Program, many: Program, *, data: int, held: float = 0.0) -> None:
    """Hold that many rows are answered within ``data`` megabytes, and with the memory that few rows take.

    ``held`` is what an answer may keep on purpose, in megabytes, whatever its size. Raises AssertionError, and
    ProgramError for a program that fails, which it does beyond the limit.
    """
    before, after = measure_peak(few), measure_peak(limit_data(many, data))
    assert after < before + held + SLACK_MEGABYTES, f"{before:.0f} MB, and {after:.0f} MB for more rows"
