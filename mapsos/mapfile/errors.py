"""What can go wrong while a mapfile is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapsos.files.identity import Identity


class MapfileError(Exception):
    """A mapfile that cannot be used.

    Attributes
    ----------
    file, line
        Where: the file as it was opened (an INCLUDEd one where the fault is there) and its line, from 1; 0 for the
        file as a whole.
    message
        What is wrong and what to write instead. It may name paths: for the admin and the log, not for clients.
    near
        The word at which reading stopped, empty if there is none.
    missing
        Whether ``file`` could not be read at all.
    unended
        Whether the file ends within a block.
    identities
        The files that had been read until then, as they were: while they stay so, reading again ends alike.
    """

    identities: tuple[Identity, ...] = ()

    def __init__(
        self, file: str, line: int, message: str, *, near: str = "", missing: bool = False, unended: bool = False
    ) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line
        self.message = message
        self.near = near
        self.missing = missing
        self.unended = unended

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild it from its own parts: the default would hand back the joined text alone."""
        return (_rebuild, (self.file, self.line, self.message, self.near, self.missing, self.unended))


def _rebuild(file: str, line: int, message: str, near: str, missing: bool, unended: bool) -> MapfileError:
    return MapfileError(file, line, message, near=near, missing=missing, unended=unended)
