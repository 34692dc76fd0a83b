"""A service on disk in a form that needs no parser: what makes CGI requests cheap.

It is JSON, which cannot carry code, in the cache folder (`mapsos.files.cache_folder`). A file is trusted only if this
very version made it from files that are unchanged.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from dataclasses import dataclass, fields

import mapsos
from mapsos.files.cache_folder import read_kept, write_kept
from mapsos.files.identity import Identity
from mapsos.mapfile import model
from mapsos.terms import value_json
from mapsos.terms.value_json import TERMS, ValueCodec

CODEC = ValueCodec(
    (
        *TERMS,
        model.AccessRules,
        model.Extent,
        model.FeatureMetadata,
        model.Field,
        model.Identification,
        model.ObservationLayer,
        model.ObservedProperty,
        model.Provider,
        model.SensorMetadata,
        model.Service,
    )
)
"""Writes and reads services."""


@dataclass(frozen=True)
class Compiled:
    """A service and the files it was read from, as they were before they were read."""

    service: model.Service
    identities: tuple[Identity, ...]

    def holds(self) -> bool:
        """Whether all of the files are unchanged."""
        return all(identity.holds() for identity in self.identities)


def load_compiled(folder: str | None, path: str, *, outdated: bool = False) -> Compiled | None:
    """The compiled form of the mapfile ``path`` (absolute), None if there is none that holds.

    Costs about 1 ms for a map of ten layers. ``folder`` None: there is no cache. ``outdated``: one whose files have
    changed since is given too, for where what they have become is no map.
    """
    if folder is None:
        return None
    try:
        if (content := read_kept(folder, _name_file(path))) is None:
            return None
        document = json.loads(content)
        if document["maker"] != _maker() or document["path"] != path:
            return None
        identities = tuple(Identity(*parts) for parts in document["identities"])
        if not outdated and not all(identity.holds() for identity in identities):
            return None
        service = CODEC.decode(document["service"])
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
    return Compiled(service, identities) if isinstance(service, model.Service) else None


def store_compiled(folder: str | None, path: str, compiled: Compiled) -> None:
    """Write the compiled form, for `load_compiled`; where that is not possible, nothing happens."""
    if folder is None:
        return
    document = {
        "maker": _maker(),
        "path": path,
        "identities": [[getattr(item, part.name) for part in fields(item)] for item in compiled.identities],
        "service": CODEC.encode(compiled.service),
    }
    write_kept(json.dumps(document, separators=(",", ":")).encode(), folder, _name_file(path))


def _name_file(path: str) -> str:
    name = re.sub(r"[^A-Za-z0-9.-]", "_", os.path.basename(path))[:60]
    return f"{name}-{zlib.crc32(os.fsencode(path)):08x}.json"


def _maker() -> str:
    """What made the form: the version, and the code itself, which changes between versions while one works on it."""
    states: list[str] = []
    for module in (__file__, value_json.__file__):
        with os.scandir(os.path.dirname(module)) as entries:
            states += sorted(f"{one.name}:{one.stat().st_mtime_ns}" for one in entries if one.name.endswith(".py"))
    return f"mapsos {mapsos.__version__} {zlib.crc32(' '.join(states).encode()):08x}"
