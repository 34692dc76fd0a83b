"""The URL that a client has used, from the variables of a web server."""

from __future__ import annotations

from urllib.parse import quote

from mapsos.web.messages import Request


def build_own_url(request: Request, map_name: str | None) -> str | None:
    """Return the URL of the requested program, ending in ``?`` or ``&``; None without a host, port or script.

    ``map_name`` is the value of the ``map`` parameter: the URL of a GET or HEAD contains it. Forwarded headers are only
    in the environment if the adapter trusts the proxy that sent them.
    """
    environ = request.environ
    forwarded_host = environ.get("HTTP_X_FORWARDED_HOST", "").split(",")[0].strip()
    host = forwarded_host or environ.get("SERVER_NAME")
    port = environ.get("HTTP_X_FORWARDED_PORT") or environ.get("SERVER_PORT")
    script = environ.get("SCRIPT_NAME")
    if not host or not port or script is None:
        return None
    secure = environ.get("HTTPS", "").lower() == "on" or environ.get("SERVER_PORT") == "443"
    scheme = environ.get("HTTP_X_FORWARDED_PROTO") or ("https" if secure else "http")
    if port != {"http": "80", "https": "443"}.get(scheme):
        host = f"{host}:{port}"
    query = f"map={quote(map_name, safe='/:')}&" if map_name and request.method in ("GET", "HEAD") else ""
    return f"{scheme}://{host}{script}?{query}"
