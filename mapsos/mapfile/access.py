"""Who may ask for what: enable_request and the lists of addresses (reference section 4)."""

from __future__ import annotations

import ipaddress
import logging
import os
from typing import TypeAlias

from mapsos.mapfile.model import AccessRules, ObservationLayer, Service

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_log = logging.getLogger(__name__)


def enabled_layers(service: Service, request_name: str, remote_addr: str | None) -> tuple[ObservationLayer, ...]:
    """The layers that are on for a request (any case), in map order, for a client at that address.

    ``remote_addr`` None: lists of addresses do not apply.
    """
    return tuple(layer for layer in service.layers if is_enabled(service, layer, request_name, remote_addr))


def is_enabled(service: Service, layer: ObservationLayer, request_name: str, remote_addr: str | None) -> bool:
    """Whether one layer is on for a request.

    The layer's own lists of addresses always apply. Those of WEB are a part of what WEB says, as in MapServer: a
    layer that enables the request itself is not bound by them.
    """
    if not _admits_address(layer.access, layer.file, remote_addr):
        return False
    stated = _evaluate(layer.access, request_name)
    return stated if stated is not None else is_web_enabled(service, request_name, remote_addr)


def is_web_enabled(service: Service, request_name: str, remote_addr: str | None) -> bool:
    """Whether WEB enables a request for a client at that address."""
    return bool(_evaluate(service.access, request_name)) and _admits_address(service.access, service.file, remote_addr)


def evaluate_rule(text: str, request_name: str) -> bool | None:
    """What one enable_request text says of a request: on, off, or None for nothing.

    A name beats ``*`` wherever either stands; of a name given twice the first counts, of ``*`` the last.
    """
    everything: bool | None = None
    for word in text.split(" "):
        name = word.removeprefix("!")
        if name.lower() == request_name.lower():
            return name == word
        if name == "*":
            everything = name == word
    return everything


def parse_addresses(text: str, folder: str) -> tuple[tuple[Network, ...], tuple[str, ...]]:
    """Read a list of addresses: its networks, and the words that are none.

    ``file:PATH`` (relative to ``folder``) stands for the words in a file, and is itself a wrong word if the file
    cannot be read.
    """
    networks: list[Network] = []
    wrong: list[str] = []
    words = [text] if text.startswith("file:") else text.split()
    for word in words:
        if word.startswith("file:"):
            try:
                with open(os.path.join(folder, word.removeprefix("file:").strip()), encoding="utf-8") as file:
                    inner = [part for line in file for part in line.partition("#")[0].split()]
            except (OSError, ValueError):
                wrong.append(word)
                continue
        else:
            inner = [word]
        for part in inner:
            try:
                networks.append(ipaddress.ip_network(part, strict=False))
            except ValueError:
                wrong.append(part)
    return tuple(networks), tuple(wrong)


def _evaluate(rules: AccessRules, request_name: str) -> bool | None:
    """What a level says. The ``ows_`` text counts where the ``sos_`` text is silent."""
    for text in rules.enable_request:
        stated = evaluate_rule(text, request_name) if text is not None else None
        if stated is not None:
            return stated
    return None


def _admits_address(rules: AccessRules, file: str, remote_addr: str | None) -> bool:
    if not remote_addr or (rules.allowed_ip_list is None and rules.denied_ip_list is None):
        return True
    try:
        address = ipaddress.ip_address(remote_addr.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    folder = os.path.dirname(file)
    if rules.allowed_ip_list is not None:
        networks, wrong = parse_addresses(rules.allowed_ip_list, folder)
        _report(wrong, file)
        if not any(address in network for network in networks):
            return False
    if rules.denied_ip_list is not None:
        networks, wrong = parse_addresses(rules.denied_ip_list, folder)
        _report(wrong, file)
        # A list that cannot be understood may have barred this very address.
        return not wrong and not any(address in network for network in networks)
    return True


def _report(wrong: tuple[str, ...], file: str) -> None:
    if wrong:
        _log.error("%s: in a list of addresses, what is no address or readable file: %s", file, " ".join(wrong))
