"""``python -m benchmarks.compare``, this checkout beside itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_each_work_has_a_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compare", ROOT, "--rows", "400", "--pairs", "1", "--data", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    assert len(rows) == 14
    for work, other, this, ratio, processors, *peaks in rows:
        assert other.endswith(" ms"), work
        assert this.endswith(" ms"), work
        assert float(ratio) > 0
        # Within a process there are only times.
        assert all(cell == "" for cell in (processors, *peaks)) == work.startswith("in process"), work


def test_a_failing_checkout_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    program = tmp_path / ".venv" / "bin" / "mapsos"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compare", tmp_path, "--rows", "400", "--data", tmp_path / "data"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ended with 3" in done.stderr
