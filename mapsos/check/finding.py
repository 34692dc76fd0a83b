"""Findings of `mapsos check`."""

from __future__ import annotations

from typing import Literal

from mapsos.terms.values import dataclass

FindingLevel = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """A problem of a mapfile or of its data.

    Attributes
    ----------
    file, line
        The location in the mapfile or an INCLUDEd file; the line counts from 1, 0 is the whole file.
    level
        ``error``: a request fails or selects nothing. ``warning``: clients get less than intended, or something else.
        ``info``: no problem, but worth knowing.
    key
        The metadata key or keyword in question.
    message
        The consequence for clients, and what to write instead.
    """

    file: str
    line: int
    level: FindingLevel
    key: str
    message: str
