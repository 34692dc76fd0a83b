"""Whether an answer that somebody broke off has released its data."""

from __future__ import annotations

from pathlib import Path

from mapsos.sources.pool import close_idle_readers
from tests.support.open_files import count_open

ABORTS = 8


def assert_released(data: Path) -> None:
    """One reader may be kept for the next question, not one for each that was broken off."""
    assert count_open(data) <= 1
    close_idle_readers()
    assert count_open(data) == 0
