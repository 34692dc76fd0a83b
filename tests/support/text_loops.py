"""mapsos as it is where no compiler was at hand when it was installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mapsos.columns import loops


@contextmanager
def without_text_loops() -> Iterator[None]:
    """As in an installation that was made without a compiler."""
    compiled, loops._compiled = loops._compiled, None
    assert loops.find_text_loops() is None
    try:
        yield
    finally:
        loops._compiled = compiled
