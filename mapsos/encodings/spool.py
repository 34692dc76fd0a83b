"""Groups of bytes that grow independently and are read one by one: in memory up to a limit, then in a file."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType

MEMORY_BYTES = 4 * 1024 * 1024
"""Bytes of all groups together that stay in memory: few compared with the process itself."""

READ_BYTES = 1 << 20


class Spool:
    """Groups of bytes, indexed from 0, each growing at its end.

    More than ``memory_bytes`` goes to one unnamed temporary file, so that nothing is left behind however the process
    ends. A context manager: leaving it frees file and memory. Raises OSError if the disk is full.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._held = 0
        self._pieces: list[list[bytes]] = []
        # Start and length alternate: as pairs of objects they would grow with the response.
        self._stretches: list[array[int]] = []
        self._file: int | None = None
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pieces.clear()
        self._stretches.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def in_file(self) -> int:
        """Return how many bytes are in the temporary file."""
        return self._end

    def add_group(self) -> int:
        """Begin another group and return its index."""
        self._pieces.append([])
        self._stretches.append(array("q"))
        return len(self._pieces) - 1

    def append(self, group: int, piece: bytes) -> None:
        """Append bytes to a group."""
        self._pieces[group].append(piece)
        self._held += len(piece)
        if self._held > self._memory_bytes:
            self._spill()

    def read(self, group: int) -> Iterator[bytes]:
        """Yield the bytes of a group in order, in chunks of about a megabyte; none if the group is empty."""
        stretches = self._stretches[group]
        for start, length in zip(stretches[::2], stretches[1::2], strict=True):
            for position in range(start, start + length, READ_BYTES):
                yield self._read_at(position, min(READ_BYTES, start + length - position))
        if self._pieces[group]:
            yield b"".join(self._pieces[group])

    def _spill(self) -> None:
        if self._file is None:
            self._file = _open_nameless()
        for pieces, stretches in zip(self._pieces, self._stretches, strict=True):
            if pieces:
                text = b"".join(pieces)
                pieces.clear()
                self._write(text)
                stretches.extend((self._end - len(text), len(text)))
        self._held = 0

    def _write(self, text: bytes) -> None:
        assert self._file is not None
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._end += len(text)

    def _read_at(self, position: int, length: int) -> bytes:
        assert self._file is not None
        text = os.pread(self._file, length, position)
        while len(text) < length:
            more = os.pread(self._file, length - len(text), position + len(text))
            if not more:
                raise OSError("the spool's temporary file is shorter than what was written to it")
            text += more
        return text


def _open_nameless() -> int:
    with tempfile.TemporaryFile(prefix="mapsos-", buffering=0) as file:
        return os.dup(file.fileno())
