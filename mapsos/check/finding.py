"""One finding of `mapsos check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingLevel = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """Something about a mapfile: where, how bad, about which key or keyword, and what to do.

    ``error``: a request will fail or select nothing. ``warning``: clients get less or something else than was meant.
    ``info``: worth knowing. ``message`` says what a client will see and what to write instead.
    """

    file: str
    line: int
    level: FindingLevel
    key: str
    message: str
