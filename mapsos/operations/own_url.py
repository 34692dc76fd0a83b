"""The URL under which clients reach this service (reference section 5.4)."""

from __future__ import annotations

from urllib.parse import quote

from mapsos.operations.context import Context
from mapsos.ows.exceptions import OwsException


def find_online_resource(context: Context) -> str:
    """The online resource, ending in ``?`` or ``&``: from metadata, else the
    server's setting, else from the CGI variables.

    Raises OwsException 9 of the reference's table if neither is there. Forwarded headers are only in the environment
    when the adapter trusts the proxy that sent them.
    """
    stated = context.service.online_resource
    if stated is None:
        stated = context.online_resource
    if stated is not None:
        return stated if stated.endswith(("?", "&")) else stated + ("&" if "?" in stated else "?")
    return _from_environment(context)


def _from_environment(context: Context) -> str:
    environ = context.environ
    forwarded_host = environ.get("HTTP_X_FORWARDED_HOST", "").split(",")[0].strip()
    host = forwarded_host or environ.get("SERVER_NAME")
    port = environ.get("HTTP_X_FORWARDED_PORT") or environ.get("SERVER_PORT")
    script = environ.get("SCRIPT_NAME")
    if not host or not port or script is None:
        raise OwsException(
            "NoApplicableCode",
            "NoApplicableCode",
            "msOWSGetOnlineResource",
            'Please set "sos_onlineresource" or "ows_onlineresource" metadata.',
            category="CGI error.",
            more=("msBuildOnlineResource(): CGI error. Impossible to establish server URL.",),
            status=500,
        )
    secure = environ.get("HTTPS", "").lower() == "on" or environ.get("SERVER_PORT") == "443"
    scheme = environ.get("HTTP_X_FORWARDED_PROTO") or ("https" if secure else "http")
    if port != {"http": "80", "https": "443"}.get(scheme):
        host = f"{host}:{port}"
    map_parameter = context.raw.first("map") if context.method in ("GET", "HEAD") else None
    query = f"map={quote(map_parameter, safe='/:')}&" if map_parameter else ""
    return f"{scheme}://{host}{script}?{query}"
