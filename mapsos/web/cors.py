"""Cross-origin requests: what pages of other sites may read (Fetch standard, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mapsos.web.messages import Request, Response, add_vary

EXPOSED = ("ETag", "Mapsos-Max-Features", "X-Request-Id")
"""Headers of answers that such pages may read, beside those that they always may."""

_DAY = "86400"


def answer_preflight(request: Request, origins: Sequence[str], methods: Sequence[str]) -> Response | None:
    """The answer to what a browser asks before it sends a request of another origin; None if it is no such question.

    ``origins`` are those admitted, ``*`` for all; ``methods`` what their requests may have. Others are told nothing,
    which is a refusal to the browser.
    """
    origin = request.environ.get("HTTP_ORIGIN", "")
    asked = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ
    if not origins or request.method != "OPTIONS" or not origin or not asked:
        return None
    headers: tuple[tuple[str, str], ...] = ()
    if _is_admitted(origin, origins):
        headers = (
            ("Access-Control-Allow-Methods", ", ".join(methods)),
            ("Access-Control-Allow-Headers", "Content-Type, If-None-Match, X-Request-Id"),
            ("Access-Control-Max-Age", _DAY),
        )
    return Response(status=204, headers=headers)


def admit_origin(response: Response, request: Request, origins: Sequence[str]) -> Response:
    """The response as one that the page which asked may read, if its origin is admitted.

    Without origins it stays as it is. Credentials are never admitted: there are none here.
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
        # Caches must not give an answer for one origin to another, nor one for none.
        headers = add_vary(headers, "Origin")
    return replace(response, headers=(*headers, *added))


def _is_admitted(origin: str, origins: Sequence[str]) -> bool:
    return bool(origin) and ("*" in origins or origin in origins)
