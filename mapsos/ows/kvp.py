"""Decode key-value pairs: a query string or a form body (docs/mapserver-sos.md, "Key-value pairs")."""

from __future__ import annotations

import re

from mapsos.ows.exceptions import DecodingError
from mapsos.ows.raw_request import RawRequest

NAMELESS = "="
"""The name of pairs without a name among the ignored parameters."""
MAX_PAIRS = 1000
"""Maximum number of pairs in a query string or a form."""

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


def decode_kvp(text: str | bytes) -> RawRequest:
    """Decode ``name=value&...``.

    Names are case-insensitive. ``+`` is a space and ``%XX`` a byte; a malformed ``%`` stays as it is. A pair without
    ``=`` has an empty value; a pair without a name is ignored.

    Parameters
    ----------
    text
        A str is taken as UTF-8 with surrogate escapes, as Python decodes an environment.

    Raises
    ------
    DecodingError
        A name or value is not UTF-8 (locator: the parameter), or there are more than `MAX_PAIRS` pairs (``request``).
    """
    data = _encode(text) if isinstance(text, str) else text
    if data.count(b"&") >= MAX_PAIRS:
        message = f"More than {MAX_PAIRS} parameters in a request are not accepted."
        raise DecodingError("InvalidParameterValue", "request", message)
    values: dict[str, list[str]] = {}
    nameless = False
    for pair in data.split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        if not raw_name:
            nameless = nameless or bool(pair)
            continue
        name, value = _unescape(raw_name), _unescape(raw_value)
        try:
            values.setdefault(name.decode().lower(), []).append(value.decode())
        except UnicodeDecodeError as error:
            shown = name.decode("utf-8", "replace")
            message = f"Parameter {shown} is not valid UTF-8."
            raise DecodingError("InvalidParameterValue", shown, message) from error
    ignored = (NAMELESS,) if nameless else ()
    return RawRequest({name: tuple(found) for name, found in values.items()}, ignored=ignored)


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Surrogates that stand for no byte become invalid UTF-8, so that the parameter is rejected.
        return text.encode("utf-8", "surrogatepass")


def _unescape(data: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), data.replace(b"+", b" "))
