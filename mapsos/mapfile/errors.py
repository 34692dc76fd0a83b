"""The exception for mapfiles that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from mapsos.files.identity import Identity

Fault: TypeAlias = Literal[
    "file", "include", "word", "end", "place", "keyword", "pairs", "map", "source", "type", "projection", "filter",
    "number",
]  # fmt: skip
"""The kind of problem.

``file``: it cannot be read; ``include``: INCLUDE; ``word``: a quote or bracket that is not closed; ``end``: a missing
END; ``place``: a word that is not allowed there; ``keyword``: an unknown one; ``pairs``: a block of pairs with an odd
number of words; ``map``: no MAP; ``source``: CONNECTIONTYPE and its like; ``number``: a keyword that needs one; the
others are values of the keywords of that name.
"""


class MapfileError(Exception):
    """A mapfile that cannot be used.

    Attributes
    ----------
    file, line
        The location: the mapfile or INCLUDEd file, as it was opened, and the line from 1; 0 for the file as a whole.
    message
        The problem and the remedy, for the admin and the log. Not for clients, since it can contain paths.
    fault
        The kind of problem.
    near
        The word at which reading stopped, or an empty string.
    missing
        Whether ``file`` could not be read at all.
    unended
        Whether the file ends within a block.
    identities
        The files that had been read by then. While they are unchanged, reading again fails in the same way.
    """

    identities: tuple[Identity, ...] = ()

    def __init__(
        self,
        file: str,
        line: int,
        message: str,
        *,
        fault: Fault = "place",
        near: str = "",
        missing: bool = False,
        unended: bool = False,
    ) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line
        self.message = message
        self.fault: Fault = fault
        self.near = near
        self.missing = missing
        self.unended = unended
