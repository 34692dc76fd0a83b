"""IP addresses and networks of clients and proxies, as servers and admins write them."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def parse_address(text: str) -> Address:
    """Return an address, without its zone; one of IPv4 that is written as IPv6 (``::ffff:192.0.2.1``) is of IPv4.

    A socket of IPv6 that also takes IPv4 reports clients in that form. Raises ValueError.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def parse_network(text: str) -> Network:
    """Return a network, or an address as a network of one, of IPv4 if it is written as in `parse_address`.

    Bits of the host do not matter. Raises ValueError.
    """
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((mapped or 0, network.prefixlen - 96))
    return network
