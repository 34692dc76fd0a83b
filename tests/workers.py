"""Resident CGI workers, as tests see them: whether one listens, which there are, and how to end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mapsos.resident.place import PACKAGE

_PROBE = """\
import os, sys
sys.path.append(sys.argv[1])
from mapsos.resident.client import connect
sys.exit(connect(os.environb) is None)
"""


def wait_for(condition: Callable[[], object], what: str = "it") -> None:
    """Come back as soon as the condition holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.01)


def has_worker(
    environ: Mapping[str, str], folder: Path | None = None, *, package: str = PACKAGE, isolated: bool = False
) -> bool:
    """Whether a worker listens for processes of this environment, working directory and package."""
    command = [sys.executable, "-IS" if isolated else "-S", "-c", _PROBE, os.path.dirname(package)]
    return subprocess.run(command, env=environ, cwd=folder, check=False).returncode == 0


def find_workers(runtime: Path) -> list[int]:
    """The worker processes that have this XDG_RUNTIME_DIR."""
    variable = f"XDG_RUNTIME_DIR={runtime}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_worker = b"run_worker.py" in (entry / "cmdline").read_bytes()
            if is_worker and variable in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def end_workers(runtime: Path) -> None:
    """End the workers that have this XDG_RUNTIME_DIR."""
    for process in find_workers(runtime):
        os.kill(process, signal.SIGTERM)
    wait_for(lambda: not find_workers(runtime), "the end of the workers")


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A folder to be XDG_RUNTIME_DIR; the workers that are started there end with it."""
    with tempfile.TemporaryDirectory(prefix="mapsos-") as folder:
        try:
            yield Path(folder)
        finally:
            end_workers(Path(folder))
