"""Cross-origin requests: allow pages of other sites to read responses (Fetch standard, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mapsos.web.messages import Request, Response, add_vary

EXPOSED = ("ETag", "Mapsos-Max-Features", "X-Request-Id")
"""Response headers that such pages may read, in addition to the safelisted ones."""

_DAY = "86400"
_HEADERS = "Content-Type, If-None-Match, X-Request-Id"
_HEADERS_WITH_KEYS = f"Authorization, {_HEADERS}, X-Api-Key"


def answer_preflight(
    request: Request, origins: Sequence[str], methods: Sequence[str], *, has_keys: bool = False
) -> Response | None:
    """Return the answer to a preflight request of a browser, None for any other request.

    ``origins`` are those allowed, ``*`` for all; ``methods`` are their allowed methods; ``has_keys``: pages may
    send keys in headers. The answer to other origins lacks the headers, so that the browser blocks the request.
    """
    origin = request.environ.get("HTTP_ORIGIN", "")
    asked = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ
    if not origins or request.method != "OPTIONS" or not origin or not asked:
        return None
    headers: tuple[tuple[str, str], ...] = ()
    if _is_admitted(origin, origins):
        headers = (
            ("Access-Control-Allow-Methods", ", ".join(methods)),
            ("Access-Control-Allow-Headers", _HEADERS_WITH_KEYS if has_keys else _HEADERS),
            ("Access-Control-Max-Age", _DAY),
        )
    return Response(status=204, headers=headers)


def admit_origin(response: Response, request: Request, origins: Sequence[str]) -> Response:
    """Return the response with the headers that allow the requesting page to read it, if its origin is allowed.

    Without origins it is unchanged. Credentials are never allowed, since the server does not use any.
    """
    if not origins:
        return response
    origin = request.environ.get("HTTP_ORIGIN", "")
    added: list[tuple[str, str]] = []
    if _is_admitted(origin, origins):
        added.append(("Access-Control-Allow-Origin", "*" if "*" in origins else origin))
        if request.method != "OPTIONS":
            added.append(("Access-Control-Expose-Headers", ", ".join(EXPOSED)))
    headers = response.headers
    if "*" not in origins:
        # Caches must not reuse a response for another origin, or for requests without one.
        headers = add_vary(headers, "Origin")
    return replace(response, headers=(*headers, *added))


def _is_admitted(origin: str, origins: Sequence[str]) -> bool:
    return bool(origin) and ("*" in origins or origin in origins)
