"""The errors of operations: what is wrong with a question, in no protocol's words."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from mapsos.terms.failures import ReportedError


class Kind(Enum):
    """What kind of failure it is, with the HTTP status of protocols that use them (RFC 9110, clause 15)."""

    MISSING = "missing"
    INVALID = "invalid"
    UNKNOWN_NAME = "unknown name"
    TOO_LARGE = "too large"
    NOT_ALLOWED = "not allowed"
    MISCONFIGURED = "misconfigured"
    UNREADABLE = "unreadable"
    CONFLICT = "conflict"
    BUSY = "busy"

    @property
    def status(self) -> int:
        """The HTTP status for this kind."""
        return _STATUS.get(self, 400)


_STATUS = {
    Kind.NOT_ALLOWED: 403,
    Kind.CONFLICT: 409,
    Kind.MISCONFIGURED: 500,
    Kind.UNREADABLE: 500,
    Kind.BUSY: 503,
}

Subject = Literal[
    "aggregation function",
    "aggregation interval",
    "CRS",
    "data",
    "feature",
    "maximum rows",
    "observation",
    "observed property",
    "offered CRSs",
    "offering",
    "offering extent",
    "offering time extent",
    "own URL",
    "procedure",
    "procedure column",
    "procedure of the data",
    "procedures",
    "result",
    "sensor document",
    "sensor template",
    "sensor URL",
    "sensor valid time",
    "summaries",
    "time",
    "time column",
]
"""The concept that an error is about. Each protocol has its own name for it: a locator, a parameter, a field."""


class ServiceError(ReportedError):
    """An operation cannot answer a question.

    Parameters
    ----------
    kind, subject
        What protocols look up their codes, locators and wordings by.
    message
        One or more sentences for the client, without a protocol's names of parameters.
    names
        The names that were asked for and are not known, where it is about names.
    detail
        For the log only.
    """

    def __init__(
        self, kind: Kind, subject: Subject, message: str, *, names: tuple[str, ...] = (), detail: str = ""
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.subject: Subject = subject
        self.names = names
        self.detail = detail
