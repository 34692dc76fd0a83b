"""What proxies say of the client's side of a request, believed only of proxies that the admin named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_")
_ORIGIN = ("HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PORT")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def correct_environ(environ: Mapping[str, str], trusted_proxies: Iterable[str]) -> dict[str, str]:
    """Give the CGI variables as a client's request without proxies would have had them.

    Parameters
    ----------
    environ
        CGI variables; REMOTE_ADDR is whoever opened the connection.
    trusted_proxies
        IPv4 or IPv6 addresses and networks in CIDR form.

    Returns
    -------
    dict
        From anybody but a trusted proxy: without FORWARDED and X_FORWARDED_* headers. From a trusted proxy:
        REMOTE_ADDR is the last address that no trusted proxy vouches for, and what ``Forwarded`` (RFC 7239) says
        stands in X_FORWARDED_HOST and X_FORWARDED_PROTO where those are absent. X_FORWARDED_PORT is the one of the
        forwarded host, else its scheme's default: behind a proxy the port of this server means nothing.
    """
    forwarded = {name: value for name, value in environ.items() if name.startswith(_FORWARDED)}
    direct = {name: value for name, value in environ.items() if name not in forwarded}
    networks = tuple(trusted_proxies)
    if not forwarded or not _is_within(direct.get("REMOTE_ADDR", ""), networks):
        return direct

    hops = _read_forwarded(forwarded.pop("HTTP_FORWARDED", ""))
    clients = _words(forwarded.get("HTTP_X_FORWARDED_FOR", "")) or [hop["for"] for hop in hops if "for" in hop]
    address = _find_client(clients, networks)
    if address:
        direct["REMOTE_ADDR"] = address
    origin = _find_origin(direct, forwarded, hops)
    kept = {name: value for name, value in forwarded.items() if name not in _ORIGIN}
    return direct | kept | origin


def _find_client(clients: list[str], networks: Iterable[str]) -> str:
    """Give the address before the row of trusted proxies, the nearest of which comes last; empty if none is told."""
    found = ""
    for client in reversed(clients):
        address = _bare_address(client)
        if not address:
            break
        found = address
        if not _is_within(address, networks):
            break
    return found


def _find_origin(
    direct: Mapping[str, str], forwarded: Mapping[str, str], hops: list[dict[str, str]]
) -> dict[str, str]:
    """Give host, scheme and port as the client wrote them, where they are told and make sense."""

    def told(header: str, parameter: str) -> str:
        return _first(forwarded.get(header, "")) or next((hop[parameter] for hop in hops if parameter in hop), "")

    host = told("HTTP_X_FORWARDED_HOST", "host")
    scheme = told("HTTP_X_FORWARDED_PROTO", "proto").lower()
    port = told("HTTP_X_FORWARDED_PORT", "port")
    name, colon, stated_port = host.rpartition(":")
    if colon and stated_port.isdigit():
        host, port = name, port or stated_port
    origin = {}
    if host:
        origin["HTTP_X_FORWARDED_HOST"] = host
    if scheme in _DEFAULT_PORTS:
        origin["HTTP_X_FORWARDED_PROTO"] = scheme
    if not port and origin:
        port = _DEFAULT_PORTS[origin.get("HTTP_X_FORWARDED_PROTO") or _own_scheme(direct)]
    if port.isdigit():
        origin["HTTP_X_FORWARDED_PORT"] = port
    return origin


def _own_scheme(environ: Mapping[str, str]) -> str:
    secure = environ.get("HTTPS", "").lower() == "on" or environ.get("SERVER_PORT") == "443"
    return "https" if secure else "http"


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _first(text: str) -> str:
    return next(iter(_words(text)), "")


def _read_forwarded(text: str) -> list[dict[str, str]]:
    """Read a Forwarded header: one mapping a hop, parameter names in lower case."""
    hops = []
    for hop in _words(text):
        pairs = (pair.partition("=") for pair in hop.split(";"))
        hops.append({name.strip().lower(): value.strip().strip('"') for name, equals, value in pairs if equals})
    return hops


def _bare_address(text: str) -> str:
    """Take an address out of ``192.0.2.1:8080``, ``[2001:db8::1]:443`` or a bare one; empty if there is none."""
    import ipaddress

    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _is_within(address: str, networks: Iterable[str]) -> bool:
    import ipaddress

    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(str(network), strict=False) for network in networks)
