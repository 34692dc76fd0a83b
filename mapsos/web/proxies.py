"""Apply Forwarded and X-Forwarded-* headers, only from proxies listed in MAPSOS_TRUSTED_PROXIES."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from mapsos.terms.names.addresses import parse_address

_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_", "HTTP_X_REQUEST_ID")
_ORIGIN = ("HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PORT")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?")
# A string without an end takes the rest, and a name only begins where one can: no character is read again and again.
_QUOTED = r'"(?:\\.|[^"\\])*+(?:"|\\?\Z)'
_HOPS = re.compile(rf'(?:[^,"]|{_QUOTED})++', re.DOTALL)
_PAIRS = re.compile(rf'(?<![^=;"\s])([^=;"\s]++)\s*+=\s*+({_QUOTED}|[^;"\s]*+)', re.DOTALL)


class TrustedProxies(Protocol):
    """The proxies whose headers are trusted (`mapsos.config.trusted_proxies`)."""

    def include(self, address: str, /) -> bool:
        """Return whether the address is that of a trusted proxy; empty is the address of a Unix socket's client."""


def correct_environ(environ: Mapping[str, str], proxies: TrustedProxies) -> dict[str, str]:
    """Return the CGI variables as a request without proxies would have them.

    Parameters
    ----------
    environ
        CGI variables; REMOTE_ADDR is the peer of the connection.
    proxies
        The proxies whose headers are trusted.

    Returns
    -------
    dict
        Unless a trusted proxy sent the request: without FORWARDED, X_FORWARDED_* and X_REQUEST_ID headers. From a
        trusted proxy: REMOTE_ADDR is the last address that is not a trusted proxy, empty if that word is not
        an address (``unknown``), and ``Forwarded`` (RFC 7239) sets X_FORWARDED_HOST and
        X_FORWARDED_PROTO where those are absent. If a header is a list, the words of the
        trusted proxies count, which are the last ones; of these the outermost. X_FORWARDED_PORT is the port of the
        forwarded host, else the default of its scheme: behind a proxy the port of this server is irrelevant.
        X_FORWARDED_PREFIX is the path that the proxy removed, and is prepended to SCRIPT_NAME. A malformed host,
        scheme, port or prefix counts as absent.
    """
    forwarded = {name: value for name, value in environ.items() if name.startswith(_FORWARDED)}
    direct = {name: value for name, value in environ.items() if name not in forwarded}
    if not forwarded or not proxies.include(direct.get("REMOTE_ADDR", "")):
        return direct

    hops = _read_forwarded(forwarded.pop("HTTP_FORWARDED", ""))
    clients = _words(forwarded.get("HTTP_X_FORWARDED_FOR", ""))
    if not clients and any("for" in hop for hop in hops):
        clients = [hop.get("for", "") for hop in hops]
    address, trusted = _find_client(clients, proxies)
    if clients:
        direct["REMOTE_ADDR"] = address
    origin = _find_origin(direct, forwarded, hops, trusted)
    prefix = _nth_last(_words(forwarded.get("HTTP_X_FORWARDED_PREFIX", "")), trusted)
    if _PREFIX.fullmatch(prefix) and ".." not in prefix:
        direct["SCRIPT_NAME"] = prefix.rstrip("/") + direct.get("SCRIPT_NAME", "")
    kept = {name: value for name, value in forwarded.items() if name not in _ORIGIN}
    return direct | kept | origin


def _find_client(clients: list[str], proxies: TrustedProxies) -> tuple[str, int]:
    """Return the address before the row of trusted proxies, empty if unknown, and the number of these proxies.

    The nearest comes last in ``clients``; the peer of the connection is the first of the row and not among them.
    """
    found, trusted = "", 1
    for client in reversed(clients):
        found = _bare_address(client)
        # Behind a word that is not an address, such as "unknown", nothing is known of the client.
        if not found or not proxies.include(found):
            break
        trusted += 1
    return found, trusted


def _find_origin(
    direct: Mapping[str, str], forwarded: Mapping[str, str], hops: list[dict[str, str]], trusted: int
) -> dict[str, str]:
    """Return host, scheme and port as the client wrote them, where they are known and valid."""

    def find(header: str, parameter: str) -> str:
        value = _nth_last(_words(forwarded.get(header, "")), trusted)
        return value or next((hop[parameter] for hop in hops[-trusted:] if parameter in hop), "")

    host = _HOST.fullmatch(find("HTTP_X_FORWARDED_HOST", "host"))
    scheme = find("HTTP_X_FORWARDED_PROTO", "proto").lower()
    port = find("HTTP_X_FORWARDED_PORT", "port") or (host[2] if host else "")
    origin = {}
    if host:
        origin["HTTP_X_FORWARDED_HOST"] = host[1]
    if scheme in _DEFAULT_PORTS:
        origin["HTTP_X_FORWARDED_PROTO"] = scheme
    if not port and origin:
        port = _DEFAULT_PORTS[origin.get("HTTP_X_FORWARDED_PROTO") or _own_scheme(direct)]
    if re.fullmatch("[0-9]{1,5}", port) and int(port) < 65536:
        origin["HTTP_X_FORWARDED_PORT"] = port
    return origin


def _own_scheme(environ: Mapping[str, str]) -> str:
    secure = environ.get("HTTPS", "").lower() == "on" or environ.get("SERVER_PORT") == "443"
    return "https" if secure else "http"


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _nth_last(words: list[str], number: int) -> str:
    """Return the word that the proxy ``number`` hops before this server appended, or the first; empty without words."""
    return words[-number:][0] if words else ""


def _read_forwarded(text: str) -> list[dict[str, str]]:
    """Read a Forwarded header: one mapping a hop, parameter names in lower case."""
    return [{name.lower(): _unquote(value) for name, value in _PAIRS.findall(hop)} for hop in _HOPS.findall(text)]


def _unquote(value: str) -> str:
    """Return the value of a parameter without its quotes; empty for a string without an end."""
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if len(value) > 1 and value.endswith('"') else ""


def _bare_address(text: str) -> str:
    """Return the address in ``192.0.2.1:8080``, ``[2001:db8::1]:443`` or a bare one; empty if it is not valid."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(parse_address(text))
    except ValueError:
        return ""
