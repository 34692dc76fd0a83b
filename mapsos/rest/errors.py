"""Errors of the REST interface: raised while a request is read or answered, rendered in one place."""

from __future__ import annotations


class RestError(Exception):
    """A failure that the client is told about as ``{"error": {"code", "message", "details"}}``.

    Parameters
    ----------
    message
        One sentence for the client: no path, no connection string, no text of a driver.
    details
        Further sentences, such as what is allowed instead.
    code
        The HTTP status, which is also the code in the document.
    detail
        For the log only.
    """

    def __init__(self, message: str, *details: str, code: int = 400, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.code = code
        self.detail = detail


class MethodError(RestError):
    """A request by a method that the resource does not have; ``allowed`` are those that it has."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        named = f"{', '.join(allowed[:-1])} and {allowed[-1]}"
        super().__init__(f"the method {method} is not supported", f"allowed are {named}", code=405)
        self.allowed = allowed
