"""Identity of a file: whether it has changed since it was read."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """State of a file: any change of its content changes one of these, unless they are forged."""

    path: str
    modified: int
    size: int
    inode: int

    def holds(self) -> bool:
        """Return whether the file exists and is unchanged. Costs one stat."""
        try:
            return identity_of(self.path, os.stat(self.path)) == self
        except OSError:
            return False


def identity_of(path: str, status: os.stat_result) -> Identity:
    """Return the identity from a stat of the file, which must come before reading, so that a later change is seen."""
    return Identity(path, status.st_mtime_ns, status.st_size, status.st_ino)
