"""Errors of the REST interface: raised while a request is read or answered, rendered in one place."""

from __future__ import annotations

from mapsos.operations.errors import Kind, ServiceError
from mapsos.ows.exceptions import DecodingError, OwsException
from mapsos.terms.deadlines import BusyError, DeadlineError
from mapsos.terms.failures import AccessError, Failure, ReportedError, shorten


class RestError(ReportedError):
    """A failure that is reported as ``{"error": {"code", "message", "details"}}``.

    Parameters
    ----------
    message
        One sentence for the client, without paths, connection strings or texts of drivers. Cut by `shorten`, as are
        the details.
    details
        Further sentences, such as the allowed values.
    code
        The HTTP status, which is also the code in the document.
    detail
        For the log only.
    is_about_name
        Whether a name in the request was not found.
    """

    def __init__(
        self, message: str, *details: str, code: int = 400, detail: str = "", is_about_name: bool = False
    ) -> None:
        super().__init__(shorten(message))
        self.message = str(self)
        self.details = tuple(map(shorten, details))
        self.code = code
        self.detail = detail
        self.is_about_name = is_about_name

    @property
    def is_for_admin(self) -> bool:
        """Whether the map or its data must be fixed."""
        return self.code == 500


class MethodError(RestError):
    """A request with an unsupported method; ``allowed`` are the supported ones."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        named = f"{', '.join(allowed[:-1])} and {allowed[-1]}"
        super().__init__(f"the method {method} is not supported", f"allowed are {named}", code=405)
        self.allowed = allowed


def translate_error(error: DecodingError | OwsException | ServiceError) -> RestError:
    """Return an error of a shared part as one of this interface."""
    code = error.kind.status if isinstance(error, ServiceError) else error.status
    is_about_name = isinstance(error, ServiceError) and error.kind is Kind.UNKNOWN_NAME
    return RestError(str(error), code=code, detail=error.detail, is_about_name=is_about_name)


def translate_failure(failure: Failure) -> RestError:
    """Return a failure as an error of this interface."""
    error = failure.error
    if isinstance(error, RestError):
        return error
    if isinstance(error, DecodingError | OwsException | ServiceError):
        return translate_error(error)
    if isinstance(error, AccessError):
        return RestError(str(error), code=error.status)
    if isinstance(error, DeadlineError):
        message = f"the request exceeded the time limit of {error.seconds:g} seconds"
        return RestError(message, "request a shorter period or fewer sensors", code=503)
    if isinstance(error, BusyError):
        return RestError(str(error), code=503)
    message = f"The request failed for a reason that is in the server's log under reference {failure.reference}."
    return RestError(message, code=500)
