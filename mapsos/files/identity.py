"""Whether a file is still what it was when it was read."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """A file as it was: any change of its content changes one of these, short of somebody forging them."""

    path: str
    modified: int
    size: int
    inode: int

    def holds(self) -> bool:
        """Whether the file is there, unchanged. Costs one stat."""
        try:
            return identity_of(self.path, os.stat(self.path)) == self
        except OSError:
            return False


def identity_of(path: str, status: os.stat_result) -> Identity:
    """The identity that a stat of the file gives; take it before reading, so that a later change shows."""
    return Identity(path, status.st_mtime_ns, status.st_size, status.st_ino)
