"""Take keys out of a request, before any other part of the program sees it."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote_plus

from mapsos.terms.names.near_names import find_near_name
from mapsos.terms.values import dataclass
from mapsos.web.messages import Request

PARAMETER = "api-key"
"""The name of the query parameter, in any letter case."""

_WITH_QUERY = ("REQUEST_URI", "RAW_URI", "UNENCODED_URL", "HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL", "HTTP_REFERER")
"""Variables that can contain the query string as a part."""
_QUERIES = ("QUERY_STRING", "REDIRECT_QUERY_STRING")
_HEADERS = ("HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "REDIRECT_HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")
_LONGEST_NAME = 25
_DIGITS = re.compile("[0-9a-fA-F]{40}")
_SCHEME = re.compile(r"\s*(\S+)\s+(\S+)\s*")


@dataclass(frozen=True)
class Credentials:
    """The keys that a request contained.

    Attributes
    ----------
    keys
        The different ones in lower case, without those that were empty.
    misspelt
        The name of a parameter that is nearly ``api-key`` and has the digits of a key, None without one.
    """

    keys: frozenset[str] = frozenset()
    misspelt: str | None = None


def take_keys(request: Request) -> tuple[Request, Credentials]:
    """Return the request as one without a key, and the keys that it had.

    They are read from the parameter ``api-key`` of the query string, from X-Api-Key, and from Authorization: as Bearer,
    or as the password of Basic, with any user.
    """
    environ = request.environ
    query, found, misspelt = _filter_query(request.query or "")
    keys = [*found, *_read_headers(environ)]
    texts = {key.strip().lower() for key in keys} - {""}
    kept = {name: value for name, value in environ.items() if name not in _HEADERS}
    for name in _QUERIES:
        if kept.get(name):
            kept[name] = _filter_query(kept[name])[0]
    for name in _WITH_QUERY:
        if "?" in kept.get(name, ""):
            path, _, rest = kept[name].partition("?")
            rest, fragment, anchor = rest.partition("#")
            rest = _filter_query(rest)[0]
            kept[name] = f"{path}{'?' if rest else ''}{rest}{fragment}{anchor}"
    # Servers and proxies have variables of their making: none of them passes a key on.
    for name in [name for name, value in kept.items() if _contains(value, texts)]:
        del kept[name]
    bare = replace(request, query=query if request.query is not None else None, environ=kept)
    return bare, Credentials(frozenset(texts), misspelt)


def _contains(value: str, texts: set[str]) -> bool:
    if len(value) < 40 or not texts:
        return False
    lowered = value.lower()
    return any(len(text) >= 40 and text in lowered for text in texts)


def _filter_query(query: str) -> tuple[str, list[str], str | None]:
    """Return the query string without the parameter, its values, and the name of one that is nearly the same.

    Another parameter is only taken for it, and out of the query, if it has the digits of a key.
    """
    # A name can be escaped; without either sign no name can be that of the parameter.
    if "-" not in query and "%" not in query and _DIGITS.search(query) is None:
        return query, [], None
    kept: list[str] = []
    found: list[str] = []
    misspelt: str | None = None
    for pair in query.split("&"):
        escaped, _, value = pair.partition("=")
        name = unquote_plus(escaped[:_LONGEST_NAME], errors="replace")
        if len(escaped) < _LONGEST_NAME and name.lower() == PARAMETER:
            found.append(unquote_plus(value, errors="replace"))
        elif _DIGITS.fullmatch(value.strip("+ ")) and find_near_name(name, (PARAMETER,)):
            misspelt = name
        else:
            kept.append(pair)
    return ("&".join(kept) if found or misspelt else query), found, misspelt


def _read_headers(environ: Mapping[str, str]) -> list[str]:
    found = [environ.get("HTTP_X_API_KEY", "")]
    match = _SCHEME.fullmatch(environ.get("HTTP_AUTHORIZATION") or environ.get("REDIRECT_HTTP_AUTHORIZATION", ""))
    if match is None:
        return found
    scheme, value = match[1].lower(), match[2]
    if scheme == "bearer":
        found.append(value)
    elif scheme == "basic":
        try:
            decoded = binascii.a2b_base64(value).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            decoded = ":?"
        found.append(decoded.partition(":")[2])
    return found
