"""The machines of the deployment tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.deployment.deployed")

from .machine import (  # noqa: E402
    Machine,
    end_building,
    find_obstacle,
    provide_program,
    start_building,
)

BUILDING = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin with what machines are made of before the first test: it takes minutes where it is not cached."""
    wanted = any("start_machine" in getattr(item, "fixturenames", ()) for item in session.items)
    is_first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    if wanted and is_first and not session.config.option.collectonly and find_obstacle() is None:
        session.config.stash[BUILDING] = start_building()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no build behind that no test has waited for."""
    building = session.config.stash.get(BUILDING, None)
    if building is not None:
        end_building(building)


@pytest.fixture(scope="module")
def start_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Machine]]:
    """A function that starts a machine with the program on it, and follows sections of the document there."""
    if obstacle := find_obstacle():
        pytest.skip(obstacle)
    scratch = Path(tmp_path_factory.mktemp("machines"))
    layers = provide_program()

    with ExitStack() as running:

        def start(*headings: str) -> Machine:
            machine = running.enter_context(Machine(scratch / str(len(list(scratch.iterdir()))), *layers))
            for heading in headings:
                machine.follow(heading)
            return machine

        yield start
