"""mapsos as it is where no compiler was at hand when it was installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import mapsos
from mapsos.text_loops import find_text_loops


@contextmanager
def without_text_loops() -> Iterator[None]:
    """As in an installation that was made without a compiler."""
    module = sys.modules.get("mapsos._text_loops")
    if module is not None:
        del mapsos._text_loops
    sys.modules["mapsos._text_loops"] = None  # type: ignore[assignment]
    find_text_loops.cache_clear()
    assert find_text_loops() is None
    try:
        yield
    finally:
        del sys.modules["mapsos._text_loops"]
        if module is not None:
            sys.modules["mapsos._text_loops"] = mapsos._text_loops = module
        find_text_loops.cache_clear()
