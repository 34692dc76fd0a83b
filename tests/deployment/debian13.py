"""All tests that are not slow, in a root of Debian 13: another GDAL, Python and MapServer than those of Debian 12.

The root has what `script/setup --test` installs there; it is kept beside those of the other machines for a week.
`python -m tests.deployment.debian13 [ARG...]` runs pytest in it, with these arguments instead of `OPTIONS`. Where no
such root can be made it says so, and ends with exit code 0.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.markdown import ROOT

from .machine import ENVIRONMENT, LATER, Machine, copy_checkout, find_obstacle, provide, provide_bare, remove_checkout

OPTIONS = ("-q", "-n", "2", "--max-worker-restart=0", "--dist", "loadgroup", "-m", "not slow")
SET_UP = "/srv/mapsos/script/setup --test"


def provide_set_up() -> list[Path]:
    """Return the layers of a machine in which the set-up for the tests has been run, made once."""
    bare = provide_bare(LATER)
    # The packages of the system, which take minutes. Where only those of Python change, the set-up takes seconds again.
    parts = [(ROOT / "script/setup").read_text("utf-8")]

    def make(folder: Path) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="mapsos-debian13-") as scratch,
            Machine(Path(scratch), bare, layer=folder) as machine,
        ):
            machine.run("apt-get update -qq", network=True)
            machine.run(f"{SET_UP} && apt-get clean", network=True, timeout=1800)
        remove_checkout(folder / "srv/mapsos")

    return [provide("tested", make, bare.name, *parts), bare]


def run_tests(arguments: list[str]) -> int:
    """Run pytest in a machine of its own with this checkout, and return its exit code."""
    if obstacle := find_obstacle(LATER):
        print(f"Debian 13 was not tested: {obstacle}.")
        return 0
    layers = provide_set_up()
    with (
        tempfile.TemporaryDirectory(prefix="mapsos-debian13-") as scratch,
        Machine(Path(scratch), *layers) as machine,
    ):
        copy_checkout(machine.root / "srv/mapsos", tests=True)
        machine.run(SET_UP, network=True, timeout=1200)
        pytest = shlex.join([".venv/bin/python", "-m", "pytest", *(arguments or OPTIONS)])
        # Tests write gigabytes; a machine's /tmp is a tenth of the memory.
        machine.run("if mountpoint --quiet /tmp; then umount --lazy /tmp; fi")
        return subprocess.run(machine.command(f"cd /srv/mapsos && {pytest}"), env=ENVIRONMENT, check=False).returncode


if __name__ == "__main__":
    # Ended by a signal, it puts its machine away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(run_tests(sys.argv[1:]))
