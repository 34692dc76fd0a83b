"""Resident CGI workers, as tests see them: whether one listens, which there are, and how to end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mapsos.servers.resident.worker_name import PACKAGE

_PROBE = """\
import os, sys
sys.path.append(sys.argv[1])
from mapsos.servers.resident.client import connect
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


def find_processes(runtime: Path) -> dict[int, bytes]:
    """The processes that were started with this XDG_RUNTIME_DIR, each with its command line."""
    variable = f"XDG_RUNTIME_DIR={runtime}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if variable in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes()
        except OSError:
            continue
    return found


def find_workers(runtime: Path) -> list[int]:
    """The worker processes that have this XDG_RUNTIME_DIR."""
    return [process for process, command in find_processes(runtime).items() if b"run_worker.py" in command]


def end_workers(runtime: Path) -> None:
    """End the workers that have this XDG_RUNTIME_DIR, also one that is only about to become a worker."""
    told: set[int] = set()

    def ended() -> bool:
        # Once each: told twice, one breaks off what it is writing at its end.
        for process in set(find_workers(runtime)) - told:
            told.add(process)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        return not find_processes(runtime)

    wait_for(ended, "the end of the workers")


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A folder to be XDG_RUNTIME_DIR; the workers that are started there end with it."""
    with tempfile.TemporaryDirectory(prefix="mapsos-") as folder:
        try:
            yield Path(folder)
        finally:
            end_workers(Path(folder))
