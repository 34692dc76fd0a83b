"""mapsos as it is where no compiler was at hand when it was installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import mapsos
from mapsos.columns.loops import find_text_loops


@contextmanager
def without_text_loops() -> Iterator[None]:
    """As in an installation that was made without a compiler."""
    module = sys.modules.get("mapsos.columns._loops")
    if module is not None:
        del mapsos.columns._loops
    sys.modules["mapsos.columns._loops"] = None  # type: ignore[assignment]
    find_text_loops.cache_clear()
    assert find_text_loops() is None
    try:
        yield
    finally:
        del sys.modules["mapsos.columns._loops"]
        if module is not None:
            sys.modules["mapsos.columns._loops"] = mapsos.columns._loops = module
        find_text_loops.cache_clear()
