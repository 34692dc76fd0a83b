"""Whether the data of a layer are still the same: for caches on a higher floor."""

from __future__ import annotations

import os
from collections.abc import Hashable

from mapsos.layer_source import LayerSource, SourceKind

_COMPANIONS = (".dbf", ".shx", ".cpg", ".prj", ".csvt")
_JOURNALS = ("-wal", "-journal")


def identity(source: LayerSource) -> Hashable | None:
    """Something that differs once the data differ: the source, and name, size, time (ns) and inode of its files.

    None where that cannot be told: databases, services, VRTs (whose data are elsewhere) and what does not exist.
    Imports nothing heavy.
    """
    if source.kind is SourceKind.INLINE:
        return (source,)
    if source.kind is SourceKind.POSTGIS:
        return None
    path = source.connection
    stem, extension = os.path.splitext(path)
    if source.kind is SourceKind.SHAPEFILE and extension.lower() != ".shp":
        stem, path = path, path + ".shp"
    if extension.lower() == ".vrt" or not os.path.isfile(path):
        return None
    beside = [stem + companion for companion in _COMPANIONS]
    # An empty journal says nothing: SQLite may make one just by opening the file.
    journals = [state if (state := _state(path + journal)) and state[0] else None for journal in _JOURNALS]
    return (source, tuple(_state(file) for file in (path, *beside)), tuple(journals))


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino
