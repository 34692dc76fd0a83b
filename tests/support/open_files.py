"""What processes have open, also files that have no name any more."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def list_open(process: int | str = "self") -> dict[str, str]:
    """What a process has open, by the number of the descriptor; those that it closes meanwhile are left out."""
    folder = f"/proc/{process}/fd"
    found = {}
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found[number] = os.readlink(f"{folder}/{number}")
    return found


def count_open(begin: str | Path, process: int | str = "self") -> int:
    """How many descriptors of a process are of paths that begin so."""
    return sum(path.startswith(str(begin)) for path in list_open(process).values())
