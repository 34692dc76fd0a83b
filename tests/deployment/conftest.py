"""The machines of the deployment tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.deployment.deployed")

from .machine import Machine, make_program, skip_unless_possible  # noqa: E402


@pytest.fixture(scope="module")
def start_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Machine]]:
    """A function that starts a machine with the program on it, and follows sections of the document there."""
    skip_unless_possible()
    scratch = Path(tmp_path_factory.mktemp("machines"))
    layers = make_program(scratch)

    with ExitStack() as running:

        def start(*headings: str) -> Machine:
            machine = running.enter_context(Machine(scratch / str(len(list(scratch.iterdir()))), *layers))
            for heading in headings:
                machine.follow(heading)
            return machine

        yield start
