"""Store services in a form that needs no parser, which makes CGI requests cheap.

The form is JSON, which cannot carry code, in the cache folder (`mapsos.files.cache_folder`). A file is trusted only if
the same code made it from files that have not changed.
"""

from __future__ import annotations

import json
import os
import re
import zlib

from mapsos.files.cache_folder import read_kept, write_kept
from mapsos.files.code_version import code_version
from mapsos.files.identity import Identity
from mapsos.mapfile import model
from mapsos.terms.value_json import TERMS, ValueCodec
from mapsos.terms.values import dataclass

_ROOMS = ("files", "mapfile", "terms")
"""The rooms whose code determines the compiled form of a mapfile."""

@dataclass(frozen=True)
class Compiled:
    """A service, and the identities of its files, taken before they were read."""

    service: model.Service
    identities: tuple[Identity, ...]

    def holds(self) -> bool:
        """Return whether all files are unchanged."""
        return all(identity.holds() for identity in self.identities)


CODEC = ValueCodec(
    (
        *TERMS,
        Compiled,
        Identity,
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
"""Writes and reads compiled maps."""


def load_compiled(folder: str | None, path: str, *, outdated: bool = False) -> Compiled | None:
    """Return the compiled form of a mapfile, None without a valid one.

    Costs about 1 ms for a map of ten layers.

    Parameters
    ----------
    folder
        The cache folder; None without one.
    path
        Absolute path of the mapfile.
    outdated
        Also return a form whose files have changed, for use while the mapfile is faulty.
    """
    if folder is None:
        return None
    try:
        if (content := read_kept(folder, _name_file(path))) is None:
            return None
        document = json.loads(content)
        if document["maker"] != code_version(*_ROOMS) or document["path"] != path:
            return None
        compiled = CODEC.decode(document["compiled"])
        return compiled if isinstance(compiled, Compiled) and (outdated or compiled.holds()) else None
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def store_compiled(folder: str | None, path: str, compiled: Compiled) -> None:
    """Write the compiled form for `load_compiled`. Does nothing if the folder is None or cannot be written."""
    if folder is None:
        return
    document = {
        "maker": code_version(*_ROOMS),
        "path": path,
        "compiled": CODEC.encode(compiled),
    }
    write_kept(json.dumps(document, separators=(",", ":")).encode(), folder, _name_file(path))


def _name_file(path: str) -> str:
    name = re.sub(r"[^A-Za-z0-9.-]", "_", os.path.basename(path))[:60]
    return f"{name}-{zlib.crc32(os.fsencode(path)):08x}.json"
