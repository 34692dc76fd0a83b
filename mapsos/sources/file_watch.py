"""Detect files of a layer that change while they are read.

A file that is replaced or deleted is read on as it was, because the reader has it open. A file that is overwritten or
truncated in place delivers rows of both states, or too few, and the driver may take that for the end: so each batch is
passed on only after a check. Appending is not a change: lines added to a text table, records to a shapefile. SQLite
isolates its readers from its writers; of its files only a change by another program counts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from mapsos.files.identity import stat_file
from mapsos.sources.errors import SourceError
from mapsos.sources.identity import list_files
from mapsos.terms.layer_source import LayerSource

_SAMPLES = 8
_SAMPLE = 512
_SQLITE = b"SQLite format 3\0"
# Offset of the records: the header before them changes when records are added.
_GROWING = {".csv": 0, ".tsv": 0, ".psv": 0, ".txt": 0, ".dbf": 32, ".shp": 100, ".shx": 100}


class FileWatch:
    """The state of the files of a layer at construction. Costs a stat a file, and some short reads of tables.

    Databases and services have no files to watch.
    """

    def __init__(self, source: LayerSource) -> None:
        self._source = source
        self._files = tuple(map(_look_at, list_files(source)))

    def check(self) -> None:
        """Raise `SourceError` if a file was changed in place. Costs a stat a file."""
        changed = next((file.path for file in self._files if file.has_changed()), None)
        if changed is not None:
            raise SourceError(
                f"data source of layer {self._source.layer} was changed while it was read",
                f"{changed} was overwritten or truncated; replace a file by renaming the new one over it",
            )

    def is_replaced(self) -> bool:
        """Return whether a file was replaced, added or deleted: parts of a layer opened since might not match."""
        return any(file.is_replaced() for file in self._files)


@dataclass
class _File:
    path: str
    state: os.stat_result | None
    samples: tuple[bytes, ...]
    header: bytes

    def has_changed(self) -> bool:
        now = stat_file(self.path)
        was = self.state
        if was is None or now is None or (now.st_dev, now.st_ino) != (was.st_dev, was.st_ino):
            return False
        if (now.st_mtime_ns, now.st_size) == (was.st_mtime_ns, was.st_size):
            return False
        if self.header:
            return not self._is_commit(now.st_size)
        return now.st_size <= was.st_size or not self.samples or _sample(self.path, was.st_size) != self.samples

    def _is_commit(self, size: int) -> bool:
        """Return whether the change may be a commit of SQLite, which counts its changes, and the pages."""
        if os.path.exists(f"{self.path}-wal"):
            return True
        (header,) = _read(self.path, (0,), 100)
        if header[:16] != _SQLITE or len(header) < 100:
            return False
        count, pages = _number(header[24:28]), _number(header[28:32])
        page = _number(header[16:18])
        return count > _number(self.header[24:28]) and pages * (65536 if page == 1 else page) == size

    def is_replaced(self) -> bool:
        now = stat_file(self.path)
        if now is None or self.state is None:
            return now is not self.state
        return (now.st_dev, now.st_ino) != (self.state.st_dev, self.state.st_ino)


def _look_at(path: str) -> _File:
    state = stat_file(path)
    if state is None:
        return _File(path, None, (), b"")
    (header,) = _read(path, (0,), 100)
    return _File(path, state, _sample(path, state.st_size), header if header.startswith(_SQLITE) else b"")


def _sample(path: str, size: int) -> tuple[bytes, ...]:
    """Return bytes from all over a table of that size, none of any other file."""
    start = _GROWING.get(os.path.splitext(path)[1].lower())
    # The last byte of a dBASE table marks its end, and makes room for more.
    length = size - 1 - (start or 0)
    if start is None or length <= 0:
        return ()
    step = max(0, length - _SAMPLE) // (_SAMPLES - 1)
    return _read(path, [start + number * step for number in range(_SAMPLES)], min(_SAMPLE, length))


def _read(path: str, positions: Sequence[int], length: int) -> tuple[bytes, ...]:
    """Return the bytes at some offsets, fewer or none of a file that ends before or cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return tuple(b"" for _ in positions)
    try:
        return tuple(os.pread(file, length, position) for position in positions)
    except OSError:
        return tuple(b"" for _ in positions)
    finally:
        os.close(file)


def _number(digits: bytes) -> int:
    return int.from_bytes(digits, "big")
