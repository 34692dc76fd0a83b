"""Failures that are reported to a client in the form of the protocol."""

from __future__ import annotations

from mapsos.terms.values import dataclass


class ReportedError(Exception):
    """An error with a message for the client: the base class of each room's errors.

    ``detail`` is for the log only: it may contain paths and causes that clients must not see.
    """

    detail: str = ""

    @property
    def log_line(self) -> str:
        """The line for the log; the error is not a fault of the server."""
        return f"{self} {self.detail}".rstrip()

    @property
    def is_for_admin(self) -> bool:
        """Whether the admin must fix something: a map, the data or the access to them. Otherwise the client must."""
        return False


@dataclass(frozen=True)
class Failure:
    """Why a request was not answered.

    Attributes
    ----------
    error
        A `ReportedError`, a `mapsos.terms.deadlines.DeadlineError`, or an unexpected exception.
    reference
        Id of an unexpected error in the log, for the client to quote. Empty for the other two.
    """

    error: Exception
    reference: str = ""
