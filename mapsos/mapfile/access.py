"""Evaluate access rules: enable_request and the address lists (docs/mapserver-sos.md, "Access")."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from typing import TypeAlias

from mapsos.files.identity import Identity, identity_of
from mapsos.mapfile.model import AccessRules, ObservationLayer, Service
from mapsos.terms.names.addresses import Network, parse_address, parse_network

Addresses: TypeAlias = tuple[tuple[Network, ...], tuple[str, ...]]
"""A parsed address list: its networks, and the words that are not addresses."""

_log = logging.getLogger(__name__)


def enabled_layers(
    service: Service, request_name: str, remote_addr: str | None, *, writes: bool = False
) -> tuple[ObservationLayer, ...]:
    """Return the layers that are enabled for a request, in map order.

    Parameters
    ----------
    service
        The map.
    request_name
        The name of the operation, in any letter case.
    remote_addr
        The address of the client; empty, or not an address: it is unknown, and wherever there is a list the client is
        barred. None: lists of addresses do not apply, as on the command line.
    writes
        Whether the operation changes data: then ``*`` does not enable it, its name must be listed.
    """
    layers = service.layers
    return tuple(layer for layer in layers if is_enabled(service, layer, request_name, remote_addr, writes=writes))


def is_enabled(
    service: Service, layer: ObservationLayer, request_name: str, remote_addr: str | None, *, writes: bool = False
) -> bool:
    """Return whether one layer is enabled for a request; parameters as of `enabled_layers`.

    The layer's own lists of addresses always apply. Those of WEB are a part of the rules of WEB, as in MapServer: a
    layer that enables the request itself is not bound by them.
    """
    return _is_allowed(service, layer.access, layer.file, request_name, remote_addr, writes=writes)


def is_operation_enabled(service: Service, request_name: str, remote_addr: str | None, *, writes: bool = False) -> bool:
    """Return whether any LAYER of the map enables a request, with an offering or without; parameters as of
    `enabled_layers`. As in MapServer, a map without offerings can answer requests.
    """
    if enabled_layers(service, request_name, remote_addr, writes=writes):
        return True
    others = service.other_access
    return any(_is_allowed(service, rules, service.file, request_name, remote_addr, writes=writes) for rules in others)


def _is_allowed(
    service: Service, rules: AccessRules, file: str, request_name: str, remote_addr: str | None, *, writes: bool
) -> bool:
    if not _admits_address(rules, file, remote_addr):
        return False
    stated = _evaluate(rules, request_name, writes=writes)
    return stated if stated is not None else is_web_enabled(service, request_name, remote_addr, writes=writes)


def is_web_enabled(service: Service, request_name: str, remote_addr: str | None, *, writes: bool = False) -> bool:
    """Return whether WEB enables a request for a client at that address; parameters as of `enabled_layers`."""
    stated = _evaluate(service.access, request_name, writes=writes)
    return bool(stated) and _admits_address(service.access, service.file, remote_addr)


_LONGEST_NAME = 40


def evaluate_rule(text: str, request_name: str, *, writes: bool = False) -> bool | None:
    """Return what one enable_request text decides about a request: on, off, or None for nothing.

    A name beats ``*`` wherever either stands; of a name given twice the first counts, of ``*`` the last. For an
    operation that ``writes``, ``*`` decides nothing, and ``!*`` denies it.
    """
    # Long names of a client would fill the cache.
    evaluate = _evaluate_rule if len(request_name) <= _LONGEST_NAME else _evaluate_rule.__wrapped__
    return evaluate(text, request_name, writes)


@lru_cache(256)
def _evaluate_rule(text: str, request_name: str, writes: bool) -> bool | None:
    everything: bool | None = None
    for word in text.split(" "):
        name = word.removeprefix("!")
        if name.lower() == request_name.lower():
            return name == word
        if name == "*":
            everything = name == word
    return None if writes and everything else everything


def parse_addresses(text: str, folder: str) -> Addresses:
    """Parse an address list into its networks and the words that are not addresses.

    ``file:PATH`` (relative to ``folder``) is replaced by the words in that file. If the file cannot be read, it counts
    as a wrong word itself. A file is read again only after it changed, which is checked by a stat.
    """
    if "file:" not in text:
        return _parse_stated(text)
    words = [text] if text.startswith("file:") else text.split()
    found = [_read_file(word, folder) if word.startswith("file:") else _parse_stated(word) for word in words]
    if len(found) == 1:
        return found[0]
    networks = tuple(network for some, _ in found for network in some)
    return networks, tuple(word for _, some in found for word in some)


_files: dict[str, tuple[Identity, Addresses]] = {}
"""The last parsed content of each address file, by path."""


def _read_file(word: str, folder: str) -> Addresses:
    path = os.path.join(folder, word.removeprefix("file:").strip())
    try:
        # Taken before the file is read, so that a change in between is noticed by the next call.
        identity = identity_of(path, os.stat(path))
        known = _files.get(path)
        if known is None or known[0] != identity:
            with open(path, encoding="utf-8") as file:
                text = " ".join(line.partition("#")[0] for line in file)
            known = _files[path] = identity, _parse_words(text)
    except (OSError, ValueError):
        _files.pop(path, None)
        return (), (word,)
    return known[1]


@lru_cache(256)
def _parse_stated(text: str) -> Addresses:
    """Parse a list in a mapfile, cached: the same few strings are parsed for each layer and each request."""
    return _parse_words(text)


def _parse_words(text: str) -> Addresses:
    networks: list[Network] = []
    wrong: list[str] = []
    for word in text.split():
        try:
            networks.append(parse_network(word))
        except ValueError:
            wrong.append(word)
    return tuple(networks), tuple(wrong)


def _evaluate(rules: AccessRules, request_name: str, *, writes: bool) -> bool | None:
    """Return what a level decides. The ``ows_`` text counts where the ``sos_`` text decides nothing."""
    for text in rules.enable_request:
        stated = evaluate_rule(text, request_name, writes=writes) if text is not None else None
        if stated is not None:
            return stated
    return None


def _admits_address(rules: AccessRules, file: str, remote_addr: str | None) -> bool:
    if remote_addr is None or (rules.allowed_ip_list is None and rules.denied_ip_list is None):
        return True
    try:
        address = parse_address(remote_addr)
    except ValueError:
        return False
    folder = os.path.dirname(file)
    if rules.allowed_ip_list is not None:
        networks, wrong = parse_addresses(rules.allowed_ip_list, folder)
        _report(wrong, file)
        if not any(address in network for network in networks):
            return False
    if rules.denied_ip_list is not None:
        networks, wrong = parse_addresses(rules.denied_ip_list, folder)
        _report(wrong, file)
        # A list that cannot be parsed might have denied this very address.
        return not wrong and not any(address in network for network in networks)
    return True


def _report(wrong: tuple[str, ...], file: str) -> None:
    if wrong:
        _log.error("%s: in an address list, not an address, network or readable file: %s", file, " ".join(wrong))
