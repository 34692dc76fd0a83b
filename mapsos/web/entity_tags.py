"""Validators: entity tags, the condition of If-None-Match, and HTTP dates (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import replace

from mapsos.web.messages import Response, add_vary

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tag_response(response: Response, if_none_match: str | None) -> Response:
    """Return the response with an ETag made of its body, or 304 without a body if the client has that document.

    For bodies that are complete in memory. The client must revalidate the document before each use.
    """
    digest = hashlib.blake2b(digest_size=12)
    for chunk in response.body:
        digest.update(chunk)
    headers = (*response.headers, ("ETag", write_tag(digest.hexdigest())), ("Cache-Control", "no-cache"))
    return answer_condition(replace(response, headers=headers), if_none_match)


def answer_condition(response: Response, if_none_match: str | None) -> Response:
    """Evaluate the condition of a GET or HEAD request on its response of status 200, which has an ETag.

    Parameters
    ----------
    response
        The response without the condition, not yet compressed.
    if_none_match
        The value of If-None-Match; None if absent.

    Returns
    -------
    Response
        The response itself, or 304 (RFC 9110, section 15.4.5): without a body, and with all headers but Content-Type.
        Both have ``Vary: Accept-Encoding``, since the same document may be sent compressed.
    """
    headers = add_vary(response.headers, "Accept-Encoding")
    tag = next(value for name, value in headers if name == "ETag")
    if if_none_match is None or not matches(if_none_match, tag):
        return replace(response, headers=headers)
    rest = tuple((name, value) for name, value in headers if name != "Content-Type")
    return Response(status=304, headers=rest, operation=response.operation, ignored=response.ignored)


def matches(if_none_match: str, tag: str) -> bool:
    """Return whether a value of If-None-Match is ``*`` or lists the tag (RFC 9110, section 13.1.2).

    The comparison is weak (section 8.8.3.2): ``W/"1"`` matches ``"1"``. What is not an entity tag matches nothing.
    """
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(if_none_match)


def write_tag(digest: str) -> str:
    """Return a weak entity tag (RFC 9110, section 8.8.3): one document has several forms, by its Content-Encoding."""
    return f'W/"{digest}"'


def write_date(seconds: float | None = None) -> str:
    """Return a time in seconds since 1970 UTC, None for now, as an IMF-fixdate (RFC 9110, section 5.6.7).

    English whatever the locale is, which `time.strftime` would follow.
    """
    moment = time.gmtime(seconds)
    day = f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02d} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year:04d}"
    return f"{day} {moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d} GMT"
