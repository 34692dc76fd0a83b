"""Store services in a form that needs no parser, which makes CGI requests cheap.

The form is JSON, which cannot carry code, in the cache folder (`mapsos.files.cache_folder`). A file is trusted only if
the same code made it from files that have not changed.
"""

from __future__ import annotations

import enum
import json
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from mapsos.files.cache_folder import read_kept, write_kept
from mapsos.files.code_version import code_version
from mapsos.files.identity import Identity
from mapsos.mapfile import model
from mapsos.terms import crs, layer_source, predicates, times

_VALUES: dict[str, Callable[..., Any]] = {
    kind.__name__: kind
    for module in (crs, layer_source, model, predicates, times)
    for kind in vars(module).values()
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, enum.Enum))
}
_VALUES["Identity"] = Identity
_ROOMS = ("mapfile", "terms")
"""The rooms whose code determines the compiled form of a mapfile."""

_WILDCARDS = {"ANY_RUN": predicates.ANY_RUN, "ANY_ONE": predicates.ANY_ONE}


@dataclass(frozen=True)
class Compiled:
    """A service, and the identities of its files, taken before they were read."""

    service: model.Service
    identities: tuple[Identity, ...]

    def holds(self) -> bool:
        """Return whether all files are unchanged."""
        return all(identity.holds() for identity in self.identities)


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
        identities = tuple(Identity(*parts) for parts in document["identities"])
        if not outdated and not all(identity.holds() for identity in identities):
            return None
        service = decode(document["service"])
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
    return Compiled(service, identities) if isinstance(service, model.Service) else None


def store_compiled(folder: str | None, path: str, compiled: Compiled) -> None:
    """Write the compiled form for `load_compiled`. Does nothing if the folder is None or cannot be written."""
    if folder is None:
        return
    document = {
        "maker": code_version(*_ROOMS),
        "path": path,
        "identities": [[getattr(item, part.name) for part in fields(item)] for item in compiled.identities],
        "service": encode(compiled.service),
    }
    write_kept(json.dumps(document, separators=(",", ":")).encode(), folder, _name_file(path))


def encode(value: Any) -> Any:
    """Return a value of the model as a JSON value. A dataclass becomes a list that begins with its name.

    Raises
    ------
    TypeError
        The value has no compiled form.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple):
        return ["", *map(encode, value)]
    if isinstance(value, dict):
        return {key: encode(inner) for key, inner in value.items()}
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, enum.Enum):
        return [type(value).__name__, value.value]
    if isinstance(value, predicates.Wildcard):
        return ["wildcard", repr(value)]
    if type(value).__name__ in _VALUES:
        return [type(value).__name__, *(encode(getattr(value, part.name)) for part in fields(value))]
    raise TypeError(f"{type(value).__name__} has no compiled form")


def decode(value: Any) -> Any:
    """Return the value of a JSON value that `encode` made.

    Raises
    ------
    TypeError, ValueError, KeyError, IndexError
        The JSON value was not made by `encode`.
    """
    if isinstance(value, list):
        name, *parts = value
        if not name:
            return tuple(map(decode, parts))
        if name == "bytes":
            return bytes.fromhex(parts[0])
        if name == "wildcard":
            return _WILDCARDS[parts[0]]
        return _VALUES[name](*map(decode, parts))
    if isinstance(value, dict):
        return {key: decode(inner) for key, inner in value.items()}
    return value


def _name_file(path: str) -> str:
    name = re.sub(r"[^A-Za-z0-9.-]", "_", os.path.basename(path))[:60]
    return f"{name}-{zlib.crc32(os.fsencode(path)):08x}.json"
