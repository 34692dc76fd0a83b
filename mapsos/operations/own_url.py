"""The URL of the service."""

from __future__ import annotations

from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError


def find_own_url(context: Context) -> str:
    """Return the service's URL, ending in ``?`` or ``&``.

    It is the one in the metadata, else the setting MS_ONLINERESOURCE, else the one that the client used.

    Raises
    ------
    ServiceError
        None of them is known.
    """
    stated = context.service.online_resource
    if stated is None:
        stated = context.host.settings.online_resource
    if stated is not None:
        return stated if stated.endswith(("?", "&")) else stated + ("&" if "?" in stated else "?")
    if context.asked_url is None:
        message = 'Please set "sos_onlineresource" or "ows_onlineresource" metadata.'
        raise ServiceError(Kind.MISCONFIGURED, "own URL", message)
    return context.asked_url
