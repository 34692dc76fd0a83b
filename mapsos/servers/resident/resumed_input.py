"""Restore standard input after the loss of a worker that had read a part of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Resumed(io.RawIOBase):
    def __init__(self, taken: bytes, rest: BinaryIO) -> None:
        self._taken = io.BytesIO(taken)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._taken.read(len(view)) or self._rest.read(len(view))
        view[: len(piece)] = piece
        return len(piece)


def resume_input(taken: bytes, rest: BinaryIO) -> BinaryIO:
    """Return a stream of the bytes already read from another one, followed by the rest of that one."""
    return io.BufferedReader(_Resumed(taken, rest))
