"""The errors of operations, independent of any protocol."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from mapsos.terms.failures import ReportedError


class Kind(Enum):
    """The kind of a failure, with its HTTP status for protocols that use status codes (RFC 9110, clause 15)."""

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
        """Return the HTTP status of this kind."""
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
"""The subject of an error. Each protocol has a name for it: a locator, a parameter, a field."""


class ServiceError(ReportedError):
    """A question that an operation cannot answer.

    Parameters
    ----------
    kind, subject
        The key for the codes, locators and wordings of a protocol.
    message
        One or more sentences for the client, without parameter names of a protocol.
    names
        The requested names that are unknown, for errors about names.
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

    @property
    def is_for_admin(self) -> bool:
        """Whether the map or its data must be fixed."""
        return self.kind in (Kind.MISCONFIGURED, Kind.UNREADABLE)
