"""Failures that are reported to a client in the protocol's own form."""

from __future__ import annotations

from dataclasses import dataclass


class ReportedError(Exception):
    """An error with a message for the client: the base of each room's own errors.

    ``detail`` is for the log only: it may name paths and causes that are not the client's business.
    """

    detail: str = ""

    @property
    def log_line(self) -> str:
        """What the log says of the error, which is not a fault of the server."""
        return f"{self} {self.detail}".rstrip()


@dataclass(frozen=True)
class Failure:
    """Why a request was not answered.

    Attributes
    ----------
    error
        A `ReportedError`, a `mapsos.terms.deadlines.DeadlineError`, or anything else that was not expected.
    reference
        What names an unexpected error in the log, for the client to quote. Empty for the other two.
    """

    error: Exception
    reference: str = ""
