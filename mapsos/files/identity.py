"""Identify files, to determine whether they have changed since they were read."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """The state of a file. A change of the content changes one of the attributes, unless they are forged.

    Attributes
    ----------
    modified
        Time of the last modification in nanoseconds since 1970.
    size
        Size in bytes.
    """

    path: str
    modified: int
    size: int
    inode: int

    def holds(self) -> bool:
        """Return whether the file exists and is unchanged. Costs a stat."""
        return identify(self.path) == self


def identify(path: str) -> Identity | None:
    """Return the identity of a file, None if it is missing or inaccessible.

    Call it before reading the file, so that a change in between is noticed later.
    """
    status = stat_file(path)
    return None if status is None else identity_of(path, status)


def identity_of(path: str, status: os.stat_result) -> Identity:
    """Return the identity of a file whose status is known, such as that of an open file."""
    return Identity(path, status.st_mtime_ns, status.st_size, status.st_ino)


def stat_file(path: str) -> os.stat_result | None:
    """Return the status of a file, None if it is missing or inaccessible."""
    try:
        return os.stat(path)
    except OSError:
        return None
