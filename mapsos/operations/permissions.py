"""Which requests and layers need a key, as the map states it, and whether the client has one (docs/keys.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.mapfile.access import is_operation_enabled
from mapsos.mapfile.key_levels import read_key_level
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.terms.failures import AccessError, miss_store, require_key

if TYPE_CHECKING:
    from mapsos.access.gate import Requester

RESOURCES = ("GetCapabilities", "GetObservation")
"""The operations that resources of REST and pages stand for."""


def check_access(
    service: Service,
    requester: Requester | None,
    address: str | None,
    request_names: tuple[str, ...],
    *,
    writes: bool = False,
    is_open: bool = False,
) -> bool:
    """Check the key of a request to a map. Return whether the client may use layers that need one.

    Parameters
    ----------
    service
        The map.
    requester
        The client; None where the server has no keys.
    address
        The client's address; None on the command line, where keys do not apply, as address lists do not.
    request_names
        The operations, one of which the request is. Clients that address lists bar from all of them are not asked for
        a key.
    writes
        Whether the operation changes data.
    is_open
        Whether the request needs no key even if WEB requires one.

    Raises
    ------
    AccessError
        The key is missing, wrong or not sufficient; or keys cannot be checked.
    """
    if address is None:
        return True
    level = read_key_level(service.access)
    has_levels = level != "none" or any(layer.access.require_key is not None for layer in service.layers)
    if not has_levels and (requester is None or not requester.has_keys):
        return False
    if not _is_address_allowed(service, address, request_names, writes):
        return False
    needs_key = not is_open and (level == "all" or (level == "write" and writes))
    if requester is None:
        if needs_key:
            raise miss_store()
        return False
    if has_levels:
        requester.note_dependence()
    return requester.admit(service.file, needs_key=needs_key, writes=writes)


def is_layer_closed(service: Service, layer: ObservationLayer, *, writes: bool, is_open: bool) -> bool:
    """Return whether a layer is closed to a client without a key. ``is_open``: what WEB requires does not count."""
    stated = read_key_level(layer.access), "none" if is_open else read_key_level(service.access)
    return "all" in stated or (writes and "write" in stated)


def miss_key(requester: Requester | None) -> AccessError:
    """Return the rejection of a request for what only a client with a key may use."""
    return require_key() if requester is not None else miss_store()


def _is_address_allowed(service: Service, address: str, request_names: tuple[str, ...], writes: bool) -> bool:
    every = (service.access, *service.other_access, *(layer.access for layer in service.layers))
    if not any(rules.allowed_ip_list or rules.denied_ip_list for rules in every):
        return True

    def is_enabled(address: str | None) -> bool:
        return any(is_operation_enabled(service, name, address, writes=writes) for name in request_names)

    return is_enabled(address) or not is_enabled(None)
