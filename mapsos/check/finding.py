"""Findings of `mapsos check`."""

from __future__ import annotations

import os
from typing import Literal

from mapsos.mapfile.errors import MapfileError
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


def describe_faulty_map(error: MapfileError) -> Finding:
    """Return the finding about a mapfile that cannot be read."""
    return Finding(error.file, error.line, "error", error.near or "mapfile", error.message)


def format_finding(finding: Finding) -> str:
    """Return a finding as one line; its file relative to the working directory, if it is below that."""
    try:
        near = os.path.relpath(finding.file)
    except FileNotFoundError:
        # The working directory was removed.
        near = os.pardir
    file = finding.file if near.startswith(os.pardir) else near
    where = f"{file}:{finding.line}" if finding.line else file
    return " ".join(f"{where}: {finding.level}: {finding.key}: {finding.message}".split())
