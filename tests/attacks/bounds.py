"""Bounds of what one request may cost: generous, but far below what an attack that works would take."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def bounded(seconds: float, megabytes: int) -> Iterator[None]:
    """Fail if the block takes more processor time, or raises the peak of this process's memory by more."""
    before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - before[0] < seconds
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before[1]) / 1024 < megabytes
