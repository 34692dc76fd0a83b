"""Entity tags: a client that has the same document already gets 304 instead (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from mapsos.web.messages import Response


def tag_response(response: Response, if_none_match: str | None) -> Response:
    """The response with an ETag made of its body, or 304 without body if the client names that tag.

    For bodies that are complete in memory. The tag is weak, since the same document may be sent compressed.
    """
    digest = hashlib.blake2b(digest_size=12)
    for chunk in response.body:
        digest.update(chunk)
    tag = f'"{digest.hexdigest()}"'
    headers = (*response.headers, ("ETag", f"W/{tag}"), ("Cache-Control", "no-cache"))
    if if_none_match is not None and _names(if_none_match, tag):
        kept = tuple((name, value) for name, value in headers if name != "Content-Type")
        return Response(status=304, headers=kept)
    return replace(response, headers=headers)


def _names(if_none_match: str, tag: str) -> bool:
    given = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag) for part in given)
