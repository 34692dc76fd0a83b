"""The proxies whose forwarded headers are trusted."""

from __future__ import annotations

from mapsos.terms.names.addresses import Network, parse_address, parse_network
from mapsos.terms.values import dataclass

UNIX = "unix"
"""The word for clients of a Unix socket in MAPSOS_TRUSTED_PROXIES."""


@dataclass(frozen=True)
class TrustedProxies:
    """The networks of trusted proxies (a single address is one), and whether clients of a Unix socket are trusted."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def include(self, address: str) -> bool:
        """Return whether the address is that of a trusted proxy; empty is the address of a Unix socket's client."""
        if not address:
            return self.unix
        try:
            found = parse_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.networks)


def read_trusted_proxies(text: str) -> TrustedProxies:
    """Parse addresses and networks (IPv4, IPv6, CIDR), or ``unix``, separated by spaces.

    Raises
    ------
    ValueError
        A word is invalid.
    """
    words = text.split()
    networks = tuple(parse_network(word) for word in words if word != UNIX)
    return TrustedProxies(networks, UNIX in words)
