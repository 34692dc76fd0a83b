"""A clock that jumps: time limits, and what is trusted for a while, run by a clock that only goes forward."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from fuzz.victim import get, judge, observe, open_victim, write_victim
from mapsos.terms.deadlines import Deadline, DeadlineError

PACKAGE = Path(__file__).parents[2] / "mapsos"
WALL_CLOCKS = {
    "terms/times.py": "what now means",
    "web/metrics.py": "when the process began, as a figure",
    "operations/observations/kept_summaries.py": "beside the times of files: one from the future is never settled",
}
"""The modules that read the clock on the wall, and for what."""


def test_decisions_do_not_read_the_clock_on_the_wall() -> None:
    pattern = re.compile(r"\btime\.time(?:_ns)?\(|\bdatetime\.(?:now|utcnow|today)\(|\bdate\.today\(")
    found = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if pattern.search(path.read_text("utf-8"))
    }
    assert found == WALL_CLOCKS.keys()


@pytest.mark.parametrize("jump", [-10 * 365 * 86400, -3600, 3600, 10 * 365 * 86400])
def test_a_time_limit_survives_a_jump(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jump: int) -> None:
    application = open_victim(write_victim(tmp_path), MAPSOS_MAX_SECONDS="20")
    before = judge(application.answer(get(observe("table"))))
    deadline = Deadline(0.05)
    actual, actual_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: actual() + jump)
    monkeypatch.setattr(time, "time_ns", lambda: actual_ns() + jump * 10**9)
    assert deadline.left is not None
    assert deadline.left <= 0.05
    assert judge(application.answer(get(observe("table")))) == before
    while deadline.left:
        pass
    with pytest.raises(DeadlineError):
        deadline.check()
